/** Bytes of blobs: stored once, seen in the repositories that link them, and collected when no manifest needs them. */
import type { SettableClock } from '../settable-clock.ts';
import type { Behaviour } from './behaviour.ts';
import { digestOf } from './content.ts';
import type { Repository } from './repository.ts';

/** The store of all repositories. */
export interface BlobStore {
  put(repository: Repository, bytes: Buffer, algorithm?: string): string;
  /** Makes a stored blob visible in a repository; false when it is not stored. */
  link(repository: Repository, digest: string): boolean;
  /** Takes a blob out of a repository at once; its bytes go with the last repository. */
  unlink(repository: Repository, digest: string): boolean;
  /** Takes a blob out of a repository that has no use for it any more, after the delay of that switch. */
  discard(repository: Repository, digest: string): void;
  read(digest: string): Buffer | undefined;
  /** Digests of all bytes stored. */
  digests(): string[];
  /** How many bytes are stored. */
  size(): number;
}

interface Stored {
  readonly bytes: Buffer;
  readonly links: Set<Repository>;
}

/** Makes an empty store. */
export function createBlobStore(clock: SettableClock, behaviour: Behaviour): BlobStore {
  const blobs = new Map<string, Stored>();
  let garbage: { readonly repository: Repository; readonly digest: string; readonly due: number }[] = [];

  function drop(repository: Repository, digest: string): boolean {
    const stored = blobs.get(digest);
    if (!repository.blobs.delete(digest) || stored === undefined) return false;
    stored.links.delete(repository);
    if (stored.links.size === 0) blobs.delete(digest);
    return true;
  }

  /** No timer: garbage is collected when somebody looks, as of the time that the clock then shows. */
  function collect(): void {
    if (garbage.length === 0) return;
    const now = clock.now();
    const due = garbage.filter(item => item.due <= now);
    garbage = garbage.filter(item => item.due > now);
    for (const { repository, digest } of due) if (!repository.uses.has(digest)) drop(repository, digest);
  }

  function link(repository: Repository, digest: string): boolean {
    collect();
    const stored = blobs.get(digest);
    if (stored === undefined) return false;
    stored.links.add(repository);
    repository.blobs.add(digest);
    return true;
  }

  return {
    put: (repository, bytes, algorithm) => {
      const digest = digestOf(bytes, algorithm);
      if (!blobs.has(digest)) blobs.set(digest, { bytes, links: new Set() });
      link(repository, digest);
      return digest;
    },
    link,
    unlink: drop,
    discard: (repository, digest) => {
      garbage.push({ repository, digest, due: clock.now() + behaviour.blobGarbageDelay });
      if (behaviour.blobGarbageDelay === 0) collect();
    },
    read: digest => {
      collect();
      return blobs.get(digest)?.bytes;
    },
    digests: () => {
      collect();
      return [...blobs.keys()].sort();
    },
    size: () => {
      collect();
      let total = 0;
      for (const { bytes } of blobs.values()) total += bytes.length;
      return total;
    },
  };
}
