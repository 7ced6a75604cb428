/** One request on its way: route, faults, sign-in, throttle, work, answer. */
import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { finished } from 'node:stream/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Access } from './access.ts';
import { serveControl } from './control.ts';
import type { Call, Core } from './core.ts';
import { digestInPath, serveData } from './data-host.ts';
import { type Answer, Refusal, refuse, refuseWith } from './errors.ts';
import { type ActiveEffect, findEffect, readDistortion } from './faults.ts';
import { authenticate, checkScope } from './oauth.ts';
import type { LoggedRequest } from './request-log.ts';
import { findRoute, type Route } from './routes.ts';

/** The connection is to end without an answer. */
class Cut extends Error {
  override readonly name = 'Cut';
}

interface Exchange {
  readonly core: Core;
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly url: URL;
  /** Decoded: a name may come as `team%2Fapp`. */
  readonly path: string;
}

function splitTarget(request: IncomingMessage): { url: URL; path: string } {
  const url = new URL(`https://registry${request.url ?? '/'}`);
  try {
    return { url, path: decodeURIComponent(url.pathname) };
  } catch {
    return { url, path: url.pathname };
  }
}

/** The words of the proxy in front of a live registry. */
const tooLarge: Answer = {
  status: 413,
  headers: { 'Content-Type': 'text/html', Connection: 'close' },
  body: '<html><head><title>413 Request Entity Too Large</title></head></html>\r\n',
};

/** Reads to the end also what it refuses: a client that is still writing would see a broken pipe instead of the answer. */
async function readBody(exchange: Exchange): Promise<Buffer> {
  const { maxBodyBytes } = exchange.core.behaviour;
  let chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of exchange.request) {
    size += (chunk as Buffer).length;
    if (size > maxBodyBytes) chunks = [];
    else chunks.push(chunk as Buffer);
  }
  if (size > maxBodyBytes) throw new Refusal(tooLarge);
  return chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks);
}

/** Reads what a route left of the body. */
async function drain(request: IncomingMessage): Promise<void> {
  if (request.complete || request.destroyed) return;
  request.resume();
  await finished(request, { writable: false });
}

/** Headers that a live registry sends with everything; the time is the emulator's, for clients that trust no other. */
function commonHeaders(exchange: Exchange): Record<string, string> {
  const client = exchange.request.headers['x-ms-client-request-id'];
  return {
    Date: new Date(exchange.core.clock.now()).toUTCString(),
    Server: 'openresty',
    'Docker-Distribution-Api-Version': 'registry/2.0',
    'X-Content-Type-Options': 'nosniff',
    'X-Ms-Correlation-Request-Id': randomUUID(),
    ...(typeof client === 'string' ? { 'X-Ms-Client-Request-Id': client } : {}),
  };
}

function writeBody(answer: Answer): { bytes: Buffer; type?: string } {
  const { body } = answer;
  if (body === undefined) return { bytes: Buffer.alloc(0) };
  if (Buffer.isBuffer(body)) return { bytes: body };
  if (typeof body === 'string') return { bytes: Buffer.from(body) };
  return { bytes: Buffer.from(JSON.stringify(body)), type: 'application/json; charset=utf-8' };
}

function corrupt(bytes: Buffer): Buffer {
  const copy = Buffer.from(bytes);
  const middle = copy.length >> 1;
  if (copy.length > 0) copy[middle] = (copy[middle] as number) ^ 1;
  return copy;
}

function replace(answer: Answer, effects: readonly ActiveEffect[]): Answer {
  const effect = findEffect(effects, 'replaced');
  return effect === undefined ? answer : { ...answer, body: effect.body };
}

function disguise(headers: Record<string, string>, effects: readonly ActiveEffect[]): void {
  const effect = findEffect(effects, 'wrong-digest');
  if (effect === undefined) return;
  for (const name of ['Docker-Content-Digest', 'X-Ms-Int-Docker-Content-Digest']) {
    if (headers[name] !== undefined) headers[name] = effect.digest ?? `sha256:${'0'.repeat(64)}`;
  }
}

function send(exchange: Exchange, answer: Answer, effects: readonly ActiveEffect[]): void {
  const { request, response } = exchange;
  const { bytes, type } = writeBody(replace(answer, effects));
  const headers: Record<string, string> = {
    ...commonHeaders(exchange),
    ...(type === undefined ? {} : { 'Content-Type': type }),
    ...answer.headers,
  };
  disguise(headers, effects);
  // A 204 has no length: https://www.rfc-editor.org/rfc/rfc9110#section-8.6
  if (answer.status !== 204) headers['Content-Length'] = String(bytes.length);
  response.sendDate = false;
  response.writeHead(answer.status, headers);
  const sent = findEffect(effects, 'corrupt') === undefined ? bytes : corrupt(bytes);
  if (findEffect(effects, 'cut')?.when === 'body') {
    response.write(sent.subarray(0, sent.length >> 1), () => request.socket.destroy());
    return;
  }
  response.end(request.method === 'HEAD' ? undefined : sent);
}

async function consult(exchange: Exchange, entry: LoggedRequest, phase: 'before' | 'after'): Promise<void> {
  const verdict = await exchange.core.faults.intercept?.(entry, phase);
  if (verdict === 'cut') throw new Cut();
}

