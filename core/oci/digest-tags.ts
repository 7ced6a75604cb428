/**
 * Tags that keep something about an image by its digest. The target's own may hold more than the source's, such as a
 * signature that the stage itself made, so one that differs is never just overwritten.
 */
import { createLimit } from '../base/concurrency.ts';
import { hasCode } from '../base/errors.ts';
import type { CopyPath } from './copy.ts';
import type { CopyRun } from './copy-run.ts';
import type { Digest } from './digest.ts';
import { encodeManifest, type Manifest } from './manifest.ts';
import { getManifest, headManifest } from './manifests.ts';
import { isIndexType, ociIndex } from './media-types.ts';
import { putTag, readBack } from './put-tag.ts';
import { referrersTag } from './referrers.ts';
import type { Repository } from './repository.ts';
import type { DigestTag } from './source.ts';

/** One entry of a list of referrers, with all its words, whether we know them or not. */
export type ListEntry = { readonly digest: Digest } & Readonly<Record<string, unknown>>;

/** A referrer, and what it says. */
export interface ListedReferrer {
  readonly digest: Digest;
  readonly manifest: Manifest;
}

const attempts = 5;

/**
 * Puts a digest tag of the source into the target, whose image was brought already. Where the target has another image
 * under it: the source's when that holds all of the target's, both together when they are lists of referrers, and
 * else the target's own, with a warning.
 */
export async function mergeDigestTag(
  run: CopyRun,
  { source, target }: CopyPath,
  { tag, digest }: DigestTag,
): Promise<void> {
  await changeTag(run, target, tag, async theirs => {
    if (theirs?.digest === digest) return theirs;
    const ours = await readBack(target, digest);
    if (!theirs || holdsAll(ours, theirs)) return ours;
    if (holdsAll(theirs, ours)) return theirs;
    if (isIndexType(ours.mediaType) && isIndexType(theirs.mediaType))
      return addEntries(target, theirs, readEntries(ours));
    run.log.warn(
      `${target.label}:${tag} was left as it is: it holds what ${source.label}:${tag} does not, and the other way round.`,
    );
    return theirs;
  });
}

/** Adds referrers to the list that clients read in a registry without the referrers API. https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#referrers-tag-schema */
export async function mergeReferrersTag(
  run: CopyRun,
  target: Repository,
  subject: Digest,
  entries: readonly ListEntry[],
): Promise<void> {
  const tag = referrersTag(subject);
  await changeTag(run, target, tag, async theirs => {
    // Some keep an image from being collected by a tag like that.
    if (!theirs || (isIndexType(theirs.mediaType) && theirs.digest !== subject))
      return addEntries(target, theirs, entries);
    run.log.warn(
      `${target.label}:${tag} was left as it is: it is no list of referrers, so what was brought is not listed.`,
    );
    return theirs;
  });
}

/** A referrer as a list names it. https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#listing-referrers */
export function describeReferrer({ digest, manifest }: ListedReferrer): ListEntry {
  const { mediaType, bytes, artifactType = manifest.config?.mediaType, annotations } = manifest;
  return { mediaType, digest, size: bytes.byteLength, artifactType, annotations: { ...annotations } };
}

/** The entries of a list as they are written there. */
export function readEntries({ bytes }: Manifest): ListEntry[] {
  return readDocument(bytes).manifests ?? [];
}

/**
 * Puts a tag on what `change` makes of what it is on, in turn with every other change of it. Again, where another job
 * moved it in between; one that did so in the moment between our look and our own change goes unseen.
 */
function changeTag(
  run: CopyRun,
  target: Repository,
  tag: string,
  change: (there: Manifest | undefined) => Promise<Manifest | undefined>,
): Promise<void> {
  if (run.dryRun) return Promise.resolve();
  const key = `${target.label}:${tag}`;
  const turn = run.turns.get(key) ?? createLimit(1);
  run.turns.set(key, turn);
  const attempt = async (left: number): Promise<void> => {
    const there = await getManifest(target, tag);
    const wanted = await change(there);
    if (!wanted || wanted.digest === there?.digest) return;
    try {
      await putTag(target, tag, wanted);
    } catch (thrown) {
      if (left === 1 || !hasCode(thrown, 'TAG_TAKEN')) throw thrown;
      await attempt(left - 1);
    }
  };
  return turn(() => run.request(() => attempt(attempts)));
}

/** A list with more entries; of those it had only such as are gone are left out, because a registry takes no list with them. */
async function addEntries(
  target: Repository,
  list: Manifest | undefined,
  entries: readonly ListEntry[],
): Promise<Manifest | undefined> {
  const known = list ? readEntries(list) : [];
  const missing = entries.filter(({ digest }) => known.every(each => each.digest !== digest));
  if (missing.length === 0) return list;
  const kept: ListEntry[] = [];
  for (const entry of known) if (await headManifest(target, entry.digest)) kept.push(entry);
  return encodeManifest({
    schemaVersion: 2,
    ...(list && readDocument(list.bytes)),
    mediaType: list?.mediaType ?? ociIndex,
    manifests: [...kept, ...missing],
  });
}

function readDocument(bytes: Uint8Array): { readonly manifests?: ListEntry[] } {
  return JSON.parse(Buffer.from(bytes).toString('utf8')) as { manifests?: ListEntry[] };
}

function holdsAll(one: Manifest, other: Manifest): boolean {
  const parts = partsOf(one);
  return one.mediaType === other.mediaType && partsOf(other).every(part => parts.includes(part));
}

/** What somebody put there. The config only sums the layers up, where there are any. */
function partsOf({ mediaType, children, layers, config, annotations }: Manifest): string[] {
  const own = Object.entries(annotations).map(entry => JSON.stringify(entry));
  if (isIndexType(mediaType)) return [...own, ...children.map(({ digest }) => digest)];
  const parts = layers.length > 0 || !config ? layers : [config];
  // What cosign signs is the same for every key, and the signature is an annotation of its layer.
  return [
    ...own,
    ...parts.map(part => JSON.stringify([part.digest, Object.entries(part.annotations ?? {}).sort(byName)])),
  ];
}

function byName([one]: readonly [string, string], [other]: readonly [string, string]): number {
  return one < other ? -1 : 1;
}
