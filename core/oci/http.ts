/**
 * HTTP to a registry: bounded bodies, retries with a bound, and redirects that never carry credentials away.
 * It knows nothing of sign-in; see registry.ts.
 */
import { Agent, type Dispatcher } from 'undici';
import { type Clock, systemClock } from '../base/clock.ts';
import { AppError, errorMessage } from '../base/errors.ts';
import { type Logger, silentLog } from '../base/log.ts';
import { type Attempt, defaultRetryPolicy, type RetryPolicy, retry } from '../base/retry.ts';
import { type AnswerBody, dispatch, type OpenAnswer } from './answer-body.ts';

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
  /** The most bytes an answer may have; 1 MiB unless told, and for an error. */
  readonly maxBytes?: number;
  /**
   * Runs before the request is sent again, which may be minutes later: what made it right may have changed.
   * What it throws ends the retries.
   */
  readonly beforeAgain?: (() => Promise<void>) | undefined;
  /** Ends it, with the signal's reason: a request that runs, and a pause before it is sent again. */
  readonly signal?: AbortSignal | undefined;
}

/** A request whose body is there only once. `Content-Length` must be among its headers. */
export interface HttpUpload extends Omit<HttpRequest, 'body' | 'beforeAgain'> {
  readonly body: AsyncIterable<Uint8Array>;
}

type Sendable = HttpRequest | HttpUpload;

/** A whole answer. */
export interface HttpAnswer {
  readonly status: number;
  /** Where it came from, which redirects may have moved. */
  readonly url: URL;
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly bytes: Uint8Array;
}

/** An answer whose body is still to be read, exactly once. */
export interface HttpStream {
  readonly status: number;
  /** Where it came from, which redirects may have moved. */
  readonly url: URL;
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly body: AnswerBody;
}

/** Sends requests; every method throws `REGISTRY_UNAVAILABLE` when no retry helped. */
export interface Http {
  /** Gives the whole answer of any status but 408, 429 and 5xx, which are tried again. */
  exchange(request: HttpRequest): Promise<HttpAnswer>;
  /** Like `exchange`, but the body is left to the caller, who must read or destroy it; not retried once it began. */
  open(request: HttpRequest): Promise<HttpStream>;
  /** Sends a body once, and gives what `exchange` would go on from. What the body throws is thrown as it is. */
  upload(request: HttpUpload): Promise<Attempt<HttpAnswer>>;
  readonly clock: Clock;
  readonly log: Logger;
  /** The bounds of its retries, for whoever repeats more than one request. */
  readonly retryPolicy: RetryPolicy;
  /** Closes idle connections. */
  close(): Promise<void>;
}

const maxRedirects = 5;
const defaultMaxBytes = 1024 * 1024;
/** A registry may copy a large blob within its storage before it answers. */
const uploadAnswerMs = 5 * 60_000;

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
  async function attempt<T>(request: Sendable, read: (answer: HttpStream) => Promise<T>): Promise<Attempt<T>> {
    const number = (sequence += 1);
    try {
      const answer = await follow(dispatcher, request);
      log.debug(`#${number} ${request.method} ${place(request.url)} ${answer.status}`);
      if (!isRetried(answer.status)) return { done: await read(answer) };
      await answer.body.dump();
      return { failed: refused(request, answer.status), ...askedWait(answer, clock) };
    } catch (thrown) {
      if (thrown instanceof AppError || request.signal?.aborted) throw thrown;
      log.debug(`#${number} ${request.method} ${place(request.url)} failed: ${errorMessage(thrown)}`);
      const failed = broken(request, thrown);
      if (!failed.retryable) throw failed;
      return { failed };
    }
  }
  function perform<T>(request: HttpRequest, read: (answer: HttpStream) => Promise<T>): Promise<T> {
    let isAgain = false;
    const once = async (): Promise<Attempt<T>> => {
      if (isAgain) await request.beforeAgain?.();
      isAgain = true;
      return attempt(request, read);
    };
    return retry(once, clock, policy, request.signal);
  }
  return {
    clock,
    log,
    exchange: request => perform(request, answer => readWhole(answer, request)),
    open: request => perform(request, async answer => answer),
    upload: request => attempt(request, answer => readWhole(answer, request)),
    retryPolicy: policy,
    close: () => dispatcher.close(),
  };
}

