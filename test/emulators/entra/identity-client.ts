/** A process that signs in with the real @azure/identity: reads a request from its first argument, prints what came. */
import {
  AzurePipelinesCredential,
  ClientAssertionCredential,
  ClientSecretCredential,
  type TokenCredential,
} from '@azure/identity';

/** How to sign in: with a secret, with an assertion, or as a job of Azure Pipelines through SYSTEM_OIDCREQUESTURI. */
export interface SignInRequest {
  readonly authorityHost: string;
  readonly tenantId: string;
  readonly clientId: string;
  readonly scope: string;
  readonly secret?: string;
  readonly assertion?: string;
  readonly serviceConnectionId?: string;
  readonly systemAccessToken?: string;
}

/** What came: a token, or the message of the error. */
export interface SignInResult {
  readonly token?: string;
  readonly expiresOn?: number;
  readonly error?: string;
}

function createCredential(request: SignInRequest): TokenCredential {
  const { authorityHost, tenantId, clientId, secret, assertion } = request;
  const options = { authorityHost, disableInstanceDiscovery: true, retryOptions: { maxRetries: 0 } };
  if (secret !== undefined) return new ClientSecretCredential(tenantId, clientId, secret, options);
  if (assertion !== undefined) return new ClientAssertionCredential(tenantId, clientId, async () => assertion, options);
  const { serviceConnectionId = '', systemAccessToken = '' } = request;
  return new AzurePipelinesCredential(tenantId, clientId, serviceConnectionId, systemAccessToken, options);
}

async function signIn(request: SignInRequest): Promise<SignInResult> {
  try {
    const token = await createCredential(request).getToken(request.scope);
    return token === null ? { error: 'no token' } : { token: token.token, expiresOn: token.expiresOnTimestamp };
  } catch (error) {
    return { error: (error as Error).message };
  }
}

const requests = JSON.parse(process.argv[2] ?? '[]') as SignInRequest[];
const results: SignInResult[] = [];
for (const request of requests) results.push(await signIn(request));
process.stdout.write(JSON.stringify(results));
