/** The plan of one repository: what stays there keeps with it what it consists of, what it refers to, and what refers to it. Pure. */
import type { Digest } from '../../oci/digest.ts';
import { inCircle } from '../mark.ts';
import { judgeCopy } from './judge-copy.ts';
import type { PlannedImage } from './keep-plan.ts';
import { type Home, type Place, subjectsOf } from './places.ts';
import type { ReadyRules } from './ready-rules.ts';
import { addReason, spread, type Tie } from './spread.ts';

/** Plans every image of a repository, in order; `everything` are reasons that keep whatever there is. */
export function planHome(rules: ReadyRules, home: Home, everything: readonly string[]): PlannedImage[] {
  const ties = tiesIn(home);
  const circling = findCircling(ties);
  const isHeld = ({ copies, keptBy }: Place): boolean =>
    everything.length > 0 || copies.keptBy !== undefined || keptBy !== undefined;
  const verdicts = home.places.map(place => judgeCopy(rules, place, isHeld(place)));
  const kept = new Map<Digest, string[]>();
  for (const [at, { kind, reasons }] of verdicts.entries()) {
    const place = home.places[at] as Place;
    const { image, copies, keptBy } = place;
    const isOwn = kind === 'stays' || (kind === 'follows' && !isHeld(place) && !ties.upward.has(image.digest));
    const isCircling = !isOwn && !isHeld(place) && circling.has(image.digest);
    if (!isHeld(place) && !isOwn && !isCircling) continue;
    const own = isCircling ? [inCircle] : isOwn ? reasons : [];
    kept.set(image.digest, [...(copies.keptBy ?? []), ...(keptBy ?? []), ...everything, ...own]);
  }
  const held = {
    has: (digest: Digest) => kept.has(digest),
    add: (digest: Digest, reason: string) => addReason(kept, digest, reason),
  };
  const seeds = [...ties.all.keys()].filter(held.has);
  spread(held, seeds, digest => ties.all.get(digest) ?? []);
  return verdicts.map((verdict, at) => {
    const { digest } = (home.places[at] as Place).image;
    const keep = kept.get(digest);
    // What follows goes for what it belonged to.
    const leaving = verdict.kind === 'goes' ? verdict.reasons : (ties.upward.get(digest) ?? []);
    const reasons = inOrder(keep ?? leaving);
    // Written out: of two hundred thousand, each costs what it is made of.
    if (keep) return { registry: home.registry, repository: home.repository, digest, decision: 'keep', reasons };
    const cause = verdict.kind === 'goes' ? verdict.cause : 'belongs';
    return { registry: home.registry, repository: home.repository, digest, decision: 'delete', cause, reasons };
  });
}

/** What no order reaches in which everything comes after all that it belongs to: circles, and what belongs to one. */
function findCircling({ all, upward }: Ties): ReadonlySet<Digest> {
  // A reason upward stands for each tie downward.
  const left = new Map([...upward].map(([digest, reasons]) => [digest, reasons.length]));
  const reached = [...all.keys()].filter(digest => !left.has(digest));
  for (const digest of reached) {
    for (const { to, isDownward } of all.get(digest) ?? []) {
      if (!isDownward) continue;
      const rest = (left.get(to) ?? 0) - 1;
      left.set(to, rest);
      if (rest > 0) continue;
      left.delete(to);
      reached.push(to);
    }
  }
  return new Set(left.keys());
}

function inOrder(reasons: readonly string[]): readonly string[] {
  if (reasons.length === 1) return reasons;
  return [...reasons].sort().filter((reason, at, all) => reason !== all[at - 1]);
}

interface Ties {
  readonly all: ReadonlyMap<Digest, readonly Tie<Digest>[]>;
  /** Of what belongs to an index or a subject that is there: in words, to which, should that go. */
  readonly upward: ReadonlyMap<Digest, readonly string[]>;
}

function tiesIn(home: Home): Ties {
  const all = new Map<Digest, Tie<Digest>[]>();
  const upward = new Map<Digest, string[]>();
  const there = new Set(home.places.map(each => each.image.digest));
  const tie = (from: Digest, to: Digest, reason: string, isDownward: boolean): void => {
    if (there.has(from) && there.has(to)) addTo(all, from, { to, reason, isDownward });
  };
  const belong = (digest: Digest, to: Digest, words: string): void => {
    if (there.has(digest) && there.has(to)) addTo(upward, digest, words);
  };
  const refer = (referrer: Digest, subject: Digest): void => {
    tie(subject, referrer, `it refers to ${subject}, which stays`, true);
    tie(referrer, subject, `${referrer} refers to it, and stays`, false);
    belong(referrer, subject, `it refers to ${subject}, which goes`);
  };
  for (const { image } of home.places) {
    const { digest } = image;
    for (const child of image.children ?? []) {
      tie(digest, child, `the index ${digest}, which stays, has it as a child`, true);
      belong(child, digest, `it goes with the index ${digest}`);
    }
    for (const subject of subjectsOf(image)) refer(digest, subject);
    for (const referrer of image.referrers ?? []) refer(referrer, digest);
  }
  return { all, upward };
}

function addTo<T>(groups: Map<Digest, T[]>, key: Digest, item: T): void {
  const group = groups.get(key);
  if (group) group.push(item);
  else groups.set(key, [item]);
}
