/**
 * The usage report: what one cluster runs and could still start, in the registry that it pulls from, so that whoever
 * deletes there needs no access to the cluster or to its Secrets. A report that leaves something out lets it go, so who
 * may write here decides what may be deleted. Text in and out; docs/usage-report.md explains it.
 */
import { z } from 'zod';
import { AppError, inputError } from '../../base/errors.ts';
import type { HelmReleaseFact, UseFact } from '../../kubernetes/usage.ts';
import { isRepository } from '../../oci/reference.ts';

/** The media type of a report, its artifact type too. */
export const usageReportType = 'application/vnd.image-lifecycle.usage.v1+json';

/** Bytes of one report, in JSON: about 50,000 containers. */
export const maxReportBytes = 16 * 1024 * 1024;

/** Every cluster's report is the one tag of its own repository, so that a right on the path keeps clusters apart. */
export const usageTag = 'latest';

/** Where the reports of a registry lie, each in a repository with the name of its cluster. */
export const usageFolder = 'image-lifecycle/usage/';

const text = z.string().max(8192);
const revision = z.number().int().positive();

const usageReport = z.strictObject({
  schema: z.literal(1, 'must be 1'),
  /** Its name, as in the repository's path. */
  cluster: text,
  /** What tells it from another cluster of the same name: the uid of its namespace `kube-system`. */
  clusterId: z.string().min(1).max(256),
  /** By the registry's clock, before the cluster was looked at. */
  takenAt: z.iso.datetime(),
  /** The version of the program that looked. */
  tool: z.string().max(256),
  uses: z.array(z.strictObject({ image: text, imageId: text.optional(), where: text })),
  /** Null where the cluster was not asked for them. */
  releases: z
    .array(
      z.strictObject({
        namespace: text,
        name: text,
        oldestInUse: revision.optional(),
        revisions: z.array(z.strictObject({ revision, status: text, images: z.array(text) })),
      }),
    )
    .nullable(),
});

/** What a report says. */
export interface UsageReport {
  readonly cluster: string;
  readonly clusterId: string;
  /** In milliseconds, by the registry's clock, whole seconds. */
  readonly takenAt: number;
  readonly tool: string;
  readonly uses: readonly UseFact[];
  /** Undefined where the cluster was not asked for them. */
  readonly releases: readonly HelmReleaseFact[] | undefined;
}

/** What the name of a cluster that reports is made of. */
export const clusterNameShape = 'lower-case letters and digits, with single ".", "_" or "-" between them';

/** Whether a cluster can report under this name. */
export function isClusterName(cluster: string): boolean {
  return isRepository(`${usageFolder}${cluster}`);
}

/** The repository of a cluster's report. Throws `INPUT_INVALID` for a name that cannot be a part of one. */
export function usageRepository(cluster: string): string {
  if (isClusterName(cluster)) return `${usageFolder}${cluster}`;
  throw inputError(`"${cluster}" cannot be the name of a cluster in a registry: ${clusterNameShape}.`);
}

/** The cluster whose report lies in `repository`; undefined for any other repository. */
export function clusterOfRepository(repository: string): string | undefined {
  return repository.startsWith(usageFolder) ? repository.slice(usageFolder.length) : undefined;
}

/**
 * The report as the document that is stored. Throws `TOO_LARGE` for more than {@link maxReportBytes}, and `DEFECT` for
 * what its own reader would refuse: nothing is cut, for what is left out would go.
 */
export function formatUsageReport(report: UsageReport): unknown {
  const { cluster, clusterId, takenAt, tool, uses, releases } = report;
  const read = usageReport.safeParse({
    schema: 1,
    cluster,
    clusterId,
    takenAt: new Date(takenAt).toISOString(),
    tool,
    uses: uses.map(pickUse),
    releases: releases?.map(pickRelease) ?? null,
  });
  if (!read.success) {
    throw new AppError(`What ${cluster} runs cannot be reported: ${explain(read.error)}.`, { code: 'DEFECT' });
  }
  const bytes = Buffer.byteLength(JSON.stringify(read.data));
  if (bytes <= maxReportBytes) return read.data;
  throw new AppError(
    `What ${cluster} runs makes a report of ${bytes} bytes, and ${maxReportBytes} are the most: have CleanImages ask this cluster directly.`,
    { code: 'TOO_LARGE' },
  );
}

/** By name, so that nothing else of a cluster can get into a report. */
function pickUse({ image, imageId, where }: UseFact): UseFact {
  return { image, imageId, where };
}

function pickRelease({ namespace, name, oldestInUse, revisions }: HelmReleaseFact): HelmReleaseFact {
  return {
    namespace,
    name,
    oldestInUse,
    revisions: revisions.map(({ revision, status, images }) => ({ revision, status, images })),
  };
}

/** Reads the document under `what`. Throws `RECORD_UNREADABLE` for anything that is not a report of this version. */
export function parseUsageReport(json: unknown, what: string): UsageReport {
  const read = usageReport.safeParse(json);
  if (!read.success) {
    throw new AppError(`${what} is no usage report that this version can read: ${explain(read.error)}.`, {
      code: 'RECORD_UNREADABLE',
    });
  }
  const { cluster, clusterId, takenAt, tool, uses, releases } = read.data;
  return {
    cluster,
    clusterId,
    takenAt: Date.parse(takenAt),
    tool,
    uses,
    releases: releases?.map(({ oldestInUse, ...each }) => ({ ...each, oldestInUse })),
  };
}

/** Where the first fault is, and nothing of what stands there. */
function explain({ issues }: z.ZodError): string {
  const [issue] = issues;
  return issue ? `${issue.path.join('.') || 'the document'}: ${issue.message}` : 'it has another form';
}
