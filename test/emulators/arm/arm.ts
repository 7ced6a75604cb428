/** Azure Resource Manager on loopback, over TLS, as far as container registries are concerned. */
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { createFaults, type Fault, type Faults } from '../azure-devops/faults.ts';
import type { Reply } from '../azure-devops/http.ts';
import { createRequestLog, type RequestLog } from '../azure-devops/request-log.ts';
import { createClock, type SettableClock } from '../settable-clock.ts';
import type { TlsMaterial } from '../tls.ts';
import { type Access, createAccess, type RoleAssignment } from './access.ts';
import { failure } from './errors.ts';
import { createRoutes } from './routes.ts';
import { createListener } from './server.ts';
import { type ArmWorld, type Behaviour, createWorld } from './world.ts';

/** How to start. */
export interface ArmOptions {
  readonly tls: TlsMaterial;
  readonly clock?: SettableClock;
  /** 0, the default, takes a free one. */
  readonly port?: number;
  readonly behaviour?: Partial<Behaviour>;
}

/** The running emulator. */
export interface ArmEmulator {
  /** `https://localhost:PORT`: the endpoint, and an audience of its tokens beside those of the public cloud. */
  readonly url: string;
  readonly clock: SettableClock;
  readonly world: ArmWorld;
  readonly behaviour: Behaviour;
  readonly access: Access;
  readonly faults: Faults;
  readonly requests: RequestLog;
  close(): Promise<void>;
}

/** Starts the emulator on 127.0.0.1; registries are added to its world. Rejects when the port is taken. */
export async function startArm(options: ArmOptions): Promise<ArmEmulator> {
  const { key, cert } = options.tls;
  const clock = options.clock ?? createClock();
  const world = createWorld(options.behaviour);
  const site = { url: '' };
  const audiences = () => ['https://management.azure.com', 'https://management.core.windows.net', site.url];
  const access = createAccess(clock, audiences);
  const parts = { clock, world, access, faults: createFaults(), requests: createRequestLog() };
  const routes = createRoutes({
    world,
    access,
    get url() {
      return site.url;
    },
  });
  const control = createControl(parts);
  const server = createServer({ key, cert }, createListener({ ...parts, routes, control }));
  site.url = `https://localhost:${await listen(server, options.port ?? 0)}`;
  return { ...parts, url: site.url, behaviour: world.behaviour, close: () => close(server) };
}

type Parts = Pick<ArmEmulator, 'world' | 'access' | 'faults' | 'requests'>;

/** Drives a standalone emulator: JSON in, JSON out, no sign-in. */
function createControl({
  world,
  access,
  faults,
  requests,
}: Parts): (method: string, path: string, body: unknown) => Reply {
  return (method, path, body) => {
    switch (`${method} ${path.slice('/_emulator/'.length)}`) {
      case 'POST behaviour':
        return { status: 200, json: Object.assign(world.behaviour, body) };
      case 'POST assignments':
        access.assignments.push(body as RoleAssignment);
        return { status: 200, json: access.assignments };
      case 'POST faults':
        faults.add(body as Fault);
        return { status: 200, json: {} };
      case 'DELETE faults':
        faults.clear();
        return { status: 200, json: {} };
      case 'GET requests':
        return { status: 200, json: { requests: requests.entries } };
      case 'DELETE requests':
        requests.clear();
        return { status: 200, json: {} };
      default:
        return failure(404, 'NotFound', 'There is no such control.');
    }
  };
}

function listen(server: Server, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', () => resolve((server.address() as AddressInfo).port));
  });
}

function close(server: Server): Promise<void> {
  return new Promise(resolve => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}
