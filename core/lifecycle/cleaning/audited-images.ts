/** The biggest and the oldest images of an audit. Pure. */
import type { Digest } from '../../oci/digest.ts';
import { type Home, type Place, subjectsOf } from '../keep-policy/places.ts';
import type { StoredBlobs } from './stored-blobs.ts';
import type { AuditedPlace, WeighedRegistry } from './weigh-registry.ts';
import type { Owner } from './whose-images.ts';

/** An image that somebody may ask about. */
export interface AuditedImage {
  readonly registry: string;
  readonly repository: string;
  readonly digest: Digest;
  readonly tags: readonly string[];
  /** With its children, each layer once, shared ones too. */
  readonly bytes: number;
  /** Milliseconds since the epoch; undefined where it is not known. */
  readonly pushedAt: number | undefined;
  readonly owner: Owner;
  readonly isLeaving: boolean;
}

/** So many are listed. */
const most = 20;

/** The images with the most bytes, and those that were pushed first; children and referrers are parts of others. */
export function listRemarkable(registries: readonly Pick<WeighedRegistry, 'audited' | 'blobs'>[]): {
  readonly biggest: readonly AuditedImage[];
  readonly oldest: readonly AuditedImage[];
} {
  const images = registries.flatMap(({ audited, blobs }) => {
    const structure = readStructure(audited);
    const whole = audited.filter(({ place }) => !structure.get(place.home)?.parts.has(place.image.digest));
    return whole.map(each => ({ each, bytes: weighImage(each.place, structure, blobs) }));
  });
  const dated = images.filter(({ each }) => each.place.image.pushedAt !== undefined);
  return {
    biggest: pick(images, (one, other) => other.bytes - one.bytes),
    oldest: pick(dated, (one, other) => pushedAt(one) - pushedAt(other)),
  };
}

interface Weighed {
  readonly each: AuditedPlace;
  readonly bytes: number;
}

function pick(images: readonly Weighed[], compare: (one: Weighed, other: Weighed) => number): AuditedImage[] {
  const ordered = [...images].sort((one, other) => compare(one, other) || (nameOf(one) < nameOf(other) ? -1 : 1));
  return ordered.slice(0, most).map(describe);
}

function pushedAt({ each }: Weighed): number {
  return each.place.image.pushedAt ?? 0;
}

function nameOf({ each: { place } }: Weighed): string {
  return `${place.home.registry}/${place.home.repository}@${place.image.digest}`;
}

/** What the images of a repository consist of. */
interface Structure {
  /** Those that are parts of others. */
  readonly parts: Set<Digest>;
  /** Of each index. */
  readonly children: Map<Digest, readonly Digest[]>;
}

function readStructure(audited: readonly AuditedPlace[]): Map<Home, Structure> {
  const structures = new Map<Home, Structure>();
  for (const { place } of audited) {
    const { digest, children = [] } = place.image;
    const isReferrer = subjectsOf(place.image).length > 0;
    if (children.length === 0 && !isReferrer) continue;
    const structure = structures.get(place.home) ?? {
      parts: new Set(),
      children: new Map<Digest, readonly Digest[]>(),
    };
    structures.set(place.home, structure);
    structure.children.set(digest, children);
    for (const child of children) structure.parts.add(child);
    if (isReferrer) structure.parts.add(digest);
  }
  return structures;
}

/** An index in an index is looked into as well; what is not in the registry has no bytes there. */
function weighImage({ home, image }: Place, structure: ReadonlyMap<Home, Structure>, blobs: StoredBlobs): number {
  const found = new Set<number>();
  const manifests = new Set([image.digest]);
  for (const digest of manifests) {
    for (const blob of blobs.blobsOf({ digest })) found.add(blob);
    for (const child of structure.get(home)?.children.get(digest) ?? []) manifests.add(child);
  }
  let bytes = 0;
  for (const blob of found) bytes += blobs.sizeOf(blob);
  return bytes;
}

function describe({ each: { place, owner, isLeaving }, bytes }: Weighed): AuditedImage {
  const { home, image } = place;
  return {
    registry: home.registry,
    repository: home.repository,
    digest: image.digest,
    tags: image.tags.map(tag => tag.name).sort(),
    bytes,
    pushedAt: image.pushedAt,
    owner,
    isLeaving,
  };
}
