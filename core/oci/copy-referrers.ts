/**
 * Copies what was said about an image: referrers, and digest tags, where cosign v2 and Notation keep signatures.
 * Recursively, because a signature of an SBOM is about the image, too.
 */
import { settleAll } from '../base/concurrency.ts';
import { type CopyPath } from './copy.ts';
import { type CopyRun } from './copy-run.ts';
import type { Digest } from './digest.ts';
import {
  describeReferrer,
  type ListEntry,
  type ListedReferrer,
  mergeDigestTag,
  mergeReferrersTag,
  readEntries,
} from './digest-tags.ts';
import type { Descriptor, Manifest } from './manifest.ts';
import { hasReferrersApi, referrersTag, subjectOfTag } from './referrers.ts';
import type { DigestTag } from './source.ts';
import { checkCount, findManifest, isKnownType, listGraph, readManifest } from './source-graph.ts';

/** Brings the graph below a digest into the target, by whatever way. */
export type Bring = (path: CopyPath, root: Digest) => Promise<void>;

/** Everything about an image that was copied. */
export interface CopiedReferrers {
  /** Each once: manifests that refer to the image, its parts or each other. */
  readonly referrers: readonly Digest[];
  readonly digestTags: readonly string[];
}

interface Walk {
  readonly run: CopyRun;
  readonly path: CopyPath;
  readonly bring: Bring;
  readonly seen: Set<Digest>;
  readonly referrers: Set<Digest>;
  readonly digestTags: Set<string>;
  readonly leftOut: Set<Digest>;
}

/**
 * Copies the referrers and digest tags of every manifest below `root`, which must be in the target already.
 * `bring` moves each. Digest tags are put at once: nobody finds them before the image has its own tag.
 */
export async function copyReferrers(
  run: CopyRun,
  path: CopyPath,
  root: Digest,
  bring: Bring,
): Promise<CopiedReferrers> {
  const walk: Walk = {
    run,
    path,
    bring,
    seen: new Set(),
    referrers: new Set(),
    digestTags: new Set(),
    leftOut: new Set(),
  };
  await about(walk, root);
  return { referrers: [...walk.referrers], digestTags: [...walk.digestTags] };
}

async function about(walk: Walk, root: Digest): Promise<void> {
  const { run, path, seen } = walk;
  const subjects = (await listGraph(run, path.source, root)).filter(digest => !seen.has(digest));
  for (const subject of subjects) seen.add(subject);
  // Whoever signs the signature of a signature, and so on, would keep us for ever.
  checkCount(run, path.source, root, seen.size);
  await settleAll(subjects.map(subject => aboutOne(walk, subject)));
}

async function aboutOne(walk: Walk, subject: Digest): Promise<void> {
  const { run, path } = walk;
  const listed = await readReferrers(walk, subject);
  await settleAll(listed.map(referrer => follow(walk, referrer.digest)));
  for (const { digest } of listed) walk.referrers.add(digest);
  for (const found of await run.request(() => path.source.listDigestTags(subject))) {
    // What only looks like one would be a name that nobody asked for, and hold the copy for ever.
    if (subjectOfTag(found.tag, found.digest) === subject) await followTag(walk, subject, found);
  }
  if (listed.length === 0 || run.dryRun || (await targetHasApi(run, path))) return;
  await mergeReferrersTag(run, path.target, subject, listed.map(describeReferrer));
}

/** A list of referrers goes as it is where all that it names is there, and else as what is left of it. */
async function followTag(walk: Walk, subject: Digest, found: DigestTag): Promise<void> {
  const { run, path } = walk;
  walk.digestTags.add(found.tag);
  const left = found.tag === referrersTag(subject) ? await readList(walk, subject, found.digest) : undefined;
  if (left) {
    await settleAll(left.map(({ digest }) => follow(walk, digest)));
    return mergeReferrersTag(run, path.target, subject, left);
  }
  await follow(walk, found.digest);
  await mergeDigestTag(run, path, found);
}

/** What is left of a list; undefined where all of it is there. */
async function readList(walk: Walk, subject: Digest, digest: Digest): Promise<ListEntry[] | undefined> {
  const { run, path } = walk;
  const list = await readManifest(run, path.source, digest);
  const found = await settleAll(list.children.map(child => findListed(walk, subject, child)));
  if (found.every(each => each !== undefined)) return undefined;
  return readEntries(list).filter((_, at) => found[at] !== undefined);
}

async function follow(walk: Walk, digest: Digest): Promise<void> {
  await walk.bring(walk.path, digest);
  await about(walk, digest);
}

/** What is listed, but refers to something else or cannot be had, is left out: a list of the tag schema may be old. */
async function readReferrers(walk: Walk, subject: Digest): Promise<ListedReferrer[]> {
  const { source } = walk.path;
  const descriptors = await walk.run.list(() => source.listReferrers(subject));
  const found = await settleAll(
    descriptors.map(async descriptor => {
      const manifest = await findListed(walk, subject, descriptor);
      if (manifest?.subject?.digest === subject) return [{ digest: descriptor.digest, manifest }];
      if (manifest) leaveOut(walk, subject, descriptor, 'refers to something else');
      return [];
    }),
  );
  return found.flat();
}

async function findListed(walk: Walk, subject: Digest, entry: Descriptor): Promise<Manifest | undefined> {
  if (!isKnownType(entry)) {
    leaveOut(walk, subject, entry, `is of the media type ${entry.mediaType}, which is not known here`);
    return undefined;
  }
  const manifest = await findManifest(walk.run, walk.path.source, entry.digest);
  if (!manifest) leaveOut(walk, subject, entry, 'is not there');
  return manifest;
}

/** Said once, although more than one list may name it. */
function leaveOut({ run, path, leftOut }: Walk, subject: Digest, { digest }: Descriptor, why: string): void {
  if (leftOut.has(digest)) return;
  leftOut.add(digest);
  run.log.warn(`${path.source.label}@${subject}: its referrer ${digest} is listed, but ${why}; left out.`);
}

/** Asked once for each registry; without that API whoever puts a referrer keeps the list. */
function targetHasApi(run: CopyRun, { target }: CopyPath): Promise<boolean> {
  const known = run.api.get(target.registry.host) ?? run.request(() => hasReferrersApi(target));
  run.api.set(target.registry.host, known);
  return known;
}
