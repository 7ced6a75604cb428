/** Reads what exists now in the git repositories that builds were made from, as far as the rules ask for it. */

import { getGitRepository } from '../../azure-devops/git-repository.ts';
import { mapConcurrently } from '../../base/concurrency.ts';
import type { Reading } from '../../base/reading.ts';
import type { BuildFact, SourceFacts } from '../keep-policy/policy-facts.ts';
import type { KeepPolicy, ReferenceRule } from '../keep-policy/policy-schema.ts';
import { azureWithSignal } from './azure-with-signal.ts';
import type { EstateOrganization } from './estate.ts';
import { parseAzureRepository } from './git-source.ts';
import type { ReadOptions } from './read-builds.ts';
import { readBranches, readPullRequests, readTags, type SourceQuestion } from './read-references.ts';

/** What was read of all git repositories. */
export interface SourcesReading {
  /** Of Azure Repos alone: of what is not here, the plan keeps what rules could keep. */
  readonly sources: readonly SourceFacts[];
  /** What could not be seen, sentences for people. */
  readonly unseen: readonly string[];
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
  { signal, onProgress }: ReadOptions = {},
): Promise<SourcesReading> {
  if (references.length === 0) return { sources: [], unseen: [] };
  const names = [...new Set(builds.map(each => each.source))].filter(source => source !== '').sort();
  let done = 0;
  const read = await mapConcurrently(names, repositoriesAtOnce, async source => {
    const found = await readSource(organizations, source, references, signal);
    done += 1;
    onProgress?.(`read ${done} of ${names.length} git repositories`, done / names.length);
    return found ? { facts: [found], unseen: tellUnread(found) } : { facts: [], unseen: [tellElsewhere(source)] };
  });
  return { sources: read.flatMap(each => each.facts), unseen: read.flatMap(each => each.unseen) };
}

/** Undefined where the repository is of none of these organizations. */
async function readSource(
  organizations: readonly EstateOrganization[],
  source: string,
  references: readonly ReferenceRule[],
  signal: AbortSignal | undefined,
): Promise<SourceFacts | undefined> {
  for (const { azureDevOps } of organizations) {
    const place = parseAzureRepository(source, azureDevOps.url);
    if (!place) continue;
    const ado = azureWithSignal(azureDevOps, signal);
    const found = await getGitRepository(ado, place.project, place.repository);
    const ask = <T>(
      kind: ReferenceRule['kind'],
      read: (question: SourceQuestion) => Promise<Reading<T>>,
    ): Promise<Reading<T>> | Reading<T> => {
      const rules = references.filter(each => each.kind === kind);
      if (rules.length === 0) return { kind: 'unread', reason: notAsked };
      if (found.kind === 'unknown') return { kind: 'unread', reason: found.reason };
      return read({ ado, repository: found.repository, rules });
    };
    return {
      source,
      branches: await ask('branch', readBranches),
      tags: await ask('tag', readTags),
      pullRequests: await ask('pullRequest', readPullRequests),
    };
  }
  return undefined;
}

const notAsked = 'no rule is about them';

function tellUnread({ source, branches, tags, pullRequests }: SourceFacts): string[] {
  const readings = Object.entries({ branches, tags, 'pull requests': pullRequests });
  const byReason = new Map<string, string[]>();
  for (const [name, reading] of readings) {
    if (reading.kind === 'whole' || reading.reason === notAsked) continue;
    byReason.set(reading.reason, [...(byReason.get(reading.reason) ?? []), name]);
  }
  return [...byReason].map(
    ([reason, names]) =>
      `Not seen: the ${names.join(', ')} of ${source}; what a rule about them could keep stays (${reason}). Where a right is missing: a job's own token reads the repositories that its pipeline names, and azureDevOpsConnection names an identity that sees more.`,
  );
}

function tellElsewhere(source: string): string {
  return `Not seen: the branches, tags and pull requests of ${source}, which is in none of the organizations; what a rule about them could keep stays.`;
}
