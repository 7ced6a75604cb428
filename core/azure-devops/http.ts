/**
 * One exchange with Azure DevOps over the HTTP client of azure-devops-node-api, and the only file that knows its traps:
 * `WebApi.js` loads every API there is (1.1 MB bundled, this is 74 kB), the typed RestClient turns every 404 into null and
 * loses its body, bodies have no bound, redirects are followed with the token, a cut body never ends, and a proxy is
 * taken from the environment. https://github.com/microsoft/azure-devops-node-api/issues/493
 */
import type { IncomingHttpHeaders, IncomingMessage, RequestOptions } from 'node:http';
import { AdoHttpClient } from 'azure-devops-node-api/AdoHttpClientBases.js';
import { BearerCredentialHandler } from 'azure-devops-node-api/handlers/bearertoken.js';
import { PersonalAccessTokenCredentialHandler } from 'azure-devops-node-api/handlers/personalaccesstoken.js';
import { errorMessage } from '../base/errors.ts';

/** What signs a request in: an Entra or job access token, or a personal access token. */
export interface AzureDevOpsToken {
  readonly kind: 'bearer' | 'pat';
  readonly value: string;
}

/** A proxy that the caller was told to use; the environment is never asked. */
export interface AzureDevOpsProxy {
  readonly url: string;
  readonly username?: string;
  readonly password?: string;
}

/** One request, whole: an absolute URL and, for writes, a JSON text. */
export interface HttpRequest {
  readonly method: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  readonly url: string;
  readonly body?: string;
  readonly token: AzureDevOpsToken;
}

/** A whole answer whatever its status, or why there is none. */
export type Exchange =
  | {
      readonly kind: 'answered';
      readonly status: number;
      readonly headers: IncomingHttpHeaders;
      readonly body: Buffer;
    }
  | { readonly kind: 'broken'; readonly why: string; readonly retryable: boolean };

/** Sends a request once: no retry, no redirect. Never rejects. */
export type SendHttp = (request: HttpRequest) => Promise<Exchange>;

/** The largest body that is read. A page of 200 builds is about 1 MB. */
export const maxBodyBytes = 16 * 1024 * 1024;

/** Failures that asking again cannot cure: the server's certificate is not trusted. */
const certificateFault = /CERT|SELF_SIGNED|ALTNAME|UNABLE_TO_/;

/** How requests are sent. */
export interface AzureDevOpsHttpOptions {
  /** Bounds a whole exchange, from the connection to the last byte of the body. */
  readonly timeoutMs: number;
  readonly proxy?: AzureDevOpsProxy | undefined;
  /** What to trust, as PEM, in place of Node's own authorities. */
  readonly ca?: readonly string[] | undefined;
}

/** Makes the function that sends requests, with connections kept open between them. */
export function createHttp({ timeoutMs, proxy, ca }: AzureDevOpsHttpOptions): SendHttp {
  const client = new AdoHttpClient('image-lifecycle', [], {
    allowRedirects: false,
    allowRetries: false,
    keepAlive: true,
    // An explicit proxy, even an empty one, keeps the library from reading HTTP_PROXY and NO_PROXY.
    proxy: {
      proxyUrl: proxy?.url ?? '',
      proxyBypassHosts: [],
      ...(proxy?.username === undefined ? {} : { proxyUsername: proxy.username }),
      ...(proxy?.password === undefined ? {} : { proxyPassword: proxy.password }),
    },
  });
  return async request => {
    const signal = AbortSignal.timeout(timeoutMs);
    try {
      // The library takes its handlers before it yields, so requests that run at the same time do not mix.
      client.handlers = [signIn(request.token, signal, ca)];
      const { message } = await start(client, request);
      return await readAnswer(message);
    } catch (error) {
      const why = signal.aborted ? `gave no whole answer within ${timeoutMs} ms` : `broke off (${describe(error)})`;
      return { kind: 'broken', why, retryable: signal.aborted || !certificateFault.test(describe(error)) };
    }
  };
}

/** Puts the token, the deadline and the trust on a request; the library takes authorities from a file alone. */
function signIn(token: AzureDevOpsToken, signal: AbortSignal, ca: readonly string[] | undefined) {
  const handler =
    token.kind === 'pat'
      ? new PersonalAccessTokenCredentialHandler(token.value, false)
      : new BearerCredentialHandler(token.value, false);
  return {
    prepareRequest: (options: RequestOptions) => {
      handler.prepareRequest(options);
      options.signal = signal;
      // The agent's own options are what a connection through a proxy is made with, too.
      const agent = options.agent as { options?: object } | undefined;
      if (ca !== undefined && agent?.options !== undefined) Object.assign(agent.options, { ca });
    },
    canHandleAuthentication: () => false,
    handleAuthentication: () => Promise.reject(new Error('the sign-in is sent with the request')),
  };
}

function start(client: AdoHttpClient, request: HttpRequest): Promise<{ message: IncomingMessage }> {
  const headers = { accept: 'application/json' };
  if (request.method === 'GET') return client.get(request.url, headers);
  if (request.body === undefined && request.method === 'DELETE') return client.del(request.url, headers);
  const typed = { ...headers, 'content-type': 'application/json; charset=utf-8' };
  return client.request(request.method, request.url, request.body ?? '', typed);
}

async function readAnswer(message: IncomingMessage): Promise<Exchange> {
  const tooLarge: Exchange = {
    kind: 'broken',
    why: `gave a body of more than ${maxBodyBytes / 1024 / 1024} MB`,
    retryable: false,
  };
  if (Number(message.headers['content-length'] ?? 0) > maxBodyBytes) {
    message.destroy();
    return tooLarge;
  }
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of message as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > maxBodyBytes) return tooLarge;
    chunks.push(chunk);
  }
  if (!message.complete) return { kind: 'broken', why: 'cut its answer short', retryable: true };
  return {
    kind: 'answered',
    status: message.statusCode ?? 0,
    headers: message.headers,
    body: Buffer.concat(chunks, size),
  };
}

function describe(error: unknown): string {
  const code = (error as { code?: unknown } | null)?.code;
  return typeof code === 'string' ? code : errorMessage(error);
}
