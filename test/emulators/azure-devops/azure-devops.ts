/** Azure DevOps on loopback: one organization, its builds, leases and service hooks, and what can go wrong with them. */
import { randomUUID } from 'node:crypto';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createClock, type SettableClock } from '../settable-clock.ts';
import type { TlsMaterial } from '../tls.ts';
import { type AcceptedToken, type Access, createAccess, refuseRight, refuseStranger } from './access.ts';
import { buildRoutes } from './build-routes.ts';
import { createControl } from './control.ts';
import { createFaults, type Faults } from './faults.ts';
import { gitRoutes } from './git-routes.ts';
import { hookRoutes } from './hook-routes.ts';
import { createHooks, type Hooks, type HooksOptions } from './hooks.ts';
import { failure, type Reply, type Route } from './http.ts';
import { leaseRoutes } from './lease-routes.ts';
import { locationRoutes } from './location-routes.ts';
import { federationOf, oidcRoutes, type ServiceConnection } from './oidc-routes.ts';
import { releaseRoutes } from './release-routes.ts';
import { createRequestLog, type RequestLog } from './request-log.ts';
import { createHttpServer, type Service } from './server.ts';
import { type Behaviour, createWorld, type World } from './world.ts';

/** How to start; everything may be left out. */
export interface AzureDevOpsEmulatorOptions extends HooksOptions {
  readonly clock?: SettableClock;
  /** Speaks https when given. */
  readonly tls?: TlsMaterial;
  /** Any free one when absent. */
  readonly port?: number;
  readonly flavour?: 'services' | 'server';
  readonly organization?: string;
  readonly collectionId?: string;
  readonly combinedFilters?: Behaviour['combinedFilters'];
  /** Beside {@link AzureDevOpsEmulator.token} and {@link AzureDevOpsEmulator.pat}. */
  readonly acceptedTokens?: readonly (string | AcceptedToken)[];
}

/** The running emulator. */
export interface AzureDevOpsEmulator {
  /** The organization or collection, with no slash at the end. */
  readonly url: string;
  /** Where its classic releases are: a host of its own, and on a server the collection's. */
  readonly releaseUrl: string;
  readonly collectionId: string;
  /** A bearer token and a personal access token with every right. */
  readonly token: string;
  readonly pat: string;
  readonly clock: SettableClock;
  readonly world: World;
  readonly access: Access;
  readonly faults: Faults;
  readonly requests: RequestLog;
  readonly hooks: Hooks;
  /** Makes a service connection with workload identity federation, and says what Entra has to trust. */
  addServiceConnection(connection: { projectId: string; id?: string; name?: string }): ServiceConnection & {
    readonly federation: ReturnType<typeof federationOf>;
  };
  /** Starts a job and gives the variables that its tasks see. */
  startJob(projectId: string): JobVariables;
  /** Stops listening and drops every connection. */
  close(): Promise<void>;
}

/** What a job knows about itself: https://learn.microsoft.com/azure/devops/pipelines/build/variables */
export interface JobVariables {
  readonly accessToken: string;
  readonly planId: string;
  readonly jobId: string;
  readonly hub: string;
  readonly oidcRequestUri: string;
}

