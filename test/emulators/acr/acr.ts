/** An Azure Container Registry on loopback, in memory, over TLS. */
import { setMaxListeners } from 'node:events';
import { createServer, type Server } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { createClock, type SettableClock } from '../settable-clock.ts';
import { createTls, type TlsMaterial } from '../tls.ts';
import type { Identity } from './access.ts';
import { type Behaviour, createBehaviour } from './behaviour.ts';
import type { Core } from './core.ts';
import { createFaults, type Faults } from './faults.ts';
import { defaultIdentities } from './oauth.ts';
import { createRequestLog, type RequestLog } from './request-log.ts';
import { createListener } from './server.ts';
import { type ClassBudgets, createThrottle } from './throttle.ts';
import { createUploads } from './uploads.ts';
import { createWorld, type World } from './world.ts';

/** How to start a registry; everything has a default. */
export interface AcrOptions {
  readonly clock?: SettableClock;
  readonly tls?: TlsMaterial;
  /** 0, the default, takes a free one. */
  readonly port?: number;
  /** Permissions by repository conditions: https://learn.microsoft.com/azure/container-registry/container-registry-rbac-abac-repository-permissions */
  readonly abac?: boolean;
  /** Requests per window by operation class; without them nothing is throttled. */
  readonly budgets?: ClassBudgets;
  /** Without any there is `admin` with `admin-password`, and whoever has a valid Entra token may do everything. */
  readonly identities?: readonly Identity[];
  readonly behaviour?: Partial<Behaviour>;
}

/** A registry that runs. */
export interface AcrEmulator {
  /** `localhost:PORT`: the login server. */
  readonly host: string;
  /** `127.0.0.1:PORT`: where blobs are fetched from, without credentials. */
  readonly dataHost: string;
  /** PEM to trust. */
  readonly ca: string;
  readonly clock: SettableClock;
  /** Direct access to the state. */
  readonly world: World;
  readonly faults: Faults;
  /** The switches; may be changed at any time. */
  readonly behaviour: Behaviour;
  readonly requests: RequestLog;
  /** Fills all buckets and sets other budgets. */
  setBudgets(budgets: ClassBudgets): void;
  /** Leaves no socket and no timer. */
  close(): Promise<void>;
}

interface Listening {
  readonly port: number;
  shut(): Promise<void>;
}

async function listen(server: Server, port: number): Promise<Listening> {
  // Idle connections stay: a client that finds one closed under its hands is another test than the one it wrote.
  server.keepAliveTimeout = 0;
  // Also those in the middle of a handshake, which `closeAllConnections` does not know.
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', resolve);
  });
  return {
    port: (server.address() as AddressInfo).port,
    shut: () =>
      new Promise<void>(resolve => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
}

/** Starts a registry; resolves when it listens. */
export async function startAcr(options: AcrOptions = {}): Promise<AcrEmulator> {
  const clock = options.clock ?? createClock();
  const tls = options.tls ?? (await createTls());
  const behaviour = createBehaviour(options.behaviour);
  const world = createWorld(clock, behaviour);
  const closing = new AbortController();
  // Every answer that is slow on purpose listens to it.
  setMaxListeners(0, closing.signal);
  const core: Core = {
    host: '',
    dataHost: '',
    abac: options.abac ?? false,
    clock,
    behaviour,
    world,
    faults: createFaults(world),
    requests: createRequestLog(),
    throttle: createThrottle(clock, options.budgets),
    uploads: createUploads(),
    identities: options.identities ?? defaultIdentities,
    entraOpen: options.identities === undefined,
    closing: closing.signal,
  };
  const credentials = { key: tls.key, cert: tls.cert };
  // `localhost` may mean ::1 to a client, which finds nobody there and goes on to 127.0.0.1.
  const registry = await listen(createServer(credentials, createListener(core, 'registry')), options.port ?? 0);
  const data = await listen(createServer(credentials, createListener(core, 'data')), 0);
  core.host = `localhost:${registry.port}`;
  core.dataHost = `127.0.0.1:${data.port}`;
  return {
    host: core.host,
    dataHost: core.dataHost,
    ca: tls.ca,
    clock,
    world,
    faults: core.faults,
    behaviour,
    requests: core.requests,
    setBudgets: budgets => {
      core.throttle = createThrottle(clock, budgets);
    },
    close: async () => {
      closing.abort();
      await Promise.all([registry.shut(), data.shut()]);
    },
  };
}
