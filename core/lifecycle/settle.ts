/** Closes the account of released builds: collects what is due, looks again at what was held, removes what is done. */
import { createLimit, mapConcurrently } from '../base/concurrency.ts';
import { AppError, errorMessage } from '../base/errors.ts';
import type { Digest } from '../oci/digest.ts';
import { headManifest } from '../oci/manifests.ts';
import { brakeWindowMs } from './brake.ts';
import { recordRepository } from './build-record.ts';
import { type CollectResult, collectRepository, isBreakOff } from './collect.ts';
import { type DueTombstone } from './judge.ts';
import type { Hold } from './mark.ts';
import { ownershipOf } from './owned-tags.ts';
import type { KnownLinks } from './read-graph.ts';
import { readRecordsOfBuild } from './records-of-build.ts';
import { releaseAgain, unclaim } from './release.ts';
import { removeManifest, removeTombstone } from './remove.ts';
import { lacksApprovalAlone, placeOf, type Run, registryTime, vetoOf } from './surroundings.ts';
import { type ClaimedImage, markDone, readTombstone, type Tombstone, writeTombstone } from './tombstone.ts';

interface Due extends DueTombstone {
  readonly content: Tombstone & { readonly manifest: Digest };
  /** The tags of the records that may go with it, as they read now. */
  readonly settled: ReadonlySet<string>;
}

const readAtOnce = 8;
const accountsAtOnce = 8;
/** Each deletes five at a time; Microsoft's own cleaner deletes at most 32 at a time from one registry. */
const repositoriesAtOnce = 4;

/** Collects every repository that the due tombstones name, each once, and settles the tombstones. */
export async function settleDue(run: Run, tombstones: readonly DueTombstone[]): Promise<void> {
  const read = await mapConcurrently(tombstones, readAtOnce, each =>
    run.timeBox.isOver() ? Promise.resolve(undefined) : unlessItFails(run, each, () => readDue(run, each)),
  );
  if (run.timeBox.isOver()) return;
  const due = read.flatMap(each => each ?? []);
  const results = new Map<string, CollectResult>();
  const close = createCloser(run, due, results);
  const repositories = new Set(due.flatMap(repositoriesOf));
  run.timeBox.expect('repositories', repositories.size);
  try {
    await mapConcurrently([...repositories], repositoriesAtOnce, async repository => {
      if (run.timeBox.isOver()) return;
      results.set(repository, await collectOne(run, repository, due));
      run.timeBox.finish('repositories');
      close.whatIsWhole();
    });
  } catch (thrown) {
    await close.abandon(thrown);
    throw thrown;
  }
  for (const each of due) reportImages(run, each, results);
  await close.end();
}

/** Closes accounts beside the collection, each as soon as all of its repositories were collected. */
interface Closer {
  whatIsWhole(): void;
  /** Begins no other, and waits for those that were begun: nothing goes on behind a run that has failed or was stopped. */
  abandon(why: unknown): Promise<void>;
  /** Closes the rest, and waits. Throws `BRAKE` when those that were begun have ended. */
  end(): Promise<void>;
}

function createCloser(run: Run, due: readonly Due[], results: ReadonlyMap<string, CollectResult>): Closer {
  const limit = createLimit(accountsAtOnce);
  const closing: Promise<void>[] = [];
  let waiting = due.map(each => ({ each, repositories: repositoriesOf(each) }));
  let failure: unknown;
  const closeOne = async (each: Due): Promise<void> => {
    // What was not looked at to the end must not count as done.
    if (run.dryRun || run.signal?.aborted || failure !== undefined || run.timeBox.isOver()) return;
    try {
      await unlessItFails(run, each, () => closeOrRenew(run, each, leftOf(run, each, results)));
    } catch (thrown) {
      failure ??= thrown;
    }
  };
  const begin = (isReady: (repositories: readonly string[]) => boolean): void => {
    const ready = waiting.filter(({ repositories }) => isReady(repositories));
    const begun = new Set(ready);
    waiting = waiting.filter(one => !begun.has(one));
    for (const { each } of ready) closing.push(limit(() => closeOne(each)));
  };
  return {
    whatIsWhole: () => begin(repositories => repositories.every(name => results.has(name))),
    async abandon(why) {
      failure ??= why;
      await Promise.all(closing);
    },
    async end() {
      begin(() => true);
      await Promise.all(closing);
      if (failure !== undefined) throw failure as Error;
    },
  };
}

