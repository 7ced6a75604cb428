/** Which projects a configuration means: one that is written by its name is asked for its id, which is what builds say. */
import { getProject, getProjectByName } from '../../azure-devops/builds.ts';
import type { AzureDevOps } from '../../azure-devops/connection.ts';
import { AppError, inputError } from '../../base/errors.ts';
import type { Configuration } from './configuration.ts';
import type { OrganizationConfiguration, ProjectConfiguration } from './organization-schema.ts';
import { pathOfOrganization, showPath } from './written-path.ts';

/** A project that is known. */
export interface ResolvedProject {
  /** Lower-case GUID. */
  readonly id: string;
  /** As Azure DevOps calls it; the id where that was not asked, or could not be read. */
  readonly name: string;
  readonly repositories: readonly string[];
}

/** An organization whose projects are known. */
export interface ResolvedOrganization extends Omit<OrganizationConfiguration, 'projects'> {
  readonly projects: readonly ResolvedProject[];
}

/** How much to ask. */
export interface ResolveOptions {
  /** Whether projects that are written by their ids are asked for their names; true where it is left out. */
  readonly askNames?: boolean;
}

/**
 * Asks each organization for the projects of the configuration. Throws, naming the key, INPUT_INVALID where there is no
 * project of a name, or two keys mean one project, and AZURE_DEVOPS_UNAVAILABLE where that could not be read.
 */
export async function resolveProjects(
  configuration: Configuration,
  ask: (organization: OrganizationConfiguration) => AzureDevOps,
  { askNames = true }: ResolveOptions = {},
): Promise<ResolvedOrganization[]> {
  const owners = new Map<string, string>();
  const resolved: ResolvedOrganization[] = [];
  for (const [at, organization] of configuration.organizations.entries()) {
    const projects: ResolvedProject[] = [];
    for (const [index, project] of organization.projects.entries()) {
      const key = showPath(pathOfOrganization(configuration.isShort, at, 'projects', index));
      const found = await resolveProject(project, key, { azureDevOps: ask(organization), askNames });
      const owner = owners.get(found.id);
      if (owner !== undefined) throw inputError(`${key} names the same project as ${owner}: ${found.id}. Remove one.`);
      owners.set(found.id, key);
      projects.push(found);
    }
    resolved.push({ ...organization, projects });
  }
  return resolved;
}

interface Asking {
  readonly azureDevOps: AzureDevOps;
  readonly askNames: boolean;
}

async function resolveProject(
  { id, name = '', repositories }: ProjectConfiguration,
  key: string,
  { azureDevOps, askNames }: Asking,
): Promise<ResolvedProject> {
  if (id !== undefined) {
    const answer = askNames ? await getProject(azureDevOps, id) : undefined;
    return { id, name: answer?.kind === 'readable' ? answer.name : id, repositories };
  }
  const answer = await getProjectByName(azureDevOps, name);
  if (answer.kind === 'readable') return { id: answer.id, name: answer.name, repositories };
  if (answer.kind === 'unknown') {
    throw new AppError(`${key} could not be looked up: ${answer.reason}.`, {
      code: 'AZURE_DEVOPS_UNAVAILABLE',
      retryable: true,
    });
  }
  throw inputError(
    `${key}: ${azureDevOps.url} has no project ${name} that this sign-in may see. Correct the name, or give the identity the right to view the project: a job's own token often sees its own project only.`,
  );
}
