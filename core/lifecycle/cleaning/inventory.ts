/**
 * What each manifest of each registry consists of: which blobs, of how many bytes. A registry keeps a blob once however
 * many repositories have it, and Azure bills it once, so blobs are numbered within their registry. Of a million blobs
 * there is no object each, only a number in a row.
 */
import type { Digest } from '../../oci/digest.ts';
import type { Manifest } from '../../oci/manifest.ts';
import { helmConfig, isForeignLayerType, isIndexType } from '../../oci/media-types.ts';

/** What a manifest is, for people. */
export type ManifestKind = 'image' | 'index' | 'chart' | 'artifact';

/** A manifest as it was read. */
export type ReadManifest = Pick<Manifest, 'digest' | 'mediaType' | 'artifactType' | 'config' | 'layers' | 'bytes'>;

/** The blobs of one registry. */
export interface RegistryInventory {
  /** Blobs are numbered from 0 to one less than this. */
  readonly blobs: number;
  /** Bytes of a blob. */
  sizeOf(blob: number): number;
  /** What a manifest is; undefined where it was not added. */
  kindOf(digest: Digest): ManifestKind | undefined;
  /** The blobs of a manifest, itself among them; undefined where it was not added. A blob may stand there twice. */
  blobsOf(digest: Digest): Int32Array | undefined;
}

/** Manifests of all registries. */
export interface Inventory {
  /** Adds a manifest of a registry, by its name in the configuration; again does nothing. */
  addManifest(registry: string, manifest: ReadManifest): void;
  /** What was added of a registry; empty where nothing was. */
  of(registry: string): RegistryInventory;
}

/** An empty inventory. */
export function createInventory(): Inventory {
  const registries = new Map<string, ReturnType<typeof createShelf>>();
  const open = (name: string) => {
    const shelf = registries.get(name) ?? createShelf();
    registries.set(name, shelf);
    return shelf;
  };
  return { addManifest: (registry, manifest) => open(registry).add(manifest), of: open };
}

const kinds: readonly ManifestKind[] = ['image', 'index', 'chart', 'artifact'];

function createShelf(): RegistryInventory & { add(manifest: ReadManifest): void } {
  const blobs = new Map<string, number>();
  const manifests = new Map<Digest, number>();
  const sizes = createRow(Float64Array);
  const kindsOf = createRow(Uint8Array);
  /** Where the blobs of a manifest end in `parts`; they begin where those of the one before end. */
  const ends = createRow(Int32Array);
  const parts = createRow(Int32Array);
  const number = (digest: Digest, size: number): number => {
    const key = shorten(digest);
    const known = blobs.get(key);
    if (known === undefined) {
      blobs.set(key, sizes.length);
      return sizes.push(size);
    }
    // Of two who tell its size, one is wrong.
    sizes.set(known, Math.max(sizes.at(known), size));
    return known;
  };
  return {
    get blobs() {
      return sizes.length;
    },
    sizeOf: blob => sizes.at(blob),
    kindOf(digest) {
      const at = manifests.get(digest);
      return at === undefined ? undefined : kinds[kindsOf.at(at)];
    },
    blobsOf(digest) {
      const at = manifests.get(digest);
      return at === undefined ? undefined : parts.slice(at === 0 ? 0 : ends.at(at - 1), ends.at(at));
    },
    add(manifest) {
      if (manifests.has(manifest.digest)) return;
      parts.push(number(manifest.digest, manifest.bytes.length));
      for (const { digest, size, mediaType } of [manifest.config ?? [], ...manifest.layers].flat()) {
        // Its bytes are somewhere else. https://github.com/opencontainers/image-spec/blob/v1.1.1/layer.md#non-distributable-layers
        if (!isForeignLayerType(mediaType)) parts.push(number(digest, size));
      }
      kindsOf.push(kinds.indexOf(kindOf(manifest)));
      manifests.set(manifest.digest, ends.push(parts.length));
    },
  };
}

function kindOf({ mediaType, artifactType, config }: ReadManifest): ManifestKind {
  if (config?.mediaType === helmConfig) return 'chart';
  if (artifactType !== undefined) return 'artifact';
  return isIndexType(mediaType) ? 'index' : 'image';
}

/** A digest in half the memory: each character two hexadecimal digits. */
function shorten(digest: Digest): string {
  return Buffer.from(digest.slice('sha256:'.length), 'hex').toString('latin1');
}

type Row = Float64Array | Int32Array | Uint8Array;

/** Numbers in a row that grows; `push` gives the place of the number that it adds. */
function createRow<T extends Row>(kind: new (length: number) => T) {
  let row = new kind(1024);
  let length = 0;
  return {
    get length() {
      return length;
    },
    at: (place: number): number => row[place] ?? 0,
    set(place: number, value: number) {
      row[place] = value;
    },
    slice: (start: number, end: number): T => row.subarray(start, end) as T,
    push(value: number): number {
      if (length === row.length) {
        const longer = new kind(length * 2);
        longer.set(row);
        row = longer;
      }
      row[length] = value;
      length += 1;
      return length - 1;
    },
  };
}
