/** Reads what exists now in the git repositories that builds were made from, as far as the rules ask for it. */

import { mapConcurrently } from '../../base/concurrency.ts';
import type { Reading } from '../../base/reading.ts';
import type { GitHub } from '../../github/graphql.ts';
import type { BuildFact, SourceFacts } from '../keep-policy/policy-facts.ts';
import type { KeepPolicy, ReferenceRule } from '../keep-policy/policy-schema.ts';
import type { EstateOrganization } from './estate.ts';
import { type FoundSource, findInAzure, findOnGitHub, type SourceReaders } from './find-source.ts';
import type { ReadOptions } from './read-builds.ts';

/** What was read of all git repositories. */
export interface SourcesReading {
  /** Of Azure Repos, and of hosts that a connection is for: of what is not here, the plan keeps what rules could keep. */
  readonly sources: readonly SourceFacts[];
  /** What could not be seen, sentences for people. */
  readonly unseen: readonly string[];
}

/** What facts may be read with. */
export interface SourceOptions extends ReadOptions {
  /** Each is asked for the repositories of its own host. */
  readonly gitHosts?: readonly GitHub[] | undefined;
}

const repositoriesAtOnce = 4;

/**
 * Reads branches, tags and pull requests of each repository of these organizations that a build was made from; nothing
 * where no rule is about references. Rejects with the signal's reason alone; whatever fails is unread, with why.
 */
export async function readSourceFacts(
  organizations: readonly EstateOrganization[],
  builds: readonly BuildFact[],
  { references }: Pick<KeepPolicy, 'references'>,
  { gitHosts = [], signal, onProgress }: SourceOptions = {},
): Promise<SourcesReading> {
  if (references.length === 0) return { sources: [], unseen: [] };
  const names = [...new Set(builds.map(each => each.source))].filter(source => source !== '').sort();
  let done = 0;
  const read = await mapConcurrently(names, repositoriesAtOnce, async source => {
    const place = (await findInAzure(organizations, source, signal)) ?? findOnGitHub(gitHosts, source, signal);
    const found = place && (await readSource(source, references, place));
    done += 1;
    onProgress?.(`read ${done} of ${names.length} git repositories`, done / names.length);
    return found
      ? { facts: [found], unseen: tellUnread(found, place) }
      : { facts: [], unseen: [tellElsewhere(source)] };
  });
  return { sources: read.flatMap(each => each.facts), unseen: read.flatMap(each => each.unseen) };
}

const notAsked: Extract<Reading<never>, { kind: 'unread' }> = { kind: 'unread', reason: 'no rule is about them' };
const lists = { branch: 'branches', tag: 'tags', pullRequest: 'pullRequests' } as const;

/** Each connection is asked for what none before it showed: a list without entries may be all that a right shows. */
async function readSource(
  source: string,
  references: readonly ReferenceRule[],
  { readers }: Pick<FoundSource, 'readers'>,
): Promise<SourceFacts> {
  let found: SourceFacts = { source, branches: notAsked, tags: notAsked, pullRequests: notAsked };
  for (const each of readers) {
    const open = references.filter(({ kind }) => !showsAny(found[lists[kind]]));
    if (open.length === 0) break;
    const { branches, tags, pullRequests } = await readBy(source, open, each);
    found = {
      source,
      branches: choose(found.branches, branches),
      tags: choose(found.tags, tags),
      pullRequests: choose(found.pullRequests, pullRequests),
    };
  }
  return found;
}

function showsAny(reading: Reading<unknown>): boolean {
  return reading.kind === 'whole' && reading.items.length > 0;
}

/** What shows more; of two whole lists without entries the earlier one, and of two that are unread both reasons. */
function choose<T>(one: Reading<T>, other: Reading<T>): Reading<T> {
  if (other === notAsked) return one;
  if (one === notAsked || showsAny(other)) return other;
  if (one.kind === 'whole') return one;
  if (other.kind === 'whole') return other;
  return one.reason.includes(other.reason) ? one : { kind: 'unread', reason: `${one.reason}; ${other.reason}` };
}

/** What one connection shows. */
async function readBy(
  source: string,
  references: readonly ReferenceRule[],
  readers: SourceReaders,
): Promise<SourceFacts> {
  const ask = async <T>(
    kind: ReferenceRule['kind'],
    read: (rules: readonly ReferenceRule[]) => Promise<Reading<T>>,
  ): Promise<Reading<T>> => {
    const rules = references.filter(each => each.kind === kind);
    return rules.length === 0 ? notAsked : read(rules);
  };
  const branches = await ask('branch', readers.branches);
  // Lists of tags and pull requests tell nothing either where none is shown. That one is may be known where not all were read.
  const isEnough = branches.kind === 'whole' || references.every(each => each.kind === 'branch');
  const shown = demandBranch(isEnough ? branches : await readers.someBranches([]));
  const askShown: typeof ask = (kind, read) =>
    ask(kind, async rules => (shown.kind === 'unread' ? shown : read(rules)));
  return {
    source,
    branches: branches.kind === 'whole' ? shown : branches,
    tags: await askShown('tag', readers.tags),
    pullRequests: await askShown('pullRequest', readers.pullRequests),
  };
}

/** Something was built from it: without a branch it is another one of that name, or all that a missing right shows. */
function demandBranch(branches: SourceFacts['branches']): SourceFacts['branches'] {
  if (branches.kind === 'unread' || branches.items.length > 0) return branches;
  return { kind: 'unread', reason: 'it shows no branch at all, though builds were made from it' };
}

function tellUnread(
  { source, branches, tags, pullRequests }: SourceFacts,
  { advice }: Pick<FoundSource, 'advice'>,
): string[] {
  const readings = Object.entries({ branches, tags, 'pull requests': pullRequests });
  const byReason = new Map<string, string[]>();
  for (const [name, reading] of readings) {
    if (reading.kind === 'whole' || reading === notAsked) continue;
    byReason.set(reading.reason, [...(byReason.get(reading.reason) ?? []), name]);
  }
  return [...byReason].map(
    ([reason, names]) =>
      `Not seen: the ${names.join(', ')} of ${source}; what a rule about them could keep stays (${reason}).${advice}`,
  );
}

function tellElsewhere(source: string): string {
  return `Not seen: the branches, tags and pull requests of ${source}, which is in none of the organizations, and on no host that a connection is for; what a rule about them could keep stays.`;
}
