/** Who a service connection is to Microsoft Entra. */

import type { EntraIdentity } from '../../core/acr/entra.ts';
import { inputError } from '../../core/base/errors.ts';
import type { Http } from '../../core/oci/http.ts';
import type { Endpoint } from './endpoint.ts';
import { requestOidcToken } from './oidc.ts';

/** Reads the identity of `endpoint`, which `input` names. Throws `INPUT_INVALID` for a scheme that we cannot sign in with. */
export function readEntraIdentity(endpoint: Endpoint, input: string, http: Http): EntraIdentity {
  const about = `The input ${input}: its service connection`;
  const need = (name: string, value: string | undefined): string => {
    if (value) return value;
    throw inputError(`${about} has no ${name}. Edit and save the connection, then run again.`);
  };
  if (endpoint.scheme === 'managedserviceidentity') {
    return { kind: 'managedIdentity', clientId: endpoint.data('msiClientId') };
  }
  const common = () => ({
    tenantId: need('tenant', endpoint.parameter('tenantId')),
    clientId: need('service principal', endpoint.parameter('servicePrincipalId')),
    authority: readAuthority(endpoint),
  });
  if (endpoint.scheme === 'workloadidentityfederation') {
    return { kind: 'federated', ...common(), assertion: () => requestOidcToken(endpoint.id, http) };
  }
  // Connections of the first days have no scheme, and are service principals.
  if (endpoint.scheme === 'serviceprincipal' || endpoint.scheme === '') {
    return endpoint.parameter('authenticationType')?.toLowerCase() === 'spncertificate'
      ? { kind: 'certificate', ...common(), pem: need('certificate', endpoint.secret('servicePrincipalCertificate')) }
      : { kind: 'secret', ...common(), secret: need('service principal key', endpoint.secret('servicePrincipalKey')) };
  }
  throw inputError(
    `${about} signs in with "${endpoint.scheme}". Use one with workload identity federation, a service principal or a managed identity.`,
  );
}

/** Sovereign clouds and Azure Stack say where to sign in; the public cloud's old name for it is the library's default. */
function readAuthority(endpoint: Endpoint): string | undefined {
  const authority = endpoint.data('activeDirectoryAuthority') ?? endpoint.data('environmentAuthorityUrl');
  if (!authority || !URL.canParse(authority)) return undefined;
  const { origin, hostname } = new URL(authority);
  return hostname === 'login.windows.net' ? undefined : origin;
}
