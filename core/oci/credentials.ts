/** Who we are to a registry. */
import { z } from 'zod';
import { inputError } from '../base/errors.ts';

/** How to sign in to one registry. */
export type Credentials =
  | { readonly kind: 'anonymous' }
  | { readonly kind: 'password'; readonly username: string; readonly password: string }
  /** An OAuth2 refresh token, asked for when it is needed; Azure gives one for an Entra token. */
  | { readonly kind: 'refreshToken'; readonly obtain: () => Promise<string> };

const dockerConfig = z.object({
  auths: z
    .record(
      z.string(),
      z.object({
        auth: z.string().optional(),
        username: z.string().optional(),
        password: z.string().optional(),
        identitytoken: z.string().optional(),
      }),
    )
    .optional(),
});

/**
 * Finds the credentials of `host` in the text of a Docker `config.json`; undefined where it has none.
 * The host must match exactly: a part of a name is somebody else's registry. Throws `INPUT_INVALID` when the text is not such a file.
 */
export function findDockerCredentials(configText: string, host: string): Credentials | undefined {
  const { auths = {} } = parseConfig(configText);
  const entry = Object.entries(auths).find(([key]) => hostOf(key) === host)?.[1];
  if (!entry) return undefined;
  const { identitytoken } = entry;
  if (identitytoken) return { kind: 'refreshToken', obtain: async () => identitytoken };
  const decoded = entry.auth ? Buffer.from(entry.auth, 'base64').toString('utf8') : '';
  const colon = decoded.indexOf(':');
  const username = entry.username ?? decoded.slice(0, Math.max(colon, 0));
  const password = entry.password ?? decoded.slice(colon + 1);
  return username && password ? { kind: 'password', username, password } : undefined;
}

function parseConfig(text: string): z.infer<typeof dockerConfig> {
  try {
    return dockerConfig.parse(JSON.parse(text));
  } catch {
    // Without its cause: the parser quotes the text, and with it a password.
    throw inputError('The text is not a Docker configuration.');
  }
}

function hostOf(key: string): string {
  return key.replace(/^https?:\/\//, '').replace(/\/.*$/, '');
}
