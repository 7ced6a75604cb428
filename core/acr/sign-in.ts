/**
 * Azure's way from Entra to a registry: Entra token → `/oauth2/exchange` → refresh token (3 h) → `/oauth2/token`.
 * https://github.com/Azure/acr/blob/main/docs/AAD-OAuth.md
 */
import { z } from 'zod';
import { AppError } from '../base/errors.ts';
import type { Credentials } from '../oci/credentials.ts';
import type { Http } from '../oci/http.ts';
import type { EntraTokenSource } from './entra.ts';

/** The audience of an Entra token for a registry, in every cloud. */
const audience = 'https://containerregistry.azure.net';

const exchangeAnswer = z.object({ refresh_token: z.string() });

/** What is needed to sign in with Entra. */
export interface AcrSignInOptions {
  /** The login server, for example `contoso.azurecr.io`. */
  readonly host: string;
  readonly tenantId?: string | undefined;
  readonly entraToken: EntraTokenSource;
  readonly http: Http;
}

/** Credentials that exchange an Entra token when the registry first asks, and again five minutes before three hours are over. */
export function createAcrCredentials(options: AcrSignInOptions): Credentials {
  let refresh: { token: Promise<string>; expires: number } | undefined;
  return {
    kind: 'refreshToken',
    obtain: () => {
      const now = options.http.clock.now();
      if (refresh && refresh.expires > now) return refresh.token;
      const token = exchange(options);
      refresh = { token, expires: now + 175 * 60_000 };
      token.catch(() => {
        if (refresh?.token === token) refresh = undefined;
      });
      return token;
    },
  };
}

async function exchange({ host, tenantId, entraToken, http }: AcrSignInOptions): Promise<string> {
  const form = new URLSearchParams({
    grant_type: 'access_token',
    service: host,
    access_token: await entraToken(audience),
  });
  if (tenantId) form.set('tenant', tenantId);
  const answer = await http.exchange({
    method: 'POST',
    url: new URL(`https://${host}/oauth2/exchange`),
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: form.toString(),
    maxBytes: 64 * 1024,
  });
  if (answer.status === 200) return readRefreshToken(answer.bytes, host);
  throw new AppError(
    `${host} refused the sign-in: it did not accept the Entra token (status ${answer.status}). It must be an Azure Container Registry of this tenant, on which the identity has a role, such as AcrPull.`,
    { code: 'REGISTRY_DENIED' },
  );
}

function readRefreshToken(bytes: Uint8Array, host: string): string {
  try {
    return exchangeAnswer.parse(JSON.parse(Buffer.from(bytes).toString('utf8'))).refresh_token;
  } catch {
    // Without its cause: the parser quotes the text, which may hold a token.
    throw new AppError(`${host} answered the exchange of the Entra token without a refresh token.`, {
      code: 'REGISTRY_UNEXPECTED',
    });
  }
}
