/** Clusters that report, for the tests of usage reports. */
import type { HelmReleaseFact, UseFact } from '../../../../core/kubernetes/usage.ts';
import {
  type PushedReport,
  pushUsageReport,
  type ReportingCluster,
} from '../../../../core/lifecycle/facts/push-usage.ts';
import { usageRepository } from '../../../../core/lifecycle/facts/usage-report.ts';
import type { Registry } from '../../../../core/oci/registry.ts';
import type { Identity } from '../../../emulators/acr/access.ts';
import { createCollectingLog } from '../../oci/world.ts';

export const digest = `sha256:${'a'.repeat(64)}`;

export const use: UseFact = {
  image: 'contoso.azurecr.io/web:4711',
  imageId: `contoso.azurecr.io/web@${digest}`,
  where: 'pod shop/web-1',
};

export const release: HelmReleaseFact = {
  namespace: 'shop',
  name: 'web',
  oldestInUse: 3,
  revisions: [
    { revision: 2, status: 'superseded', images: ['contoso.azurecr.io/web:4700'] },
    { revision: 3, status: 'deployed', images: ['contoso.azurecr.io/web:4711'] },
  ],
};

/** A cluster whose pods and Helm releases are these. */
export function clusterOf(name: string, more: Partial<ReportingCluster> = {}): ReportingCluster {
  return {
    name,
    readId: async () => `uid of ${name}`,
    read: async () => ({
      uses: { kind: 'whole', items: [use, { image: 'contoso.azurecr.io/api:1', where: 'deployment shop/api' }] },
      releases: { kind: 'whole', items: [release] },
    }),
    reportsReleases: true,
    ...more,
  };
}

/** Reports, and gives what was said. The machine's clock is the registry's unless told. */
export async function report(
  registry: Registry,
  cluster: ReportingCluster,
  now = () => registry.time() ?? 0,
): Promise<PushedReport & { readonly said: readonly string[] }> {
  const log = createCollectingLog();
  const clock = { now, sleep: async () => {} };
  return { ...(await pushUsageReport(registry, cluster, { tool: '1.2.3', clock, log })), said: log.lines };
}

/** Somebody with a password of the same name, and rights on one cluster's reports. */
export function reporterOf(cluster: string, ...actions: Identity['rights'][number]['actions']): Identity {
  return {
    name: cluster,
    password: `${cluster}-password`,
    rights: [{ repository: usageRepository(cluster), actions }],
  };
}
