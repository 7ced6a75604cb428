/** Moves one blob from a source into a repository: looked for first, mounted where that can be, else streamed and hashed on the way. */
import { AppError } from '../base/errors.ts';
import { hasBlob, putBlob } from './blobs.ts';
import { verifyDigest } from './digest.ts';
import type { Descriptor } from './manifest.ts';
import type { Repository } from './repository.ts';
import type { ImageSource } from './source.ts';

/** How a blob came to the target. */
export type BlobMove = 'present' | 'mounted' | 'copied';

/** What a move reports while it runs; `bytes` is the number of those that were sent since the last call. */
export type OnBytes = (bytes: number) => void;

/**
 * Moves `blob`, verified by its digest and its size, and gives how. Throws `DIGEST_MISMATCH` where the bytes are others,
 * `IMAGE_NOT_FOUND` where the source has none, and the registry's error where no repetition helped.
 */
export async function moveBlob(
  source: ImageSource,
  target: Repository,
  blob: Descriptor,
  onBytes: OnBytes,
): Promise<BlobMove> {
  if (await hasBlob(target, blob.digest)) return 'present';
  const parts: Uint8Array[] = [];
  for await (const part of await source.openBlob(blob, 0)) {
    parts.push(part);
    onBytes(part.byteLength);
  }
  const bytes = Buffer.concat(parts);
  verifyDigest(bytes, blob.digest, `${source.label}, blob ${blob.digest}`);
  if (bytes.byteLength !== blob.size) {
    throw new AppError(`${source.label}, blob ${blob.digest}: it has ${bytes.byteLength} bytes, not ${blob.size}.`, {
      code: 'DIGEST_MISMATCH',
    });
  }
  await putBlob(target, bytes);
  return 'copied';
}
