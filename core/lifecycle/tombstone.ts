/**
 * Tombstones: the first evidence of a build's end, written down before anything is changed. State, audit and undo in one.
 * They lie in a repository that the cleaner alone may write, so what they say can be acted on.
 */
import { z } from 'zod';
import { AppError } from '../base/errors.ts';
import { getArtifact, putArtifact } from '../oci/artifact.ts';
import { computeDigest, type Digest, isDigest } from '../oci/digest.ts';
import { getManifest, putManifest } from '../oci/manifests.ts';
import { isRepository, isTag } from '../oci/reference.ts';
import type { Registry } from '../oci/registry.ts';
import { openRepository, type Repository } from '../oci/repository.ts';
import { listWholeTags } from './facts/list-whole.ts';

/** The media type of a tombstone, its artifact type too. */
export const tombstoneType = 'application/vnd.image-lifecycle.tombstone.v1+json';

const maxTombstoneBytes = 16 * 1024 * 1024;
const digest = z.string().refine(isDigest) as unknown as z.ZodType<Digest>;

const claimedImage = z.object({
  repository: z.string().refine(isRepository),
  digest,
  /** Every tag that the build's records name for it. */
  recorded: z.array(z.string().refine(isTag)),
  /** What is to be taken off; what is still there after the release is `kept` for a reason. */
  untag: z.array(z.string().refine(isTag)),
  /** What earlier tombstones had taken off before this one took their place. */
  taken: z.array(z.string().refine(isTag)).optional(),
  /** Tags that name what is in it: they stay on it, hold nothing, and go with it. */
  content: z.array(z.string().refine(isTag)).optional(),
  /** The manifests of an index, as read from it. */
  children: z.array(digest),
  /** What it and its children refer to: each stays as long as that does. */
  subjects: z.record(digest, digest),
  /** Why nothing was taken off, for people. */
  kept: z.string().optional(),
  /** A veto left its tags on: they are still to come off, whoever holds the image as well. */
  vetoed: z.literal(true).optional(),
  /** False where nothing ties the image to the build: it is never collected on this build's account. */
  claimed: z.boolean(),
});

const tombstone = z.object({
  schema: z.literal(1),
  build: z.object({
    projectId: z.guid(),
    id: z.number().int(),
    definitionId: z.number().int(),
    number: z.string().optional(),
  }),
  evidence: z.object({ kind: z.enum(['deleted', 'absent', 'kept']), statement: z.string() }),
  /** The registry's time, ISO 8601. */
  time: z.iso.datetime(),
  /** The tags of the records that it settles. */
  records: z.array(z.string()),
  images: z.array(claimedImage),
});

/** An image that a dead build made. */
export type ClaimedImage = z.infer<typeof claimedImage>;
/** A tombstone's content. */
export type Tombstone = z.infer<typeof tombstone>;

/**
 * `deleted` and `absent` are releases, by their evidence. `seen-…` is a first sighting of an absence, which releases nothing.
 * `kept` closes the account of a build of which every record is kept.
 */
export type TombstoneKind = 'deleted' | 'absent' | 'seen-build' | 'seen-definition' | 'kept';

/** What a tombstone is about, as its tag says it. */
export interface TombstoneAbout {
  readonly kind: TombstoneKind;
  /**
   * Whether it stands and falls with the configuration's rule for promoted copies: a release of them, which a "keep"
   * takes back, or an account that is closed because they are kept, which a "delete" opens again.
   */
  readonly copies: boolean;
  /** Images that it releases; of a `kept` one, the records that are kept. */
  readonly count: number;
}

/** A tombstone's place. Its tag says all that a listing must know, so that none needs to be read for it. */
export interface TombstoneKey extends TombstoneAbout {
  readonly projectId: string;
  readonly buildId: number;
  readonly definitionId: number;
  /** Milliseconds since the epoch, by the registry's clock, whole seconds. */
  readonly time: number;
  readonly tag: string;
  /** Whether the release ran to its end. */
  readonly done: boolean;
}

