/** From the configuration to what reconciliation works with, where no policy makes one plan of all: registry by registry. */
import { getCollectionId } from '../core/azure-devops/builds.ts';
import type { AzureDevOps } from '../core/azure-devops/connection.ts';
import { AppError, inputError } from '../core/base/errors.ts';
import type { Configuration } from '../core/lifecycle/configuration/configuration.ts';
import { listPairings, type Pairing } from '../core/lifecycle/configuration/pairings.ts';
import { resolveProjects } from '../core/lifecycle/configuration/resolve-projects.ts';
import type { ReconcileRequest } from '../core/lifecycle/reconcile.ts';
import type { Report } from '../core/lifecycle/report.ts';
import type { Rules } from '../core/lifecycle/rules.ts';
import type { Surroundings } from '../core/lifecycle/surroundings.ts';
import { type OpenOptions, openConfigured } from './open.ts';

/** The work itself, as core/lifecycle/reconcile.ts does it. */
export type Reconcile = (surroundings: Surroundings, rules: Rules, request: ReconcileRequest) => Promise<Report>;

/** What connecting needs beside the configuration. */
export interface ConnectOptions extends OpenOptions {
  readonly reconcile: Reconcile;
}

/** A registry and an organization that are ready to be reconciled. */
export interface ConnectedPairing extends Pairing {
  /** Rejects where the organization is not the collection that the configuration names. */
  readonly reconcile: (request: ReconcileRequest) => Promise<Report>;
}

/**
 * Connects every registry with every organization. Reads secrets; sends nothing yet, unless a project is written by its
 * name, which is looked up. Throws INPUT_INVALID, naming the key, where a secret or a project is missing.
 */
export async function connectPairings(
  configuration: Configuration,
  options: ConnectOptions,
): Promise<ConnectedPairing[]> {
  const { registryOf, organizationOf } = await openConfigured(configuration, options);
  // Nothing here needs the name of a project.
  const resolved = await resolveProjects(configuration, each => organizationOf(each).azureDevOps, { askNames: false });
  const { clock, log } = options;
  return listPairings(configuration, resolved).map(pairing => {
    const { azureDevOps } = organizationOf(pairing.organization);
    const surroundings = { registry: registryOf(pairing.registry), azureDevOps, clock, log };
    return {
      ...pairing,
      reconcile: async request => {
        await checkCollection(azureDevOps, pairing.organization.collectionId);
        return options.reconcile(surroundings, pairing.rules, request);
      },
    };
  });
}

async function checkCollection(azureDevOps: AzureDevOps, expected: string | undefined): Promise<void> {
  if (expected === undefined) return;
  const answer = await getCollectionId(azureDevOps);
  if (answer.kind === 'unknown') {
    throw new AppError(answer.reason, { code: 'AZURE_DEVOPS_UNAVAILABLE', retryable: true });
  }
  if (answer.id === expected) return;
  throw inputError(
    `${azureDevOps.url} is the collection ${answer.id}, and collectionId says ${expected}; nothing was changed.`,
  );
}
