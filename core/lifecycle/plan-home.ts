/** The plan of one repository: what stays there keeps with it what it consists of, what it refers to, and what refers to it. Pure. */
import type { Digest } from '../oci/digest.ts';
import { type CopyVerdict, judgeCopy } from './judge-copy.ts';
import type { PlannedImage } from './keep-plan.ts';
import { type Home, subjectsOf } from './places.ts';
import type { ReadyRules } from './ready-rules.ts';
import { spread, type Tie } from './spread.ts';

/** Plans every image of a repository, in order. `held` are the reasons of keep rules; `everything` keeps all there is. */
export function planHome(
  rules: ReadyRules,
  home: Home,
  held: ReadonlyMap<Digest, ReadonlySet<string>>,
  everything: readonly string[],
): PlannedImage[] {
  const ties = tiesIn(home);
  const verdicts = new Map<Digest, CopyVerdict>();
  const kept = new Map<Digest, Set<string>>();
  for (const [digest, place] of home.places) {
    const verdict = judgeCopy(rules, place);
    verdicts.set(digest, verdict);
    const reasons = new Set([...(held.get(digest) ?? []), ...everything]);
    const isAlone = verdict.kind === 'follows' && !ties.upward.has(digest);
    if (verdict.kind === 'stays' || (isAlone && reasons.size === 0))
      for (const each of verdict.reasons) reasons.add(each);
    if (reasons.size > 0) kept.set(digest, reasons);
  }
  spread(kept, digest => ties.all.get(digest) ?? []);
  return [...home.places.keys()].map(digest => {
    const keep = kept.get(digest);
    const reasons = keep ?? leavingBecause(verdicts.get(digest), ties.upward.get(digest) ?? []);
    const decision = keep ? 'keep' : 'delete';
    return { registry: home.registry, repository: home.repository, digest, decision, reasons: [...reasons].sort() };
  });
}

/** What follows goes for what it belonged to. */
function leavingBecause(verdict: CopyVerdict | undefined, upward: readonly string[]): Set<string> {
  return new Set(verdict?.kind === 'goes' ? verdict.reasons : upward);
}

interface Ties {
  readonly all: ReadonlyMap<Digest, readonly Tie<Digest>[]>;
  /** Of what belongs to an index or a subject that is there: in words, to which, should that go. */
  readonly upward: ReadonlyMap<Digest, readonly string[]>;
}

function tiesIn({ places }: Home): Ties {
  const all = new Map<Digest, Tie<Digest>[]>();
  const upward = new Map<Digest, string[]>();
  const tie = (from: Digest, to: Digest, reason: string, isDownward: boolean): void => {
    if (places.has(from) && places.has(to)) addTo(all, from, { to, reason, isDownward });
  };
  const belong = (digest: Digest, to: Digest, words: string): void => {
    if (places.has(digest) && places.has(to)) addTo(upward, digest, words);
  };
  const refer = (referrer: Digest, subject: Digest): void => {
    tie(subject, referrer, `it refers to ${subject}, which stays`, true);
    tie(referrer, subject, `${referrer} refers to it, and stays`, false);
    belong(referrer, subject, `it refers to ${subject}, which goes`);
  };
  for (const [digest, { image }] of places) {
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
