/** The bytes of one registry: whose they are, how old, in which repositories, and what would become free. Pure. */
import { groupBy } from '../../base/group-by.ts';
import type { Home, Place } from '../keep-policy/places.ts';
import type { Amount, AuditedRepository, AuditGroup } from './audit.ts';
import type { RegistryInventory } from './inventory.ts';
import { gatherBlobs, type StoredBlobs, weighGroups } from './stored-blobs.ts';
import { type Owner, owners } from './whose-images.ts';

/** A place, what the plan says of it, and whose it is. */
export interface AuditedPlace {
  readonly place: Place;
  readonly isLeaving: boolean;
  readonly owner: Owner;
}

/** What a registry weighs. */
export interface WeighedRegistry {
  readonly audited: readonly AuditedPlace[];
  readonly blobs: StoredBlobs;
  /** All of it; named like the registry. */
  readonly group: AuditGroup;
  readonly teams: readonly AuditGroup[];
  readonly repositories: readonly AuditedRepository[];
  readonly owners: Readonly<Record<Owner, Amount>>;
  /** Bytes, one number for each of {@link ageBands}. */
  readonly ages: readonly number[];
}

const dayMs = 86_400_000;

/** How old a layer is, by the newest image that has it. The last band is of those whose age is not known. */
export const ageBands: readonly { readonly name: string; readonly upToMs: number }[] = [
  { name: 'up to 30 days', upToMs: 30 * dayMs },
  { name: '30 to 90 days', upToMs: 90 * dayMs },
  { name: '90 to 180 days', upToMs: 180 * dayMs },
  { name: '180 days to a year', upToMs: 365 * dayMs },
  { name: '1 to 2 years', upToMs: 730 * dayMs },
  { name: 'older than 2 years', upToMs: Infinity },
  { name: 'not known', upToMs: Infinity },
];

/** What is known of each blob. */
interface BlobMarks {
  /** Whether an image has it that stays. */
  readonly isKept: Uint8Array;
  /** The place of its strongest owner among {@link owners}; -1 where no image has it. */
  readonly rank: Int8Array;
  /** When the newest image that has it was pushed; Infinity where one does not say. */
  readonly newest: Float64Array;
}

/** Weighs the images of one registry, of which there is at least one. */
export function weighRegistry(
  audited: readonly AuditedPlace[],
  inventory: RegistryInventory | undefined,
  now: number,
): WeighedRegistry {
  const places = audited.map(({ place }) => place);
  const registry = places[0]?.home.registry ?? '';
  const blobs = gatherBlobs(inventory, places);
  const marks = markBlobs(audited, blobs);
  const weigh = (key: (home: Home) => string) => weighBy(audited, key, blobs, marks);
  const ofOwners = countOwners(audited, blobs, marks);
  const repositories = weigh(home => home.repository);
  return {
    audited,
    blobs,
    group: weigh(() => registry)[0] as AuditGroup,
    teams: weigh(({ repository }) => teamOf(repository)),
    repositories: repositories.map(each => ({ ...each, registry })),
    owners: ofOwners,
    ages: weighAges(blobs, marks, now),
  };
}

/** The first part of a path is a team's, as most registries have it; a path of one part says nothing. */
function teamOf(repository: string): string {
  return repository.slice(0, Math.max(repository.indexOf('/'), 0));
}

function markBlobs(audited: readonly AuditedPlace[], blobs: StoredBlobs): BlobMarks {
  const isKept = new Uint8Array(blobs.count);
  const rank = new Int8Array(blobs.count).fill(-1);
  const newest = new Float64Array(blobs.count).fill(-Infinity);
  for (const { place, isLeaving, owner } of audited) {
    const own = owners.indexOf(owner);
    for (const blob of blobs.blobsOf(place.image)) {
      if (!isLeaving) isKept[blob] = 1;
      rank[blob] = Math.max(rank[blob] ?? -1, own);
      newest[blob] = Math.max(newest[blob] ?? -Infinity, place.image.pushedAt ?? Infinity);
    }
  }
  return { isKept, rank, newest };
}

function weighBy(
  audited: readonly AuditedPlace[],
  nameOf: (home: Home) => string,
  blobs: StoredBlobs,
  { isKept }: BlobMarks,
): AuditGroup[] {
  const groups = [...groupBy(audited, ({ place }) => nameOf(place.home))];
  const weights = weighGroups(
    blobs,
    groups.map(([, all]) => all.map(({ place }) => place)),
    blob => isKept[blob] === 0,
  );
  return groups.map(([name, all], at) => ({
    name,
    images: all.length,
    leaving: all.filter(each => each.isLeaving).length,
    ...(weights[at] as (typeof weights)[number]),
  }));
}

function countOwners(
  audited: readonly AuditedPlace[],
  blobs: StoredBlobs,
  { isKept, rank }: BlobMarks,
): Record<Owner, Amount> {
  const amounts = owners.map(() => ({ images: 0, bytes: 0, leaving: 0, freedBytes: 0 }));
  for (const { owner, isLeaving } of audited) {
    const amount = amounts[owners.indexOf(owner)];
    if (!amount) continue;
    amount.images += 1;
    if (isLeaving) amount.leaving += 1;
  }
  for (let blob = 0; blob < blobs.count; blob += 1) {
    const amount = amounts[rank[blob] ?? -1];
    if (!amount) continue;
    amount.bytes += blobs.sizeOf(blob);
    if (isKept[blob] === 0) amount.freedBytes += blobs.sizeOf(blob);
  }
  return Object.fromEntries(owners.map((owner, at) => [owner, amounts[at]])) as Record<Owner, Amount>;
}

function weighAges(blobs: StoredBlobs, { rank, newest }: BlobMarks, now: number): number[] {
  const bytes = ageBands.map(() => 0);
  for (let blob = 0; blob < blobs.count; blob += 1) {
    if (rank[blob] === -1) continue;
    const age = now - (newest[blob] ?? Infinity);
    const band = age === -Infinity ? ageBands.length - 1 : ageBands.findIndex(({ upToMs }) => age <= upToMs);
    bytes[band] = (bytes[band] ?? 0) + blobs.sizeOf(blob);
  }
  return bytes;
}
