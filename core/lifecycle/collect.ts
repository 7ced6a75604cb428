/**
 * Collect, the second step of deletion: after the grace, removes from one repository the digests that releases left
 * behind and that nothing holds. Mark and sweep over the whole manifest graph, with every fact asked again at the end.
 */
import { listNewestManifests, listTagsOf } from '../acr/listings.ts';
import { mapConcurrently } from '../base/concurrency.ts';
import { AppError, errorMessage, hasCode } from '../base/errors.ts';
import type { Digest } from '../oci/digest.ts';
import { getManifest } from '../oci/manifests.ts';
import { listReferrers, subjectOfTag } from '../oci/referrers.ts';
import type { Repository } from '../oci/repository.ts';
import { type AskAgain, createAskAgain } from './ask-again.ts';
import { imageRepository } from './inspect.ts';
import {
  companionsOf,
  type Graph,
  type Hold,
  inCircle,
  markHeld,
  nodeOf,
  orderForDeletion,
  spreadHold,
  subjectsOf,
} from './mark.ts';
import { type KnownLinks, readGraph } from './read-graph.ts';
import { removeManifest } from './remove.ts';
import { type Run, registryTime } from './surroundings.ts';

/** Gives the hold, where a keep plan or a record has the digest stay. Asked of every manifest of the repository. */
export type KeptBy = (digest: Digest) => Hold | undefined;

/** What tombstones name in one repository. */
export interface CollectRequest {
  readonly repository: string;
  /** Digests that may go: images and the children of indexes. */
  readonly candidates: ReadonlySet<Digest>;
  /** Children and subjects as they were read before. */
  readonly known: ReadonlyMap<Digest, KnownLinks>;
  /** Tags of charts that name their content: they hold nothing, and go with the manifest. */
  readonly content: ReadonlyMap<Digest, readonly string[]>;
  /** Asks what others have said by now: once when the graph was read, and again before deletions when time has passed. */
  readonly keptBy?: () => Promise<KeptBy>;
  /** How long a candidate must not have changed, in milliseconds; left out it is the grace. */
  readonly recentMs?: number;
}

/** What became of each candidate. One that is in neither map was not there any more. */
export interface CollectResult {
  readonly deleted: ReadonlySet<Digest>;
  readonly held: ReadonlyMap<Digest, Hold>;
}

interface Sweep {
  readonly run: Run;
  readonly repository: Repository;
  readonly graph: Graph;
  readonly candidates: ReadonlySet<Digest>;
  readonly content: ReadonlyMap<Digest, readonly string[]>;
  readonly held: Map<Digest, Hold>;
  readonly deleted: Set<Digest>;
  /** What others have said by now. */
  readonly askKept: AskAgain<KeptBy> | undefined;
  /** Their last answer that was heeded. */
  kept: KeptBy | undefined;
  /** Holds what was pushed meanwhile. */
  readonly askNew: AskAgain<void>;
}

/** Microsoft's own cleaner found that more at once puts a registry into a bad state. */
const deletesAtOnce = 5;
/** After so many deletions it is asked again what was pushed meanwhile, and before one where the answer is old. */
const batchSize = 200;
const newestAsked = 100;

/** Whether a collection broke off for the registry or what is in it: that repository waits for the next run, others go on. */
export function isBreakOff(thrown: unknown): boolean {
  return hasCode(
    thrown,
    'REGISTRY_UNAVAILABLE',
    'REGISTRY_UNEXPECTED',
    'REGISTRY_DENIED',
    'RECORD_UNREADABLE',
    'DIGEST_MISMATCH',
    'TOO_LARGE',
  );
}

/** Collects one repository. Throws only where the registry fails; what could not be judged is held, with the reason. */
export async function collectRepository(run: Run, request: CollectRequest): Promise<CollectResult> {
  const repository = imageRepository(run.registry, request.repository);
  const reading = await readGraph(repository, request.known);
  if (reading.kind === 'unjudged') return allHeld(request, reading.reason);
  const { graph } = reading;
  const { candidates, content, keptBy, recentMs = run.rules.graceMs } = request;
  const askKept = keptBy && createAskAgain(run.clock, keptBy);
  // What came off before the graph was read, or was named by others, they have written down by then.
  const kept = await askKept?.();
  const now = registryTime(run);
  const held = markHeld({ graph, candidates, content, now, recentMs, ...(kept && { keptBy: kept }) });
  const deleted = new Set<Digest>();
  const askNew = createAskAgain(run.clock, () => holdWhatIsNew(sweep));
  const sweep: Sweep = { run, repository, graph, candidates, content, held, deleted, askKept, kept, askNew };
  await holdReferrersOfHeld(sweep);
  const order = orderSweepable(sweep);
  for (let start = 0; start < order.length && !run.timeBox.isOver(); start += batchSize) {
    await lookAgain(sweep, true);
    await sweepInOrder(sweep, order.slice(start, start + batchSize));
  }
  for (const digest of order) {
    if (!deleted.has(digest)) spreadHold(graph, held, digest, { reason: 'the time was over', settles: false });
  }
  // What holds may be known when it is gone, by a deletion beside it.
  const left = [...held].filter(([digest]) => candidates.has(digest) && !deleted.has(digest));
  return { deleted, held: new Map(left) };
}

