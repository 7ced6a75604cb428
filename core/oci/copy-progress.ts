/** How far a copy is, as a callback: core says no word of its own while it works. */
import { type Clock, systemClock } from '../base/clock.ts';
import type { BlobMove } from './move-blob.ts';

/** Numbers of one run. Bytes are those of blobs. */
export interface CopyProgress {
  /** Bytes that were sent to the target. */
  readonly sent: number;
  /** Bytes that needed not be sent: they were there, or were mounted inside the registry. */
  readonly spared: number;
  /** Bytes that are known to be looked at; it grows while graphs are read. */
  readonly total: number;
  /** Of those, the bytes whose fate is open. */
  readonly left: number;
  /** Sent bytes in each second since the first of them; 0 before that. */
  readonly bytesPerSecond: number;
  /** Images to copy, and those of which everything is there. */
  readonly images: number;
  readonly imagesDone: number;
  readonly blobs: Readonly<Record<BlobMove, number>>;
  /** Manifests that were put, or would be. */
  readonly manifests: number;
  /** Bytes of those manifests. */
  readonly manifestBytes: number;
}

/** Counts one run. */
export interface Tally {
  /** Begins a blob of `size` bytes. */
  begin(size: number): { readonly bytes: (count: number) => void; readonly end: (move: BlobMove) => void };
  manifest(bytes: number): void;
  /** So many images more are to be copied. */
  addImages(count: number): void;
  /** Everything of one of them is there. */
  image(): void;
  read(): CopyProgress;
  /** What came since an earlier reading. */
  since(earlier: CopyProgress): CopyProgress;
}

/** Makes a tally that calls `onProgress` at every change. */
export function createTally(
  onProgress: (progress: CopyProgress) => void = () => {},
  clock: Clock = systemClock,
): Tally {
  const blobs: Record<BlobMove, number> = { present: 0, mounted: 0, copied: 0 };
  const sums = { sent: 0, spared: 0, total: 0, images: 0, imagesDone: 0, manifests: 0, manifestBytes: 0 };
  let startedAt: number | undefined;
  const read = (): CopyProgress => ({
    ...sums,
    left: sums.total - sums.sent - sums.spared,
    bytesPerSecond: startedAt === undefined ? 0 : (sums.sent * 1000) / Math.max(clock.now() - startedAt, 1),
    blobs: { ...blobs },
  });
  const tell = (): void => onProgress(read());
  return {
    begin(size) {
      sums.total += size;
      let counted = 0;
      return {
        bytes: count => {
          startedAt ??= clock.now();
          // A repetition sends the same bytes again, and they are not more of the blob for that.
          const more = Math.min(count, size - counted);
          counted += more;
          sums.sent += more;
          tell();
        },
        end: move => {
          blobs[move] += 1;
          sums.sent += move === 'copied' ? size - counted : -counted;
          sums.spared += move === 'copied' ? 0 : size;
          tell();
        },
      };
    },
    manifest(bytes) {
      sums.manifests += 1;
      sums.manifestBytes += bytes;
      tell();
    },
    addImages(count) {
      sums.images += count;
      tell();
    },
    image() {
      sums.imagesDone += 1;
      tell();
    },
    read,
    since: earlier => subtract(read(), earlier),
  };
}

function subtract(now: CopyProgress, earlier: CopyProgress): CopyProgress {
  const blobs = { ...now.blobs };
  for (const move of ['present', 'mounted', 'copied'] as const) blobs[move] -= earlier.blobs[move];
  return {
    sent: now.sent - earlier.sent,
    spared: now.spared - earlier.spared,
    total: now.total - earlier.total,
    left: now.left - earlier.left,
    bytesPerSecond: now.bytesPerSecond,
    images: now.images - earlier.images,
    imagesDone: now.imagesDone - earlier.imagesDone,
    blobs,
    manifests: now.manifests - earlier.manifests,
    manifestBytes: now.manifestBytes - earlier.manifestBytes,
  };
}
