/** The clusters of the configuration, each by the connection or the context that is for it. */
import { systemClock } from '../../core/base/clock.ts';
import { type OfferedCluster, pickCluster } from '../../core/kubernetes/offered-cluster.ts';
import type { Configuration } from '../../core/lifecycle/configuration/configuration.ts';
import { configuredCluster } from '../../core/lifecycle/facts/configured-cluster.ts';
import type { EstateCluster } from '../../core/lifecycle/facts/estate.ts';
import { listClusters } from '../agent/kubernetes.ts';
import type { Assumed } from './configuration.ts';
import type { ConnectionIds } from './inputs.ts';

/** What the connections and the kubeconfig offer. Throws `INPUT_INVALID`, naming the input, for one that cannot be read. */
export function offerClusters({ kubernetesConnections, kubeconfig }: ConnectionIds): Promise<OfferedCluster[]> {
  return listClusters({
    connections: { input: 'kubernetesConnections', ids: kubernetesConnections },
    kubeconfig: { input: 'kubeconfig', path: kubeconfig },
  });
}

const remedy = 'name what opens this cluster in the input kubernetesConnections or kubeconfig';

/** Opens every cluster of the configuration; nothing is sent. Throws `INPUT_INVALID` for one that nothing is for. */
export function openClusters(
  { clusters, keep }: Pick<Configuration, 'clusters' | 'keep'>,
  offers: readonly OfferedCluster[],
): EstateCluster[] {
  return clusters.map(wanted => {
    const api = pickCluster(offers, wanted, remedy).connect();
    return configuredCluster(wanted, { keep, connect: async () => api, clock: systemClock });
  });
}

/** The clusters of an audit without a configuration: whatever each connection means by default. */
export function assumeClusters(offers: readonly OfferedCluster[]): Assumed['clusters'] {
  const servers = new Set(offers.flatMap(({ isDefault, server }) => (isDefault && server ? [server] : [])));
  return [...servers].map((server, at) => ({ name: `cluster-${at + 1}`, server }));
}
