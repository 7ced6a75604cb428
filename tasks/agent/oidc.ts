/**
 * The token by which Azure DevOps vouches for a service connection (workload identity federation).
 * https://learn.microsoft.com/rest/api/azure/devops/distributedtask/oidctoken/create
 * `AzurePipelinesCredential` asks for it too, but puts the whole exchange, tokens included, into its error messages.
 */

import { z } from 'zod';
import { AppError, withContext } from '../../core/base/errors.ts';
import { parseJson } from '../../core/base/json.ts';
import type { Http } from '../../core/oci/http.ts';
import { readSystemAccessToken } from './endpoint.ts';
import { keepSecret } from './secrets.ts';
import { readVariable } from './variables.ts';

const tokenAnswer = z.object({ oidcToken: z.string().min(1) });

/** Asks for a token for the connection of that id. Throws `SIGN_IN_FAILED`. */
export async function requestOidcToken(connectionId: string, http: Http): Promise<string> {
  const uri = readVariable('System.OidcRequestUri');
  const accessToken = readSystemAccessToken();
  if (!uri || !URL.canParse(uri) || !accessToken) {
    throw failed('The agent offers no token for a federated service connection (System.OidcRequestUri); update it.');
  }
  const url = new URL(uri);
  url.searchParams.set('api-version', '7.1');
  url.searchParams.set('serviceConnectionId', connectionId);
  const answer = await http
    .exchange({
      method: 'POST',
      url,
      authorization: `Bearer ${accessToken}`,
      // Else a refused token is answered with a redirect to a sign-in page.
      headers: { 'content-type': 'application/json', accept: 'application/json', 'x-tfs-fedauthredirect': 'Suppress' },
      maxBytes: 64 * 1024,
    })
    .catch(cause => {
      throw withContext('asking Azure DevOps for the token of the service connection', cause);
    });
  const read = answer.status === 200 ? tokenAnswer.safeParse(parseJson(answer.bytes)) : undefined;
  if (read?.success) return keepSecret(read.data.oidcToken);
  throw failed(
    `Azure DevOps gave no token for the service connection (status ${answer.status}). Is this pipeline permitted to use it?`,
  );
}

function failed(message: string): AppError {
  return new AppError(message, { code: 'SIGN_IN_FAILED' });
}
