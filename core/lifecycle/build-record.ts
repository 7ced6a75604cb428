/**
 * Build records: what each build made, kept in the registry itself. They find work and explain it;
 * they never authorise a deletion, because anybody who may push to their repository can write one.
 */
import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import { AppError, errorMessage, hasCode } from '../base/errors.ts';
import { getArtifact, putArtifact } from '../oci/artifact.ts';
import { type Digest, isDigest } from '../oci/digest.ts';
import { isRepository, isTag } from '../oci/reference.ts';
import type { Registry } from '../oci/registry.ts';
import { openRepository, type Repository, type RepositoryAction } from '../oci/repository.ts';
import { listTags, listTagsWithPrefix } from '../oci/tags.ts';

/** The media type of a record, its artifact type too. */
export const recordType = 'application/vnd.image-lifecycle.build.v1+json';

/** A build of 10,000 images fits; more is no record. */
export const maxRecordBytes = 4 * 1024 * 1024;

const guid = z.guid().transform(text => text.toLowerCase());
const id = z.number().int().positive().max(Number.MAX_SAFE_INTEGER);
const digest = z.string().refine(isDigest) as unknown as z.ZodType<Digest>;
const short = z.string().max(1024);

const buildIdentity = z.object({
  collectionId: guid,
  /** The organization's or collection's URL or name, for people. */
  organization: short,
  projectId: guid,
  definitionId: id,
  id,
  number: short,
  repository: short,
  branch: short,
  commit: short,
  stage: short,
  job: short,
  /** Stage attempt and job attempt, as in `1.2`. */
  attempt: short,
});

const recordedImage = z.object({
  repository: z.string().refine(isRepository),
  digest,
  mediaType: short,
  /** Bytes of the manifest and all that it names. */
  size: z.number().int().nonnegative(),
  /** The manifests of an index. */
  children: z.array(digest).max(10_000),
  /** What it refers to, where it is a signature or another artifact about an image. */
  subject: digest.optional(),
  /** Every tag the build gave it or named it by. */
  tags: z.array(z.string().refine(isTag)).max(1000),
});

/** A chart that was pushed as an OCI artifact is an image with a name: it is promoted, held and deleted as one. */
const recordedChart = recordedImage.extend({
  name: short,
  version: short,
  /** Of the `.tgz`: what somebody has in hand tells by it where it came from. */
  archive: digest.optional(),
});

/** Who promoted, for people: a run of a pipeline with its stage, or a release with its environment. */
const promoter = z.object({
  projectId: guid,
  /** The pipeline, or the release definition. */
  definitionId: id,
  /** The run, or the release. */
  runId: id,
  stage: short,
  url: short.optional(),
});

const buildRecord = z.object({
  /** See {@link schemaOf}. */
  schema: z.union([z.literal(1), z.literal(2)]),
  build: buildIdentity,
  images: z.array(recordedImage).max(10_000),
  charts: z.array(recordedChart).max(10_000),
  onBuildDeleted: z.enum(['delete', 'keep']),
  /** The host of the registry that these copies came from; of a promotion alone. */
  promotedFrom: short.optional(),
  promotedBy: promoter.optional(),
  createdAt: z.iso.datetime(),
});

/** Which build this is, as Azure DevOps names it. */
export type BuildIdentity = z.infer<typeof buildIdentity>;
/** One image of a record. */
export type RecordedImage = z.infer<typeof recordedImage>;
/** One chart of a record. */
export type RecordedChart = z.infer<typeof recordedChart>;
/** Who promoted. */
export type Promoter = z.infer<typeof promoter>;
/** One record: one job's say. A build may have many. */
export type BuildRecord = z.infer<typeof buildRecord>;
/** What a writer says; the form's version follows from it. */
export type RecordContent = Omit<BuildRecord, 'schema'>;

/** A record's place: the project's repository and a tag that names build and definition. */
export interface RecordKey {
  readonly projectId: string;
  readonly buildId: number;
  readonly definitionId: number;
  readonly tag: string;
}

/** What stands at a record's place. `foreign` contradicts its place; `unreadable` is damaged or of a later version. */
export type RecordReading =
  | { readonly kind: 'record'; readonly key: RecordKey; readonly record: BuildRecord; readonly manifest: Digest }
  | { readonly kind: 'foreign'; readonly key: RecordKey; readonly reason: string; readonly record: BuildRecord }
  | { readonly kind: 'unreadable'; readonly key: RecordKey; readonly reason: string }
  | { readonly kind: 'gone'; readonly key: RecordKey };