function allHeld(request: CollectRequest, reason: string): CollectResult {
  const hold: Hold = { reason: `nothing is collected in ${request.repository}: ${reason}`, settles: false };
  return { deleted: new Set(), held: new Map([...request.candidates].map(digest => [digest, hold])) };
}

/** Candidates that nothing holds, and the manifests that are tagged as their signatures alone. */
function sweepable({ graph, candidates, held }: Sweep): Digest[] {
  return [...graph.keys()].flatMap(digest =>
    !held.has(digest) && (candidates.has(digest) || subjectsOf(graph, digest).length > 0) ? digest : [],
  );
}

/** What may go, in order. What has no place in it is held. */
function orderSweepable(sweep: Sweep): Digest[] {
  const wanted = new Set(sweepable(sweep));
  const order = orderForDeletion(sweep.graph, wanted);
  for (const digest of order) wanted.delete(digest);
  for (const digest of wanted) sweep.held.set(digest, { reason: inCircle, settles: true });
  return order;
}

/** A referrer of an image that stays, stays: it may be a candidate itself, as an attestation that is a child of an index is. */
async function holdReferrersOfHeld(sweep: Sweep): Promise<void> {
  const { graph, candidates, held, repository } = sweep;
  if (![...candidates].some(digest => !held.has(digest))) return;
  for (const digest of candidates) {
    const hold = held.get(digest);
    if (!hold) continue;
    for (const referrer of await listReferrers(repository, digest)) {
      if (candidates.has(referrer.digest))
        spreadHold(graph, held, referrer.digest, {
          reason: `it refers to ${digest}, which stays`,
          settles: hold.settles,
        });
    }
  }
}

/**
 * What others and the registry say by now. Several deletions run at a time: where one of them asks, the others wait for the
 * answer too, and do not go by the last one.
 */
async function lookAgain(sweep: Sweep, anew: boolean): Promise<void> {
  await holdWhatIsKept(sweep);
  await sweep.askNew(anew);
}

/** What others have said since they were last asked. Not before each deletion: they are many, and each is some requests. */
async function holdWhatIsKept(sweep: Sweep): Promise<void> {
  const { graph, held, deleted, askKept } = sweep;
  const kept = await askKept?.();
  if (!kept || kept === sweep.kept) return;
  sweep.kept = kept;
  for (const digest of graph.keys()) {
    const hold = held.has(digest) || deleted.has(digest) ? undefined : kept(digest);
    if (hold) spreadHold(graph, held, digest, hold);
  }
}

/** What was pushed since the listing may have our candidates as children. */
async function holdWhatIsNew(sweep: Sweep): Promise<void> {
  const { graph, held, deleted, repository } = sweep;
  const newest = await listNewestManifests(repository, newestAsked);
  for (const { digest, changedAt } of newest) {
    if (graph.has(digest) && nodeOf(graph, digest).changedAt !== changedAt)
      spreadHold(graph, held, digest, { reason: 'it was pushed again just now', settles: false });
  }
  const fresh = newest.filter(manifest => !graph.has(manifest.digest));
  // Where not one is known there may be more behind them; where there are none, the last one went with our own.
  if (fresh.length === newest.length && (fresh.length > 0 || deleted.size === 0)) {
    throw new AppError(
      `${repository.label}: more was pushed during the collection than can be looked at; it goes on at the next run.`,
      {
        code: 'REGISTRY_UNEXPECTED',
        retryable: true,
      },
    );
  }
  for (const { digest, tags } of fresh) {
    const manifest = await getManifest(repository, digest);
    if (!manifest)
      throw new AppError(`${repository.label}@${digest} was pushed just now, but cannot be read yet.`, {
        code: 'REGISTRY_UNEXPECTED',
        retryable: true,
      });
    const subject = manifest.subject ? [manifest.subject.digest] : [];
    const children = manifest.children.map(child => child.digest);
    for (const each of [...children, ...subject, ...tags.flatMap(tag => subjectOfTag(tag, digest) ?? [])])
      spreadHold(graph, held, each, { reason: `${digest}, pushed just now, names it`, settles: false });
  }
}

