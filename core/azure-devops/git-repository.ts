/**
 * A repository of Azure Repos, which everything about git is asked of by its id.
 * https://learn.microsoft.com/rest/api/azure/devops/git/repositories/get-repository
 */
import * as z from 'zod';
import { guid } from './build-body.ts';
import type { AzureDevOps, AzureDevOpsRequest } from './connection.ts';
import { nothing } from './pages.ts';
import { misunderstood, type Unknown, unknown } from './unknown.ts';

/** A repository; ids are lower-case. */
export interface GitRepository {
  readonly id: string;
  readonly name: string;
  readonly projectId: string;
}

/** What it takes to read anything of a repository. */
export const readRight = '"Read" on that repository, and a personal access token the scope vso.code';

const repositoryBody = z.object({
  id: guid,
  name: z.string().min(1),
  project: z.object({ id: guid, name: z.string() }),
});

/** Asks for a repository by its name or id in a project, by name or id. An answer about another one is `unknown`. */
export async function getGitRepository(
  ado: AzureDevOps,
  project: string,
  repository: string,
): Promise<{ readonly kind: 'found'; readonly repository: GitRepository } | Unknown> {
  const what = `the git repository ${repository} of project ${project}`;
  const path = [project, '_apis', 'git', 'repositories', repository];
  const answer = await ado.ask({ what, path, right: readRight });
  if (answer.kind !== 'ok') return unknown(what, answer);
  const body = repositoryBody.safeParse(answer.body);
  if (!body.success) return misunderstood(what, body.error);
  const found = body.data;
  if (!isNamed(found, repository) || !isNamed(found.project, project)) {
    return nothing(what, `the answer is about ${found.name} of ${found.project.name}; check the URL`);
  }
  return { kind: 'found', repository: { id: found.id, name: found.name, projectId: found.project.id } };
}

/** Names have no case in Azure DevOps. */
function isNamed({ id, name }: { readonly id: string; readonly name: string }, asked: string): boolean {
  return id === asked.toLowerCase() || name.toLowerCase() === asked.toLowerCase();
}

/** A question about something of a repository. */
export function askOf(
  { id, name, projectId }: GitRepository,
  thing: string,
  ...path: readonly string[]
): Pick<AzureDevOpsRequest, 'what' | 'path' | 'right'> {
  const what = `${thing} of the git repository ${name} of project ${projectId}`;
  return { what, path: [projectId, '_apis', 'git', 'repositories', id, ...path], right: readRight };
}
