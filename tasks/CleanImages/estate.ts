/** What is looked at, as core's readers take it. */
import { systemClock } from '../../core/base/clock.ts';
import { AppError } from '../../core/base/errors.ts';
import { type ResolvedOrganization, resolveProjects } from '../../core/lifecycle/configuration/resolve-projects.ts';
import type { Estate, EstateRegistry } from '../../core/lifecycle/facts/estate.ts';
import type { Organization } from '../agent/azure-devops.ts';
import { agentLog } from '../agent/log.ts';
import type { Job } from './prepare.ts';
import { chooseConnection, type RegistryCandidates } from './registries.ts';

/** The estate, and the organizations of its configuration with their projects. */
export interface OpenedEstate {
  readonly estate: Estate;
  readonly organizations: readonly ResolvedOrganization[];
}

/**
 * Signs in where there is a choice, and asks for the projects. Throws `INPUT_INVALID` where a project is not there, and
 * `AZURE_DEVOPS_UNAVAILABLE` where that could not be read.
 */
export async function openEstate(job: Job, onProgress: NonNullable<Estate['onProgress']>): Promise<OpenedEstate> {
  const organizations = await resolveProjects(job.configuration, each => connectedTo(job, each.url).azureDevOps);
  const registries = await Promise.all(job.registries.map(openRegistry));
  const estate: Estate = {
    registries,
    organizations: organizations.map(({ url, projects }) => ({ name: url, projects, ...connectedTo(job, url) })),
    clusters: job.clusters,
    gitHosts: job.gitHosts,
    clock: systemClock,
    log: agentLog,
    onProgress,
  };
  return { estate, organizations };
}

async function openRegistry(candidates: RegistryCandidates): Promise<EstateRegistry> {
  const { name, repositories, usage } = candidates.registry;
  const registry = await chooseConnection(candidates);
  return { name, repositories, registry, reportsUsage: usage !== undefined, usageClusters: usage?.clusters };
}

function connectedTo({ organizations }: Job, url: string): Organization {
  const found = organizations.get(url);
  if (found) return found;
  throw new AppError(`No connection was opened for ${url}.`, { code: 'DEFECT' });
}