/** Parents go before what depends on them; what does not depend on each other goes side by side. */
async function sweepInOrder(sweep: Sweep, order: readonly Digest[]): Promise<void> {
  let wave: Digest[] = [];
  const flush = async (): Promise<void> => {
    const now = wave;
    wave = [];
    if (sweep.run.timeBox.isOver()) return;
    await mapConcurrently(now, deletesAtOnce, digest => sweepOne(sweep, digest));
  };
  for (const digest of order) {
    if (wave.some(earlier => follows(sweep.graph, earlier, digest))) await flush();
    wave.push(digest);
  }
  await flush();
}

function follows(graph: Graph, earlier: Digest, digest: Digest): boolean {
  return companionsOf(graph, earlier).includes(digest) || nodeOf(graph, earlier).children.includes(digest);
}

async function sweepOne(sweep: Sweep, digest: Digest): Promise<void> {
  const { run, graph, held, deleted } = sweep;
  run.signal?.throwIfAborted();
  // A parent or a subject that was held a moment ago holds this one too.
  if (held.has(digest)) return;
  const hold = await (run.dryRun ? holdByReferrer(sweep, digest, new Set()) : deleteUnlessHeld(sweep, digest));
  if (hold) spreadHold(graph, held, digest, hold);
  else deleted.add(digest);
}

async function deleteUnlessHeld(sweep: Sweep, digest: Digest): Promise<Hold | undefined> {
  const { run, repository, graph, content, held } = sweep;
  // A signature may carry the tags that were listed, all of which say so; an image may carry none, a chart that of its content.
  const expected = subjectsOf(graph, digest).length > 0 ? nodeOf(graph, digest).tags : (content.get(digest) ?? []);
  let asked = 0;
  let unanswered: unknown;
  const heldBy = async (): Promise<string | undefined> => {
    asked += 1;
    const hold = held.get(digest) ?? (await holdByReferrer(sweep, digest, new Set()));
    // The referrers are throttled hardest, so minutes may have passed since the last look.
    try {
      if (!hold) await lookAgain(sweep, asked > 1);
    } catch (thrown) {
      unanswered = thrown;
      throw thrown;
    }
    return (hold ?? held.get(digest))?.reason;
  };
  try {
    const removal = await removeManifest({ repository, digest, expected, heldBy }, run.log);
    if (removal.kind !== 'held') return undefined;
    const { reason, tag } = removal;
    return { reason, settles: removal.by === 'tagged', ...(tag !== undefined && { tag }) };
  } catch (thrown) {
    // What could not be asked is about all of them: nothing more is deleted.
    if (thrown === unanswered || !hasCode(thrown, 'REGISTRY_UNAVAILABLE', 'REGISTRY_UNEXPECTED')) throw thrown;
    return { reason: `its deletion failed: ${errorMessage(thrown)}`, settles: false };
  }
}

/**
 * Azure deletes the referrers with their subject, and we its signatures by tag, so it stays as long as one of them must.
 * Each is asked for its tags anew, as the subject itself will be.
 */
async function holdByReferrer(sweep: Sweep, digest: Digest, seen: Set<Digest>): Promise<Hold | undefined> {
  const { repository, graph, held, deleted } = sweep;
  if (seen.has(digest)) return undefined;
  seen.add(digest);
  for (const referrer of await listReferrers(repository, digest)) {
    const known = held.get(referrer.digest);
    if (known) return { reason: `its referrer ${referrer.digest} is held (${known.reason})`, settles: false };
    if (deleted.has(referrer.digest)) continue;
    if (!graph.has(referrer.digest))
      return { reason: `its referrer ${referrer.digest} was pushed just now`, settles: false };
    const listed = nodeOf(graph, referrer.digest).tags;
    const tag = (await listTagsOf(repository, referrer.digest)).find(
      ({ name }) => subjectOfTag(name, referrer.digest) === undefined || !listed.includes(name),
    );
    if (tag) return { reason: `the tag "${tag.name}" is on its referrer ${referrer.digest}`, settles: false };
    const deeper = await holdByReferrer(sweep, referrer.digest, seen);
    if (deeper) return deeper;
  }
  for (const companion of companionsOf(graph, digest).filter(each => !deleted.has(each))) {
    const deeper = await holdByReferrer(sweep, companion, seen);
    if (deeper) return deeper;
  }
  return undefined;
}
