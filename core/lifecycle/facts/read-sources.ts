/** Reads what exists now in the git repositories that builds were made from, as far as the rules ask for it. */

import { getGitRepository } from '../../azure-devops/git-repository.ts';
import { mapConcurrently } from '../../base/concurrency.ts';
import type { Reading } from '../../base/reading.ts';
import type { GitHub } from '../../github/graphql.ts';
import { parseGitHubRepository, type RepositoryQuestion } from '../../github/pages.ts';
import type { BuildFact, SourceFacts } from '../keep-policy/policy-facts.ts';
import type { KeepPolicy, ReferenceRule } from '../keep-policy/policy-schema.ts';
import { azureWithSignal } from './azure-with-signal.ts';
import type { EstateOrganization } from './estate.ts';
import { parseAzureRepository } from './git-source.ts';
import type { ReadOptions } from './read-builds.ts';
import { readGitHubBranches, readGitHubPullRequests, readGitHubTags, readSomeGitHubBranches } from './read-github.ts';
import { readBranches, readOneBranch, readPullRequests, readTags, type SourceQuestion } from './read-references.ts';

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
    const readers = (await findInAzure(organizations, source, signal)) ?? findOnGitHub(gitHosts, source, signal);
    const found = readers && (await readSource(source, references, readers));
    done += 1;
    onProgress?.(`read ${done} of ${names.length} git repositories`, done / names.length);
    return found
      ? { facts: [found], unseen: tellUnread(found, readers) }
      : { facts: [], unseen: [tellElsewhere(source)] };
  });
  return { sources: read.flatMap(each => each.facts), unseen: read.flatMap(each => each.unseen) };
}

/** How each kind is read of one repository. */
interface SourceReaders {
  /** What to do where a right is missing; empty where the reasons say it. */
  readonly advice: string;
  readonly branches: (rules: readonly ReferenceRule[]) => Promise<SourceFacts['branches']>;
  /** One at least, where there is any; no more than a request. */
  readonly someBranches: (rules: readonly ReferenceRule[]) => Promise<SourceFacts['branches']>;
  readonly tags: (rules: readonly ReferenceRule[]) => Promise<SourceFacts['tags']>;
  readonly pullRequests: (rules: readonly ReferenceRule[]) => Promise<SourceFacts['pullRequests']>;
}

async function readSource(
  source: string,
  references: readonly ReferenceRule[],
  readers: SourceReaders,
): Promise<SourceFacts> {
  const ask = async <T>(
    kind: ReferenceRule['kind'],
    read: (rules: readonly ReferenceRule[]) => Promise<Reading<T>>,
  ): Promise<Reading<T>> => {
    const rules = references.filter(each => each.kind === kind);
    return rules.length === 0 ? { kind: 'unread', reason: notAsked } : read(rules);
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

/** Undefined where the repository is of none of these organizations. */
async function findInAzure(
  organizations: readonly EstateOrganization[],
  source: string,
  signal: AbortSignal | undefined,
): Promise<SourceReaders | undefined> {
  for (const { azureDevOps } of organizations) {
    const place = parseAzureRepository(source, azureDevOps.url);
    if (!place) continue;
    const ado = azureWithSignal(azureDevOps, signal);
    const found = await getGitRepository(ado, place.project, place.repository);
    const by =
      <T>(read: (question: SourceQuestion) => Promise<Reading<T>>) =>
      async (rules: readonly ReferenceRule[]): Promise<Reading<T>> =>
        found.kind === 'unknown'
          ? { kind: 'unread', reason: found.reason }
          : read({ ado, repository: found.repository, rules });
    return {
      advice: azureAdvice,
      branches: by(readBranches),
      someBranches: by(readOneBranch),
      tags: by(readTags),
      pullRequests: by(readPullRequests),
    };
  }
  return undefined;
}

const azureAdvice =
  " Where a right is missing: a job's own token reads the repositories that its pipeline names, and azureDevOpsConnection names an identity that sees more.";

/** Of several connections to one host the first that may read counts. Undefined where none is to the repository's host. */
function findOnGitHub(
  gitHosts: readonly GitHub[],
  source: string,
  signal: AbortSignal | undefined,
): SourceReaders | undefined {
  const questions = gitHosts.flatMap(gitHub => {
    const repository = parseGitHubRepository(source, gitHub);
    return repository ? [{ gitHub, repository, signal }] : [];
  });
  if (questions.length === 0) return undefined;
  const by =
    <T>(read: (question: RepositoryQuestion) => Promise<Reading<T>>) =>
    async (): Promise<Reading<T>> => {
      const reasons = new Set<string>();
      for (const question of questions) {
        const reading = await read(question);
        if (reading.kind === 'whole') return reading;
        reasons.add(reading.reason);
      }
      return { kind: 'unread', reason: [...reasons].join('; ') };
    };
  return {
    advice: '',
    branches: by(readGitHubBranches),
    someBranches: by(readSomeGitHubBranches),
    tags: by(readGitHubTags),
    pullRequests: by(readGitHubPullRequests),
  };
}

const notAsked = 'no rule is about them';

function tellUnread(
  { source, branches, tags, pullRequests }: SourceFacts,
  { advice }: Pick<SourceReaders, 'advice'>,
): string[] {
  const readings = Object.entries({ branches, tags, 'pull requests': pullRequests });
  const byReason = new Map<string, string[]>();
  for (const [name, reading] of readings) {
    if (reading.kind === 'whole' || reading.reason === notAsked) continue;
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
