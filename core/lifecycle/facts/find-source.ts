/** Finds who may be asked for a git repository: its organization of Azure DevOps, or the connections to its host. */

import { getGitRepository } from '../../azure-devops/git-repository.ts';
import type { Reading } from '../../base/reading.ts';
import type { GitHub } from '../../github/graphql.ts';
import { parseGitHubRepository, type RepositoryQuestion } from '../../github/pages.ts';
import type { SourceFacts } from '../keep-policy/policy-facts.ts';
import type { ReferenceRule } from '../keep-policy/policy-schema.ts';
import { azureWithSignal } from './azure-with-signal.ts';
import type { EstateOrganization } from './estate.ts';
import { parseAzureRepository } from './git-source.ts';
import { readGitHubBranches, readGitHubPullRequests, readGitHubTags, readSomeGitHubBranches } from './read-github.ts';
import { readBranches, readOneBranch, readPullRequests, readTags, type SourceQuestion } from './read-references.ts';

/** Who may be asked for a repository. */
export interface FoundSource {
  /** What to do where a right is missing; empty where the reasons say it. */
  readonly advice: string;
  /** One for each connection to its host, at least one. */
  readonly readers: readonly SourceReaders[];
}

/** How each kind is read of one repository, by one connection. Each rejects with the signal's reason alone. */
export interface SourceReaders {
  readonly branches: (rules: readonly ReferenceRule[]) => Promise<SourceFacts['branches']>;
  /** One at least, where there is any; no more than a request. */
  readonly someBranches: (rules: readonly ReferenceRule[]) => Promise<SourceFacts['branches']>;
  readonly tags: (rules: readonly ReferenceRule[]) => Promise<SourceFacts['tags']>;
  readonly pullRequests: (rules: readonly ReferenceRule[]) => Promise<SourceFacts['pullRequests']>;
}

/** Finds the repository at `source`, as `normalizeSource` has it; undefined where it is of none of these organizations. */
export async function findInAzure(
  organizations: readonly EstateOrganization[],
  source: string,
  signal: AbortSignal | undefined,
): Promise<FoundSource | undefined> {
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
    const readers = {
      branches: by(readBranches),
      someBranches: by(readOneBranch),
      tags: by(readTags),
      pullRequests: by(readPullRequests),
    };
    return { advice: azureAdvice, readers: [readers] };
  }
  return undefined;
}

const azureAdvice =
  " Where a right is missing: a job's own token reads the repositories that its pipeline names, and azureDevOpsConnection names an identity that sees more.";

/** The same for GitHub; undefined where no connection is to the host of `source`. */
export function findOnGitHub(
  gitHosts: readonly GitHub[],
  source: string,
  signal: AbortSignal | undefined,
): FoundSource | undefined {
  const readers = gitHosts.flatMap(gitHub => {
    const repository = parseGitHubRepository(source, gitHub);
    return repository ? [readersOf({ gitHub, repository, signal })] : [];
  });
  return readers.length === 0 ? undefined : { advice: '', readers };
}

function readersOf(question: RepositoryQuestion): SourceReaders {
  return {
    branches: () => readGitHubBranches(question),
    someBranches: () => readSomeGitHubBranches(question),
    tags: () => readGitHubTags(question),
    pullRequests: () => readGitHubPullRequests(question),
  };
}
