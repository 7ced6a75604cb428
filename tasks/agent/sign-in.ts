/** From what the user chose to a registry that we can sign in to. */
import { createEntraTokenSource } from '../../core/acr/entra.ts';
import { createAcrCredentials } from '../../core/acr/sign-in.ts';
import { inputError, withContext } from '../../core/base/errors.ts';
import type { Credentials } from '../../core/oci/credentials.ts';
import type { Http } from '../../core/oci/http.ts';
import { isRegistryHost } from '../../core/oci/reference.ts';
import { readEntraIdentity } from './azure-identity.ts';
import { readDockerConfig } from './docker-config.ts';
import { type Endpoint, openEndpoint } from './endpoint.ts';
import { readAuthorities } from './proxy.ts';

/** How the user wants to sign in. `registry` is a {@link readRegistryAddress}; `input` names a connection's input. */
export type Connection =
  | { readonly kind: 'azureResourceManager'; readonly id: string; readonly input: string; readonly registry: string }
  | { readonly kind: 'dockerRegistry'; readonly id: string; readonly input: string }
  | { readonly kind: 'dockerConfig'; readonly registry: string };

/** What `openRegistry` needs. */
export interface RegistrySignIn {
  /** Host with an optional port; `http://` in front for a registry on this machine. */
  readonly address: string;
  readonly credentials: Credentials;
}

/** Reads what is needed to sign in; nothing is sent yet. Throws `INPUT_INVALID` or `SIGN_IN_FAILED`. */
export async function readSignIn(connection: Connection, http: Http): Promise<RegistrySignIn> {
  if (connection.kind === 'dockerConfig') {
    return { address: connection.registry, credentials: await readDockerConfig(hostOf(connection.registry)) };
  }
  const { id, input } = connection;
  const endpoint = openEndpoint(id, input);
  if (connection.kind === 'azureResourceManager') {
    return { address: connection.registry, credentials: readEntraCredentials(endpoint, connection, http) };
  }
  const isAzure = endpoint.data('registrytype')?.toUpperCase() === 'ACR';
  const named = isAzure ? endpoint.parameter('loginServer') : (endpoint.parameter('registry') ?? endpoint.url);
  const registry = readRegistryAddress(named ?? '', `${input} (its registry)`);
  if (isAzure && endpoint.scheme !== 'serviceprincipal' && endpoint.scheme !== '') {
    return { address: registry, credentials: readEntraCredentials(endpoint, { input, registry }, http) };
  }
  return { address: registry, credentials: readPassword(endpoint, input, isAzure) };
}

/** Reads a login server such as `contoso.azurecr.io`, or `http://localhost:5000`. Throws `INPUT_INVALID`, naming `input`. */
export function readRegistryAddress(text: string, input: string): string {
  const [, scheme = '', host = ''] = /^(https?:\/\/)?([^/]*)/.exec(text) ?? [];
  const named = host.includes('.') || host.includes(':') || host === 'localhost';
  if (named && isRegistryHost(host)) return `${scheme === 'http://' ? scheme : ''}${host.toLowerCase()}`;
  throw inputError(
    `The input ${input} is "${text.slice(0, 200)}"; it must be the login server of a registry, such as contoso.azurecr.io.`,
  );
}

/** The host of an address, without its scheme. */
export function hostOf(address: string): string {
  return address.replace(/^http:\/\//, '');
}

function readEntraCredentials(
  endpoint: Endpoint,
  { input, registry }: { input: string; registry: string },
  http: Http,
): Credentials {
  const identity = readEntraIdentity(endpoint, input, http);
  const entraToken = createEntraTokenSource(identity, { ca: readAuthorities() });
  return createAcrCredentials({
    host: hostOf(registry),
    tenantId: 'tenantId' in identity ? identity.tenantId : endpoint.parameter('tenantId'),
    // A step may have several connections.
    entraToken: audience =>
      entraToken(audience).catch((cause: unknown) => {
        throw withContext(`The input ${input}`, cause);
      }),
    http,
  });
}

/** Azure takes a service principal as user and password. No sign-in at all is for registries that ask for none. */
function readPassword(endpoint: Endpoint, input: string, isAzure: boolean): Credentials {
  const username = endpoint.parameter(isAzure ? 'servicePrincipalId' : 'username');
  const password = endpoint.secret(isAzure ? 'servicePrincipalKey' : 'password');
  if (username && password) return { kind: 'password', username, password };
  if (!username && !password && !isAzure) return { kind: 'anonymous' };
  throw inputError(`The input ${input}: its service connection lacks the user or the password.`);
}
