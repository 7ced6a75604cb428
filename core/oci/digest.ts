/** Digests: the identity of bytes. https://github.com/opencontainers/image-spec/blob/v1.1.1/descriptor.md#digests */
import { createHash } from 'node:crypto';
import { AppError } from '../base/errors.ts';

/** `sha256:` and 64 hexadecimal digits. */
export type Digest = `sha256:${string}`;

const pattern = /^sha256:[0-9a-f]{64}$/;

/** Whether `text` is a digest that we accept: sha256, the one algorithm every registry must know. */
export function isDigest(text: string): text is Digest {
  return pattern.test(text);
}

/** The digest of `bytes`. */
export function computeDigest(bytes: Uint8Array): Digest {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}

/** Throws `DIGEST_MISMATCH` unless `bytes` have `expected` as their digest; `what` names them in the message. */
export function verifyDigest(bytes: Uint8Array, expected: Digest, what: string): void {
  const actual = computeDigest(bytes);
  if (actual === expected) return;
  throw new AppError(`${what}: the bytes that arrived have the digest ${actual}, not ${expected}.`, {
    code: 'DIGEST_MISMATCH',
    retryable: true,
  });
}
