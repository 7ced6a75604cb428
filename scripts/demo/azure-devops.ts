/** What people and the retention job do in the Azure DevOps of the demo. */
import type { Http } from '../../core/oci/http.ts';
import { control } from './control.ts';

/** The demo's organization. */
export interface Organization {
  readonly url: string;
  readonly collectionId: string;
  /** What a person signs in with, and the webhook handler. */
  readonly pat: string;
}

/** A project and a pipeline in it. */
export interface Pipeline {
  readonly projectId: string;
  readonly definitionId: number;
}

/** Makes a project with one pipeline. */
export async function createPipeline(http: Http, organization: Organization): Promise<Pipeline> {
  const { id } = await control(http, organization.url, 'projects', { name: 'Shop' });
  const definition = await control(http, organization.url, 'definitions', { projectId: id, name: 'shop' });
  return { projectId: String(id), definitionId: Number(definition['id']) };
}

/** What a person is answered: no body where there is none. */
export interface Answered {
  readonly status: number;
  readonly body: { readonly message?: string; readonly value?: readonly { readonly leaseId: number }[] } | undefined;
}

/** Sends what the pages of Azure DevOps send for a person; `path` is below the project. */
export async function askAsPerson(
  organization: Organization,
  { projectId }: Pipeline,
  method: 'GET' | 'DELETE',
  path: string,
): Promise<Answered> {
  const authorization = `Basic ${Buffer.from(`:${organization.pat}`).toString('base64')}`;
  const response = await fetch(`${organization.url}/${projectId}/_apis/build/${path}`, {
    method,
    headers: { authorization },
  });
  const text = await response.text();
  return { status: response.status, body: text ? (JSON.parse(text) as NonNullable<Answered['body']>) : undefined };
}
