/**
 * Who may notify us. Service hooks carry no signature; Basic authentication is the one place for a secret that
 * Azure DevOps keeps confidential: https://www.rfc-editor.org/rfc/rfc7617
 */
import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';

/** The value of `Authorization` in, whether it is the right one out. */
export type Authenticate = (authorization: string | undefined) => boolean;

/**
 * Makes the check of user and password. Both are compared whatever the other's result, as keyed hashes of one length,
 * so that the time tells neither a length nor a common beginning.
 */
export function createAuthenticate(expected: { readonly username: string; readonly password: string }): Authenticate {
  const key = randomBytes(32);
  const hash = (bytes: Uint8Array): Buffer => createHmac('sha256', key).update(bytes).digest();
  const username = hash(Buffer.from(expected.username));
  const password = hash(Buffer.from(expected.password));
  return authorization => {
    const encoded = /^basic +([A-Za-z0-9+/]+={0,2}) *$/i.exec(authorization ?? '')?.[1] ?? '';
    const decoded = Buffer.from(encoded, 'base64');
    const colon = decoded.indexOf(0x3a);
    const sameUser = timingSafeEqual(hash(decoded.subarray(0, Math.max(colon, 0))), username);
    const samePassword = timingSafeEqual(hash(decoded.subarray(colon + 1)), password);
    return sameUser && samePassword && colon >= 0;
  };
}
