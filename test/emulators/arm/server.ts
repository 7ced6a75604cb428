/** The HTTP side: reads a request whole, finds its route, judges sign-in and version, lets faults act, writes the answer. */
import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { type Effect, type Faults, spoil } from '../azure-devops/faults.ts';
import type { Reply } from '../azure-devops/http.ts';
import type { LoggedRequest, RequestLog } from '../azure-devops/request-log.ts';
import type { SettableClock } from '../settable-clock.ts';
import type { Access } from './access.ts';
import { failure, Refusal } from './errors.ts';
import type { Route } from './routes.ts';

/** What the server serves. */
export interface Service {
  readonly clock: SettableClock;
  readonly access: Access;
  readonly routes: readonly Route[];
  readonly faults: Faults;
  readonly requests: RequestLog;
  /** Serves `/_emulator/*`. */
  readonly control: (method: string, path: string, body: unknown) => Reply;
}

/** https://github.com/Azure/azure-rest-api-specs, the stable ones that have `importImage` and are not retired. */
const versions = ['2019-05-01', '2021-09-01', '2022-12-01', '2023-07-01', '2025-04-01', '2025-11-01'];

interface Incoming {
  readonly method: string;
  readonly url: URL;
  readonly authorization: string | undefined;
  readonly body: unknown;
}

/** Makes the listener. A defect of the emulator is a 500 that says what it was. */
export function createListener(service: Service): (request: IncomingMessage, response: ServerResponse) => void {
  return (request, response) => {
    serve(service, request, response).catch((error: unknown) => {
      if (response.headersSent) response.destroy();
      else write(service, response, failure(500, 'EmulatorDefect', String(error)), []);
    });
  };
}

async function serve(service: Service, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const incoming = await read(request);
  const { method, url } = incoming;
  if (url.pathname.startsWith('/_emulator/')) {
    return write(service, response, service.control(method, url.pathname, incoming.body), []);
  }
  const match = findRoute(service.routes, method, url.pathname);
  const logged: LoggedRequest = {
    method,
    path: url.pathname,
    query: Object.fromEntries(url.searchParams),
    operation: match?.route.operation ?? 'none',
    at: service.clock.now(),
    scheme: incoming.authorization?.split(' ')[0] ?? '',
  };
  service.requests.add(logged);
  const effects = service.faults.take(logged.operation, url.pathname);
  const isCut = async (phase: 'before' | 'after'): Promise<boolean> =>
    (await service.faults.intercept?.(logged, phase)) === 'cut' ||
    effects.some(effect => effect.kind === 'cut' && effect.when === phase);
  if (await isCut('before')) return void response.destroy();
  const instead = effects.find(effect => effect.kind === 'status');
  const reply = instead ?? spoil(dispatch(service, match, incoming), effects);
  logged.status = reply.status;
  if (await isCut('after')) return void response.destroy();
  write(service, response, reply, effects);
}

async function read(request: IncomingMessage): Promise<Incoming> {
  const chunks: Buffer[] = [];
  for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
  const text = Buffer.concat(chunks).toString();
  const { authorization } = request.headers;
  const url = new URL(request.url ?? '/', 'https://emulator');
  return { method: request.method ?? 'GET', url, authorization, body: parse(text) };
}

function parse(text: string): unknown {
  try {
    return text === '' ? undefined : (JSON.parse(text) as unknown);
  } catch {
    return text;
  }
}

interface Match {
  readonly route: Route;
  readonly params: Readonly<Record<string, string>>;
}

function findRoute(routes: readonly Route[], method: string, path: string): Match | undefined {
  for (const route of routes) {
    const source = route.pattern.replace(/[.$]/g, String.raw`\$&`).replace(/\{(\w+)\}/g, '(?<$1>[^/]+)');
    const found = route.method === method ? new RegExp(`^${source}$`, 'i').exec(path) : null;
    if (found === null) continue;
    const params = Object.entries(found.groups ?? {}).map(([name, value]) => [name, decodeURIComponent(value)]);
    return { route, params: Object.fromEntries(params) as Record<string, string> };
  }
  return undefined;
}

function dispatch({ access }: Service, match: Match | undefined, { url, authorization, body }: Incoming): Reply {
  try {
    const caller = access.identify(authorization);
    const version = url.searchParams.get('api-version');
    if (version === null) {
      const message = 'The api-version query parameter (?api-version=) is required for all requests.';
      return failure(400, 'MissingApiVersionParameter', message);
    }
    if (!versions.includes(version)) {
      const message = `No registered resource provider found for location 'westeurope' and API version '${version}' for type 'registries'.`;
      return failure(400, 'NoRegisteredProviderFound', message);
    }
    if (match === undefined) return failure(404, 'InvalidResourceType', `Nothing is served at ${url.pathname}.`);
    return match.route.handle({ params: match.params, query: url.searchParams, body, caller });
  } catch (thrown) {
    if (thrown instanceof Refusal) return thrown.reply;
    throw thrown;
  }
}

function write({ clock }: Service, response: ServerResponse, reply: Reply, effects: readonly Effect[]): void {
  const text = reply.json === undefined ? (reply.html ?? '') : JSON.stringify(reply.json);
  const isTruncated = effects.some(effect => effect.kind === 'truncated');
  const body = isTruncated ? text.slice(0, Math.floor(text.length / 2)) : text;
  response.writeHead(reply.status, {
    date: new Date(clock.now()).toUTCString(),
    'content-type': reply.json === undefined ? 'text/html; charset=utf-8' : 'application/json; charset=utf-8',
    'content-length': String(Buffer.byteLength(body)),
    'cache-control': 'no-cache',
    'x-ms-correlation-request-id': randomUUID(),
    ...reply.headers,
  });
  if (effects.some(effect => effect.kind === 'cut' && effect.when === 'mid-body')) {
    return void response.write(body.slice(0, Math.floor(body.length / 2)), () => response.destroy());
  }
  response.end(body);
}
