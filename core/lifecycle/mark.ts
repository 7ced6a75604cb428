/**
 * The mark of mark-and-sweep: which candidates of a repository something still needs. Pure.
 * A candidate is a digest that a tombstone names. Everything else is a root; so is a candidate that is held itself.
 */
import type { Digest } from '../oci/digest.ts';
import { subjectOfTag } from '../oci/referrers.ts';

/** One manifest of the repository. */
export interface GraphNode {
  readonly tags: readonly string[];
  readonly locked: boolean;
  /** When it was last changed, in milliseconds; undefined counts as just now. */
  readonly changedAt: number | undefined;
  /** The manifests of an index; empty for every other. */
  readonly children: readonly Digest[];
  /** What it refers to, as far as that is known. */
  readonly subject?: Digest | undefined;
}

/** A repository's manifests as they were listed, each index read. */
export type Graph = ReadonlyMap<Digest, GraphNode>;

/** What is known of a manifest that was not listed. */
const unlisted: GraphNode = { tags: [], locked: false, changedAt: undefined, children: [] };

/** The node of a digest, an empty one where the graph has none. */
export function nodeOf(graph: Graph, digest: Digest): GraphNode {
  return graph.get(digest) ?? unlisted;
}

/** Why a digest stays. `settles`: the hold is somebody else's for good, so this build's account is closed. */
export interface Hold {
  readonly reason: string;
  readonly settles: boolean;
  /** The tag that holds it, where one does. */
  readonly tag?: string;
}

/** What the mark is reckoned from. */
export interface MarkRequest {
  readonly graph: Graph;
  /** Those that are gone already among them. */
  readonly candidates: ReadonlySet<Digest>;
  /** Tags that name a candidate's content and therefore hold nothing. */
  readonly content?: ReadonlyMap<Digest, readonly string[]>;
  /** The registry's time, and how old a manifest must be, in milliseconds. */
  readonly now: number;
  readonly recentMs: number;
  /** The place of keep plans and records: the hold, where one of them has the digest stay. */
  readonly keptBy?: (digest: Digest) => Hold | undefined;
}

/**
 * The holds on every manifest that must stay. What is not in it and is a candidate may go, and so may a companion:
 * a manifest that is only tagged as the signature of candidates that go.
 */
export function markHeld(request: MarkRequest): Map<Digest, Hold> {
  const { graph, candidates } = request;
  const held = new Map<Digest, Hold>();
  const going = withSignatures(graph, candidates);
  for (const [digest, node] of graph) {
    const hold = ownHold(digest, node, { ...request, going });
    if (hold) spreadHold(graph, held, digest, hold);
    else if (!candidates.has(digest) && subjectsOf(graph, digest).length === 0 && node.children.length > 0) {
      // An index that nobody tagged may be deployed by its digest: it is no candidate, so its children stay.
      for (const child of node.children)
        spreadHold(graph, held, child, { reason: `the index ${digest} has it as a child`, settles: true });
    }
  }
  return held;
}

/** The candidates and the manifests that are tagged as signatures of nothing but them, and the signatures of those. */
function withSignatures(graph: Graph, candidates: ReadonlySet<Digest>): Set<Digest> {
  const going = new Set(candidates);
  for (const digest of going) {
    for (const companion of companionsOf(graph, digest)) {
      const subjects = subjectsOf(graph, companion);
      // A set that grows while it is walked is walked to its end.
      if (subjects.length > 0 && subjects.every(subject => going.has(subject))) going.add(companion);
    }
  }
  return going;
}

/** Holds `digest` and all that goes with it: its children, its tag-named signatures, and the subject it signs. */
export function spreadHold(graph: Graph, held: Map<Digest, Hold>, digest: Digest, hold: Hold): void {
  const waiting: [Digest, Hold][] = [[digest, hold]];
  for (let next = waiting.pop(); next; next = waiting.pop()) {
    const [current, why] = next;
    if (held.has(current)) continue;
    held.set(current, why);
    const node = nodeOf(graph, current);
    const { settles } = why;
    for (const child of node.children)
      waiting.push([child, { reason: `the index ${current} has it as a child`, settles }]);
    for (const subject of signedSubjects(graph, current))
      waiting.push([subject, { reason: `its signature ${current} is held (${why.reason})`, settles: false }]);
    for (const companion of companionsOf(graph, current))
      waiting.push([companion, { reason: `it signs ${current}`, settles }]);
  }
}

