/**
 * HTTP to a registry: bounded bodies, retries with a bound, and redirects that never carry credentials away.
 * It knows nothing of sign-in; see registry.ts.
 */
import { Agent, type Dispatcher, request as send } from 'undici';
import { type Clock, systemClock } from '../base/clock.ts';
import { AppError, errorMessage } from '../base/errors.ts';
import { type Logger, silentLog } from '../base/log.ts';
import { type Attempt, defaultRetryPolicy, type RetryPolicy, retry } from '../base/retry.ts';

/** Where the world is replaced: the dispatcher carries proxy and certificate authorities. */
export interface HttpOptions {
  readonly dispatcher?: Dispatcher;
  /** PEM of a further certificate authority to trust, where no dispatcher is given. */
  readonly ca?: string;
  readonly clock?: Clock;
  readonly log?: Logger;
  readonly retryPolicy?: RetryPolicy;
}

/** One request. `authorization` goes to `url`'s own origin alone. */
export interface HttpRequest {
  readonly method: 'GET' | 'HEAD' | 'PUT' | 'POST' | 'PATCH' | 'DELETE';
  readonly url: URL;
  readonly headers?: Readonly<Record<string, string>>;
  readonly authorization?: string | undefined;
  /** Sent again as it is on a retry. */
  readonly body?: Uint8Array | string;
  /** The most bytes an answer may have; 1 MiB unless told. */
  readonly maxBytes?: number;
}

/** A whole answer. */
export interface HttpAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly bytes: Uint8Array;
}

/** An answer whose body is still to be read, exactly once. */
export interface HttpStream {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly body: Dispatcher.ResponseData['body'];
}

/** Sends requests; every method throws `REGISTRY_UNAVAILABLE` when no retry helped. */
export interface Http {
  /** Gives the whole answer of any status but 408, 429 and 5xx, which are tried again. */
  exchange(request: HttpRequest): Promise<HttpAnswer>;
  /** Like `exchange`, but the body is left to the caller, who must read or destroy it; not retried once it began. */
  open(request: HttpRequest): Promise<HttpStream>;
  readonly clock: Clock;
  readonly log: Logger;
  /** Closes idle connections. */
  close(): Promise<void>;
}

const retried = new Set([408, 429, 500, 502, 503, 504]);
const maxRedirects = 5;
const defaultMaxBytes = 1024 * 1024;

/** Makes a client; several registries may share it. */
export function createHttp(options: HttpOptions = {}): Http {
  const clock = options.clock ?? systemClock;
  const log = options.log ?? silentLog;
  const policy = options.retryPolicy ?? defaultRetryPolicy;
  const dispatcher =
    options.dispatcher ??
    new Agent({
      connections: 32,
      headersTimeout: 60_000,
      bodyTimeout: 60_000,
      ...(options.ca && { connect: { ca: options.ca } }),
    });
  let sequence = 0;
  async function attempt<T>(request: HttpRequest, read: (answer: HttpStream) => Promise<T>): Promise<Attempt<T>> {
    const number = (sequence += 1);
    try {
      const answer = await follow(dispatcher, request);
      log.debug(`#${number} ${request.method} ${place(request.url)} ${answer.status}`);
      if (!retried.has(answer.status)) return { done: await read(answer) };
      await answer.body.dump();
      return { failed: refused(request, answer.status), ...askedWait(answer, clock) };
    } catch (thrown) {
      if (thrown instanceof AppError) throw thrown;
      log.debug(`#${number} ${request.method} ${place(request.url)} failed: ${errorMessage(thrown)}`);
      const failed = broken(request, thrown);
      if (!failed.retryable) throw failed;
      return { failed };
    }
  }
  return {
    clock,
    log,
    exchange: request => retry(() => attempt(request, answer => readWhole(answer, request)), clock, policy),
    open: request => retry(() => attempt(request, async answer => answer), clock, policy),
    close: () => dispatcher.close(),
  };
}

/** Follows redirects of GET and HEAD; `Authorization` stays with the origin it was made for. */
async function follow(dispatcher: Dispatcher, request: HttpRequest): Promise<HttpStream> {
  let url = request.url;
  for (let hops = 0; ; hops += 1) {
    const authorization = url.origin === request.url.origin ? request.authorization : undefined;
    const answer = await send(url, {
      dispatcher,
      method: request.method,
      headers: { ...request.headers, ...(authorization && { authorization }) },
      // Without this undici closes the connection after each HEAD.
      reset: false,
      ...(request.body !== undefined && { body: request.body }),
    });
    const headers = answer.headers as HttpStream['headers'];
    const location = headers['location'];
    const redirects = [301, 302, 303, 307, 308].includes(answer.statusCode) && location !== undefined;
    if (!redirects || (request.method !== 'GET' && request.method !== 'HEAD')) {
      return { status: answer.statusCode, headers, body: answer.body };
    }
    await answer.body.dump();
    const next = new URL(location, url);
    if (hops === maxRedirects || (url.protocol === 'https:' && next.protocol !== 'https:')) {
      throw new AppError(
        `${request.method} ${place(request.url)} was redirected ${hops === maxRedirects ? 'too often' : `to ${next.origin}, without TLS`}.`,
        {
          code: 'REGISTRY_UNEXPECTED',
        },
      );
    }
    url = next;
  }
}

async function readWhole(answer: HttpStream, request: HttpRequest): Promise<HttpAnswer> {
  const limit = request.maxBytes ?? defaultMaxBytes;
  const parts: Uint8Array[] = [];
  let total = 0;
  for await (const part of answer.body as AsyncIterable<Uint8Array>) {
    total += part.byteLength;
    if (total > limit) {
      answer.body.destroy();
      throw new AppError(`${request.method} ${place(request.url)} answered more than ${limit} bytes.`, {
        code: 'TOO_LARGE',
      });
    }
    parts.push(part);
  }
  return { status: answer.status, headers: answer.headers, bytes: Buffer.concat(parts) };
}

/** Azure counts `Retry-After` down, so it is obeyed as it stands. https://www.rfc-editor.org/rfc/rfc9110#field.retry-after */
function askedWait(answer: HttpStream, clock: Clock): { waitMs?: number } {
  const text = answer.headers['retry-after'];
  if (text === undefined) return {};
  const seconds = Number(text);
  const ms = Number.isFinite(seconds) ? seconds * 1000 : Date.parse(text) - clock.now();
  return Number.isFinite(ms) ? { waitMs: Math.min(Math.max(ms, 250), 5 * 60_000) } : {};
}

function refused(request: HttpRequest, status: number): AppError {
  const why = status === 429 ? 'too many requests' : `status ${status}`;
  return new AppError(`${request.method} ${place(request.url)} was refused (${why}) until we gave up.`, {
    code: 'REGISTRY_UNAVAILABLE',
    retryable: true,
  });
}

function broken(request: HttpRequest, cause: unknown): AppError {
  const code = (cause as { code?: string } | null)?.code ?? '';
  const untrusted = /CERT|SELF_SIGNED|ERR_TLS|UNABLE_TO/.test(code);
  const hint = untrusted ? ' Its certificate is not trusted here: name its authority in NODE_EXTRA_CA_CERTS.' : '';
  return new AppError(`${request.method} ${place(request.url)} failed: ${errorMessage(cause) || code}.${hint}`, {
    code: 'REGISTRY_UNAVAILABLE',
    retryable: !untrusted && !(cause instanceof TypeError),
    cause,
  });
}

/** Host and path; a query may hold a signature, so it is never shown. */
function place(url: URL): string {
  return `${url.host}${url.pathname}`;
}
