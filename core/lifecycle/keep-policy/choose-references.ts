/** Which references a rule is about: those that exist, match, were active lately, and are among the newest. Pure. */

import type { Reading } from '../../base/reading.ts';
import type { SourceBuilt } from './built-images.ts';
import type { SourceFacts } from './policy-facts.ts';
import type { ReferenceRule } from './policy-schema.ts';

/** A reference that a rule keeps images of. */
export interface Choice {
  /** As in {@link SourceBuilt.byReference}. */
  readonly key: string;
  /** For people. */
  readonly label: string;
  /** Of a tag, what it is on. */
  readonly commit?: string | undefined;
}

/** What a rule chose. */
export interface Chosen {
  readonly references: readonly Choice[];
  /** A clause that says why references are taken to exist, where they could not be read; else empty. */
  readonly unread: string;
  /** Why every image of the git repository stays, where any may be of a tagged commit. */
  readonly everyImage?: string | undefined;
}

interface Candidate {
  readonly name: string;
  readonly date: number | undefined;
  readonly commit?: string | undefined;
}

const words = { branch: 'branch', tag: 'tag', pullRequest: 'pull request' };
const prefixes = { branch: 'refs/heads/', tag: 'refs/tags/', pullRequest: 'refs/pull/' };

/** Chooses. Where the list of references is not whole, each that anything was built from is taken to exist and be active. */
export function chooseReferences(
  rule: ReferenceRule,
  told: readonly SourceFacts[],
  built: SourceBuilt,
  now: number,
): Chosen {
  const readings = told.map(each => readingOf(rule, each));
  // Of several the first by name, and not by the order in which they were told.
  const [failed] = readings.flatMap(each => (each.kind === 'unread' ? each.reason : [])).sort();
  if (failed !== undefined || readings.length === 0) return assume(rule, built, failed ?? 'nobody asked');
  const candidates = readings.flatMap(each => (each.kind === 'whole' ? each.items : []));
  const chosen = limit(rule, active(rule, join(candidates.filter(each => isMeant(rule, each.name))), now));
  const untold = rule.kind === 'tag' ? chosen.filter(each => each.commit === undefined) : [];
  const [name] = untold.map(each => each.name).sort();
  return {
    references: chosen.map(each => choiceOf(rule, each)),
    unread: '',
    everyImage:
      name === undefined ? undefined : `it may be built from the commit of the tag "${name}", which is not known`,
  };
}

function readingOf({ kind }: ReferenceRule, { branches, tags, pullRequests }: SourceFacts): Reading<Candidate> {
  switch (kind) {
    case 'branch':
      return mapItems(branches, ({ name, lastActivity }) => [{ name, date: lastActivity }]);
    case 'tag':
      return tags;
    case 'pullRequest':
      return mapItems(pullRequests, ({ id, state, lastActivity }) =>
        state === 'active' ? [{ name: String(id), date: lastActivity }] : [],
      );
  }
}

function mapItems<T>(reading: Reading<T>, map: (item: T) => Candidate[]): Reading<Candidate> {
  return reading.kind === 'unread' ? reading : { kind: 'whole', items: reading.items.flatMap(map) };
}

function isMeant({ pattern }: ReferenceRule, name: string): boolean {
  return pattern?.matches(name) ?? true;
}

/** A name that was told twice has the later date, and every commit that was told. */
function join(candidates: readonly Candidate[]): Candidate[] {
  const dates = new Map<string, number | undefined>();
  for (const { name, date } of candidates) {
    const known = dates.get(name);
    const isFirst = !dates.has(name);
    dates.set(name, isFirst ? date : known === undefined || date === undefined ? undefined : Math.max(known, date));
  }
  return candidates.map(each => ({ ...each, date: dates.get(each.name) }));
}

function active({ activeWithin }: ReferenceRule, candidates: readonly Candidate[], now: number): readonly Candidate[] {
  if (activeWithin === undefined) return candidates;
  return candidates.filter(({ date }) => date === undefined || date >= now - activeWithin);
}

/** The newest by their date. Those with the same date as the last of them stay, and those without a date, uncounted. */
function limit({ limit: most }: ReferenceRule, candidates: readonly Candidate[]): readonly Candidate[] {
  if (most === undefined) return candidates;
  const byName = new Map(candidates.map(({ name, date }) => [name, date]));
  const dates = [...byName.values()].filter(date => date !== undefined).sort((one, other) => other - one);
  const oldest = dates[most - 1] ?? Number.NEGATIVE_INFINITY;
  return candidates.filter(({ date }) => date === undefined || date >= oldest);
}

function assume(rule: ReferenceRule, built: SourceBuilt, reason: string): Chosen {
  const prefix = prefixes[rule.kind];
  const names = [...built.byReference.keys()]
    .filter(key => key.startsWith(prefix))
    .map(key => key.slice(prefix.length));
  return {
    references: names.filter(name => isMeant(rule, name)).map(name => choiceOf(rule, { name })),
    unread: ` (whether the ${words[rule.kind]} exists was not read: ${reason})`,
    everyImage:
      rule.kind === 'tag'
        ? `it may be built from the commit of a tag, and the tags were not read: ${reason}`
        : undefined,
  };
}

function choiceOf({ kind }: ReferenceRule, { name, commit }: Pick<Candidate, 'name' | 'commit'>): Choice {
  return {
    key: `${prefixes[kind]}${name}`,
    label: `the ${words[kind]} ${kind === 'pullRequest' ? name : `"${name}"`}`,
    commit,
  };
}