/** The subjects that a manifest is tagged as the signature of (`sha256-<hex>…`), where it has no other tag. */
export function subjectsOf(graph: Graph, digest: Digest): Digest[] {
  const subjects = nodeOf(graph, digest).tags.map(tag => subjectOfTag(tag, digest));
  return subjects.every((subject): subject is Digest => subject !== undefined) ? subjects : [];
}

/** Everything that a manifest is about: its subject, and those of its signature tags beside whatever other tags there are. */
function signedSubjects(graph: Graph, digest: Digest): Digest[] {
  const { tags, subject } = nodeOf(graph, digest);
  return [...tags.flatMap(tag => subjectOfTag(tag, digest) ?? []), ...(subject ? [subject] : [])];
}

/** The manifests that are about `digest`: its referrers as far as they are known, and those tagged as its signatures alone. */
export function companionsOf(graph: Graph, digest: Digest): Digest[] {
  return companionIndex(graph).get(digest) ?? [];
}

const companionIndexes = new WeakMap<Graph, Map<Digest, Digest[]>>();

/** Reckoned once for each graph: a repository has tens of thousands of manifests. */
function companionIndex(graph: Graph): Map<Digest, Digest[]> {
  const known = companionIndexes.get(graph);
  if (known) return known;
  const index = new Map<Digest, Digest[]>();
  for (const [digest, node] of graph) {
    const subjects = [...subjectsOf(graph, digest), ...(node.subject ? [node.subject] : [])];
    for (const subject of subjects) index.set(subject, [...(index.get(subject) ?? []), digest]);
  }
  companionIndexes.set(graph, index);
  return index;
}

function ownHold(
  digest: Digest,
  node: GraphNode,
  request: MarkRequest & { readonly going: ReadonlySet<Digest> },
): Hold | undefined {
  const subjects = subjectsOf(request.graph, digest);
  const kept = request.keptBy?.(digest);
  if (kept) return kept;
  const content = request.content?.get(digest) ?? [];
  const tag = node.tags.find(each => subjectOfTag(each, digest) === undefined && !content.includes(each));
  if (tag !== undefined)
    return { reason: node.locked ? 'it is locked' : `the tag "${tag}" is on it`, settles: true, tag };
  if (node.locked) return { reason: 'it is locked', settles: false };
  const isRecent = node.changedAt === undefined || node.changedAt > request.now - request.recentMs;
  if (isRecent) return { reason: 'it was changed within the grace', settles: false };
  // A signature of an image that nobody gives up stays with it; one whose subject went before its own end came does not.
  if (!subjects.every(subject => request.going.has(subject))) {
    return { reason: 'it signs an image that is not to go', settles: true };
  }
  const { subject } = node;
  if (subject !== undefined && request.graph.has(subject) && !request.going.has(subject)) {
    return { reason: `it refers to ${subject}, which is not to go`, settles: true };
  }
  return undefined;
}

/** Why that stays which no order reaches: content addressing allows no circle but one by signatures. */
export const inCircle = 'it belongs to a circle of signatures, in which nothing can go first';

/**
 * Candidates and their companions in the order of deletion: an index before its children, a subject before its signatures.
 * What is in a circle, or belongs to one, has no place in it.
 */
export function orderForDeletion(graph: Graph, digests: ReadonlySet<Digest>): Digest[] {
  const parents = new Map<Digest, number>();
  const followers = (digest: Digest): Digest[] => {
    const node = graph.get(digest);
    return node
      ? [...new Set([...node.children, ...companionsOf(graph, digest)])].filter(
          each => digests.has(each) && each !== digest,
        )
      : [];
  };
  for (const digest of digests)
    for (const follower of followers(digest)) parents.set(follower, (parents.get(follower) ?? 0) + 1);
  const ready = [...digests].filter(digest => !parents.get(digest));
  const order: Digest[] = [];
  for (let next = ready.shift(); next; next = ready.shift()) {
    order.push(next);
    for (const follower of followers(next)) {
      const left = (parents.get(follower) ?? 1) - 1;
      parents.set(follower, left);
      if (left === 0) ready.push(follower);
    }
  }
  return order;
}
