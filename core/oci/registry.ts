/** One registry: its address, its sign-in, and what its refusals mean. */
import { AppError } from '../base/errors.ts';
import type { Attempt } from '../base/retry.ts';
import { type Challenge, parseChallenge } from './challenge.ts';
import type { Credentials } from './credentials.ts';
import type { Http, HttpAnswer, HttpRequest, HttpStream, HttpUpload } from './http.ts';
import { isRegistryHost } from './reference.ts';
import { createSignIn } from './sign-in.ts';

/** A request to the registry itself: a path below its root, and the scope that the request needs. */
export interface RegistryRequest extends Omit<HttpRequest, 'url' | 'authorization'> {
  /** With its query; or a `Link` or `Location` of an earlier answer, which may be absolute. */
  readonly path: string;
  /** For example `repository:team/app:pull`; may be empty. */
  readonly scope: string;
}

/** A part of an upload, whose bytes are there only once. */
export interface UploadRequest extends Omit<HttpUpload, 'authorization'> {
  /** Where the registry said that it goes; may be on another host, where no credentials are sent. */
  readonly url: URL;
  readonly scope: string;
}

/** A registry we can talk to. Every call throws `REGISTRY_DENIED` where a right is missing, naming the scope. */
export interface Registry {
  readonly host: string;
  exchange(request: RegistryRequest): Promise<HttpAnswer>;
  open(request: RegistryRequest): Promise<HttpStream>;
  /**
   * Sends a part of an upload once. A token that ended meanwhile is a failure that may be tried again, with another one.
   * Throws `REGISTRY_UNEXPECTED` for a place that is spoken to without TLS, where the registry is not.
   */
  upload(request: UploadRequest): Promise<Attempt<HttpAnswer>>;
  /** How it is reached. */
  readonly http: Http;
  /**
   * The registry's own time, by the `Date` of its latest answer, in milliseconds; undefined before the first.
   * Ages are reckoned by it, because the clocks of agents and servers disagree.
   */
  time(): number | undefined;
}

/** How to reach a registry. */
export interface RegistryOptions {
  /** Host with an optional port. `http://` in front is accepted for loopback alone. */
  readonly address: string;
  readonly credentials: Credentials;
  readonly http: Http;
}

/** Opens a registry; no request is sent. Throws `INPUT_INVALID` for an address that is none. */
export function openRegistry({ address, credentials, http }: RegistryOptions): Registry {
  const origin = originOf(address);
  const signIn = createSignIn(origin, credentials, http);
  let latestDate: number | undefined;

  /** Notes the time; where blobs are kept, another host answers, whose clock and refusals are not the registry's. */
  function isRefusal(answer: HttpStream | HttpAnswer): boolean {
    if (answer.url.origin !== origin.origin) return false;
    const date = Date.parse(answer.headers['date'] ?? '');
    if (Number.isFinite(date)) latestDate = date;
    return answer.status === 401 || answer.status === 403;
  }

  async function attempt<T extends HttpStream | HttpAnswer>(
    request: RegistryRequest,
    call: (request: HttpRequest) => Promise<T>,
  ): Promise<T> {
    const { path, scope, ...rest } = request;
    const url = resolveOnOrigin(path, origin);
    const sent = await signIn.authorize(scope);
    const first = await call({ ...rest, url, authorization: sent });
    if (!isRefusal(first)) return first;
    const challenge = parseChallenge(first.headers['www-authenticate']);
    await discard(first);
    const authorization = challenge && first.status === 401 ? await signIn.answer(challenge, scope, sent) : undefined;
    if (authorization === undefined) throw denied(origin, request, first.status, challenge);
    await rest.beforeAgain?.();
    const second = await call({ ...rest, url, authorization });
    if (!isRefusal(second)) return second;
    await discard(second);
    throw denied(origin, request, second.status, parseChallenge(second.headers['www-authenticate']) ?? challenge);
  }

  async function upload({ scope, ...request }: UploadRequest): Promise<Attempt<HttpAnswer>> {
    const { url, method } = request;
    checkUploadOrigin(url, origin);
    if (url.origin !== origin.origin) return http.upload(request);
    const sent = await signIn.authorize(scope);
    const tried = await http.upload({ ...request, authorization: sent });
    if (!('done' in tried) || !isRefusal(tried.done)) return tried;
    const challenge = parseChallenge(tried.done.headers['www-authenticate']);
    const failed = denied(origin, { method, path: url.pathname, scope }, tried.done.status, challenge);
    const again = challenge && tried.done.status === 401 ? await signIn.answer(challenge, scope, sent) : undefined;
    if (again === undefined || again === sent) throw failed;
    return { failed };
  }

  return {
    host: origin.host,
    http,
    upload,
    exchange: request => attempt(request, sent => http.exchange(sent)),
    open: request => attempt(request, sent => http.open(sent)),
    time: () => latestDate,
  };
}

async function discard(answer: HttpStream | HttpAnswer): Promise<void> {
  if ('body' in answer) await answer.body.dump();
}

function originOf(address: string): URL {
  const plain = address.startsWith('http://');
  const host = address.replace(/^https?:\/\//, '').replace(/\/$/, '');
  if (!isRegistryHost(host))
    throw new AppError(`"${address}" is not a registry's host name.`, { code: 'INPUT_INVALID' });
  const url = new URL(`${plain ? 'http' : 'https'}://${host}`);
  if (plain && !isThisMachine(url)) {
    throw new AppError(`"${address}": a registry is spoken to without TLS on this machine only.`, {
      code: 'INPUT_INVALID',
    });
  }
  return url;
}

/** A registry may answer with an absolute `Location`; credentials go to its own origin alone, so another is refused. */
function resolveOnOrigin(path: string, origin: URL): URL {
  const url = new URL(path, origin);
  if (url.origin === origin.origin) return url;
  throw new AppError(`${origin.host} pointed to ${url.origin}, another origin; nothing was sent there.`, {
    code: 'REGISTRY_UNEXPECTED',
  });
}

/** Blobs may be kept elsewhere, but what was said under TLS leads to no place without it. */
function checkUploadOrigin(url: URL, origin: URL): void {
  const isPlain = url.protocol === 'http:' && origin.protocol === 'http:' && isThisMachine(url);
  if (url.protocol === 'https:' || isPlain) return;
  throw new AppError(`${origin.host} wants an upload at ${url.origin}, without TLS; nothing was sent there.`, {
    code: 'REGISTRY_UNEXPECTED',
  });
}

function isThisMachine({ hostname }: URL): boolean {
  return ['localhost', '127.0.0.1'].includes(hostname);
}

function denied(
  origin: URL,
  request: Pick<RegistryRequest, 'method' | 'path' | 'scope'>,
  status: number,
  challenge: Challenge | undefined,
): AppError {
  const named = challenge?.scheme === 'bearer' ? challenge.scope : undefined;
  const missing = named ?? request.scope;
  const path = request.path.split('?')[0];
  const why = missing ? `no permission for "${missing}"` : 'the credentials were not accepted';
  // The challenge names what this one request lacks; who grants only that would fail at the next.
  const grant = request.scope ? `Grant "${request.scope}" to the identity of this connection.` : 'Check them.';
  return new AppError(`${origin.host}: ${why} (${request.method} ${path}). ${grant}`, {
    code: 'REGISTRY_DENIED',
    // A 401 that names no scope may be about the credentials as well.
    missing: status === 403 ? missing : named,
  });
}
