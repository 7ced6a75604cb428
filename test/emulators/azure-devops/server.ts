/** The HTTP side: reads a request whole, finds its route, judges its sign-in, lets faults act, writes the answer. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { setTimeout as wait } from 'node:timers/promises';
import type { SettableClock } from '../settable-clock.ts';
import type { TlsMaterial } from '../tls.ts';
import { type Effect, type Faults, spoil } from './faults.ts';
import { type Call, failure, noController, type Reply, type Route } from './http.ts';
import type { LoggedRequest, RequestLog } from './request-log.ts';

/** What the server needs to know of the organization it serves. */
export interface Service {
  readonly clock: SettableClock;
  /** The path of the collection, `/contoso` or `/tfs/DefaultCollection`. */
  readonly root: string;
  readonly routes: readonly Route[];
  readonly faults: Faults;
  readonly requests: RequestLog;
  /** Gives the refusal, or undefined when the call may go on. */
  readonly guard: (route: Route, headers: IncomingMessage['headers']) => { caller: Call['caller'] } | Reply;
  /** Sees good answers last. */
  readonly finish: (reply: Reply) => Reply;
  /** Serves what lies outside the collection. */
  readonly outside: (method: string, path: string, body: unknown) => Reply | Promise<Reply>;
}

interface CompiledRoute extends Route {
  readonly regex: RegExp;
}

/** Makes the server; it does not listen yet. */
export function createHttpServer(service: Service, tls?: TlsMaterial): Server {
  const routes = service.routes.map(route => ({ ...route, regex: compile(route.pattern) }));
  const listener = (request: IncomingMessage, response: ServerResponse): void => {
    serve(service, routes, { request, response }).catch((error: unknown) => {
      if (response.headersSent) response.destroy();
      else
        write(service, response, failure(500, 'EmulatorException', String(error)), []).catch(() => response.destroy());
    });
  };
  return tls === undefined ? createServer(listener) : createTlsServer({ key: tls.key, cert: tls.cert }, listener);
}

function compile(pattern: string): RegExp {
  const source = pattern.replace(/[.$]/g, String.raw`\$&`).replace(/\{(\w+)\}/g, '(?<$1>[^/]+)');
  return new RegExp(`^${source}$`, 'i');
}

interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
}

async function serve(service: Service, routes: readonly CompiledRoute[], exchange: Exchange): Promise<void> {
  const { request, response } = exchange;
  const url = new URL(request.url ?? '/', 'http://emulator');
  const body = await readBody(request);
  const method = request.method ?? 'GET';
  if (!url.pathname.toLowerCase().startsWith(`${service.root.toLowerCase()}/`)) {
    return write(service, response, await service.outside(method, url.pathname, body), []);
  }
  const path = url.pathname.slice(service.root.length).replace(/^\/+|\/+$/g, '');
  const match = findRoute(routes, method, path);
  const logged = log(service, { request, path, url, operation: match?.route.operation ?? 'none' });
  const effects = service.faults.take(logged.operation, path);
  const isCut = async (phase: 'before' | 'after'): Promise<boolean> =>
    (await service.faults.intercept?.(logged, phase)) === 'cut' ||
    effects.some(effect => effect.kind === 'cut' && effect.when === phase);
  if (await isCut('before')) return void response.destroy();
  for (const effect of effects) if (effect.kind === 'slow') await wait(effect.ms, undefined, { ref: false });
  const instead = effects.find(effect => effect.kind === 'status');
  const reply = instead ?? spoil(await dispatch(service, match, { request, path, url, body }), effects);
  logged.status = reply.status;
  if (await isCut('after')) return void response.destroy();
  await write(service, response, reply, effects);
}

function findRoute(routes: readonly CompiledRoute[], method: string, path: string): Match | undefined {
  for (const route of routes) {
    const found = route.method === method ? route.regex.exec(path) : null;
    if (found !== null) return { route, found };
  }
  return undefined;
}

interface Incoming {
  readonly request: IncomingMessage;
  readonly path: string;
  readonly url: URL;
  readonly body: unknown;
}

type Match = { readonly route: CompiledRoute; readonly found: RegExpExecArray };

