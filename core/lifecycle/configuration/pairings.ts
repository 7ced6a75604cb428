/** What is reconciled with what. Pure. */
import { defaultRules, type Rules } from '../rules.ts';
import type { Configuration } from './configuration.ts';
import type { RegistryConfiguration } from './registry-schema.ts';
import type { ResolvedOrganization } from './resolve-projects.ts';

/** What one reconciliation is about. */
export interface Pairing {
  readonly registry: RegistryConfiguration;
  readonly organization: ResolvedOrganization;
  readonly rules: Rules;
}

/** Every registry with every organization, each with its rules. */
export function listPairings(configuration: Configuration, organizations: readonly ResolvedOrganization[]): Pairing[] {
  return configuration.registries.flatMap(registry =>
    organizations.map(organization => ({
      registry,
      organization,
      rules: {
        projects: organization.projects.map(({ id, repositories }) => ({ projectId: id, repositories })),
        buildTagPrefix: organization.buildTagPrefix,
        alsoOwn: organization.alsoOwn,
        onBuildDeleted: registry.onBuildDeleted ?? defaultRules.onBuildDeleted,
        promoted: registry.onBuildDeleted ?? defaultRules.promoted,
        graceMs: configuration.grace,
        brake: configuration.brake,
      },
    })),
  );
}
