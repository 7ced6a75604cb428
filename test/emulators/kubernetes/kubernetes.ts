/** The API server of a cluster on loopback, over TLS: enough of one for helm, kubectl and Kubernetes' own client. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { createFaults, type Effect, type Faults, spoil } from '../azure-devops/faults.ts';
import type { Reply } from '../azure-devops/http.ts';
import { createRequestLog, type RequestLog } from '../azure-devops/request-log.ts';
import { createClock, type SettableClock } from '../settable-clock.ts';
import type { TlsMaterial } from '../tls.ts';
import { type Access, createAccess } from './access.ts';
import { createLists } from './lists.ts';
import { readEnvelope } from './protobuf.ts';
import { answer, findTarget, type Incoming, nameDeed, type Service } from './routes.ts';
import { failure } from './status.ts';
import { createWorld, type NewObject, type World } from './world.ts';

/** How to start. */
export interface KubernetesOptions {
  readonly tls: TlsMaterial;
  readonly clock?: SettableClock;
  /** 0, the default, takes a free one. */
  readonly port?: number;
}

/** The running emulator. In its log and its faults an operation is a verb and a resource: `list pods`. */
export interface KubernetesEmulator {
  /** `https://localhost:PORT`. */
  readonly url: string;
  /** One that may do everything. */
  readonly token: string;
  /** A kubeconfig of one context, `emulator`, for the token that is given. */
  readonly kubeconfig: (token?: string) => string;
  readonly clock: SettableClock;
  readonly world: World;
  readonly access: Access;
  readonly faults: Faults;
  readonly requests: RequestLog;
  /** Lets the tokens of lists that were begun expire. */
  readonly expireLists: () => void;
  /** Puts an object there, by its resource, in its own namespace. */
  readonly add: (resource: string, object: NewObject) => void;
  readonly close: () => Promise<void>;
}

const token = 'emulated-service-account-token';

/** Starts the emulator on 127.0.0.1. Rejects when the port is taken. */
export async function startKubernetes(options: KubernetesOptions): Promise<KubernetesEmulator> {
  const { key, cert, ca } = options.tls;
  const clock = options.clock ?? createClock();
  const world = createWorld(clock);
  const lists = createLists(world);
  const parts = {
    world,
    lists,
    access: createAccess(token),
    faults: createFaults(),
    requests: createRequestLog(),
    clock,
  };
  const server = createServer({ key, cert }, (request, response) => {
    serve(parts, request, response).catch((error: unknown) => {
      if (response.headersSent) response.destroy();
      else write(response, failure(500, 'InternalError', String(error)), []);
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port ?? 0, '127.0.0.1', resolve);
  });
  const url = `https://localhost:${(server.address() as AddressInfo).port}`;
  return {
    ...parts,
    url,
    token,
    kubeconfig: (of = token) => writeKubeconfig(url, ca, of),
    expireLists: () => lists.expire(),
    add: (resource, object) => {
      world.create({ kind: world.kindOf(resource), namespace: object.metadata.namespace ?? '' }, object);
    },
    close: () =>
      new Promise(resolve => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function writeKubeconfig(server: string, ca: string, of: string): string {
  const name = 'emulator';
  const cluster = { server, 'certificate-authority-data': Buffer.from(ca).toString('base64') };
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name, cluster }],
    users: [{ name, user: { token: of } }],
    contexts: [{ name, context: { cluster: name, user: name } }],
    'current-context': name,
  });
}

type Parts = Service & Pick<KubernetesEmulator, 'clock' | 'faults' | 'requests'>;

async function serve(parts: Parts, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const incoming = await read(request);
  const { method, url } = incoming;
  const target = findTarget(parts.world, url.pathname);
  const operation = target ? `${nameDeed(incoming, target)} ${target.kind.resource}` : 'none';
  const query = Object.fromEntries(url.searchParams);
  const scheme = request.headers.authorization?.split(' ')[0] ?? '';
  parts.requests.add({ method, path: url.pathname, query, operation, at: parts.clock.now(), scheme });
  const effects = parts.faults.take(operation, `${url.pathname}${url.search}`);
  if (effects.some(effect => effect.kind === 'cut' && effect.when !== 'mid-body')) return void response.destroy();
  // Whoever asks gives up first.
  if (effects.some(effect => effect.kind === 'slow')) return;
  const instead = effects.find(effect => effect.kind === 'status');
  write(response, instead ?? spoil(answer(parts, incoming, target), effects), effects);
}

async function read(request: IncomingMessage): Promise<Incoming> {
  const chunks: Buffer[] = [];
  for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
  const bytes = Buffer.concat(chunks);
  const { headers, method = 'GET', url = '/' } = request;
  return {
    method,
    headers,
    url: new URL(url, 'https://emulator'),
    body: readEnvelope(bytes) ?? parse(bytes.toString()),
  };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}

function write(response: ServerResponse, reply: Reply, effects: readonly Effect[]): void {
  const text = reply.json === undefined ? (reply.html ?? '') : JSON.stringify(reply.json);
  const isTruncated = effects.some(effect => effect.kind === 'truncated');
  const body = Buffer.from(isTruncated ? text.slice(0, text.length / 2) : text);
  const padding = effects.find(effect => effect.kind === 'oversized')?.bytes ?? 0;
  response.writeHead(reply.status, {
    'content-type': reply.json === undefined ? 'text/html' : 'application/json',
    'content-length': body.length + padding,
    ...reply.headers,
  });
  if (effects.some(effect => effect.kind === 'cut' && effect.when === 'mid-body')) {
    return void response.write(body.subarray(0, body.length / 2), () => response.destroy());
  }
  response.write(body);
  response.end(Buffer.alloc(padding, ' '));
}