async function dispatch(
  service: Service,
  match: Match | undefined,
  { request, path, url, body }: Incoming,
): Promise<Reply> {
  if (match === undefined) return noController(path);
  const guarded = service.guard(match.route, request.headers);
  if ('status' in guarded) return guarded;
  // Names of query parameters have no case in Azure DevOps.
  const query = new Map([...url.searchParams].map(([name, value]) => [name.toLowerCase(), value]));
  const wrongVersion = judgeVersion(match.route, query.get('api-version') ?? acceptedVersion(request.headers.accept));
  if (wrongVersion !== undefined) return wrongVersion;
  const groups = Object.entries(match.found.groups ?? {});
  const params = Object.fromEntries(groups.map(([name, value]) => [name, decodeURIComponent(value)]));
  const call: Call = {
    method: match.route.method,
    path,
    query,
    headers: request.headers,
    body,
    params,
    caller: guarded.caller,
  };
  return service.finish(await match.route.handle(call));
}

function acceptedVersion(accept: string | undefined): string | undefined {
  return /api-version=([\w.-]+)/.exec(accept ?? '')?.[1];
}

/** https://learn.microsoft.com/azure/devops/integrate/concepts/rest-api-versioning */
function judgeVersion(route: Route, version: string | undefined): Reply | undefined {
  if (version === undefined || route.method === 'OPTIONS') return undefined;
  const [, number, preview] = /^(\d+\.\d+)(-preview(?:\.\d+)?)?$/.exec(version) ?? [];
  if (number === undefined || Number(number) > 7.2) {
    const message = `The requested REST API version of ${version} is out of range for this server. The latest REST API version this server supports is 7.2.`;
    return failure(400, 'VssVersionOutOfRangeException', message);
  }
  if (preview !== undefined || (route.preview !== true && Number(number) <= 7.1)) return undefined;
  const message = `The requested version "${version}" of the resource is under preview. The -preview flag must be supplied in the api-version for such requests. For example: "${version}-preview"`;
  return failure(400, 'VssInvalidPreviewVersionException', message);
}

function log(
  service: Service,
  one: { request: IncomingMessage; path: string; url: URL; operation: string },
): LoggedRequest {
  const scheme = one.request.headers.authorization?.split(' ')[0] ?? '';
  const query = Object.fromEntries(one.url.searchParams);
  const { path, operation } = one;
  const logged: LoggedRequest = {
    method: one.request.method ?? 'GET',
    path,
    query,
    operation,
    at: service.clock.now(),
    scheme,
  };
  service.requests.add(logged);
  return logged;
}

async function readBody(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
  const text = Buffer.concat(chunks).toString();
  try {
    return text === '' ? undefined : (JSON.parse(text) as unknown);
  } catch {
    return text;
  }
}

async function write(
  service: Service,
  response: ServerResponse,
  reply: Reply,
  effects: readonly Effect[],
): Promise<void> {
  const json = reply.json !== undefined;
  const type = json ? 'application/json; charset=utf-8; api-version=7.1' : 'text/html; charset=utf-8';
  let body = Buffer.from(json ? JSON.stringify(reply.json) : (reply.html ?? ''));
  if (effects.some(effect => effect.kind === 'truncated')) body = body.subarray(0, Math.floor(body.length / 2));
  const padding = effects.find(effect => effect.kind === 'oversized');
  const hasBody = json || reply.html !== undefined;
  response.writeHead(reply.status, {
    date: new Date(service.clock.now()).toUTCString(),
    'x-tfs-processid': 'e0e0e0e0-0000-4000-8000-000000000001',
    ...(hasBody ? { 'content-type': type } : {}),
    ...(hasBody && padding === undefined ? { 'content-length': String(body.length) } : {}),
    ...reply.headers,
  });
  if (effects.some(effect => effect.kind === 'cut' && effect.when === 'mid-body')) {
    const half = body.subarray(0, Math.floor(body.length / 2));
    return void response.write(half, () => response.destroy());
  }
  if (padding !== undefined) await pad(response, padding.bytes);
  const drip = effects.find(effect => effect.kind === 'slow');
  if (drip?.drip === true) return sendSlowly(response, body, drip.ms);
  response.end(body);
}

/** White space is JSON too: only its size is wrong. */
async function pad(response: ServerResponse, bytes: number): Promise<void> {
  const chunk = Buffer.alloc(1024 * 1024, ' ');
  for (let sent = 0; sent < bytes && !response.destroyed; sent += chunk.length) {
    await new Promise<void>(resolve => response.write(chunk, () => resolve()));
  }
}

async function sendSlowly(response: ServerResponse, body: Buffer, ms: number): Promise<void> {
  const parts = 10;
  const size = Math.ceil(body.length / parts);
  for (let start = 0; start < body.length && !response.destroyed; start += size) {
    response.write(body.subarray(start, start + size));
    await wait(ms / parts, undefined, { ref: false });
  }
  response.end();
}