function repositoriesOf({ content }: Due): string[] {
  return claimedOf(content).map(image => image.repository);
}

/** The tombstone and the build's records: what says "keep" may have come since the release, and is needed. */
async function readDue(run: Run, { key, dead, isLast }: DueTombstone): Promise<Due | undefined> {
  const content = await readTombstone(run.registry, key);
  const records = content && (await readRecordsOfBuild(run, dead));
  if (!content || !records) return undefined;
  for (const image of records.kept) run.needed.set(placeOf(image), image.reason);
  const settled = [...records.own.records, ...records.copies.records].map(record => record.tag);
  return { key, dead, isLast, content, settled: new Set(settled) };
}

/** What fails for one build stands in the report, and the others go on. */
async function unlessItFails<T>(run: Run, { key }: DueTombstone, work: () => Promise<T>): Promise<T | undefined> {
  try {
    return await work();
  } catch (thrown) {
    run.signal?.throwIfAborted();
    if (!(thrown instanceof AppError) || thrown.code === 'BRAKE') throw thrown;
    const { projectId, buildId } = key;
    run.report({ projectId, buildId, subject: `build ${buildId}`, outcome: 'failed', reason: thrown.message });
    return undefined;
  }
}

async function collectOne(run: Run, repository: string, due: readonly Due[]): Promise<CollectResult> {
  const images = due.flatMap(({ content }) => claimedOf(content).filter(image => image.repository === repository));
  const candidates = new Set<Digest>(images.flatMap(image => [image.digest, ...image.children]));
  const known = new Map<Digest, KnownLinks>();
  for (const { digest, children, subjects } of images) {
    for (const [about, subject] of Object.entries(subjects) as [Digest, Digest][])
      known.set(about, { children: [], subject });
    if (children.length > 0) known.set(digest, { children, subject: subjects[digest] });
  }
  const content = new Map<Digest, readonly string[]>();
  for (const { digest, content: tags = [] } of images) content.set(digest, [...(content.get(digest) ?? []), ...tags]);
  const keptBy = async () => {
    const late = await run.lateVeto?.(repository);
    return (digest: Digest): Hold | undefined => {
      const hold = heldByOthers(run, { repository, digest });
      const reason = hold ? undefined : late?.(digest);
      return reason === undefined ? hold : { reason, settles: false };
    };
  };
  try {
    return await collectRepository(run, { repository, candidates, known, content, keptBy });
  } catch (thrown) {
    if (!isBreakOff(thrown)) throw thrown;
    const hold: Hold = { reason: `the collection broke off: ${errorMessage(thrown)}`, settles: false };
    return { deleted: new Set(), held: new Map([...candidates].map(digest => [digest, hold])) };
  }
}

/** A veto may be lifted tomorrow; what a record says stays said. */
function heldByOthers(run: Run, image: { repository: string; digest: Digest }): Hold | undefined {
  const veto = vetoOf(run, image, 'delete');
  if (veto !== undefined) return { reason: veto, settles: false };
  const needed = run.needed.get(placeOf(image));
  return needed === undefined ? undefined : { reason: needed, settles: true };
}

interface Left {
  /** Images and children of indexes that must be looked at again. */
  readonly pending: readonly ClaimedImage[];
  /** All images that are still there. */
  readonly there: readonly ClaimedImage[];
}

