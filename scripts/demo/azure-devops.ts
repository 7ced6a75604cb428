/** What people and the retention job do in the Azure DevOps of the demo, by the emulator's control surface. */

/** The demo's organization. */
export interface Organization {
  readonly url: string;
  readonly collectionId: string;
  readonly pat: string;
}

/** A project and a pipeline in it. */
export interface Pipeline {
  readonly projectId: string;
  readonly definitionId: number;
}

/** Sends one command. Throws what the emulator answers when it refuses. */
export async function command(
  organization: Organization,
  path: string,
  body: object = {},
): Promise<Record<string, unknown>> {
  const response = await fetch(new URL(`/_emulator/${path}`, organization.url), {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  const answer = (await response.json()) as Record<string, unknown>;
  if (!response.ok) throw new Error(`The emulated Azure DevOps refused ${path}: ${JSON.stringify(answer)}`);
  return answer;
}

/** Makes a project with one pipeline. */
export async function createPipeline(organization: Organization): Promise<Pipeline> {
  const { id } = await command(organization, 'projects', { name: 'Shop' });
  const definition = await command(organization, 'definitions', { projectId: id, name: 'shop-ci' });
  return { projectId: String(id), definitionId: Number(definition['id']) };
}
