/**
 * Reports what a cluster runs into the registry of its stage, whole or not at all: where anything was not read nothing is
 * pushed, the earlier report grows too old, and then everything stays.
 */
import type { Clock } from '../../base/clock.ts';
import { AppError, errorMessage, hasCode, inputError } from '../../base/errors.ts';
import type { Logger } from '../../base/log.ts';
import type { Reading } from '../../base/reading.ts';
import { demandUses } from '../../kubernetes/whole-cluster.ts';
import { putArtifact } from '../../oci/artifact.ts';
import type { Digest } from '../../oci/digest.ts';
import { headManifest } from '../../oci/manifests.ts';
import type { Registry } from '../../oci/registry.ts';
import { openRepository, type Repository } from '../../oci/repository.ts';
import { removeManifest } from '../remove.ts';
import type { ClusterReading } from './estate.ts';
import { readUsageReport } from './read-usage.ts';
import { formatUsageReport, type UsageReport, usageReportType, usageRepository, usageTag } from './usage-report.ts';

/** A cluster that reports. */
export interface ReportingCluster {
  /** The report's name: a registry has one report of each name. */
  readonly name: string;
  /** Asks for what tells it from every other cluster: the uid of its namespace `kube-system`. */
  readonly readId: () => Promise<string>;
  readonly read: () => Promise<Pick<ClusterReading, 'uses' | 'releases'>>;
  /** False where the report is to be without Helm's releases. */
  readonly reportsReleases: boolean;
}

/** What reporting needs beside the cluster. */
export interface ReportOptions {
  /** The version of the program. */
  readonly tool: string;
  readonly clock: Clock;
  readonly log: Logger;
}

/** A report that was pushed. */
export interface PushedReport {
  readonly report: UsageReport;
  /** `registry/repository@digest`. */
  readonly reference: string;
}

/** Two clocks that differ by more do not both tell the time, in milliseconds. */
const farOffMs = 60 * 60_000;

/**
 * Looks at the cluster and pushes the report; the one before goes, where the right to delete is there. Throws
 * `CLUSTER_UNREAD` where anything of the cluster was not read or a later look was reported meanwhile, `INPUT_INVALID` where
 * another cluster reports by the same name, `RECORD_UNREADABLE`, `TOO_LARGE` or `DIGEST_MISMATCH` where nobody can say
 * whose the earlier report is, and as the registry does. Whatever it throws, the earlier report is as it was.
 */
export async function pushUsageReport(
  registry: Registry,
  cluster: ReportingCluster,
  options: ReportOptions,
): Promise<PushedReport> {
  const repository = openRepository(registry, usageRepository(cluster.name), ['pull', 'push']);
  const before = await readEarlier(repository, cluster.name);
  // Before the cluster is looked at: what is deployed meanwhile is younger than the report says of itself.
  const takenAt = timeOf(registry, options.clock);
  const clusterId = await cluster.readId();
  checkOwner(repository, before?.report, clusterId);
  const { uses, releases } = await cluster.read();
  const report: UsageReport = {
    cluster: cluster.name,
    clusterId,
    takenAt,
    tool: options.tool,
    uses: itemsOf(demandUses(uses), `What ${cluster.name} runs`),
    releases: cluster.reportsReleases ? itemsOf(releases, `What Helm stores in ${cluster.name}`) : undefined,
  };
  const document = { type: usageReportType, json: formatUsageReport(report) };
  // A look may take minutes, and somebody may have reported meanwhile; a registry cannot put a tag on a condition.
  const earlier = await readEarlier(repository, cluster.name);
  checkOwner(repository, earlier?.report, clusterId);
  checkLatest(repository, earlier?.report, takenAt);
  const digest = await putArtifact(repository, usageTag, document);
  if (earlier && earlier.digest !== digest) await removeEarlier(repository, earlier.digest, options.log);
  return { report, reference: `${repository.label}@${digest}` };
}

interface EarlierReport {
  readonly digest: Digest;
  /** Undefined where it went meanwhile. */
  readonly report: UsageReport | undefined;
}

async function readEarlier(repository: Repository, cluster: string): Promise<EarlierReport | undefined> {
  const head = await headManifest(repository, usageTag);
  if (!head) return undefined;
  try {
    return { digest: head.digest, report: await readUsageReport(repository.registry, cluster) };
  } catch (thrown) {
    if (!hasCode(thrown, 'RECORD_UNREADABLE', 'TOO_LARGE', 'DIGEST_MISMATCH')) throw thrown;
    // It may be another cluster's, of a later version.
    throw new AppError(
      `${errorMessage(thrown)} Nobody can say whose it is, so it is not replaced: where it is this cluster's, delete ${repository.label}@${head.digest} first. Nothing was reported.`,
      { code: thrown.code, cause: thrown },
    );
  }
}

function timeOf(registry: Registry, clock: Clock): number {
  const { host } = registry;
  const now = registry.time();
  const own = clock.now();
  if (now === undefined) {
    throw new AppError(`${host} sends no Date, so a report could not say of when it is; nothing was reported.`, {
      code: 'REGISTRY_UNEXPECTED',
    });
  }
  if (Math.abs(now - own) <= farOffMs) return now;
  throw new AppError(
    `${host} says it is ${new Date(now).toISOString()}, this machine ${new Date(own).toISOString()}; one of them is wrong, so nothing was reported.`,
    { code: 'REGISTRY_UNEXPECTED' },
  );
}

/** Each of two clusters of one name would have the images of the other let go. */
function checkOwner({ label }: Repository, earlier: UsageReport | undefined, clusterId: string): void {
  if (!earlier || earlier.clusterId === clusterId) return;
  throw inputError(
    `${label} holds the report of another cluster (its namespace kube-system is ${earlier.clusterId}, here it is ${clusterId}). Give each cluster a name of its own; where this one was built anew, delete that repository first. Nothing was reported.`,
  );
}

/** Of two looks at one cluster the later one counts. One of a time to come says nothing of when it was, and goes. */
function checkLatest({ label, registry }: Repository, earlier: UsageReport | undefined, takenAt: number): void {
  const now = registry.time() ?? takenAt;
  if (!earlier || earlier.takenAt <= takenAt || earlier.takenAt > now + farOffMs) return;
  throw new AppError(
    `${label} holds a report of ${new Date(earlier.takenAt).toISOString()}, and this look began at ${new Date(takenAt).toISOString()}, before it. Nothing was reported; the next run reports again.`,
    { code: 'CLUSTER_UNREAD', retryable: true },
  );
}

function itemsOf<T>(reading: Reading<T>, what: string): readonly T[] {
  if (reading.kind === 'whole') return reading.items;
  throw new AppError(`${what} was not read whole, so nothing was reported: ${reading.reason}.`, {
    code: 'CLUSTER_UNREAD',
  });
}

/** It has no tag any more. Whoever may not delete it leaves it to the registry's rule for untagged manifests. */
async function removeEarlier({ registry, name, label }: Repository, digest: Digest, log: Logger): Promise<void> {
  try {
    const repository = openRepository(registry, name, ['pull', 'delete', 'metadata_read']);
    const removal = await removeManifest({ repository, digest, expected: [] }, log);
    if (removal.kind === 'held') log.info(`The earlier report ${label}@${digest} stays: ${removal.reason}.`);
  } catch (thrown) {
    log.info(`The earlier report ${label}@${digest} stays: ${errorMessage(thrown)}`);
  }
}
