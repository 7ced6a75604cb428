/** From the configuration to what reconciliation works with: registries, organizations and who we are to them. */
import { createEntraTokenSource, type EntraTokenSource } from '../core/acr/entra.ts';
import { createAcrCredentials } from '../core/acr/sign-in.ts';
import { getCollectionId } from '../core/azure-devops/builds.ts';
import { type AzureDevOps, azureDevOpsAudience, connectAzureDevOps } from '../core/azure-devops/connection.ts';
import type { AzureDevOpsToken } from '../core/azure-devops/http.ts';
import type { Clock } from '../core/base/clock.ts';
import { AppError, inputError } from '../core/base/errors.ts';
import type { Logger } from '../core/base/log.ts';
import type { Configuration } from '../core/lifecycle/configuration/configuration.ts';
import type { OrganizationConfiguration } from '../core/lifecycle/configuration/organization-schema.ts';
import { listPairings, type Pairing } from '../core/lifecycle/configuration/pairings.ts';
import type { RegistryConfiguration } from '../core/lifecycle/configuration/registry-schema.ts';
import { resolveProjects } from '../core/lifecycle/configuration/resolve-projects.ts';
import type { AzureSignIn } from '../core/lifecycle/configuration/sign-in.ts';
import type { ReconcileRequest } from '../core/lifecycle/reconcile.ts';
import type { Report } from '../core/lifecycle/report.ts';
import type { Rules } from '../core/lifecycle/rules.ts';
import type { Surroundings } from '../core/lifecycle/surroundings.ts';
import type { Credentials } from '../core/oci/credentials.ts';
import { createHttp, type Http } from '../core/oci/http.ts';
import { openRegistry, type Registry } from '../core/oci/registry.ts';
import { readSecret, type SecretSource } from './secrets.ts';

/** The work itself, as core/lifecycle/reconcile.ts does it. */
export type Reconcile = (surroundings: Surroundings, rules: Rules, request: ReconcileRequest) => Promise<Report>;

/** What connecting needs beside the configuration. */
export interface ConnectOptions {
  readonly secrets: SecretSource;
  readonly reconcile: Reconcile;
  readonly clock: Clock;
  readonly log: Logger;
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
  const http = createHttp({ clock: options.clock, log: options.log });
  const registries = new Map<RegistryConfiguration, Registry>();
  for (const [index, one] of configuration.registries.entries()) {
    const credentials = await createCredentials(one, `registries[${index}]`, { http, secrets: options.secrets });
    registries.set(one, openRegistry({ address: one.url, credentials, http }));
  }
  const organizations = new Map<string, AzureDevOps>();
  for (const [index, one] of configuration.organizations.entries()) {
    const token = await createToken(one, `organizations[${index}]`, options.secrets);
    organizations.set(one.url, connectAzureDevOps({ url: one.url, token, clock: options.clock, log: options.log }));
  }
  const ask = ({ url }: { readonly url: string }): AzureDevOps => found(organizations.get(url));
  // Nothing here needs the name of a project.
  const resolved = await resolveProjects(configuration, ask, { askNames: false });
  return listPairings(configuration, resolved).map(pairing => {
    const registry = found(registries.get(pairing.registry));
    const azureDevOps = ask(pairing.organization);
    const surroundings = { registry, azureDevOps, clock: options.clock, log: options.log };
    return {
      ...pairing,
      reconcile: async request => {
        await checkCollection(azureDevOps, pairing.organization.collectionId);
        return options.reconcile(surroundings, pairing.rules, request);
      },
    };
  });
}

/** Checked before: config.ts demands every `signIn`, and what is connected is what is configured. */
function found<T>(value: T | undefined): T {
  if (value === undefined) throw new AppError('Something that was not configured was asked for.', { code: 'DEFECT' });
  return value;
}

async function createCredentials(
  { url, signIn }: RegistryConfiguration,
  key: string,
  { http, secrets }: { readonly http: Http; readonly secrets: SecretSource },
): Promise<Credentials> {
  const way = found(signIn);
  if (way.kind === 'password') {
    const password = await readSecret(way.password, `${key}.signIn.password`, secrets);
    return { kind: 'password', username: way.username, password };
  }
  const { tenantId } = way;
  return createAcrCredentials({ host: url, tenantId, entraToken: createTokenSource(way, secrets), http });
}

async function createToken(
  { signIn }: OrganizationConfiguration,
  key: string,
  secrets: SecretSource,
): Promise<() => Promise<AzureDevOpsToken>> {
  const way = found(signIn);
  if (way.kind === 'azure') {
    const entraToken = createTokenSource(way, secrets);
    return async () => ({ kind: 'bearer', value: await entraToken(azureDevOpsAudience) });
  }
  const read = (): Promise<string> => readSecret(way.token, `${key}.signIn.token`, secrets);
  // A token that is missing shows at start; later it is read anew each time, because a mounted file may be renewed.
  await read();
  return async () => ({ kind: 'pat', value: await read() });
}

/** The environment names the cloud as `@azure/identity` reads it; only an authority that we pass on may be private. */
function createTokenSource({ clientId, authority }: AzureSignIn, { env }: SecretSource): EntraTokenSource {
  return createEntraTokenSource({ kind: 'default', clientId, authority: authority ?? env['AZURE_AUTHORITY_HOST'] });
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