/** The repository of a project's records: one for each, so that a condition on the path keeps projects apart. */
export function recordRepository(
  registry: Registry,
  projectId: string,
  actions: readonly RepositoryAction[],
): Repository {
  return openRepository(registry, `image-lifecycle/builds/${projectId.toLowerCase()}`, actions);
}

/** Reads a record's tag `<buildId>.<definitionId>.<nonce>`; undefined for any other. */
export function parseRecordTag(projectId: string, tag: string): RecordKey | undefined {
  const match = /^([1-9][0-9]{0,15})\.([1-9][0-9]{0,15})\.([0-9a-z]{1,64})$/.exec(tag);
  if (!match) return undefined;
  return { projectId: projectId.toLowerCase(), buildId: Number(match[1]), definitionId: Number(match[2]), tag };
}

/** Whether a promotion wrote the record: what it names are copies that a stage may be running. */
export function isPromoted(record: Pick<RecordContent, 'promotedFrom' | 'promotedBy'>): boolean {
  return record.promotedFrom !== undefined || record.promotedBy !== undefined;
}

/**
 * Readers of version 0.1 know no promoted copies, and would delete them as images that the build pushed; charts they
 * overlook. A form that they cannot read keeps them from both: what is unreadable protects.
 */
function schemaOf(content: RecordContent): BuildRecord['schema'] {
  return isPromoted(content) || content.charts.length > 0 ? 2 : 1;
}

/** Writes a record under a tag of its own, so that jobs of one build never overwrite each other. Throws `INPUT_INVALID`. */
export async function writeRecord(
  registry: Registry,
  content: RecordContent,
): Promise<{ repository: string; tag: string; digest: Digest }> {
  const checked = buildRecord.safeParse({ ...content, schema: schemaOf(content) });
  if (!checked.success) {
    throw new AppError(`The build record is not valid: ${z.prettifyError(checked.error)}`, { code: 'INPUT_INVALID' });
  }
  const { build } = checked.data;
  const repository = recordRepository(registry, build.projectId, ['pull', 'push']);
  const tag = `${build.id}.${build.definitionId}.${randomBytes(8).toString('hex')}`;
  const manifest = await putArtifact(repository, tag, { type: recordType, json: checked.data });
  return { repository: repository.name, tag, digest: manifest };
}

/** The places of all records of a project, or of one of its builds. Tags that are not of a record's form are left out. */
export async function listRecordKeys(registry: Registry, projectId: string, buildId?: number): Promise<RecordKey[]> {
  const repository = recordRepository(registry, projectId, ['pull', 'metadata_read']);
  // The dot matters: 47 is not 471.
  const tags = buildId === undefined ? await listTags(repository) : await listTagsWithPrefix(repository, `${buildId}.`);
  return tags.flatMap(tag => parseRecordTag(projectId, tag) ?? []);
}

/** Reads one record and holds it against its place. Throws only when the registry gave no usable answer. */
export async function readRecord(registry: Registry, key: RecordKey): Promise<RecordReading> {
  const repository = recordRepository(registry, key.projectId, ['pull', 'metadata_read']);
  try {
    const artifact = await getArtifact(repository, key.tag, recordType, maxRecordBytes);
    if (!artifact) return { kind: 'gone', key };
    const read = buildRecord.safeParse(artifact.json);
    if (!read.success) return { kind: 'unreadable', key, reason: z.prettifyError(read.error) };
    const { build } = read.data;
    const agrees =
      build.projectId === key.projectId && build.id === key.buildId && build.definitionId === key.definitionId;
    return agrees
      ? { kind: 'record', key, record: read.data, manifest: artifact.digest }
      : {
          kind: 'foreign',
          key,
          record: read.data,
          reason: `it says build ${build.id} of definition ${build.definitionId} in project ${build.projectId}`,
        };
  } catch (thrown) {
    // A digest mismatch or an oversized body may heal or not; either way it is not the record we know.
    if (hasCode(thrown, 'RECORD_UNREADABLE', 'TOO_LARGE', 'DIGEST_MISMATCH', 'REGISTRY_UNEXPECTED')) {
      return { kind: 'unreadable', key, reason: errorMessage(thrown) };
    }
    throw thrown;
  }
}
