/** What was built from each git repository, by branch, tag, pull request and commit, as the records tell. Pure. */
import type { Digest } from '../oci/digest.ts';
import type { KnownBuild } from './known-builds.ts';
import type { Home, Place, Places } from './places.ts';
import type { BuildFact } from './policy-facts.ts';

/** An image as one build made it. */
export interface Built {
  readonly digest: Digest;
  readonly home: Home;
  readonly commit: string;
  /** When the build was finished; undefined where that is not known, as of one that runs. */
  readonly time: number | undefined;
}

/** The images that were built from one git repository and are there. */
export interface SourceBuilt {
  readonly source: string;
  readonly all: Built[];
  /** By `branch:main`, `tag:v1.0`, `pullRequest:12`. */
  readonly byReference: Map<string, Built[]>;
  /** Of the commits that git tags are on. */
  readonly byCommit: Map<string, Built[]>;
  /** Those of which it is not known from which reference. */
  readonly unclear: Built[];
}

/** Every git repository that records name, with what was built from it; by commit, only for those in `commits`. */
export function listBuilt(places: Places, commits: ReadonlySet<string>): ReadonlyMap<string, SourceBuilt> {
  const found = new Map<string, SourceBuilt>();
  for (const { places: own } of places.homes) {
    for (const place of own.values()) {
      const seen = new Set<KnownBuild>();
      for (const { build } of place.records) {
        if (!build || seen.has(build)) continue;
        seen.add(build);
        for (const fact of build.facts) addBuilt(sourceOf(found, fact.source), place, fact, commits);
      }
    }
  }
  return found;
}

function addBuilt(of: SourceBuilt, { home, image }: Place, fact: BuildFact, commits: ReadonlySet<string>): void {
  const built = { digest: image.digest, home, commit: fact.commit, time: fact.finishedAt };
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
function keyOfReference({ ref, pullRequest }: BuildFact): string | undefined {
  if (pullRequest !== undefined) return `pullRequest:${pullRequest}`;
  const [, kind, name] = /^refs\/(heads|tags|pull)\/(.+)$/s.exec(ref) ?? [];
  if (kind === 'heads') return `branch:${name}`;
  if (kind === 'tags') return `tag:${name}`;
  const [, id] = /^(\d+)(?:\/|$)/.exec(name ?? '') ?? [];
  return id === undefined ? undefined : `pullRequest:${Number(id)}`;
}
