/** Moves one blob from a source into a repository: looked for first, mounted where that can be, else streamed and hashed on the way. */
import { AppError } from '../base/errors.ts';
import { mountBlob } from './begin-upload.ts';
import { type BlobBody, headBlob } from './blobs.ts';
import type { Descriptor } from './manifest.ts';
import { readBlob } from './read-blob.ts';
import type { Repository } from './repository.ts';
import type { ImageSource } from './source.ts';
import { uploadBlob } from './upload.ts';

/** How a blob came to the target. */
export type BlobMove = 'present' | 'mounted' | 'copied';

/** How to move a blob. */
export interface MoveOptions {
  /** Called with the number of bytes that were sent since the last call; a repetition sends and counts them again. */
  readonly onBytes?: (bytes: number) => void;
  /** Ends the move, with the signal's reason, and gives up its connections. Of this move alone: Node warns where many listen to one. */
  readonly signal?: AbortSignal;
}

/**
 * Moves `blob`, verified by its digest and its size, and gives how. Throws `DIGEST_MISMATCH` where the bytes are others,
 * `IMAGE_NOT_FOUND` where the source has none, and the registry's error where no repetition helped.
 */
export async function moveBlob(
  source: ImageSource,
  target: Repository,
  blob: Descriptor,
  options: MoveOptions = {},
): Promise<BlobMove> {
  const { signal } = options;
  const head = await headBlob(target, blob.digest, signal);
  if (head) {
    checkSize(target, blob, head.size);
    return 'present';
  }
  const origin = source.repository;
  const mounted = origin && canMount(origin, target) ? await mountBlob(origin, target, blob.digest, signal) : undefined;
  if (mounted === 'mounted') {
    // Nothing of it came by here to be counted.
    checkSize(target, blob, (await headBlob(target, blob.digest, signal))?.size);
    return 'mounted';
  }
  const open = (): BlobBody => countBytes(readBlob(source, blob, target.registry.http), options.onBytes);
  await uploadBlob(target, { digest: blob.digest, size: blob.size, open }, { begun: mounted, signal });
  return 'copied';
}

function canMount(source: Repository, target: Repository): boolean {
  return source.registry.host === target.registry.host && source.name !== target.name;
}

/** A descriptor that lies about what is there would be believed by whoever pulls. */
function checkSize(target: Repository, { digest, size }: Descriptor, actual: number | undefined): void {
  if (actual === undefined || actual === size) return;
  throw new AppError(
    `${target.label}, blob ${digest}: a manifest says that it has ${size} bytes, but the ${actual} that are there have this digest.`,
    { code: 'DIGEST_MISMATCH' },
  );
}

/** A part has been sent when the next one is asked for. */
function countBytes(content: BlobBody, onBytes: (bytes: number) => void = () => {}): BlobBody {
  async function* read(): AsyncGenerator<Uint8Array> {
    for await (const part of content) {
      yield part;
      onBytes(part.byteLength);
    }
  }
  return { [Symbol.asyncIterator]: read, destroy: () => content.destroy() };
}
