/**
 * Signing in to a registry: Basic, or a Bearer token for each scope.
 * https://distribution.github.io/distribution/spec/auth/token/ and https://distribution.github.io/distribution/spec/auth/oauth/
 */

import { z } from 'zod';
import { AppError } from '../base/errors.ts';
import { parseJson } from '../base/json.ts';
import type { Challenge } from './challenge.ts';
import type { Credentials } from './credentials.ts';
import type { Http } from './http.ts';

/** Keeps one registry's tokens. */
export interface SignIn {
  /** The `Authorization` value for `scope` as far as one is known or can be had without being challenged again. */
  authorize(scope: string): Promise<string | undefined>;
  /**
   * Answers a challenge that `refused` met: a token for `scope` that is another one, fetched once for all who wait.
   * Undefined when there is nothing to answer with.
   */
  answer(challenge: Challenge, scope: string, refused: string | undefined): Promise<string | undefined>;
}

const tokenAnswer = z.object({
  access_token: z.string().optional(),
  token: z.string().optional(),
  expires_in: z.number().optional(),
});

interface Token {
  readonly header: string;
  /** Milliseconds since the epoch. */
  readonly expires: number;
}

/** A token, or the fetch that will bring it: whoever needs it meanwhile waits for the same one. */
interface Entry {
  readonly pending: Promise<Token>;
  token?: Token;
}

type Bearer = Extract<Challenge, { scheme: 'bearer' }>;

/** Public registries whose tokens are known to come from another host. */
const knownRealms: Readonly<Record<string, string>> = {
  'registry-1.docker.io': 'auth.docker.io',
  'registry.gitlab.com': 'gitlab.com',
};

/** A token is given up a minute before its end, or in the middle of a life that is shorter than two. */
const spareMs = 60_000;
/** What a token lives where nobody says. https://distribution.github.io/distribution/spec/auth/token/ */
const shortestLifeSeconds = 60;

/** Makes the sign-in of the registry at `origin`. */
export function createSignIn(origin: URL, credentials: Credentials, http: Http): SignIn {
  const tokens = new Map<string, Entry>();
  let known: Challenge | undefined;

  async function fetchToken(challenge: Bearer, scope: string): Promise<Token> {
    const realm = trustedRealm(challenge.realm, origin);
    const answer = await http.exchange({
      ...tokenRequest(realm, await secretOf(credentials), challenge, scope),
      maxBytes: 64 * 1024,
    });
    if (answer.status !== 200) {
      throw new AppError(
        `${origin.host} refused to sign us in for ${scope || 'any use'} (status ${answer.status}). Check the credentials.`,
        {
          code: 'REGISTRY_DENIED',
        },
      );
    }
    const read = tokenAnswer.safeParse(parseJson(answer.bytes));
    const token = read.data?.access_token ?? read.data?.token;
    if (!token)
      throw new AppError(`${origin.host} answered a sign-in without a token.`, { code: 'REGISTRY_UNEXPECTED' });
    const life = Math.max(
      read.data?.expires_in ?? lifeOfJwt(token, http.clock.now()) ?? shortestLifeSeconds,
      shortestLifeSeconds,
    );
    return { header: `Bearer ${token}`, expires: http.clock.now() + life * 1000 - Math.min(spareMs, life * 500) };
  }

  async function provide(challenge: Bearer, scope: string, refused: string | undefined): Promise<string> {
    const entry = tokens.get(scope);
    const isUsable = (token: Token): boolean => token.expires > http.clock.now() && token.header !== refused;
    if (entry && (!entry.token || isUsable(entry.token))) return (await entry.pending).header;
    const next: Entry = { pending: fetchToken(challenge, scope || challenge.scope || '') };
    tokens.set(scope, next);
    try {
      next.token = await next.pending;
      return next.token.header;
    } catch (thrown) {
      // A failure must not be remembered as a token.
      tokens.delete(scope);
      throw thrown;
    }
  }

  return {
    async authorize(scope) {
      if (known?.scheme === 'basic') return basic(credentials);
      if (known?.scheme !== 'bearer') return undefined;
      return provide(known, scope, undefined);
    },
    async answer(challenge, scope, refused) {
      known = challenge;
      return challenge.scheme === 'basic' ? basic(credentials) : provide(challenge, scope, refused);
    },
  };
}

type Secret = Exclude<Credentials, { kind: 'refreshToken' }> | { readonly kind: 'token'; readonly token: string };

async function secretOf(credentials: Credentials): Promise<Secret> {
  return credentials.kind === 'refreshToken' ? { kind: 'token', token: await credentials.obtain() } : credentials;
}

function tokenRequest(realm: URL, secret: Secret, challenge: Bearer, scope: string) {
  const parameters = new URLSearchParams();
  if (challenge.service) parameters.set('service', challenge.service);
  // Several scopes are several parameters, as the token specification asks.
  for (const one of scope.split(' ').filter(Boolean)) parameters.append('scope', one);
  if (secret.kind === 'token') {
    parameters.set('grant_type', 'refresh_token');
    parameters.set('refresh_token', secret.token);
    return {
      method: 'POST' as const,
      url: realm,
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: parameters.toString(),
    };
  }
  const url = new URL(realm);
  for (const [name, value] of parameters) url.searchParams.append(name, value);
  return { method: 'GET' as const, url, authorization: secret.kind === 'password' ? basic(secret) : undefined };
}

function basic(credentials: Credentials): string | undefined {
  if (credentials.kind !== 'password') return undefined;
  return `Basic ${Buffer.from(`${credentials.username}:${credentials.password}`).toString('base64')}`;
}

/** Credentials go to the registry itself, and to the few token servers that are known to belong to one. */
function trustedRealm(realm: string, origin: URL): URL {
  const url = URL.canParse(realm) ? new URL(realm) : undefined;
  const trusted =
    url?.origin === origin.origin || (url?.protocol === 'https:' && url.host === knownRealms[origin.host]);
  if (url && trusted) return url;
  throw new AppError(
    `${origin.host} asks us to sign in at "${realm}", which is not its own; no credentials were sent.`,
    {
      code: 'REGISTRY_DENIED',
    },
  );
}

function lifeOfJwt(token: string, now: number): number | undefined {
  const claims = parseJson(Buffer.from(token.split('.')[1] ?? '', 'base64url')) as { exp?: unknown } | undefined;
  return typeof claims?.exp === 'number' ? Math.floor(claims.exp - now / 1000) : undefined;
}
