/** From the configuration to what reconciliation works with: registries, organizations and who we are to them. */
import { createEntraTokenSource, type EntraTokenSource } from '../core/acr/entra.ts';
import { createAcrCredentials } from '../core/acr/sign-in.ts';
import { getCollectionId } from '../core/azure-devops/builds.ts';
import { type AzureDevOps, connectAzureDevOps } from '../core/azure-devops/connection.ts';
import type { AzureDevOpsToken } from '../core/azure-devops/http.ts';
import type { Clock } from '../core/base/clock.ts';
import { AppError, inputError } from '../core/base/errors.ts';
import type { Logger } from '../core/base/log.ts';
import {
  type AzureSignIn,
  type Configuration,
  listPairings,
  type OrganizationConfiguration,
  type Pairing,
  type RegistryConfiguration,
} from '../core/lifecycle/configuration/configuration.ts';
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

/** The application id of Azure DevOps in Entra, the same in every tenant. */
const azureDevOpsAudience = '499b84ac-1321-427f-aa17-267ca6975798';

/**
 * Connects every registry with every organization. Reads secrets, sends nothing yet.
 * Throws INPUT_INVALID, naming the key, where a secret is missing.
 */
export async function connectPairings(
  configuration: Configuration,
  options: ConnectOptions,
): Promise<ConnectedPairing[]> {
  const http = createHttp({ clock: options.clock, log: options.log });
  const registries = new Map<RegistryConfiguration, Registry>();
  for (const [index, one] of configuration.registries.entries()) {
    const credentials = await createCredentials(one, `registries[${index}]`, { http, secrets: options.secrets });
    registries.set(one, openRegistry({ address: one.registry, credentials, http }));
  }
  const organizations = new Map<OrganizationConfiguration, AzureDevOps>();
  for (const [index, one] of configuration.organizations.entries()) {
    const token = await createToken(one, `organizations[${index}]`, options.secrets);
    organizations.set(one, connectAzureDevOps({ url: one.url, token, clock: options.clock, log: options.log }));
  }
  return listPairings(configuration).map(pairing => {
    const registry = registries.get(pairing.registry);
    const azureDevOps = organizations.get(pairing.organization);
    if (!registry || !azureDevOps) throw new AppError('A pairing is of nothing configured.', { code: 'DEFECT' });
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

async function createCredentials(
  { registry, signIn }: RegistryConfiguration,
  key: string,
  { http, secrets }: { readonly http: Http; readonly secrets: SecretSource },
): Promise<Credentials> {
  if (signIn.kind === 'password') {
    const password = await readSecret(signIn.password, `${key}.signIn.password`, secrets);
    return { kind: 'password', username: signIn.username, password };
  }
  const { tenantId } = signIn;
  return createAcrCredentials({ host: registry, tenantId, entraToken: createTokenSource(signIn, secrets), http });
}

async function createToken(
  { signIn }: OrganizationConfiguration,
  key: string,
  secrets: SecretSource,
): Promise<() => Promise<AzureDevOpsToken>> {
  if (signIn.kind === 'azure') {
    const entraToken = createTokenSource(signIn, secrets);
    return async () => ({ kind: 'bearer', value: await entraToken(azureDevOpsAudience) });
  }
  const read = (): Promise<string> => readSecret(signIn.token, `${key}.signIn.token`, secrets);
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