function statusOf(effects: readonly ActiveEffect[], processed: boolean): Answer | undefined {
  const effect = findEffect(effects, 'status');
  if (effect === undefined || (effect.processed ?? false) !== processed) return undefined;
  const code = effect.status === 429 ? 'TOOMANYREQUESTS' : effect.status < 500 ? 'DENIED' : 'UNKNOWN';
  const headers = effect.retryAfter === undefined ? {} : { 'Retry-After': String(effect.retryAfter) };
  return { status: effect.status, headers, body: { errors: [{ code, message: 'a fault of the emulator' }] } };
}

/** Runs `work` between the two chances that faults have: before it takes effect, and after it did. */
async function perform(
  exchange: Exchange,
  entry: LoggedRequest,
  work: (effects: readonly ActiveEffect[]) => Promise<Answer>,
): Promise<void> {
  const effects = exchange.core.faults.select(entry);
  const slow = findEffect(effects, 'slow');
  if (slow !== undefined) await sleep(slow.ms, undefined, { signal: exchange.core.closing });
  await consult(exchange, entry, 'before');
  const cut = findEffect(effects, 'cut')?.when;
  if (cut === 'before') throw new Cut();
  const answer = statusOf(effects, false) ?? (await work(effects));
  await consult(exchange, entry, 'after');
  if (cut === 'after') throw new Cut();
  const final = statusOf(effects, true) ?? answer;
  await drain(exchange.request);
  entry.status = final.status;
  send(exchange, final, effects);
}

function throttle(core: Core, route: Route, identity: string): Record<string, string> {
  const { retryAfter, remaining } = core.throttle.take(route.operationClass, identity);
  if (retryAfter !== undefined) {
    const error = { code: 'TOOMANYREQUESTS', message: 'too many requests' };
    throw refuseWith(429, [error], { 'Retry-After': String(retryAfter) });
  }
  return remaining === undefined ? {} : { 'X-Ms-Ratelimit-Remaining-Calls-Per-Second': remaining };
}

interface Found {
  readonly route: Route;
  readonly name: string;
  readonly reference: string;
}

async function work(
  exchange: Exchange,
  found: Found,
  entry: LoggedRequest,
  effects: readonly ActiveEffect[],
): Promise<Answer> {
  const { core, request, url } = exchange;
  const { route, name, reference } = found;
  try {
    const scopes = route.scopes?.(name, url.searchParams, core.behaviour);
    let access: Access | undefined;
    if (scopes !== undefined) {
      access = authenticate(core, request.headers.authorization, scopes);
      entry.identity = access.identity;
    }
    const gauge = throttle(core, route, access?.identity ?? 'registry');
    if (access !== undefined) checkScope(core, access, scopes ?? []);
    const call: Call = {
      core,
      request,
      query: url.searchParams,
      repository: name,
      reference,
      access,
      distortion: readDistortion(effects),
      body: () => readBody(exchange),
      identify: identity => {
        entry.identity = identity;
      },
    };
    const answer = await route.handle(call);
    return { ...answer, headers: { ...gauge, ...answer.headers } };
  } catch (thrown) {
    if (thrown instanceof Refusal) return thrown.answer;
    throw thrown;
  }
}

function record(exchange: Exchange, operation: string, found?: Found): LoggedRequest {
  return exchange.core.requests.record({
    at: exchange.core.clock.now(),
    method: exchange.request.method ?? '',
    path: exchange.path,
    query: Object.fromEntries(exchange.url.searchParams),
    operation,
    operationClass: found?.route.operationClass ?? (operation === 'blob.data' ? 'Data' : 'Read'),
    ...(found?.name ? { repository: found.name } : {}),
    ...(found?.reference ? { reference: found.reference } : {}),
  });
}

async function serveRegistry(exchange: Exchange): Promise<void> {
  const { core, request, path } = exchange;
  if (path.startsWith('/_emulator/')) {
    send(exchange, serveControl(core, request.method ?? '', path, await readBody(exchange)), []);
    return;
  }
  const found = findRoute(request.method ?? '', path);
  const entry = record(exchange, found?.route.operation ?? 'unknown', found);
  await perform(exchange, entry, async effects =>
    found === undefined ? refuse(404, 'UNSUPPORTED', 'no such path').answer : work(exchange, found, entry, effects),
  );
}

async function serveBytes(exchange: Exchange): Promise<void> {
  const { core, request, url, path } = exchange;
  const entry = record(exchange, 'blob.data');
  Object.assign(entry, { reference: digestInPath(path) });
  await perform(exchange, entry, async () => {
    try {
      return serveData(core, url, request.headers);
    } catch (thrown) {
      if (thrown instanceof Refusal) return thrown.answer;
      throw thrown;
    }
  });
}

/** Makes the listener of one of the two hosts. A defect of the emulator is a 500 that says what it was. */
export function createListener(
  core: Core,
  host: 'registry' | 'data',
): (request: IncomingMessage, response: ServerResponse) => void {
  return (request, response) => {
    const exchange: Exchange = { core, request, response, ...splitTarget(request) };
    const serve = host === 'registry' ? serveRegistry : serveBytes;
    serve(exchange).catch((thrown: unknown) => {
      if (thrown instanceof Cut || response.headersSent || request.destroyed) {
        request.socket.destroy();
        return;
      }
      const message = thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown);
      send(exchange, { status: 500, body: { errors: [{ code: 'EMULATOR_DEFECT', message }] } }, []);
    });
  };
}
