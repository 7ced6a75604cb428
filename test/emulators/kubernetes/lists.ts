/** Lists in chunks: each begins with a picture of the moment, and its tokens lead through that. */
import type { Reply } from '../azure-devops/http.ts';
import { apiVersionOf, type Kind } from './kinds.ts';
import { failure } from './status.ts';
import type { KubernetesObject, World } from './world.ts';

/** Serves lists. */
export interface Lists {
  answer(kind: Kind, namespace: string | undefined, query: URLSearchParams): Reply;
  /** Forgets the pictures, as etcd does after some minutes: every token is answered with 410 from now on. */
  expire(): void;
}

interface Picture {
  readonly kind: Kind;
  readonly resourceVersion: string;
  readonly objects: readonly KubernetesObject[];
}

/** Makes them, over a world. */
export function createLists(world: World): Lists {
  const pictures = new Map<string, Picture | undefined>();
  const open = (kind: Kind, namespace: string | undefined, query: URLSearchParams): string => {
    const objects = select(world.list(kind, namespace), query);
    const id = `${pictures.size + 1}`;
    pictures.set(id, { kind, resourceVersion: world.resourceVersion, objects });
    return id;
  };
  return {
    // The keys stay, so that no picture gets the token of another.
    expire: () => {
      for (const id of pictures.keys()) pictures.set(id, undefined);
    },
    answer: (kind, namespace, query) => {
      const token = Buffer.from(query.get('continue') ?? '', 'base64url').toString();
      const [id = '', start = '0'] = token === '' ? [open(kind, namespace, query)] : token.split(' ');
      const picture = pictures.get(id);
      if (!picture) return expired;
      return { status: 200, json: cut({ id, picture, start: Number(start) }, query) };
    },
  };
}

const expired = failure(
  410,
  'Expired',
  'The provided continue parameter is too old to display a consistent list result. You can start a new list without the continue parameter.',
);

/** With a selector nobody knows how many are left. https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/list-meta/ */
function cut(
  { id, picture, start }: { readonly id: string; readonly picture: Picture; readonly start: number },
  query: URLSearchParams,
): object {
  const { kind, resourceVersion, objects } = picture;
  const end = start + (Number(query.get('limit') ?? 0) || objects.length);
  const left = objects.length - end;
  const isSelected = query.has('labelSelector') || query.has('fieldSelector');
  const metadata = {
    resourceVersion,
    ...(left > 0 && { continue: Buffer.from(`${id} ${end}`).toString('base64url') }),
    ...(left > 0 && !isSelected && { remainingItemCount: left }),
  };
  return { kind: `${kind.kind}List`, apiVersion: apiVersionOf(kind), metadata, items: objects.slice(start, end) };
}

function select(objects: readonly KubernetesObject[], query: URLSearchParams): readonly KubernetesObject[] {
  const labels = query.get('labelSelector')?.split(',').map(readTerm) ?? [];
  const fields = query.get('fieldSelector')?.split(',').map(readTerm) ?? [];
  return objects.filter(
    object =>
      labels.every(({ key, value, isEqual }) => (object.metadata.labels?.[key] === value) === isEqual) &&
      fields.every(({ key, value, isEqual }) => (fieldOf(object, key) === value) === isEqual),
  );
}

function readTerm(text: string): { key: string; value: string; isEqual: boolean } {
  const [, key = '', sign, value = ''] = /^([^=!]+)(!?)==?(.*)$/.exec(text) ?? [];
  return { key, value, isEqual: sign === '' };
}

function fieldOf(object: KubernetesObject, key: string): unknown {
  return key.split('.').reduce<unknown>((at, name) => (at as Record<string, unknown> | undefined)?.[name], object);
}
