/** The bytes of images in one registry, each blob counted once. Pure. */
import type { Digest } from '../../oci/digest.ts';
import type { Place } from '../keep-policy/places.ts';
import type { ImageFact } from '../keep-policy/policy-facts.ts';
import type { RegistryInventory } from './inventory.ts';

/** The blobs of all images of a registry, those too whose manifest nobody read: each of these is one blob by itself. */
export interface StoredBlobs {
  /** Blobs are numbered from 0 to one less than this. */
  readonly count: number;
  sizeOf(blob: number): number;
  /** A blob may stand there twice. */
  blobsOf(image: Pick<ImageFact, 'digest'>): Int32Array;
  /** Images whose manifest was not read. */
  readonly unread: number;
}

/** The blobs of `places`, all of one registry. */
export function gatherBlobs(inventory: RegistryInventory | undefined, places: readonly Place[]): StoredBlobs {
  const known = inventory?.blobs ?? 0;
  const whole = new Map<Digest, number>();
  const sizes: number[] = [];
  for (const { image } of places) {
    if (inventory?.kindOf(image.digest) !== undefined || whole.has(image.digest)) continue;
    whole.set(image.digest, known + sizes.length);
    // What a registry says of an index is the size of what is counted for its children.
    sizes.push(image.children?.length ? 0 : image.size);
  }
  return {
    count: known + sizes.length,
    unread: sizes.length,
    sizeOf: blob => (blob < known ? (inventory?.sizeOf(blob) ?? 0) : (sizes[blob - known] ?? 0)),
    blobsOf({ digest }) {
      const blob = whole.get(digest);
      return blob === undefined ? (inventory?.blobsOf(digest) ?? new Int32Array()) : Int32Array.of(blob);
    },
  };
}

/** Bytes of a group of images. */
export interface GroupBytes {
  /** Each blob counted once. */
  readonly bytes: number;
  /** Of blobs that no other group has. */
  readonly ownBytes: number;
  /** Of blobs that `isFreed` says become free. */
  readonly freedBytes: number;
}

/** The bytes of each group. An image may stand in several; of `groups`, each is asked for its places twice. */
export function weighGroups(
  blobs: StoredBlobs,
  groups: readonly (readonly Place[])[],
  isFreed: (blob: number) => boolean,
): GroupBytes[] {
  const several = -2;
  const holder = new Int32Array(blobs.count).fill(-1);
  for (const [at, places] of groups.entries()) {
    for (const { image } of places) {
      for (const blob of blobs.blobsOf(image)) {
        holder[blob] = holder[blob] === -1 || holder[blob] === at ? at : several;
      }
    }
  }
  const seen = new Int32Array(blobs.count).fill(-1);
  return groups.map((places, at) => {
    const sum = { bytes: 0, ownBytes: 0, freedBytes: 0 };
    for (const { image } of places) {
      for (const blob of blobs.blobsOf(image)) {
        if (seen[blob] === at) continue;
        seen[blob] = at;
        const size = blobs.sizeOf(blob);
        sum.bytes += size;
        if (holder[blob] === at) sum.ownBytes += size;
        if (isFreed(blob)) sum.freedBytes += size;
      }
    }
    return sum;
  });
}
