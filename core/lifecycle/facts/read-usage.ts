/**
 * What every cluster runs, from its report in a registry or by asking it. Nothing is thrown: what could not be read says
 * so, and then keeps everything. Whether a report is fresh enough is for the plan to say (unread-sources.ts).
 */

import { mapConcurrently } from '../../base/concurrency.ts';
import { AppError, errorMessage, hasCode } from '../../base/errors.ts';
import type { Reading } from '../../base/reading.ts';
import { demandUses } from '../../kubernetes/whole-cluster.ts';
import { getArtifact } from '../../oci/artifact.ts';
import { listFolder, listRepositories } from '../../oci/catalog.ts';
import type { Registry } from '../../oci/registry.ts';
import { openRepository } from '../../oci/repository.ts';
import type { UsageFacts } from '../keep-policy/policy-facts.ts';
import { nameCatalogRole } from './catalog-role.ts';
import type { ClusterReading, Estate, EstateRegistry } from './estate.ts';
import {
  clusterOfRepository,
  maxReportBytes,
  parseUsageReport,
  type UsageReport,
  usageFolder,
  usageReportType,
  usageRepository,
  usageTag,
} from './usage-report.ts';

/**
 * Reads the reports of every registry that clusters report into, and asks the clusters that are asked directly. Facts
 * of reports have their registry's name, one for each cluster; a registry without a report has one that is unread.
 */
export async function readUsage(estate: Estate): Promise<UsageFacts[]> {
  const registries = estate.registries.filter(each => each.reportsUsage);
  const reported = await mapConcurrently(registries, 4, readUsageReports);
  const asked = await mapConcurrently(estate.clusters, 4, async ({ name, read }): Promise<UsageFacts> => {
    try {
      return { name, ...(await read()) };
    } catch (thrown) {
      return { name, ...unread(clauseOf(thrown)) };
    }
  });
  return [...reported.flat(), ...asked];
}

/** The reports of one registry: of the clusters that it must have one of, and of every other that it has one of. */
export async function readUsageReports(from: EstateRegistry): Promise<UsageFacts[]> {
  const { name, registry, usageClusters = [] } = from;
  let found: readonly string[];
  try {
    // The whole list may be cut before the reports, and a registry may show less of one that begins behind a name.
    const listed = [...(await listRepositories(registry)), ...(await listFolder(registry, usageFolder.slice(0, -1)))];
    found = listed.flatMap(each => clusterOfRepository(each) ?? []);
  } catch (thrown) {
    return [
      { name, ...unread(`which clusters report into it was not read: ${clauseOf(nameCatalogRole(registry, thrown))}`) },
    ];
  }
  const clusters = [...new Set([...usageClusters, ...found])].sort();
  if (clusters.length === 0) {
    const what = `${registry.host} has no report under ${usageFolder}`;
    return [{ name, ...unread(`${what}; set up webhook-handler report-usage in the cluster`) }];
  }
  return mapConcurrently(clusters, 8, async cluster => ({
    name,
    label: `${name}/${cluster}`,
    ...(await readClusterReport(registry, cluster)),
    readAt: registry.time(),
  }));
}

async function readClusterReport(registry: Registry, cluster: string): Promise<ClusterReading> {
  try {
    const report = await readUsageReport(registry, cluster);
    if (report === undefined) {
      return unread(
        `there is no report at ${registry.host}/${usageRepository(cluster)}:${usageTag}; have the cluster report, or, where it is gone for good, delete that repository and take it out of usage.clusters`,
      );
    }
    const { takenAt, uses, releases } = report;
    return {
      takenAt,
      // Whoever reports asks the same; one that is pinned to an older version does not.
      uses: demandUses({ kind: 'whole', items: uses }),
      releases: releases ? { kind: 'whole', items: releases } : { kind: 'unread', reason: withoutHelm },
    };
  } catch (thrown) {
    return unread(clauseOf(thrown));
  }
}

const withoutHelm = 'it reports with --no-helm, so nobody knows what Helm could roll back to; have it report without';

/**
 * The report of one cluster; undefined where there is none. Throws `RECORD_UNREADABLE` where something else is there or
 * it is the report of another cluster, and as the registry does.
 */
export async function readUsageReport(registry: Registry, cluster: string): Promise<UsageReport | undefined> {
  const repository = openRepository(registry, usageRepository(cluster), ['pull']);
  const what = `${repository.label}:${usageTag}`;
  const get = () => getArtifact(repository, usageTag, usageReportType, maxReportBytes);
  // A newer report may take the place of the old one, and the old one go, between its manifest and its content.
  const artifact = await get().catch((thrown: unknown) => {
    if (hasCode(thrown, 'RECORD_UNREADABLE')) return get();
    throw thrown;
  });
  if (!artifact) return undefined;
  const report = parseUsageReport(artifact.json, what);
  if (report.cluster === cluster) return report;
  throw new AppError(`${what} is the report of "${report.cluster}".`, { code: 'RECORD_UNREADABLE' });
}

function unread(reason: string): ClusterReading {
  const reading: Reading<never> = { kind: 'unread', reason };
  return { takenAt: undefined, uses: reading, releases: reading };
}

/** Reasons stand in the middle of a sentence. */
function clauseOf(thrown: unknown): string {
  return errorMessage(thrown).replace(/\.$/, '');
}
