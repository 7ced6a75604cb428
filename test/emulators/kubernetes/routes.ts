/** What the emulator does with a request. https://kubernetes.io/docs/reference/using-api/api-concepts/ */
import type { Reply } from '../azure-devops/http.ts';
import type { Access } from './access.ts';
import { discover } from './discovery.ts';
import type { Kind } from './kinds.ts';
import type { Lists } from './lists.ts';
import { patchObject } from './patch.ts';
import { failure, notServed, Refusal } from './status.ts';
import type { NewObject, Place, World } from './world.ts';

/** One request, read whole. */
export interface Incoming {
  readonly method: string;
  readonly url: URL;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  /** JSON that was read, or the text of whatever else it is. */
  readonly body: unknown;
}

/** What a path names. */
export interface Target {
  readonly kind: Kind;
  readonly namespace: string | undefined;
  readonly name: string | undefined;
}

const pathPattern = /^\/(?:api|apis\/([^/]+))\/([^/]+)(?:\/namespaces\/([^/]+)(?=\/[^/]+))?\/([^/]+)(?:\/([^/]+))?$/;

/** Reads a path; undefined for what no kind is served at. `/status` and its like are not. */
export function findTarget({ kinds }: World, path: string): Target | undefined {
  const [, group = '', version, namespace, resource, name] = pathPattern.exec(path) ?? [];
  const kind = kinds.find(each => each.group === group && each.version === version && each.resource === resource);
  return kind && { kind, namespace, name };
}

/** What the request does, as RBAC calls it, with the resource: `list pods`. Discovery and the like have no deed. */
export function nameDeed({ method }: Incoming, target: Target): string {
  const verbs: Record<string, string> = { POST: 'create', PUT: 'update', PATCH: 'patch', DELETE: 'delete' };
  return verbs[method] ?? (target.name === undefined ? 'list' : 'get');
}

/** Where answers come from. */
export interface Service {
  readonly world: World;
  readonly lists: Lists;
  readonly access: Access;
}

/** Answers a request. */
export function answer(service: Service, incoming: Incoming, target: Target | undefined): Reply {
  const authorization = incoming.headers['authorization'] as string | undefined;
  const deed = target && { verb: nameDeed(incoming, target), group: target.kind.group, resource: target.kind.resource };
  const refused = service.access.judge(authorization, deed);
  if (refused) return refused;
  if (!target) {
    const found = incoming.method === 'GET' ? discover(service.world.kinds, incoming.url.pathname) : undefined;
    return found === undefined ? notServed : { status: 200, json: found };
  }
  try {
    return change(service, incoming, target);
  } catch (thrown) {
    if (thrown instanceof Refusal) return thrown.reply;
    throw thrown;
  }
}

function change({ world, lists }: Service, { method, url, headers, body }: Incoming, target: Target): Reply {
  const { kind, name } = target;
  const namespace = kind.namespaced ? (target.namespace ?? '') : '';
  if (name === undefined) {
    if (method === 'GET') return lists.answer(kind, kind.namespaced ? target.namespace : undefined, url.searchParams);
    if (method === 'POST') return { status: 201, json: world.create({ kind, namespace }, body as NewObject) };
    return failure(405, 'MethodNotAllowed', 'the server does not allow this method on the requested resource');
  }
  const place: Place = { kind, namespace, name };
  switch (method) {
    case 'GET':
      return { status: 200, json: world.get(place) };
    case 'PUT':
      return { status: 200, json: world.replace(place, body as NewObject) };
    case 'DELETE':
      return { status: 200, json: world.remove(place) };
    default:
      return patch(world, place, { contentType: String(headers['content-type']), body });
  }
}

/** Server-side apply makes what is not there. https://kubernetes.io/docs/reference/using-api/server-side-apply/ */
function patch(world: World, place: Place, { contentType, body }: { contentType: string; body: unknown }): Reply {
  const isThere = world.list(place.kind, place.namespace).some(each => each.metadata.name === place.name);
  if (!isThere && contentType.startsWith('application/apply-patch')) {
    return { status: 201, json: world.create(place, patchObject({}, body, contentType) as unknown as NewObject) };
  }
  const { resourceVersion: _, ...metadata } = world.get(place).metadata;
  const patched = patchObject({ ...world.get(place), metadata }, body, contentType);
  return { status: 200, json: world.replace(place, patched as unknown as NewObject) };
}
