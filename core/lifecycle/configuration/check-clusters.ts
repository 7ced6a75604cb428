/** What clusters must be to each other and to the registries that clusters report into. Pure. */
import type { ClusterConfiguration } from './cluster-schema.ts';
import type { Fault } from './faults.ts';
import type { RegistryConfiguration } from './registry-schema.ts';
import type { Placed } from './written-path.ts';

/** Checks that each cluster is told apart by its name, and by what picks it. */
export function checkClusters(
  clusters: readonly Placed<ClusterConfiguration>[],
  registries: readonly Placed<RegistryConfiguration>[],
): Fault[] {
  return clusters.flatMap(({ at, one }) => {
    const before = clusters.filter(other => other.at < at);
    const fault = (key: string, message: string): Fault => ({ path: ['clusters', at, key], message });
    const name = one.name.toLowerCase();
    const namesake = before.find(other => other.one.name.toLowerCase() === name);
    // What runs goes by the name of the cluster or of the registry, so one could pass for the other.
    const registry = registries.find(other => other.one.usage && other.one.name.toLowerCase() === name);
    const same = before.find(other => pickOf(other.one) !== undefined && pickOf(other.one) === pickOf(one));
    const isUnpicked = clusters.length > 1 && pickOf(one) === undefined;
    return [
      ...(namesake ? [fault('name', `is the name of clusters[${namesake.at}] too`)] : []),
      ...(registry ? [fault('name', `is the name of registries[${registry.at}] too, which has a usage`)] : []),
      ...(same ? [fault(one.server ? 'server' : 'context', `picks the same cluster as clusters[${same.at}]`)] : []),
      ...(isUnpicked ? [fault('server', 'is missing, or context: one of them where there are several clusters')] : []),
    ];
  });
}

function pickOf({ server, context }: ClusterConfiguration): string | undefined {
  return server?.toLowerCase() ?? context;
}
