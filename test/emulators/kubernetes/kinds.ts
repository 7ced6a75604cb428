/** The kinds that the emulator serves. A real server has more. */

/** A kind, and where it is served. */
export interface Kind {
  /** Empty for the core group. */
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  /** The plural, as in URLs. */
  readonly resource: string;
  readonly namespaced: boolean;
}

const table: readonly (readonly [group: string, kinds: string, namespaced?: boolean])[] = [
  ['', 'Namespace Node PersistentVolume', false],
  ['', 'Pod PodTemplate ReplicationController ConfigMap Secret Service ServiceAccount PersistentVolumeClaim'],
  ['apps', 'Deployment ReplicaSet StatefulSet DaemonSet ControllerRevision'],
  ['batch', 'Job CronJob'],
  ['networking.k8s.io', 'NetworkPolicy Ingress'],
  ['rbac.authorization.k8s.io', 'Role RoleBinding'],
  ['rbac.authorization.k8s.io', 'ClusterRole ClusterRoleBinding', false],
];

/** Kubernetes' own, all of version v1. */
export const ownKinds: readonly Kind[] = table.flatMap(([group, kinds, namespaced = true]) =>
  kinds.split(' ').map(kind => ({ group, version: 'v1', kind, resource: pluralOf(kind), namespaced })),
);

function pluralOf(kind: string): string {
  const word = kind.toLowerCase();
  if (word.endsWith('y')) return `${word.slice(0, -1)}ies`;
  return word.endsWith('s') ? `${word}es` : `${word}s`;
}

/** `apps/v1`, or `v1` of the core group. */
export function apiVersionOf({ group, version }: Pick<Kind, 'group' | 'version'>): string {
  return group === '' ? version : `${group}/${version}`;
}
