/** What was built from each git repository, by branch, tag, pull request and commit, as records and tags tell. Pure. */
import { buildsWithoutRecord } from './judge-unrecorded.ts';
import type { Place, Places } from './places.ts';
import type { BuildFact } from './policy-facts.ts';
import type { ReadyRules } from './ready-rules.ts';

/** An image as one build made it. */
export interface Built {
  readonly place: Place;
  readonly fact: BuildFact;
  /** Nobody can say whether it is of the reference at all, so its date says nothing either. */
  readonly isUnclear?: true;
}

/** The images that were built from one git repository and are there. */
export interface SourceBuilt {
  readonly source: string;
  readonly all: Built[];
  /** By `refs/heads/main`, `refs/tags/v1.0`, `refs/pull/12`. */
  readonly byReference: Map<string, Built[]>;
  /** Of the commits that git tags are on. */
  readonly byCommit: Map<string, Built[]>;
  /** Those of which it is not known from which reference, or of which git repository that is. */
  readonly unclear: Built[];
}

/**
 * Every git repository that builds were made from, with what they built; by commit, only for those in `commits`. A copy
 * without a record counts where `withoutRecord` would have it go: one that stays all the same takes no place from others.
 */
export function listBuilt(
  rules: ReadyRules,
  places: Places,
  commits: ReadonlySet<string>,
): ReadonlyMap<string, SourceBuilt> {
  const found = new Map<string, SourceBuilt>();
  for (const { places: own } of places.homes) {
    for (const place of own) {
      const { records } = place;
      const builds = records.length > 0 ? records.map(each => each.build) : buildsWithoutRecord(rules, place);
      // Nearly every image has one record, of one build.
      for (const build of builds.length > 1 ? new Set(builds) : builds) {
        for (const fact of build?.facts ?? []) addBuilt(sourceOf(found, fact.source), place, fact, commits);
      }
    }
  }
  return found;
}

function addBuilt(of: SourceBuilt, place: Place, fact: BuildFact, commits: ReadonlySet<string>): void {
  const built = { place, fact };
  of.all.push(built);
  const key = keyOfReference(fact);
  if (key === undefined) of.unclear.push(built);
  else addTo(of.byReference, key, built);
  if (commits.has(fact.commit)) addTo(of.byCommit, fact.commit, built);
}

function sourceOf(found: Map<string, SourceBuilt>, source: string): SourceBuilt {
  const known = found.get(source);
  if (known) return known;
  const made = { source, all: [], byReference: new Map(), byCommit: new Map(), unclear: [] };
  found.set(source, made);
  return made;
}

function addTo(groups: Map<string, Built[]>, key: string, built: Built): void {
  const group = groups.get(key);
  if (group) group.push(built);
  else groups.set(key, [built]);
}

/** https://learn.microsoft.com/en-us/azure/devops/pipelines/build/variables, Build.SourceBranch */
function keyOfReference({ source, ref, pullRequest }: BuildFact): string | undefined {
  // Two branches of one name need not be of one git repository.
  if (source === '') return undefined;
  if (pullRequest !== undefined) return `refs/pull/${pullRequest}`;
  if (/^refs\/(?:heads|tags)\/./.test(ref)) return ref;
  return /^refs\/pull\/\d+(?=\/|$)/.exec(ref)?.[0];
}
