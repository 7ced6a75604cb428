/** Everything that one cluster runs and could still start. */
import { errorMessage } from '../base/errors.ts';
import type { Reading } from '../base/reading.ts';
import type { KubernetesApi } from './api.ts';
import { type CustomResource, type ReadyResource, readCustomResources, readyResource } from './custom-resources.ts';
import { readHelmReleases } from './helm-releases.ts';
import type { HelmReleaseFact, UseFact } from './usage.ts';
import { demandUses } from './whole-cluster.ts';
import { readWorkloads } from './workloads.ts';

/** What is read beside Kubernetes' own. */
export interface ReadClusterOptions {
  readonly customResources?: readonly CustomResource[];
  /** False where Helm's storage is not to be looked at: listing Secrets is a right that not everybody gives. */
  readonly helm?: boolean | undefined;
}

/** Both readings: each is whole, or says why not, for itself. */
export interface ClusterUsage {
  readonly uses: Reading<UseFact>;
  readonly releases: Reading<HelmReleaseFact>;
}

/** Reads both. Never rejects: what failed is unread, with why. Nothing but lists is asked for. */
export async function readCluster(api: KubernetesApi, options: ReadClusterOptions = {}): Promise<ClusterUsage> {
  let resources: readonly ReadyResource[];
  try {
    resources = (options.customResources ?? []).map(readyResource);
  } catch (thrown) {
    const unread = { kind: 'unread', reason: errorMessage(thrown) } as const;
    return { uses: unread, releases: unread };
  }
  const [uses, releases] = await Promise.all([
    readUses(api, resources),
    options.helm === false ? notAsked : readHelmReleases(api, resources),
  ]);
  return { uses, releases };
}

const notAsked: Reading<never> = { kind: 'unread', reason: 'Helm was not to be asked for' };

/**
 * What makes pods is listed before the pods are, so custom resources come first. They make no cluster: whoever shows one
 * of them and no workload shows a tenant's part.
 */
async function readUses(api: KubernetesApi, resources: readonly ReadyResource[]): Promise<Reading<UseFact>> {
  const custom = await readCustomResources(api, resources);
  if (custom.kind === 'unread') return custom;
  const own = demandUses(await readWorkloads(api));
  return own.kind === 'unread' ? own : { kind: 'whole', items: [...custom.items, ...own.items] };
}
