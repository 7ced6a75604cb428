/** One GET to the API server of a cluster: bounded in bytes and time, with no redirect followed. */
import { Agent, type Dispatcher, ProxyAgent } from 'undici';
import { errorMessage } from '../base/errors.ts';

/** What a client sends to be known, and what it trusts. */
export interface SignIn {
  /** Lower-case names, `authorization` among them where there is one. */
  readonly headers: Readonly<Record<string, string>>;
  /** PEM of a client certificate, with its key. */
  readonly certificate?: { readonly cert: string; readonly key: string } | undefined;
}

/** How to reach an API server. */
export interface Way {
  /** PEM; Node's own authorities where it is left out. */
  readonly ca?: string | readonly string[] | undefined;
  /** Any certificate is taken, as kubeconfig's `insecure-skip-tls-verify` says. */
  readonly skipTlsVerify?: boolean | undefined;
  /** The name that the certificate must have, where that is not the host. */
  readonly tlsServerName?: string | undefined;
  readonly proxy?: KubernetesProxy | undefined;
}

/** A proxy that the caller was told to use; the environment is never asked. */
export interface KubernetesProxy {
  /** `http:` or `https:`. */
  readonly url: string;
  readonly username?: string;
  readonly password?: string;
}

/** One request, by its absolute URL. */
export interface HttpRequest {
  readonly url: string;
  readonly signIn: SignIn;
  /** The most bytes that an answer may have. */
  readonly maxBytes: number;
  readonly signal?: AbortSignal | undefined;
}

/** A whole answer whatever its status, or why there is none. */
export type Exchange =
  | {
      readonly kind: 'answered';
      readonly status: number;
      readonly contentType: string;
      /** As the answer has it. */
      readonly retryAfter: string | undefined;
      readonly bytes: Uint8Array;
    }
  | { readonly kind: 'tooLarge' }
  | { readonly kind: 'broken'; readonly why: string; readonly retryable: boolean };

/** Sends a request once. Never rejects. */
export type SendHttp = (request: HttpRequest) => Promise<Exchange>;

/** Failures that asking again cannot cure: a certificate is not trusted, or the client's own is none. */
const certificateFault = /CERT|SELF_SIGNED|ALTNAME|UNABLE_TO_|ERR_SSL|ERR_OSSL|PEM/;

/** Failures before anything was sent: most often a private cluster that this machine has no way to. */
const unreachable = /^(?:ECONNREFUSED|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|ETIMEDOUT)$|Connect Timeout/;

/** Makes the function that sends requests, with connections kept open between them. `timeoutMs` bounds a whole exchange. */
export function createHttp(way: Way, timeoutMs: number): SendHttp {
  let used: { readonly certificate: SignIn['certificate']; readonly dispatcher: Dispatcher } | undefined;
  const dispatcherFor = ({ certificate }: SignIn): Dispatcher => {
    // A plugin may give another certificate each time, and a connection keeps the one that it began with.
    if (used && used.certificate?.cert === certificate?.cert) return used.dispatcher;
    used = { certificate, dispatcher: createDispatcher(way, certificate) };
    return used.dispatcher;
  };
  return async ({ url, signIn, maxBytes, signal }) => {
    const timeout = AbortSignal.timeout(timeoutMs);
    try {
      const target = new URL(url);
      const answer = await dispatcherFor(signIn).request({
        origin: target.origin,
        path: `${target.pathname}${target.search}`,
        method: 'GET',
        headers: { accept: 'application/json', 'user-agent': 'image-lifecycle', ...signIn.headers },
        signal: signal ? AbortSignal.any([timeout, signal]) : timeout,
      });
      return await readAnswer(answer, maxBytes);
    } catch (thrown) {
      if (signal?.aborted)
        return { kind: 'broken', why: 'was not asked to the end: the run was stopped', retryable: false };
      const why = timeout.aborted ? `gave no whole answer within ${timeoutMs} ms` : tellBreak(describe(thrown));
      return { kind: 'broken', why, retryable: timeout.aborted || !certificateFault.test(describe(thrown)) };
    }
  };
}

function createDispatcher(way: Way, certificate: SignIn['certificate']): Dispatcher {
  const { ca, skipTlsVerify, tlsServerName, proxy } = way;
  const tls = {
    ...(ca !== undefined && { ca: typeof ca === 'string' ? ca : [...ca] }),
    ...(skipTlsVerify && { rejectUnauthorized: false }),
    ...(tlsServerName !== undefined && { servername: tlsServerName }),
    ...certificate,
  };
  // The deadline of the whole exchange is the signal's.
  const limits = { connections: 4, headersTimeout: 0, bodyTimeout: 0 };
  if (!proxy) return new Agent({ ...limits, connect: tls });
  const { url, username, password = '' } = proxy;
  const token =
    username === undefined ? undefined : `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
  return new ProxyAgent({ ...limits, uri: url, requestTls: tls, ...(token !== undefined && { token }) });
}

async function readAnswer(answer: Dispatcher.ResponseData, maxBytes: number): Promise<Exchange> {
  const { statusCode, headers, body } = answer;
  const parts: Uint8Array[] = [];
  let size = 0;
  for await (const part of body as AsyncIterable<Uint8Array>) {
    size += part.byteLength;
    // Leaving the loop gives the connection up.
    if (size > maxBytes) return { kind: 'tooLarge' };
    parts.push(part);
  }
  const text = (name: string): string | undefined => {
    const value = headers[name];
    return Array.isArray(value) ? value[0] : value;
  };
  return {
    kind: 'answered',
    status: statusCode,
    contentType: text('content-type') ?? '',
    retryAfter: text('retry-after'),
    bytes: Buffer.concat(parts, size),
  };
}

function tellBreak(what: string): string {
  return unreachable.test(what)
    ? `cannot be reached from here (${what}); a cluster that this machine has no way to can report what it runs instead`
    : `broke off (${what})`;
}

function describe(thrown: unknown): string {
  const { code, cause } = (thrown ?? {}) as { code?: unknown; cause?: unknown };
  if (typeof code === 'string' && !code.startsWith('UND_ERR')) return code;
  return cause instanceof Error ? describe(cause) : errorMessage(thrown);
}
