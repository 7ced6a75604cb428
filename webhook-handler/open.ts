/** Opens the registries and organizations of a configuration, by the sign-ins that stand in it. */
import { createEntraTokenSource, type EntraTokenSource } from '../core/acr/entra.ts';
import { createAcrCredentials } from '../core/acr/sign-in.ts';
import { type AzureDevOps, azureDevOpsAudience, connectAzureDevOps } from '../core/azure-devops/connection.ts';
import type { AzureDevOpsToken } from '../core/azure-devops/http.ts';
import { releasesUrlOf } from '../core/azure-devops/organization-url.ts';
import type { Clock } from '../core/base/clock.ts';
import { AppError } from '../core/base/errors.ts';
import type { Logger } from '../core/base/log.ts';
import type { Configuration } from '../core/lifecycle/configuration/configuration.ts';
import type { OrganizationConfiguration } from '../core/lifecycle/configuration/organization-schema.ts';
import type { RegistryConfiguration } from '../core/lifecycle/configuration/registry-schema.ts';
import type { AzureSignIn } from '../core/lifecycle/configuration/sign-in.ts';
import type { Credentials } from '../core/oci/credentials.ts';
import { createHttp, type Http } from '../core/oci/http.ts';
import { openRegistry, type Registry } from '../core/oci/registry.ts';
import { readSecret, type SecretSource } from './secrets.ts';

/** What opening needs beside the configuration. */
export interface OpenOptions {
  readonly secrets: SecretSource;
  readonly clock: Clock;
  readonly log: Logger;
  /** How registries are reached; as everything else unless told. */
  readonly http?: Http | undefined;
}

/** An organization, and the host of its classic releases. */
export interface OpenedOrganization {
  readonly azureDevOps: AzureDevOps;
  readonly releases: AzureDevOps;
}

/** What a configuration names, opened. */
export interface Opened {
  readonly registryOf: (registry: RegistryConfiguration) => Registry;
  readonly organizationOf: (organization: Pick<OrganizationConfiguration, 'url'>) => OpenedOrganization;
}

/** Opens everything. Reads secrets; sends nothing. Throws INPUT_INVALID, naming the key, where a secret is missing. */
export async function openConfigured(configuration: Configuration, options: OpenOptions): Promise<Opened> {
  const { secrets, clock, log, http = createHttp({ clock, log }) } = options;
  const registries = new Map<RegistryConfiguration, Registry>();
  for (const [index, one] of configuration.registries.entries()) {
    const credentials = await createCredentials(one, `registries[${index}]`, { http, secrets });
    registries.set(one, openRegistry({ address: one.url, credentials, http }));
  }
  const organizations = new Map<string, OpenedOrganization>();
  for (const [index, one] of configuration.organizations.entries()) {
    const token = await createToken(one, `organizations[${index}]`, secrets);
    const connect = (url: string): AzureDevOps => connectAzureDevOps({ url, token, clock, log });
    organizations.set(one.url, { azureDevOps: connect(one.url), releases: connect(releasesUrlOf(one.url)) });
  }
  return {
    registryOf: registry => found(registries.get(registry)),
    organizationOf: ({ url }) => found(organizations.get(url)),
  };
}

/** Checked before: config.ts demands every `signIn`, and what is opened is what is configured. */
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
