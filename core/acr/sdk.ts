/**
 * `@azure/container-registry` on our own transport: the one place that knows its traps (docs/adr/0002).
 * - It keeps one access token per client and asks anew at each change of repository: here our sign-in answers first,
 *   so the SDK never sees a 401. The same lets it speak to a registry with a password, which it has no credential for.
 * - It retries by itself: switched off, our transport has its bound.
 * - A deletion of something missing looks like success: no deletion goes through it.
 */
import type { ContainerRegistryClient } from '@azure/container-registry';
import type { HttpClient, PipelineRequest, PipelineResponse } from '@azure/core-rest-pipeline';
import type { HttpRequest } from '../oci/http.ts';
import type { Registry } from '../oci/registry.ts';

/** Makes the SDK's client for `registry`; each request carries a token for `scope`. */
export async function createSdkClient(registry: Registry, scope: string): Promise<ContainerRegistryClient> {
  const [sdk, pipeline] = await Promise.all([import('@azure/container-registry'), import('@azure/core-rest-pipeline')]);
  const httpClient: HttpClient = {
    async sendRequest(request: PipelineRequest): Promise<PipelineResponse> {
      const url = new URL(request.url);
      const answer = await registry.exchange({
        method: request.method as HttpRequest['method'],
        path: `${url.pathname}${url.search}`,
        scope,
        headers: {
          'content-type': request.headers.get('content-type') ?? 'application/json',
          accept: 'application/json',
        },
        ...(typeof request.body === 'string' && { body: request.body }),
      });
      const headers = Object.entries(answer.headers).filter(
        (entry): entry is [string, string] => typeof entry[1] === 'string',
      );
      return {
        request,
        status: answer.status,
        headers: pipeline.createHttpHeaders(Object.fromEntries(headers)),
        bodyAsText: Buffer.from(answer.bytes).toString('utf8'),
      };
    },
  };
  return new sdk.ContainerRegistryClient(`https://${registry.host}`, { httpClient, retryOptions: { maxRetries: 0 } });
}