function isRetried(status: number): boolean {
  return status === 408 || status === 429 || status >= 500;
}

function isUpload({ body }: Sendable): boolean {
  return typeof body === 'object' && Symbol.asyncIterator in body;
}

/** Follows redirects of GET and HEAD; `Authorization` stays with the origin it was made for, and does not come back to it. */
async function follow(dispatcher: Dispatcher, request: Sendable): Promise<HttpStream> {
  let { url, authorization } = request;
  for (let hops = 0; ; hops += 1) {
    const answer = await dispatch(dispatcher, {
      origin: url.origin,
      path: `${url.pathname}${url.search}`,
      method: request.method,
      headers: { ...request.headers, ...(authorization && { authorization }) },
      // Without this undici closes the connection after each HEAD.
      reset: false,
      ...(request.body !== undefined && { body: request.body }),
      ...(isUpload(request) && { headersTimeout: uploadAnswerMs }),
      signal: request.signal,
    });
    const headers = joinRepeated(answer.headers);
    const location = headers['location'];
    const redirects = [301, 302, 303, 307, 308].includes(answer.status) && location !== undefined;
    if (!redirects || (request.method !== 'GET' && request.method !== 'HEAD')) {
      return { status: answer.status, url, headers, body: answer.body };
    }
    await answer.body.dump();
    const next = new URL(location, url);
    if (hops === maxRedirects || (next.protocol !== 'https:' && next.protocol !== url.protocol)) {
      throw new AppError(
        `${request.method} ${place(request.url)} was redirected ${hops === maxRedirects ? 'too often' : `to ${next.origin}, without TLS`}.`,
        {
          code: 'REGISTRY_UNEXPECTED',
        },
      );
    }
    if (next.origin !== url.origin) authorization = undefined;
    url = next;
  }
}

/** A header that is there twice reads as one list. https://www.rfc-editor.org/rfc/rfc9110#section-5.2 */
function joinRepeated(headers: OpenAnswer['headers']): HttpStream['headers'] {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name, Array.isArray(value) ? value.join(', ') : value]),
  );
}

async function readWhole(answer: HttpStream, request: Sendable): Promise<HttpAnswer> {
  // The bound is for what was asked for; the words of a refusal may be more than a small blob.
  const limit = answer.status < 400 ? (request.maxBytes ?? defaultMaxBytes) : defaultMaxBytes;
  const parts: Uint8Array[] = [];
  let total = 0;
  for await (const part of answer.body) {
    total += part.byteLength;
    if (total > limit) {
      throw new AppError(`${request.method} ${place(request.url)} answered more than ${limit} bytes.`, {
        code: 'TOO_LARGE',
      });
    }
    parts.push(Buffer.from(part));
  }
  const { status, url, headers } = answer;
  return { status, url, headers, bytes: Buffer.concat(parts) };
}

/** Azure counts `Retry-After` down, so it is obeyed as it stands. */
function askedWait(answer: HttpStream, clock: Clock): { waitMs?: number } {
  const ms = readRetryAfter(answer.headers, clock);
  return ms === undefined ? {} : { waitMs: Math.min(Math.max(ms, 250), 5 * 60_000) };
}

/**
 * The wait that an answer's `Retry-After` asks for, in milliseconds; undefined where it asks for none.
 * https://www.rfc-editor.org/rfc/rfc9110#field.retry-after
 */
export function readRetryAfter(headers: HttpAnswer['headers'], clock: Clock): number | undefined {
  const text = headers['retry-after'];
  if (text === undefined) return undefined;
  const seconds = Number(text);
  // A date is by the clock of who sent it.
  const sentAt = Date.parse(headers['date'] ?? '');
  const now = Number.isFinite(sentAt) ? sentAt : clock.now();
  const ms = Number.isFinite(seconds) ? seconds * 1000 : Date.parse(text) - now;
  return Number.isFinite(ms) ? ms : undefined;
}

function refused(request: Sendable, status: number): AppError {
  const why = status === 429 ? 'too many requests' : `status ${status}`;
  return new AppError(`${request.method} ${place(request.url)} was refused (${why}) until we gave up.`, {
    code: 'REGISTRY_UNAVAILABLE',
    retryable: true,
  });
}

function broken(request: Sendable, cause: unknown): AppError {
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
