/**
 * The Helm releases of a cluster, with every revision that is stored: what "helm rollback" could start. Helm's drivers
 * "sql" and "memory" store elsewhere, where nothing of it can be seen. https://helm.sh/docs/topics/advanced/#storage-backends
 */
import * as z from 'zod';
import { errorMessage } from '../base/errors.ts';
import { groupBy } from '../base/group-by.ts';
import type { Reading } from '../base/reading.ts';
import type { KubernetesApi } from './api.ts';
import type { ReadyResource } from './custom-resources.ts';
import { describeFault } from './fault.ts';
import { type HelmRecord, readHelmRecord } from './helm-record.ts';
import { readList } from './list.ts';
import type { HelmReleaseFact } from './usage.ts';

const object = z.object({
  metadata: z.object({ name: z.string().min(1), namespace: z.string().min(1) }),
  type: z.string().optional(),
  data: z.record(z.string(), z.string()).nullish(),
});

/** Helm's own words. https://github.com/helm/helm/blob/v4.2.4/pkg/storage/driver/secrets.go */
const secretType = 'helm.sh/release.v1';
const recordName = /^sh\.helm\.release\.v\d+\./;
/** With the namespace that it is stored in: others than Helm itself may install into another. */
type StoredRecord = HelmRecord & { readonly namespace: string };

/** Records are large. */
const pageSize = 25;

/** Reads them in every namespace. One revision that cannot be read makes all unread, for it may be the one that is needed. */
export async function readHelmReleases(
  api: KubernetesApi,
  resources: readonly ReadyResource[],
): Promise<Reading<HelmReleaseFact>> {
  const found: HelmReleaseFact[] = [];
  for (const resource of ['secrets', 'configmaps'] as const) {
    const read = await readList(api, {
      group: '',
      version: 'v1',
      resource,
      objectKind: resource === 'secrets' ? 'Secret' : 'ConfigMap',
      labelSelector: 'owner=helm',
      pageSize,
      read: each => readObject(each, resource, resources),
    });
    if (read.kind === 'unread') return read;
    // A release that moved from one storage to the other has a history in each.
    found.push(...groupReleases(read.items));
  }
  return { kind: 'whole', items: found };
}

function readObject(
  each: unknown,
  resource: 'secrets' | 'configmaps',
  resources: readonly ReadyResource[],
): Reading<StoredRecord> {
  const read = object.safeParse(each);
  if (!read.success) return { kind: 'unread', reason: `one is not as expected: ${describeFault(read.error)}` };
  const { metadata, type = '', data } = read.data;
  const label = `${metadata.namespace}/${metadata.name}`;
  const isHelms = resource === 'secrets' ? type.startsWith('helm.sh/') : data?.['release'] !== undefined;
  if (!isHelms && !recordName.test(metadata.name)) return { kind: 'whole', items: [] };
  if (resource === 'secrets' && type !== secretType) {
    return {
      kind: 'unread',
      reason: `${label} has the type "${type.slice(0, 100)}", which is of no Helm that is known here`,
    };
  }
  const stored = data?.['release'];
  try {
    if (stored === undefined) throw new Error('it holds nothing');
    const encoded = resource === 'secrets' ? Buffer.from(stored, 'base64').toString('latin1') : stored;
    return { kind: 'whole', items: [{ ...readHelmRecord(encoded, resources), namespace: metadata.namespace }] };
  } catch (thrown) {
    const advice = 'Does "helm get manifest" read it? If not, delete that revision';
    return { kind: 'unread', reason: `the Helm revision ${label} cannot be read: ${errorMessage(thrown)}. ${advice}` };
  }
}

function groupReleases(records: readonly StoredRecord[]): HelmReleaseFact[] {
  const groups = groupBy(records, each => `${each.namespace}/${each.name}`);
  return [...groups.values()].map(group => {
    const [{ namespace, name }] = group as [StoredRecord, ...StoredRecord[]];
    const revisions = group
      .map(({ revision, status, images }) => ({ revision, status, images }))
      .sort((one, other) => one.revision - other.revision);
    return { namespace, name, oldestInUse: findInUse(group), revisions };
  });
}

/**
 * What is in use is the newest revision that Helm calls deployed; where several are, Helm takes that one, too. What is
 * newer failed or is pending, and parts of it may run. Without one, as while a first installation runs, after a rollback
 * that failed, or after "helm uninstall --keep-history", nobody can tell.
 * https://github.com/helm/helm/blob/v4.2.4/pkg/storage/storage.go
 */
function findInUse(records: readonly HelmRecord[]): number | undefined {
  const deployed = records.filter(each => each.status === 'deployed').map(each => each.revision);
  return deployed.length > 0 ? Math.max(...deployed) : undefined;
}
