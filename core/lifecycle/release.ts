/**
 * Release, the first step of deletion: takes the tags off that a dead build owns. Cheap, prompt, undone by tagging again.
 * What it is about to do is written into a tombstone first, so that a kill at any moment loses nothing.
 */
import { mapConcurrently } from '../base/concurrency.ts';
import { imageRepository, inspectImage } from './inspect.ts';
import { buildTagOf } from './owned-tags.ts';
import { type NamedImage, planRelease } from './plan.ts';
import { readRecordsOfBuild } from './records-of-build.ts';
import { removeTag, removeTombstone } from './remove.ts';
import type { Outcome } from './report.ts';
import type { BuildKey } from './rules.ts';
import { type DeadBuild, type Run, registryTime, rulesOfProject } from './surroundings.ts';
import {
  type ClaimedImage,
  markDone,
  readTombstone,
  type Tombstone,
  type TombstoneKey,
  writeTombstone,
} from './tombstone.ts';

const atOnce = 8;

/** Releases everything that the build's records name. Throws `BRAKE` before a change that would pass the limit. */
export async function releaseBuild(run: Run, dead: DeadBuild): Promise<void> {
  const records = await readRecordsOfBuild(run, dead);
  if (!records) return;
  for (const image of records.kept) {
    report(run, keyOf(dead), {
      subject: placeOf(image),
      outcome: 'kept',
      reason: 'its pipeline said "onBuildDeleted: keep"',
    });
  }
  if (records.settled.length > 0) {
    const images = await mapConcurrently(records.images, atOnce, async image => {
      const claim = await claimImage(run, dead, image);
      if (claim.kept) report(run, keyOf(dead), { subject: placeOf(image), outcome: 'kept', reason: claim.kept });
      return claim;
    });
    // One that has no tag left to take off will be deleted all the same, so it counts.
    const count = images.filter(image => image.claimed).length;
    await carryOut(run, dead, { images, records: records.settled.map(key => key.tag), count });
  } else if (records.keepers.length > 0 && !run.dryRun) {
    const tags = records.keepers.map(key => key.tag);
    await writeTombstone(run.registry, 'kept', tombstoneOf(run, dead, [], tags), tags.length);
  }
}

/**
 * Looks again at images that an earlier tombstone claims and something held, and writes a new tombstone for them,
 * from which their grace runs anew. The earlier one is the caller's to remove, afterwards.
 */
export async function releaseAgain(
  run: Run,
  dead: DeadBuild,
  earlier: readonly ClaimedImage[],
  records: readonly string[],
): Promise<void> {
  const images = await mapConcurrently(earlier, atOnce, async image => {
    const named = {
      repository: image.repository,
      digest: image.digest,
      mediaType: '',
      tags: image.recorded,
    };
    // The tie was seen when the image was claimed, and an index is what its digest says: neither is asked twice.
    const { children, subjects } = image;
    return { ...(await claimImage(run, dead, named)), children, subjects, claimed: true };
  });
  await carryOut(run, dead, { images, records, count: images.filter(image => image.untag.length > 0).length });
}

/** An interruption that lasted longer is a new release: the grace is to run from when the tags come off. */
const resumableMs = 60 * 60_000;

/** Goes on with a release that was interrupted. */
export async function resumeRelease(run: Run, dead: DeadBuild, key: TombstoneKey): Promise<void> {
  const content = await readTombstone(run.registry, key);
  if (!content) return;
  const claimed = content.images.filter(image => image.claimed);
  if (registryTime(run) - key.time <= resumableMs || claimed.length === 0) {
    await untagAll(run, key, content);
    return;
  }
  await releaseAgain(run, dead, claimed, content.records);
  await removeTombstone(run.registry, key, run.log, content.manifest);
}

async function claimImage(run: Run, dead: DeadBuild, image: NamedImage): Promise<ClaimedImage> {
  const { facts, links } = await inspectImage(run.registry, image, buildTagOf(dead.build, run.rules));
  const decision = planRelease(facts, dead.build, run.rules, rulesOfProject(run.rules, dead.projectId));
  const untag = decision.kind === 'release' ? [...decision.untag] : [];
  return {
    repository: image.repository,
    digest: image.digest,
    recorded: [...image.tags],
    untag,
    children: [...links.children],
    subjects: links.subjects,
    claimed: decision.kind === 'release' || decision.claimed,
    ...(untag.length === 0 && { kept: decision.reason }),
  };
}

/** What a tombstone is to say. */
interface Release {
  readonly images: readonly ClaimedImage[];
  readonly records: readonly string[];
  /** Images that the brake counts. */
  readonly count: number;
}

async function carryOut(run: Run, dead: DeadBuild, { images, records, count }: Release): Promise<void> {
  run.brake.check(dead.evidence.kind, keyOf(dead), count);
  run.brake.add(dead.evidence.kind, keyOf(dead), count);
  const content = tombstoneOf(run, dead, images, records);
  if (run.dryRun) {
    for (const { repository, tag } of tagsOf(content)) {
      report(run, keyOf(dead), {
        subject: `${repository}:${tag}`,
        outcome: 'released',
        reason: dead.evidence.statement,
      });
    }
    return;
  }
  run.signal?.throwIfAborted();
  await untagAll(run, await writeTombstone(run.registry, dead.evidence.kind, content, count), content);
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

function tombstoneOf(
  run: Run,
  dead: DeadBuild,
  images: readonly ClaimedImage[],
  records: readonly string[],
): Tombstone {
  const { id, number } = dead.build;
  return {
    schema: 1,
    build: { projectId: dead.projectId, id, definitionId: dead.definitionId, number },
    evidence: { ...dead.evidence },
    time: new Date(registryTime(run)).toISOString(),
    records: [...records],
    images: [...images],
  };
}

function keyOf(dead: DeadBuild): BuildKey {
  return { projectId: dead.projectId, buildId: dead.build.id };
}

function placeOf(image: { repository: string; digest: string }): string {
  return `${image.repository}@${image.digest}`;
}

function report(run: Run, key: BuildKey, item: { subject: string; outcome: Outcome; reason: string }): void {
  run.report({ projectId: key.projectId, buildId: key.buildId, ...item });
}
