/** One repository: its manifests, tags and the orders in which they are listed. */
import { blobsOf, type ManifestDocument } from './content.ts';
import { createOrder, type Order, timeKey } from './order.ts';

/** https://learn.microsoft.com/azure/container-registry/container-registry-image-lock */
export interface Attributes {
  deleteEnabled: boolean;
  writeEnabled: boolean;
  readEnabled: boolean;
  listEnabled: boolean;
}

/** Everything allowed. */
export function unlocked(): Attributes {
  return { deleteEnabled: true, writeEnabled: true, readEnabled: true, listEnabled: true };
}

/** A tag; times in microseconds since the epoch. */
export interface TagEntry {
  readonly name: string;
  digest: string;
  createdTime: number;
  lastUpdateTime: number;
  readonly attributes: Attributes;
}

/** A manifest or an index; times in microseconds since the epoch. */
export interface ManifestEntry {
  readonly digest: string;
  readonly bytes: Buffer;
  readonly mediaType: string;
  readonly document: ManifestDocument;
  readonly platform: { readonly architecture?: string; readonly os?: string };
  createdTime: number;
  lastUpdateTime: number;
  readonly attributes: Attributes;
  readonly tags: Set<string>;
}

/** The two orders in which a kind of thing is listed. */
export interface Orders {
  readonly byName: Order;
  readonly byTime: Order;
  /** Where things that are gone stood in time, so that a listing goes on after an entry that its reader deleted. */
  readonly departed: Map<string, string>;
}

/** The state of one repository; only `world.ts` changes it. */
export interface Repository {
  readonly name: string;
  createdTime: number;
  lastUpdateTime: number;
  readonly attributes: Attributes;
  readonly manifests: Map<string, ManifestEntry>;
  readonly tags: Map<string, TagEntry>;
  /** Digests of the manifests whose `subject` is the key. */
  readonly referrers: Map<string, Set<string>>;
  /** Blobs that a client sees here. */
  readonly blobs: Set<string>;
  /** How often the manifests here name a blob, seen or not. */
  readonly uses: Map<string, number>;
  /** Whether it held manifests once and holds none now. */
  emptied: boolean;
  readonly manifestOrders: Orders;
  readonly tagOrders: Orders;
}

function createOrders(entries: Iterable<[string, { lastUpdateTime: number }]>): Orders {
  const list = [...entries];
  return {
    byName: createOrder(list.map(([name]) => name)),
    byTime: createOrder(list.map(([name, entry]) => timeKey(entry.lastUpdateTime, name))),
    departed: new Map(),
  };
}

/** Makes an empty repository. */
export function createRepository(name: string, time: number): Repository {
  return {
    name,
    createdTime: time,
    lastUpdateTime: time,
    attributes: unlocked(),
    manifests: new Map(),
    tags: new Map(),
    referrers: new Map(),
    blobs: new Set(),
    uses: new Map(),
    emptied: false,
    manifestOrders: createOrders([]),
    tagOrders: createOrders([]),
  };
}

/** Copies what a listing shows, as it is now: a replica that lags behind. */
export function freezeRepository(repository: Repository): Repository {
  const tags = new Map(
    [...repository.tags].map(([name, tag]) => [name, { ...tag, attributes: { ...tag.attributes } }]),
  );
  const manifests = new Map(
    [...repository.manifests].map(([digest, entry]) => [
      digest,
      { ...entry, attributes: { ...entry.attributes }, tags: new Set(entry.tags) },
    ]),
  );
  return {
    ...repository,
    attributes: { ...repository.attributes },
    tags,
    manifests,
    referrers: new Map([...repository.referrers].map(([subject, digests]) => [subject, new Set(digests)])),
    manifestOrders: createOrders(manifests),
    tagOrders: createOrders(tags),
  };
}

/** Puts an entry into its orders. */
export function enterOrders(orders: Orders, name: string, time: number): void {
  orders.byName.add(name);
  orders.byTime.add(timeKey(time, name));
}

/** Takes an entry out of its orders. */
export function leaveOrders(orders: Orders, name: string, time: number): void {
  orders.byName.remove(name);
  orders.byTime.remove(timeKey(time, name));
  orders.departed.set(name, timeKey(time, name));
}

/** Counts a manifest's blobs and its subject, in (`by` = 1) or out (`by` = -1); gives the blobs that nothing uses any more. */
export function countUses(repository: Repository, entry: ManifestEntry, by: 1 | -1): string[] {
  const unused: string[] = [];
  for (const { digest } of blobsOf(entry.document)) {
    const uses = (repository.uses.get(digest) ?? 0) + by;
    if (uses > 0) repository.uses.set(digest, uses);
    else if (repository.uses.delete(digest)) unused.push(digest);
  }
  const subject = entry.document.subject?.digest;
  if (subject === undefined) return unused;
  const referrers = repository.referrers.get(subject) ?? new Set();
  if (by === 1) repository.referrers.set(subject, referrers.add(entry.digest));
  else if (referrers.delete(entry.digest) && referrers.size === 0) repository.referrers.delete(subject);
  return unused;
}
