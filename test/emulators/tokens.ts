/** JSON Web Tokens of the emulated clouds: signed with one key of the test world, so that a forged one is noticed. */
import { createHmac, timingSafeEqual } from 'node:crypto';

const key = 'a key of the emulated world, worth nothing outside it';

/** Claims of a token; `exp` in seconds since the epoch. */
export type Claims = Readonly<Record<string, unknown>>;

function part(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}

function sign(text: string): string {
  return createHmac('sha256', key).update(text).digest('base64url');
}

/** Makes a signed token of `claims`. */
export function issueToken(claims: Claims): string {
  const text = `${part({ alg: 'HS256', typ: 'JWT' })}.${part(claims)}`;
  return `${text}.${sign(text)}`;
}

/** Gives the claims, or undefined when the token is malformed, forged, or expired at `now` (milliseconds). */
export function readToken(token: string, now: number): Claims | undefined {
  const [header, body, signature] = token.split('.');
  if (!header || !body || !signature) return undefined;
  const expected = Buffer.from(sign(`${header}.${body}`));
  const given = Buffer.from(signature);
  if (expected.length !== given.length || !timingSafeEqual(expected, given)) return undefined;
  const claims = JSON.parse(Buffer.from(body, 'base64url').toString()) as Record<string, unknown>;
  return typeof claims['exp'] === 'number' && claims['exp'] * 1000 < now ? undefined : claims;
}
