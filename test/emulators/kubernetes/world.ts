/** The objects of a cluster. Nobody looks after them: no controller makes a pod of a Deployment. */
import { randomUUID } from 'node:crypto';
import type { SettableClock } from '../settable-clock.ts';
import { apiVersionOf, type Kind, ownKinds } from './kinds.ts';
import { failure, Refusal } from './status.ts';

/** What is common to all objects. */
export interface KubernetesObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly resourceVersion: string;
    readonly [key: string]: unknown;
  };
  readonly [key: string]: unknown;
}

/** An object as somebody sends it. */
export interface NewObject {
  readonly metadata: { readonly name: string; readonly namespace?: string; readonly [key: string]: unknown };
  readonly [key: string]: unknown;
}

/** Where one object is. */
export interface Place {
  readonly kind: Kind;
  /** Empty for what is in none. */
  readonly namespace: string;
  readonly name: string;
}

/** What there is. Whatever refuses throws a `Refusal`. */
export interface World {
  readonly kinds: readonly Kind[];
  /** Serves a kind more, as a CustomResourceDefinition makes a server do. */
  addKind(kind: Kind): void;
  /** By its plural. Throws a plain error for one that is not served. */
  kindOf(resource: string): Kind;
  /** Moves with each change. */
  readonly resourceVersion: string;
  /** In every namespace where none is given, ordered as etcd has them. */
  list(kind: Kind, namespace?: string): KubernetesObject[];
  get(place: Place): KubernetesObject;
  create(place: Omit<Place, 'name'>, object: NewObject): KubernetesObject;
  replace(place: Place, object: NewObject): KubernetesObject;
  remove(place: Place): KubernetesObject;
}

/** Makes one with the namespaces that every cluster has. */
export function createWorld(clock: SettableClock): World {
  const kinds: Kind[] = [...ownKinds];
  const objects = new Map<string, KubernetesObject>();
  let version = 1;

  const find = (place: Place): KubernetesObject => {
    const found = objects.get(keyOf(place));
    const { kind, name } = place;
    const label = kind.group === '' ? kind.resource : `${kind.resource}.${kind.group}`;
    if (!found)
      throw new Refusal(failure(404, 'NotFound', `${label} "${name}" not found`, { name, kind: kind.resource }));
    return found;
  };
  const put = (place: Place, object: NewObject, own: object): KubernetesObject => {
    version += 1;
    const { namespace, name, kind } = place;
    const metadata = {
      ...object.metadata,
      ...own,
      name,
      ...(namespace && { namespace }),
      resourceVersion: `${version}`,
    };
    const made = { ...structuredClone(object), apiVersion: apiVersionOf(kind), kind: kind.kind, metadata };
    objects.set(keyOf(place), made);
    return made;
  };
  const world: World = {
    kinds,
    addKind: kind => void kinds.push(kind),
    kindOf: resource => {
      const found = kinds.find(each => each.resource === resource);
      if (!found) throw new Error(`the emulator does not serve ${resource}`);
      return found;
    },
    get resourceVersion() {
      return `${version}`;
    },
    list: (kind, namespace) => {
      const prefix = `${kind.group}/${kind.resource}/${namespace === undefined ? '' : `${namespace}/`}`;
      const found = [...objects].filter(([key]) => key.startsWith(prefix));
      return found.sort(([one], [other]) => (one < other ? -1 : 1)).map(([, object]) => object);
    },
    get: find,
    create: (where, object) => {
      const place = { ...where, name: object.metadata.name };
      if (objects.has(keyOf(place))) {
        throw new Refusal(failure(409, 'AlreadyExists', `${where.kind.resource} "${place.name}" already exists`));
      }
      const creationTimestamp = new Date(clock.now()).toISOString().replace(/\.\d+Z$/, 'Z');
      return put(place, withData(object), { uid: randomUUID(), creationTimestamp });
    },
    replace: (place, object) => {
      const { uid, creationTimestamp, resourceVersion } = find(place).metadata;
      const known = object.metadata['resourceVersion'];
      if (known !== undefined && known !== '' && known !== resourceVersion) {
        throw new Refusal(
          failure(409, 'Conflict', 'the object has been modified; please apply your changes to the latest'),
        );
      }
      return put(place, withData(object), { uid, creationTimestamp });
    },
    remove: place => {
      const found = find(place);
      objects.delete(keyOf(place));
      version += 1;
      return found;
    },
  };
  for (const name of ['default', 'kube-system']) {
    world.create({ kind: world.kindOf('namespaces'), namespace: '' }, { metadata: { name } });
  }
  return world;
}

function keyOf({ kind, namespace, name }: Place): string {
  return `${kind.group}/${kind.resource}/${namespace}/${name}`;
}

/** A Secret may be sent as text, and is kept as base64. https://kubernetes.io/docs/reference/kubernetes-api/config-and-storage-resources/secret-v1/ */
function withData(object: NewObject): NewObject {
  const { stringData, data, ...rest } = object as { stringData?: Record<string, string>; data?: unknown } & NewObject;
  if (!stringData) return object;
  const encoded = Object.entries(stringData).map(([key, text]) => [key, Buffer.from(text).toString('base64')]);
  return { ...rest, data: { ...(data as object), ...Object.fromEntries(encoded) } };
}
