/** A cluster of the configuration, as facts are read from it. */
import type { Clock } from '../../base/clock.ts';
import { errorMessage } from '../../base/errors.ts';
import type { KubernetesApi } from '../../kubernetes/api.ts';
import { readCluster } from '../../kubernetes/read-cluster.ts';
import type { ClusterConfiguration } from '../configuration/cluster-schema.ts';
import type { KeepPolicy } from '../keep-policy/policy-schema.ts';
import type { ClusterReading, EstateCluster } from './estate.ts';

/** What reading a cluster needs beside its configuration. */
export interface ClusterOptions {
  readonly keep: Pick<KeepPolicy, 'helmRevisions'>;
  /** Called for each reading; where it rejects, that reading is unread. */
  readonly connect: () => Promise<KubernetesApi>;
  readonly clock: Clock;
}

/** Makes the cluster; nothing is asked before it is read. */
export function configuredCluster(
  { name, customResources }: ClusterConfiguration,
  { keep, connect, clock }: ClusterOptions,
): EstateCluster {
  // Listing Secrets is a right that nobody should need to give for nothing.
  const options = { customResources, helm: keep.helmRevisions !== undefined };
  const read = async (): Promise<ClusterReading> => {
    let api: KubernetesApi;
    try {
      api = await connect();
    } catch (thrown) {
      const unread = { kind: 'unread', reason: errorMessage(thrown).replace(/\.$/, '') } as const;
      return { takenAt: undefined, uses: unread, releases: unread };
    }
    const takenAt = clock.now();
    return { takenAt, ...(await readCluster(api, options)) };
  };
  return { name, read };
}
