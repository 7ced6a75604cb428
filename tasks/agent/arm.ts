/** Azure Resource Manager by an Azure Resource Manager connection: its address, its identity, its subscription. */
import { type Arm, createArm } from '../../core/acr/arm.ts';
import { createEntraTokenSource } from '../../core/acr/entra.ts';
import type { Http } from '../../core/oci/http.ts';
import { readEntraIdentity } from './azure-identity.ts';
import { openEndpoint } from './endpoint.ts';
import { readAuthorities } from './proxy.ts';
import type { Connection } from './sign-in.ts';

/** An Azure Resource Manager connection of an input. */
export type AzureConnection = Extract<Connection, { kind: 'azureResourceManager' }>;

/** Opens it; nothing is sent yet. Throws `INPUT_INVALID` where this job has no such connection. */
export function openArm({ id, input }: AzureConnection, http: Http): Arm {
  const endpoint = openEndpoint(id, input);
  const entraToken = createEntraTokenSource(readEntraIdentity(endpoint, input, http), { ca: readAuthorities() });
  return createArm({ endpoint: endpoint.url, entraToken, http });
}

/** The subscription of a connection; undefined for one that is made for a management group alone. */
export function readSubscription({ id, input }: AzureConnection): string | undefined {
  return openEndpoint(id, input).data('SubscriptionId');
}
