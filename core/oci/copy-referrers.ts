/**
 * Copies what was said about an image: referrers, and digest tags, where cosign v2 and Notation keep signatures.
 * Recursively, because a signature of an SBOM is about the image, too.
 */
import { settleAll } from '../base/concurrency.ts';
import { type CopyPath, type CopyRun, findManifest, listGraph } from './copy.ts';
import type { Digest } from './digest.ts';
import { type ListedReferrer, mergeDigestTag, mergeReferrersTag } from './digest-tags.ts';
import { hasReferrersApi } from './referrers.ts';

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
  const walk: Walk = { run, path, bring, seen: new Set(), referrers: new Set(), digestTags: new Set() };
  await about(walk, root);
  return { referrers: [...walk.referrers], digestTags: [...walk.digestTags] };
}

async function about(walk: Walk, root: Digest): Promise<void> {
  const { run, path, seen } = walk;
  const subjects = (await listGraph(run, path.source, root)).filter(digest => !seen.has(digest));
  for (const subject of subjects) seen.add(subject);
  await settleAll(subjects.map(subject => aboutOne(walk, subject)));
}

async function aboutOne(walk: Walk, subject: Digest): Promise<void> {
  const { run, path } = walk;
  const listed = await readReferrers(walk, subject);
  await settleAll(listed.map(referrer => follow(walk, referrer.digest)));
  for (const { digest } of listed) walk.referrers.add(digest);
  const tags = await run.request(() => path.source.listDigestTags(subject));
  for (const { tag, digest } of tags) {
    await follow(walk, digest);
    walk.digestTags.add(tag);
    await mergeDigestTag(run, path, { tag, digest });
  }
  if (listed.length === 0 || run.dryRun) return;
  if (!(await targetHasApi(run, path))) await mergeReferrersTag(run, path.target, subject, listed);
}

async function follow(walk: Walk, digest: Digest): Promise<void> {
  await walk.bring(walk.path, digest);
  await about(walk, digest);
}

/** What is listed, but refers to something else or is gone, is left out: a list of the tag schema may be old. */
async function readReferrers({ run, path }: Walk, subject: Digest): Promise<ListedReferrer[]> {
  const { source } = path;
  const descriptors = await run.list(() => source.listReferrers(subject));
  const found = await settleAll(
    descriptors.map(async descriptor => {
      const manifest = await findManifest(run, source, descriptor.digest);
      if (!manifest) {
        run.log.warn(
          `${source.label}@${subject}: its referrer ${descriptor.digest} is listed, but not there; left out.`,
        );
        return [];
      }
      if (manifest.subject?.digest === subject) return [{ digest: descriptor.digest, manifest }];
      run.log.warn(
        `${source.label}@${subject}: ${descriptor.digest} is listed, but refers to something else; left out.`,
      );
      return [];
    }),
  );
  return found.flat();
}

/** Asked once for each registry; without that API whoever puts a referrer keeps the list. */
function targetHasApi(run: CopyRun, { target }: CopyPath): Promise<boolean> {
  const known = run.api.get(target.registry.host) ?? run.request(() => hasReferrersApi(target));
  run.api.set(target.registry.host, known);
  return known;
}
