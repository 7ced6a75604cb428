/** From the configuration to everything that one plan is made of: registries, organizations and clusters. */
import type { Configuration } from '../core/lifecycle/configuration/configuration.ts';
import { type ResolvedOrganization, resolveProjects } from '../core/lifecycle/configuration/resolve-projects.ts';
import type { Estate, EstateRegistry } from '../core/lifecycle/facts/estate.ts';
import { openClusters } from './clusters.ts';
import { type Opened, type OpenOptions, openConfigured } from './open.ts';

/** Everything that is configured, ready to be looked at. */
export interface ConnectedEstate {
  readonly configuration: Configuration;
  readonly organizations: readonly ResolvedOrganization[];
  /** What one run looks at, until the signal. */
  readonly open: (signal: AbortSignal) => Estate;
}

/**
 * Opens everything, and asks for the projects. Throws INPUT_INVALID, naming the key, where a secret or a project is missing,
 * and AZURE_DEVOPS_UNAVAILABLE where a project that is written by its name could not be looked up.
 */
export async function connectEstate(configuration: Configuration, options: OpenOptions): Promise<ConnectedEstate> {
  const opened = await openConfigured(configuration, options);
  const organizations = await resolveProjects(configuration, each => opened.organizationOf(each).azureDevOps);
  const { clock, log, secrets } = options;
  const registries = listRegistries(configuration, opened);
  return {
    configuration,
    organizations,
    open: signal => ({
      registries,
      organizations: organizations.map(each => ({
        name: each.url,
        projects: each.projects,
        ...opened.organizationOf(each),
      })),
      clusters: openClusters(configuration, { env: secrets.env, clock, log, signal }),
      clock,
      log,
      signal,
      onProgress: what => log.debug(what),
    }),
  };
}

function listRegistries({ registries }: Configuration, { registryOf }: Opened): EstateRegistry[] {
  return registries.map(each => ({
    name: each.name,
    registry: registryOf(each),
    repositories: each.repositories,
    reportsUsage: each.usage !== undefined,
    usageClusters: each.usage?.clusters,
  }));
}
