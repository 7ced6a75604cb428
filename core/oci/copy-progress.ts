/** How far a copy is, as a callback: core says no word of its own while it works. */
import type { BlobMove } from './move-blob.ts';

/** Numbers of one run. Bytes are those of blobs. */
export interface CopyProgress {
  /** Bytes that were sent to the target. */
  readonly sent: number;
  /** Bytes that needed not be sent: they were there, or were mounted inside the registry. */
  readonly spared: number;
  /** Bytes that are known to be looked at; what is left is `total - sent - spared`. It grows while graphs are read. */
  readonly total: number;
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
  read(): CopyProgress;
  /** What came since an earlier reading. */
  since(earlier: CopyProgress): CopyProgress;
}

/** Makes a tally that calls `onProgress` at every change. */
export function createTally(onProgress: (progress: CopyProgress) => void = () => {}): Tally {
  const blobs: Record<BlobMove, number> = { present: 0, mounted: 0, copied: 0 };
  const sums = { sent: 0, spared: 0, total: 0, manifests: 0, manifestBytes: 0 };
  const read = (): CopyProgress => ({ ...sums, blobs: { ...blobs } });
  const tell = (): void => onProgress(read());
  return {
    begin(size) {
      sums.total += size;
      let counted = 0;
      return {
        bytes: count => {
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
    blobs,
    manifests: now.manifests - earlier.manifests,
    manifestBytes: now.manifestBytes - earlier.manifestBytes,
  };
}
