/** What a keep plan needs to know of a configuration. Pure. */
import type { PlanRules } from '../keep-policy/policy-facts.ts';
import type { Configuration } from './configuration.ts';
import type { ResolvedOrganization } from './resolve-projects.ts';

/**
 * Gives the rules of a plan. An organization goes by its URL, and what runs by the name of the cluster that is asked, or
 * of the registry that clusters report into, however many do: each of their reports must be fresh.
 */
export function toPlanRules(configuration: Configuration, organizations: readonly ResolvedOrganization[]): PlanRules {
  const { registries, clusters } = configuration;
  return {
    keep: configuration.keep,
    delete: configuration.delete,
    registries: registries.map(({ name, onBuildDeleted }) => ({ name, onBuildDeleted })),
    organizations: organizations.map(({ url, buildTagPrefix, alsoOwn, projects }) => ({
      name: url,
      buildTagPrefix,
      alsoOwn,
      projects: projects.map(({ name, repositories }) => ({ name, repositories })),
    })),
    usage: [
      ...clusters.map(({ name }) => ({ name })),
      ...registries.flatMap(({ name, usage }) => (usage ? [{ name, maxAge: usage.maxAge }] : [])),
    ],
  };
}
