/**
 * Release, the first step of deletion: takes the tags off that a dead build owns. Cheap, prompt, undone by tagging again.
 * What it is about to do is written into a tombstone first, so that a kill at any moment loses nothing.
 */
import { mapConcurrently } from '../base/concurrency.ts';
import { imageRepository, inspectImage } from './inspect.ts';
import { buildTagOf } from './owned-tags.ts';
import { type NamedImage, planRelease } from './plan.ts';
import { type Part, type Releasable, readRecordsOfBuild } from './records-of-build.ts';
import { removeTag, removeTombstone } from './remove.ts';
import type { Outcome } from './report.ts';
import type { BuildKey } from './rules.ts';
import { type DeadBuild, placeOf, type Run, registryTime, rulesOfProject, vetoOf } from './surroundings.ts';
import {
  type ClaimedImage,
  markDone,
  readTombstone,
  type Tombstone,
  type TombstoneKey,
  takenOff,
  writeTombstone,
} from './tombstone.ts';

const atOnce = 8;

/** Both parts of what a build may leave. */
export const allParts: readonly Part[] = ['own', 'copies'];

/**
 * Releases everything that the build's records name in these parts, each with a tombstone of its own, because their rules
 * may change apart. Where all is kept, that closes the account. Gives whether the build was looked at to its end: not where
 * a record could not be read, the time was over, or a veto left nothing to do in any part, of which nothing is written then.
 * Throws `BRAKE` before a change that would pass the limit.
 */
export async function releaseBuild(run: Run, dead: DeadBuild, parts = allParts): Promise<boolean> {
  const records = await readRecordsOfBuild(run, dead);
  if (!records) return false;
  const isFirst = parts.length === allParts.length;
  for (const image of isFirst ? records.kept : []) {
    report(run, keyOf(dead), { subject: placeOf(image), outcome: 'kept', reason: image.reason });
  }
  const claims: Release[] = [];
  for (const part of parts) {
    if (records[part].records.length > 0) claims.push(await claimPart(run, dead, records[part], part === 'copies'));
  }
  if (run.timeBox.isOver()) return false;
  // The tag that comes off with one part may be all that ties what a veto holds in the other to the build.
  const isUntied = claims.some(({ count }) => count > 0);
  const releases = claims.filter(({ images }) => isUntied || images.every(image => !image.claimed));
  if (releases.length > 0) await perform(run, dead, releases);
  if (claims.length > 0) return releases.length === claims.length;
  const { keepers, keepsCopies } = records;
  // A foreign record closes nothing: it is told of as long as it is there.
  if (!isFirst || keepers.length === 0 || keepers.length < dead.records.length || run.dryRun) return true;
  const content = tombstoneOf(run, dead, { images: [], records: keepers.map(key => key.tag) });
  await writeTombstone(run.registry, { kind: 'kept', copies: keepsCopies, count: keepers.length }, content);
  return true;
}

async function claimPart(run: Run, dead: DeadBuild, part: Releasable, copies: boolean): Promise<Release> {
  const images = await mapConcurrently(part.images, atOnce, async image => {
    const claim = await claimImage(run, dead, image);
    if (claim.kept) report(run, keyOf(dead), { subject: placeOf(image), outcome: 'kept', reason: claim.kept });
    return claim;
  });
  // One that has no tag left to take off will be deleted all the same, so it counts.
  const counted = images.filter(image => image.claimed && vetoOf(run, image, 'untag') === undefined);
  return { images, records: part.records.map(key => key.tag), copies, count: counted.length };
}

/** What an earlier tombstone leaves. */
export interface EarlierRelease {
  /** To be looked at again. */
  readonly images: readonly ClaimedImage[];
  /** Others that are still there: not to be looked at, but their tags may come back. */
  readonly rest: readonly ClaimedImage[];
  readonly records: readonly string[];
  readonly copies: boolean;
}

/**
 * Looks again at images that an earlier tombstone claims and something held, and writes a new tombstone for them,
 * from which their grace runs anew. The earlier one is the caller's to remove, afterwards.
 */
export async function releaseAgain(run: Run, dead: DeadBuild, earlier: EarlierRelease): Promise<void> {
  const images = await mapConcurrently(earlier.images, atOnce, async image => {
    const veto = vetoOf(run, image, 'untag');
    if (veto !== undefined) {
      return { ...image, untag: [], taken: takenOff(image), kept: veto, vetoed: true as const, claimed: true };
    }
    const named = {
      repository: image.repository,
      digest: image.digest,
      mediaType: '',
      tags: image.recorded,
    };
    // The tie was seen when the image was claimed, and an index is what its digest says: neither is asked twice.
    const { children, subjects } = image;
    return { ...(await claimImage(run, dead, named)), taken: takenOff(image), children, subjects, claimed: true };
  });
  const count = images.filter(image => image.untag.length > 0).length;
  const rest = earlier.rest.map(unclaim).filter(image => image.taken.length > 0);
  await perform(run, dead, [{ ...earlier, images: [...images, ...rest], count }]);
}

/** An image that is not to be looked at again, with the tags that may come back. */
export function unclaim(image: ClaimedImage): ClaimedImage & { readonly taken: string[] } {
  return { ...image, untag: [], taken: takenOff(image), claimed: false };
}

/** After more, or after half the grace, it is a new release: the grace is to run from when the tags come off. */
const resumableMs = 60 * 60_000;