/** What is left of a build. */
function leftOf(run: Run, due: Due, results: ReadonlyMap<string, CollectResult>): Left {
  const pending: ClaimedImage[] = [];
  const there = due.content.images.filter(image => !image.claimed);
  for (const image of claimedOf(due.content)) {
    const held = results.get(image.repository)?.held;
    if (held?.has(image.digest)) there.push(image);
    for (const part of partsOf(image)) {
      const hold = held?.get(part.digest);
      if (hold && !settles(run, due, part, hold)) pending.push(part);
    }
  }
  return { pending, there };
}

function reportImages(run: Run, due: Due, results: ReadonlyMap<string, CollectResult>): void {
  const { projectId, buildId } = due.key;
  for (const part of claimedOf(due.content).flatMap(partsOf)) {
    const result = results.get(part.repository);
    const hold = result?.held.get(part.digest);
    const item = { projectId, buildId, subject: placeOf(part) };
    if (hold) run.report({ ...item, outcome: 'kept', reason: hold.reason });
    else if (result?.deleted.has(part.digest))
      run.report({ ...item, outcome: 'deleted', reason: due.content.evidence.statement });
  }
}

/** An image, and the children of an index. */
function partsOf(image: ClaimedImage): ClaimedImage[] {
  return [image, ...image.children.map(child => partOf(image, child))];
}

/** A hold of somebody else closes the account; a lock, a veto, a use, a tag of this very build or one that a veto left on does not. */
function settles(run: Run, due: Due, image: ClaimedImage, hold: Hold): boolean {
  if (!hold.settles || image.vetoed || vetoOf(run, image, 'delete') !== undefined) return false;
  return hold.tag === undefined || ownershipOf(hold.tag, due.dead.build, run.rules, image.recorded) === undefined;
}

async function closeOrRenew(run: Run, due: Due, { pending, there }: Left): Promise<void> {
  // The brake counts the tombstones of a day, so none goes before.
  if (registryTime(run) - due.key.time < brakeWindowMs) return;
  const images = pending.filter(image => !run.needed.has(placeOf(image)));
  const records = due.content.records.filter(tag => due.settled.has(tag));
  if (images.length > 0) {
    const waiting = images.filter(image => lacksApprovalAlone(run, image));
    // A tombstone that claims what is gone must not stay.
    if (waiting.length === images.length && claimedOf(due.content).every(image => there.includes(image))) return;
    const held = images.filter(image => !waiting.includes(image));
    const rest = there.filter(image => !images.includes(image));
    if (waiting.length > 0)
      await keepWaiting(run, due, { images: held.length > 0 ? waiting : [...waiting, ...rest.map(unclaim)], records });
    if (held.length > 0) await releaseAgain(run, due.dead, { images: held, rest, records, copies: due.key.copies });
    await removeTombstone(run.registry, due.key, run.log, due.content.manifest);
    return;
  }
  const repository = recordRepository(run.registry, due.key.projectId, ['pull', 'delete', 'metadata_read']);
  for (const tag of due.isLast ? records : []) {
    const record = await headManifest(repository, tag);
    if (record) await removeManifest({ repository, digest: record.digest, expected: [tag] }, run.log);
  }
  await removeTombstone(run.registry, due.key, run.log, due.content.manifest);
}

/** What nobody needs has its grace from when its tags came off, whatever else of the build is held. */
async function keepWaiting(
  run: Run,
  { key, content }: Due,
  left: Pick<Tombstone, 'images' | 'records'>,
): Promise<void> {
  const { manifest: _, ...written } = content;
  const { kind, copies } = key;
  const about = { kind, copies, count: left.images.filter(image => image.claimed).length };
  await markDone(run.registry, await writeTombstone(run.registry, about, { ...written, ...left }));
}

function claimedOf(content: Tombstone): ClaimedImage[] {
  return content.images.filter(image => image.claimed);
}

function partOf({ repository, subjects }: ClaimedImage, digest: Digest): ClaimedImage {
  return { repository, digest, recorded: [], untag: [], children: [], subjects, claimed: true };
}
