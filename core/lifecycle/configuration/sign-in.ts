/** The configuration's `signIn`: who we are to a registry and to an organization, and where the secrets stand. */
import { z } from 'zod';
import { guid, say, url, word } from './configuration-values.ts';

const variable = z
  .string()
  .regex(/^[A-Za-z_][A-Za-z0-9_]*$/, 'must be the name of an environment variable')
  .describe('The environment variable that holds it.');
const file = word
  .max(4096, 'must have at most 4096 characters')
  .describe('The file that holds it; a relative path begins in the folder of the configuration.');

/** Where a secret stands. */
export const secret = z
  .union(
    [z.strictObject({ env: variable }), z.strictObject({ file })],
    say('must be { env: NAME } or { file: path }; a secret never stands in the configuration itself'),
  )
  .describe('Where the secret stands: { env: NAME } or { file: path }. The secret itself never stands here.');

const azure = z.strictObject({
  kind: z.literal('azure').describe('Microsoft Entra, by the identity of where the handler runs.'),
  clientId: guid.optional().describe('Picks one of several identities.'),
  authority: url.optional().describe('The sign-in URL of another cloud, or AZURE_AUTHORITY_HOST.'),
});
/** A registry is told the tenant when it exchanges the token. */
const azureOfTenant = azure.extend({
  tenantId: z
    .string()
    .regex(/^[A-Za-z0-9][A-Za-z0-9.-]*$/, "must be a tenant's GUID or domain")
    .optional()
    .describe('The tenant, which is sent with the exchange of the token.'),
});
const password = z.strictObject({
  kind: z.literal('password').describe('User and password, a token of Azure Container Registry too.'),
  username: word.describe('The user, or the name of the token.'),
  password: secret,
});
const pat = z.strictObject({
  kind: z.literal('pat').describe('A personal access token with Build (read).'),
  token: secret,
});

/** How to sign in to a registry. */
export const registrySignIn = z
  .discriminatedUnion('kind', [azureOfTenant, password], say('must be azure or password'))
  .describe('How the webhook handler signs in. CleanImages signs in by service connections and does not look at it.');
/** How to sign in to an organization. */
export const organizationSignIn = z
  .discriminatedUnion('kind', [azure, pat], say('must be azure or pat'))
  .describe('How the webhook handler signs in. CleanImages signs in by its inputs and does not look at it.');

/** Where a secret stands: the name of an environment variable, or the path of a file. */
export type SecretPlace = z.output<typeof secret>;
/** Sign-in with Microsoft Entra: the environment, workload or managed identity of where the program runs. */
export type AzureSignIn = z.output<typeof azure>;
