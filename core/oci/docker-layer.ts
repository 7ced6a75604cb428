/** One layer of an archive of `docker save`, read once through for its digest. */
import { createHash } from 'node:crypto';
import { AppError } from '../base/errors.ts';
import type { Digest } from './digest.ts';
import type { Files } from './files.ts';
import { dockerLayer } from './media-types.ts';

/** A layer as it lies in the archive. */
export interface ArchivedLayer {
  /** Its file's. */
  readonly name: string;
  readonly mediaType: string;
  readonly digest: Digest;
  /** Bytes. */
  readonly size: number;
  /** The digest of its uncompressed bytes. */
  readonly diffId: Digest;
}

/**
 * Reads a layer; undefined where there is no file of that name. Docker and podman keep layers uncompressed, kaniko and
 * Jib compress them; either stays as it is. Throws `DIGEST_MISMATCH` where a compressed one is damaged.
 */
export async function readLayer(files: Files, name: string): Promise<ArchivedLayer | undefined> {
  const file = await files.open(name);
  if (!file) return undefined;
  const digest = await hash(file.read(0));
  if (!(await isGzip(file.read(0)))) return { name, mediaType: dockerLayer, digest, size: file.size, diffId: digest };
  const diffId = await hash(decompress(file.read(0))).catch((cause: unknown) => {
    throw new AppError(`${files.label}: the layer ${name} is compressed, and damaged.`, {
      code: 'DIGEST_MISMATCH',
      cause,
    });
  });
  return { name, mediaType: `${dockerLayer}.gzip`, digest, size: file.size, diffId };
}

async function hash(parts: AsyncIterable<Uint8Array>): Promise<Digest> {
  const whole = createHash('sha256');
  for await (const part of parts) whole.update(part);
  return `sha256:${whole.digest('hex')}`;
}

/** https://www.rfc-editor.org/rfc/rfc1952#section-2.3.1 */
async function isGzip(parts: AsyncIterable<Uint8Array>): Promise<boolean> {
  for await (const part of parts) return part[0] === 0x1f && part[1] === 0x8b;
  return false;
}

function decompress(parts: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
  return ReadableStream.from(parts).pipeThrough(new DecompressionStream('gzip'));
}