/** `<build>.<definition>.<kind>.<seconds>.<count>.<hash>`; the first ones had no hash, and are read all the same. */
const tagPattern =
  /^([1-9]\d{0,15})\.([1-9]\d{0,15})\.(?:(deleted|absent|kept)(-copies)?|(seen-build|seen-definition))\.(\d{1,12})\.(\d{1,9})(?:\.[0-9a-f]{16})?$/;

/** The repository of a project's tombstones, with the rights of the cleaner. */
export function tombstoneRepository(registry: Registry, projectId: string): Repository {
  return openRepository(registry, `image-lifecycle/tombstones/${projectId.toLowerCase()}`, [
    'pull',
    'push',
    'delete',
    'metadata_read',
  ]);
}

/**
 * The places of all tombstones of a project. Without one an image would count as never released, so throws
 * `REGISTRY_UNEXPECTED` where the list is not whole by the repository's own count.
 */
export async function listTombstones(registry: Registry, projectId: string): Promise<TombstoneKey[]> {
  const tags = await listWholeTags(tombstoneRepository(registry, projectId));
  return [...tags].flatMap(tag => {
    const match = tagPattern.exec(tag);
    if (!match) return [];
    const [, build, definition, end, copies, seen, seconds, count] = match;
    return {
      projectId,
      buildId: Number(build),
      definitionId: Number(definition),
      kind: (end ?? seen) as TombstoneKind,
      copies: copies !== undefined,
      time: Number(seconds) * 1000,
      count: Number(count),
      tag,
      done: tags.has(doneTag(tag)),
    };
  });
}

/** Whether it releases images: `deleted` or `absent`. */
export function isRelease({ kind }: Pick<TombstoneKey, 'kind'>): boolean {
  return kind === 'deleted' || kind === 'absent';
}

/** Writes a tombstone and gives its place. The tag has a hash of the content: two runs in one second overwrite nothing. */
export async function writeTombstone(
  registry: Registry,
  { kind, copies, count }: TombstoneAbout,
  content: Tombstone,
): Promise<TombstoneKey> {
  const { projectId, id: buildId, definitionId } = content.build;
  const time = Math.floor(Date.parse(content.time) / 1000) * 1000;
  const hash = computeDigest(Buffer.from(JSON.stringify(content))).slice(-16);
  const tag = `${buildId}.${definitionId}.${kind}${copies ? '-copies' : ''}.${time / 1000}.${count}.${hash}`;
  await putArtifact(tombstoneRepository(registry, projectId), tag, { type: tombstoneType, json: content });
  return { projectId, buildId, definitionId, kind, copies, time, count, tag, done: false };
}

/** Reads a tombstone; undefined where it is gone. Throws `RECORD_UNREADABLE` where it is damaged or not of its place. */
export async function readTombstone(
  registry: Registry,
  key: TombstoneKey,
): Promise<(Tombstone & { manifest: Digest }) | undefined> {
  const repository = tombstoneRepository(registry, key.projectId);
  const artifact = await getArtifact(repository, key.tag, tombstoneType, maxTombstoneBytes);
  if (!artifact) return undefined;
  const read = tombstone.safeParse(artifact.json);
  const agrees = read.success && read.data.build.id === key.buildId && read.data.build.projectId === key.projectId;
  if (agrees) return { ...read.data, manifest: artifact.digest };
  throw new AppError(`${repository.label}:${key.tag} is not a tombstone of build ${key.buildId}.`, {
    code: 'RECORD_UNREADABLE',
  });
}

/** Every tag that was to come off an image, by this tombstone or by one that it took the place of: what may come back. */
export function takenOff({ untag, taken = [] }: ClaimedImage): string[] {
  return [...new Set([...untag, ...taken])];
}

/** Marks a release as complete: a second tag on the same tombstone. */
export async function markDone(registry: Registry, key: TombstoneKey): Promise<void> {
  const repository = tombstoneRepository(registry, key.projectId);
  const manifest = await getManifest(repository, key.tag);
  if (manifest) await putManifest(repository, doneTag(key.tag), manifest);
}

/** The tags that a tombstone may carry. */
export function tombstoneTags(key: TombstoneKey): string[] {
  return [key.tag, doneTag(key.tag)];
}

function doneTag(tag: string): string {
  return `${tag}.done`;
}
