/** The control surface under `/_emulator/`: drives the world of a standalone emulator. JSON in, JSON out, no sign-in. */
import type { Access } from './access.ts';
import type { Effect, Faults } from './faults.ts';
import type { Details, HookEvent } from './hook-events.ts';
import type { WebHookInputs } from './hook-post.ts';
import type { Hooks, NewSubscription } from './hooks.ts';
import { ok, type Reply } from './http.ts';
import type { ServiceConnection } from './oidc-routes.ts';
import type { NewRelease } from './releases.ts';
import type { RequestLog } from './request-log.ts';
import type { Behaviour, NewBuild, World } from './world.ts';

/** What can be driven. */
export interface Controlled {
  readonly world: World;
  readonly access: Access;
  readonly hooks: Hooks;
  readonly faults: Faults;
  readonly requests: RequestLog;
  readonly addServiceConnection: (connection: { projectId: string; id?: string; name?: string }) => ServiceConnection;
  readonly startJob: (projectId: string) => unknown;
}

/** Which event to make, of what. */
interface EventRequest {
  readonly event: 'build.complete' | 'run-state-changed' | 'build-deleted' | 'builds-deleted';
  readonly buildId?: number;
  readonly resourceVersion?: '1.0' | '2.0';
  readonly projectId?: string;
  readonly definitionId?: number;
  readonly buildIds?: readonly number[];
}

type Handler = (input: never, id: number) => unknown;

/**
 * Gives the function that serves `/_emulator/*`; it answers 404 for what it does not know and 400 for what cannot be.
 * `POST projects|definitions|builds|releases|service-connections|jobs` make one; `POST builds/{id}/delete|purge`,
 * `POST definitions/{id}/delete`, `POST retention`, `POST clock {advanceMs}`, `POST behaviour`, `POST faults` and
 * `DELETE faults` change the world; `POST notifications {url, …, event}` sends one to a URL; `POST subscriptions` and
 * `POST events` raise one for every subscriber; `GET requests`, `GET state` look.
 */
export function createControl(
  it: Controlled,
): (method: string, path: string, body: unknown) => Promise<Reply | undefined> {
  const handlers = listHandlers(it);
  return async (method, path, body) => {
    const [, key = ''] = /^\/_emulator\/(.+?)\/?$/.exec(path) ?? [];
    const id = /\/(\d+)/.exec(key)?.[1];
    const handler = handlers[`${method} ${key.replace(/\/\d+/, '/#')}`];
    if (handler === undefined) return undefined;
    try {
      return ok((await handler((body ?? {}) as never, Number(id))) ?? {});
    } catch (error) {
      return { status: 400, json: { message: (error as Error).message } };
    }
  };
}

function listHandlers(it: Controlled): Readonly<Record<string, Handler>> {
  const { world, hooks, faults, requests, access } = it;
  return {
    'POST projects': (input: { id?: string; name?: string }) => world.addProject(input),
    'POST definitions': (input: { projectId: string }) => world.addDefinition(input),
    'POST definitions/#/delete': (_, id) => world.deleteDefinition(id),
    'POST builds': (input: NewBuild) => world.addBuild(input),
    'POST builds/#/delete': (input: { reason?: string }, id) => world.deleteBuild(id, input.reason),
    'POST builds/#/purge': (_, id) => world.purgeBuild(id),
    'POST releases': (input: NewRelease) => world.releases.add(input),
    'POST retention': (input: { projectId?: string }) => ({ deleted: world.runRetention(input.projectId) }),
    'POST clock': (input: { advanceMs?: number }) => {
      world.clock.advance(input.advanceMs ?? 0);
      return { now: world.clock.now() };
    },
    'GET clock': () => ({ now: world.clock.now() }),
    'POST behaviour': (input: Partial<Behaviour>) => Object.assign(world.behaviour, input),
    'POST faults': (input: { operation?: string; path?: string; nth?: number; count?: number; effect: Effect }) => {
      faults.add(input);
    },
    'DELETE faults': () => faults.clear(),
    'POST tokens': (input: { value: string }) => void access.tokens.set(input.value, input),
    'POST jobs': (input: { projectId: string }) => it.startJob(input.projectId),
    'POST service-connections': (input: { projectId: string }) => it.addServiceConnection(input),
    'POST subscriptions': (input: NewSubscription) => hooks.subscribe(input),
    'POST notifications': (input: EventRequest & WebHookInputs & Details) => hooks.test(input, makeEvent(hooks, input)),
    'POST events': async (input: EventRequest) => ({ notifications: await hooks.raise(makeEvent(hooks, input)) }),
    'GET requests': () => ({ requests: requests.entries }),
    'DELETE requests': () => requests.clear(),
    'GET state': () => ({
      projects: [...world.projects.values()],
      definitions: [...world.definitions.values()],
      builds: [...world.builds.values()],
      leases: world.leases.all(),
      releases: [...world.releases.all.values()],
      subscriptions: [...hooks.subscriptions.values()],
    }),
  };
}

function makeEvent({ events }: Hooks, input: EventRequest): HookEvent {
  const { buildId = 0 } = input;
  switch (input.event) {
    case 'build.complete':
      return events.buildComplete(buildId, input.resourceVersion);
    case 'run-state-changed':
      return events.runStateChanged(buildId);
    case 'build-deleted':
      return events.buildDeleted(buildId);
    case 'builds-deleted': {
      const { projectId = '', definitionId = 0, buildIds = [] } = input;
      return events.buildsDeleted({ projectId, definitionId, buildIds });
    }
  }
}