/** Goes on with a release that was interrupted, without what a record or the configuration says "keep" of by now. */
export async function resumeRelease(run: Run, dead: DeadBuild, key: TombstoneKey): Promise<void> {
  const content = await readTombstone(run.registry, key);
  const now = content && (await readRecordsOfBuild(run, dead));
  if (!content || !now) return;
  const kept = new Set(now.kept.map(placeOf));
  const images = content.images.filter(image => !kept.has(placeOf(image)));
  const free = images.filter(image => !isVetoed(run, key, image));
  const claimed = images.filter(image => image.claimed);
  const rest = content.images.filter(image => !claimed.includes(image));
  const isRecent = registryTime(run) - key.time <= Math.min(resumableMs, run.rules.graceMs / 2);
  if (claimed.length === 0 || (isRecent && free.length === images.length)) {
    await untagAll(run, key, { ...content, images: free });
    return;
  }
  await releaseAgain(run, dead, { images: claimed, rest, records: content.records, copies: key.copies });
  await removeTombstone(run.registry, key, run.log, content.manifest);
}

/** Whether a veto forbids to take the tags off, which is told. Its grace over, the image is looked at again. */
function isVetoed(run: Run, key: BuildKey, image: ClaimedImage): boolean {
  const reason = image.untag.length > 0 ? vetoOf(run, image, 'untag') : undefined;
  if (reason !== undefined) report(run, key, { subject: placeOf(image), outcome: 'kept', reason });
  return reason !== undefined;
}

/** What is the build's stays so under a veto: it is looked at again when that is lifted. */
async function claimImage(run: Run, dead: DeadBuild, image: NamedImage): Promise<ClaimedImage> {
  const { facts, links } = await inspectImage(run.registry, image, buildTagOf(dead.build, run.rules));
  const decision = planRelease(facts, dead.build, run.rules, rulesOfProject(run.rules, dead.projectId));
  const isClaimed = decision.kind === 'release' || decision.claimed;
  const veto = isClaimed ? vetoOf(run, image, 'untag') : undefined;
  const untag = decision.kind === 'release' && veto === undefined ? [...decision.untag] : [];
  return {
    repository: image.repository,
    digest: image.digest,
    recorded: [...image.tags],
    untag,
    ...(facts.contentTags.length > 0 && { content: [...facts.contentTags] }),
    children: [...links.children],
    subjects: links.subjects,
    claimed: isClaimed,
    ...(untag.length === 0 && { kept: veto ?? decision.reason }),
    ...(veto !== undefined && { vetoed: true }),
  };
}

/** What a tombstone is to say. */
export interface Release extends Omit<EarlierRelease, 'rest'> {
  /** Images that the brake counts. */
  readonly count: number;
}

/** Writes down what is released of a build, each with a tombstone of its own, and takes the tags off. Throws `BRAKE` before. */
export async function perform(run: Run, dead: DeadBuild, releases: readonly Release[]): Promise<void> {
  const { kind, statement } = dead.evidence;
  const count = releases.reduce((sum, release) => sum + release.count, 0);
  run.brake.check(kind, keyOf(dead), count);
  run.brake.add(kind, keyOf(dead), count);
  const written: { readonly key: TombstoneKey; readonly content: Tombstone }[] = [];
  for (const release of releases) {
    const content = tombstoneOf(run, dead, release);
    if (run.dryRun) {
      for (const { repository, tag } of tagsOf(content))
        report(run, keyOf(dead), { subject: `${repository}:${tag}`, outcome: 'released', reason: statement });
      continue;
    }
    run.signal?.throwIfAborted();
    const key = await writeTombstone(run.registry, { kind, copies: release.copies, count: release.count }, content);
    written.push({ key, content });
  }
  for (const { key, content } of written) await untagAll(run, key, content);
}

async function untagAll(run: Run, key: TombstoneKey, content: Tombstone): Promise<void> {
  await mapConcurrently(tagsOf(content), atOnce, async ({ repository, tag, digest }) => {
    run.signal?.throwIfAborted();
    const removal = await removeTag(imageRepository(run.registry, repository), tag, digest, run.log);
    const outcome: Outcome =
      removal.kind === 'removed' ? 'released' : removal.kind === 'alreadyGone' ? 'alreadyGone' : 'kept';
    const reason = removal.kind === 'held' ? removal.reason : content.evidence.statement;
    report(run, key, { subject: `${repository}:${tag}`, outcome, reason });
  });
  await markDone(run.registry, key);
}

function tagsOf(content: Tombstone): { repository: string; tag: string; digest: ClaimedImage['digest'] }[] {
  return content.images.flatMap(({ repository, digest, untag }) => untag.map(tag => ({ repository, tag, digest })));
}

function tombstoneOf(run: Run, dead: DeadBuild, about: Pick<Release, 'images' | 'records'>): Tombstone {
  const { id, number } = dead.build;
  return {
    schema: 1,
    build: { projectId: dead.projectId, id, definitionId: dead.definitionId, number },
    evidence: { ...dead.evidence },
    time: new Date(registryTime(run)).toISOString(),
    records: [...about.records],
    images: [...about.images],
  };
}

function keyOf(dead: DeadBuild): BuildKey {
  return { projectId: dead.projectId, buildId: dead.build.id };
}

function report(run: Run, key: BuildKey, item: { subject: string; outcome: Outcome; reason: string }): void {
  run.report({ projectId: key.projectId, buildId: key.buildId, ...item });
}