/** Starts the emulator on 127.0.0.1. Rejects when the port is taken. */
export async function startAzureDevOps(options: AzureDevOpsEmulatorOptions = {}): Promise<AzureDevOpsEmulator> {
  const { flavour = 'services', tls } = options;
  const clock = options.clock ?? createClock();
  const organization = options.organization ?? (flavour === 'services' ? 'contoso' : 'DefaultCollection');
  const world = createWorld({ ...options, clock, organization });
  const token = 'emulated-access-token';
  const pat = 'emulated-personal-access-token';
  const access = createAccess(clock, [
    { value: token, kind: 'bearer' },
    { value: pat, kind: 'pat' },
    ...(options.acceptedTokens ?? []).map(one => (typeof one === 'string' ? { value: one } : one)),
  ]);
  const root = flavour === 'services' ? `/${organization}` : `/tfs/${organization}`;
  const site = { url: '' };
  const sites = { organization: site, releases: flavour === 'server' ? site : { url: '' } };
  const hooks = createHooks(world, site, options);
  const connections = new Map<string, ServiceConnection>();
  const routes = [
    ...buildRoutes(world, site),
    ...leaseRoutes(world),
    ...gitRoutes(world, site),
    ...hookRoutes(world, site, hooks),
    ...oidcRoutes(world, access, connections),
    ...(flavour === 'server' ? releaseRoutes(world, sites) : []),
    ...locationRoutes(world, sites, flavour === 'server' ? 'both' : 'organization'),
  ];
  const emulator = {
    collectionId: world.collectionId,
    token,
    pat,
    clock,
    world,
    access,
    hooks,
    faults: createFaults(),
    requests: createRequestLog(),
    addServiceConnection: (wanted: { projectId: string; id?: string; name?: string }) => {
      const id = (wanted.id ?? randomUUID()).toLowerCase();
      const made = { id, name: wanted.name ?? 'registry', projectId: wanted.projectId };
      connections.set(id, made);
      return { ...made, federation: federationOf(world, made) };
    },
    startJob: (projectId: string): JobVariables => {
      const { token: accessToken, planId, jobId, hub } = access.addJob(projectId);
      const path = `${projectId}/_apis/distributedtask/hubs/${hub}/plans/${planId}/jobs/${jobId}/oidctoken`;
      return { accessToken, planId, jobId, hub, oidcRequestUri: `${site.url}/${path}` };
    },
  };
  const servers: Server[] = [];
  const serve = async (at: { url: string }, served: readonly Route[], port: number): Promise<void> => {
    const server = createHttpServer(createService({ ...emulator, flavour, root, routes: served }), tls);
    servers.push(server);
    at.url = `${tls === undefined ? 'http' : 'https'}://localhost:${await listen(server, port)}${root}`;
  };
  await serve(site, routes, options.port ?? 0);
  if (flavour === 'services') {
    await serve(sites.releases, [...releaseRoutes(world, sites), ...locationRoutes(world, sites, 'releases')], 0);
  }
  const close = async (): Promise<void> => void (await Promise.all(servers.map(stop)));
  return { ...emulator, url: site.url, releaseUrl: sites.releases.url, close };
}

type Parts = Omit<AzureDevOpsEmulator, 'url' | 'releaseUrl' | 'close'> & {
  readonly flavour: 'services' | 'server';
  readonly root: string;
  readonly routes: readonly Route[];
};

function createService(parts: Parts): Service {
  const { clock, root, routes, faults, requests, access, world, flavour } = parts;
  const control = createControl(parts);
  return {
    clock,
    root,
    routes,
    faults,
    requests,
    guard: (route, headers) => {
      const caller = access.identify(headers.authorization);
      if (caller === undefined) return refuseStranger(flavour, world.behaviour.signIn);
      return caller.rights === undefined || caller.rights.includes(route.right) ? { caller } : refuseRight(route.right);
    },
    finish: reply => withRetryAfter(reply, world.behaviour.retryAfterSeconds),
    outside: async (method, path, body) =>
      (await control(method, path, body)) ??
      failure(404, 'HostNotFoundException', 'TF400898: there is no such organization here.'),
  };
}

/** Azure DevOps asks to slow down on good answers too: https://learn.microsoft.com/azure/devops/integrate/concepts/rate-limits */
function withRetryAfter(reply: Reply, seconds: number | undefined): Reply {
  if (seconds === undefined) return reply;
  return { ...reply, headers: { ...reply.headers, 'retry-after': String(seconds), 'x-ratelimit-delay': '1.5' } };
}

function listen(server: Server, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', () => resolve((server.address() as AddressInfo).port));
  });
}

function stop(server: Server): Promise<void> {
  return new Promise(resolve => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}
