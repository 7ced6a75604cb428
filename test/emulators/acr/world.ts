/**
 * The registry's state and what it guarantees, without HTTP: tests seed it and look at it through {@link World}.
 * Locks and rights are the business of the routes; what is done here is always done.
 */
import type { SettableClock } from '../settable-clock.ts';
import type { Behaviour } from './behaviour.ts';
import { type BlobStore, createBlobStore } from './blob-store.ts';
import { digestOf, isTag, type ManifestDocument, mediaTypes } from './content.ts';
import {
  type Attributes,
  countUses,
  createRepository,
  enterOrders,
  freezeRepository,
  leaveOrders,
  type ManifestEntry,
  type Repository,
  type TagEntry,
  unlocked,
} from './repository.ts';
import { createSeeds, type PutOptions, type Seeds } from './seeds.ts';

/** A plain picture of everything, for comparing before and after. */
export interface Snapshot {
  readonly repositories: Readonly<
    Record<string, { readonly tags: Readonly<Record<string, string>>; readonly manifests: readonly string[] }>
  >;
  readonly blobs: readonly string[];
}

/** Direct, typed access to the state. Times are milliseconds in arguments, microseconds in entries. */
export interface World extends Seeds {
  readonly blobs: BlobStore;
  /** Names of the repositories that hold a manifest, in order. */
  repositories(): string[];
  /** Names that the catalog shows: those, less the hidden, and orphans when that switch is on. */
  catalog(): string[];
  /** The live state of a repository that holds (or held) something. */
  repository(name: string): Repository | undefined;
  /** The digests in a repository. */
  manifests(repository: string): string[];
  /** Each tag with its digest. */
  tags(repository: string): Record<string, string>;
  /** Resolves a tag or a digest. */
  manifest(repository: string, reference: string): ManifestEntry | undefined;
  /** The digest behind a tag or a digest, when it is there. */
  digest(repository: string, reference: string): string | undefined;
  has(repository: string, reference: string): boolean;
  /** Stores a blob and links it into a repository; gives its digest. */
  putBlob(repository: string, bytes: Uint8Array | string, algorithm?: string): string;
  /** Links a blob that is stored already; false when it is not. */
  linkBlob(repository: string, digest: string): boolean;
  unlinkBlob(repository: string, digest: string): boolean;
  /** Stores a manifest, as bytes kept verbatim or as a document to be written, with its tags; gives its digest. */
  putManifest(repository: string, manifest: Uint8Array | ManifestDocument, options?: PutOptions): string;
  /** Points a tag at a manifest that must be there. */
  tag(repository: string, name: string, digest: string, at?: number): void;
  /** Removes one tag, and nothing else; gives the digest that it pointed at. */
  untag(repository: string, name: string): string | undefined;
  /** Deletes a manifest, its tags and, when that switch is on, its referrers; gives what went, in order. */
  deleteManifest(repository: string, digest: string): string[];
  deleteRepository(name: string): { manifests: string[]; tags: string[] } | undefined;
  /** Changes the lock of a repository, or of one tag or digest in it. */
  setAttributes(repository: string, reference: string | undefined, changes: Partial<Attributes>): void;
  /** Copies what listings show, for a replica that lags. */
  freeze(): Map<string, Repository>;
  snapshot(): Snapshot;
}

interface State {
  readonly repositories: Map<string, Repository>;
  readonly blobs: BlobStore;
  readonly behaviour: Behaviour;
  /** Microseconds, never the same twice, so that the order in time is total. */
  readonly tick: () => number;
  /** What configs say, by digest. */
  readonly platforms: Map<string, ManifestEntry['platform']>;
}

function openRepository(state: State, name: string): Repository {
  let repository = state.repositories.get(name);
  if (repository === undefined) {
    repository = createRepository(name, state.tick());
    state.repositories.set(name, repository);
  }
  return repository;
}

function readDocument(bytes: Buffer): ManifestDocument {
  return JSON.parse(bytes.toString()) as ManifestDocument;
}

function parsePlatform(bytes: Buffer): ManifestEntry['platform'] {
  try {
    const { architecture, os } = JSON.parse(bytes.toString()) as { architecture?: string; os?: string };
    return { ...(architecture === undefined ? {} : { architecture }), ...(os === undefined ? {} : { os }) };
  } catch {
    return {};
  }
}

function readPlatform(state: State, document: ManifestDocument): ManifestEntry['platform'] {
  const config = document.config;
  if (config?.mediaType !== mediaTypes.ociConfig && config?.mediaType !== mediaTypes.dockerConfig) return {};
  const known = state.platforms.get(config.digest);
  if (known !== undefined) return known;
  const bytes = state.blobs.read(config.digest);
  if (bytes === undefined) return {};
  const platform = parsePlatform(bytes);
  state.platforms.set(config.digest, platform);
  return platform;
}

function insertManifest(state: State, repository: Repository, bytes: Buffer, options: PutOptions): ManifestEntry {
  const digest = digestOf(bytes, options.algorithm);
  const time = options.at === undefined ? state.tick() : options.at * 1000;
  const existing = repository.manifests.get(digest);
  if (existing !== undefined) {
    if (state.behaviour.repushMovesTime) moveTime(repository.manifestOrders, existing, time);
    return existing;
  }
  const document = options.document ?? readDocument(bytes);
  const entry: ManifestEntry = {
    digest,
    bytes,
    mediaType: options.mediaType ?? document.mediaType ?? mediaTypes.ociManifest,
    document,
    platform: readPlatform(state, document),
    createdTime: time,
    lastUpdateTime: time,
    attributes: unlocked(),
    tags: new Set(),
  };
  if (repository.manifests.size === 0) repository.createdTime = time;
  repository.emptied = false;
  repository.manifests.set(digest, entry);
  repository.lastUpdateTime = Math.max(repository.lastUpdateTime, time);
  enterOrders(repository.manifestOrders, digest, time);
  countUses(repository, entry, 1);
  return entry;
}

function moveTime(
  orders: Repository['tagOrders'],
  entry: { digest: string; name?: string; lastUpdateTime: number },
  time: number,
): void {
  const name = entry.name ?? entry.digest;
  leaveOrders(orders, name, entry.lastUpdateTime);
  entry.lastUpdateTime = time;
  enterOrders(orders, name, time);
}

function pointTag(repository: Repository, name: string, digest: string, time: number): void {
  const manifest = repository.manifests.get(digest);
  if (manifest === undefined) throw new Error(`${repository.name} holds no ${digest} that ${name} could point at`);
  if (!isTag(name)) throw new Error(`${name} is no tag`);
  const existing = repository.tags.get(name);
  if (existing === undefined) {
    const entry: TagEntry = { name, digest, createdTime: time, lastUpdateTime: time, attributes: unlocked() };
    repository.tags.set(name, entry);
    enterOrders(repository.tagOrders, name, time);
  } else {
    repository.manifests.get(existing.digest)?.tags.delete(name);
    existing.digest = digest;
    moveTime(repository.tagOrders, existing, time);
  }
  manifest.tags.add(name);
  repository.lastUpdateTime = Math.max(repository.lastUpdateTime, time);
}

function removeTag(repository: Repository, name: string): string | undefined {
  const entry = repository.tags.get(name);
  if (entry === undefined) return undefined;
  repository.tags.delete(name);
  leaveOrders(repository.tagOrders, name, entry.lastUpdateTime);
  repository.manifests.get(entry.digest)?.tags.delete(name);
  return entry.digest;
}

function isLocked(attributes: Attributes): boolean {
  return !attributes.deleteEnabled || !attributes.writeEnabled;
}

/** https://learn.microsoft.com/azure/container-registry/container-registry-delete#delete-by-manifest-digest */
function removeManifest(state: State, repository: Repository, first: string): string[] {
  const gone: string[] = [];
  const queue = [first];
  for (let digest = queue.shift(); digest !== undefined; digest = queue.shift()) {
    const entry = repository.manifests.get(digest);
    if (entry === undefined) continue;
    if (digest !== first && isLocked(entry.attributes) && !state.behaviour.cascadeIgnoresLocks) continue;
    const referrers = [...(repository.referrers.get(digest) ?? [])];
    for (const name of entry.tags) removeTag(repository, name);
    repository.manifests.delete(digest);
    leaveOrders(repository.manifestOrders, digest, entry.lastUpdateTime);
    for (const blob of countUses(repository, entry, -1)) state.blobs.discard(repository, blob);
    gone.push(digest);
    if (state.behaviour.cascadeReferrers) queue.push(...referrers);
  }
  repository.emptied = repository.manifests.size === 0;
  return gone;
}

/** A repository is there for a client when something was pushed into it. */
export function isKnown(repository: Repository | undefined): repository is Repository {
  return repository !== undefined && repository.manifests.size > 0;
}

function createTick(clock: SettableClock): () => number {
  let last = 0;
  return () => {
    last = Math.max(clock.now() * 1000, last + 1);
    return last;
  };
}

function pictureOf(state: State, names: readonly string[]): Snapshot {
  const repositories = names.map(name => {
    const repository = state.repositories.get(name) as Repository;
    const tags = [...repository.tags.values()].sort((left, right) => (left.name < right.name ? -1 : 1));
    return [
      name,
      {
        tags: Object.fromEntries(tags.map(tag => [tag.name, tag.digest])),
        manifests: [...repository.manifests.keys()].sort(),
      },
    ] as const;
  });
  return { repositories: Object.fromEntries(repositories), blobs: state.blobs.digests() };
}

/** Makes an empty world. */
export function createWorld(clock: SettableClock, behaviour: Behaviour): World {
  const blobs = createBlobStore(clock, behaviour);
  const state: State = { repositories: new Map(), blobs, behaviour, tick: createTick(clock), platforms: new Map() };
  const find = (name: string): Repository | undefined => state.repositories.get(name);
  const names = (): string[] =>
    [...state.repositories.values()]
      .filter(isKnown)
      .map(repository => repository.name)
      .sort();
  const resolve = (name: string, reference: string): ManifestEntry | undefined => {
    const repository = find(name);
    return repository?.manifests.get(repository.tags.get(reference)?.digest ?? reference);
  };
  const timeOf = (at: number | undefined): number => (at === undefined ? state.tick() : at * 1000);

  const base: Omit<World, keyof Seeds> = {
    blobs,
    repositories: names,
    catalog: () =>
      [...state.repositories.values()]
        .filter(repository => repository.attributes.listEnabled)
        .filter(repository => repository.manifests.size > 0 || (behaviour.orphanCatalogEntry && repository.emptied))
        .map(repository => repository.name)
        .sort(),
    repository: find,
    manifests: name => [...(find(name)?.manifests.keys() ?? [])],
    tags: name => Object.fromEntries([...(find(name)?.tags.values() ?? [])].map(tag => [tag.name, tag.digest])),
    manifest: resolve,
    digest: (name, reference) => resolve(name, reference)?.digest,
    has: (name, reference) => resolve(name, reference) !== undefined,
    putBlob: (name, bytes, algorithm) => blobs.put(openRepository(state, name), Buffer.from(bytes), algorithm),
    linkBlob: (name, digest) => blobs.link(openRepository(state, name), digest),
    unlinkBlob: (name, digest) => {
      const repository = find(name);
      return repository !== undefined && blobs.unlink(repository, digest);
    },
    putManifest: (name, manifest, options = {}) => {
      const repository = openRepository(state, name);
      const bytes = Buffer.from(manifest instanceof Uint8Array ? manifest : JSON.stringify(manifest));
      const entry = insertManifest(state, repository, bytes, options);
      for (const tag of options.tags ?? []) pointTag(repository, tag, entry.digest, timeOf(options.at));
      return entry.digest;
    },
    tag: (name, tag, digest, at) => pointTag(openRepository(state, name), tag, digest, timeOf(at)),
    untag: (name, tag) => {
      const repository = find(name);
      return repository && removeTag(repository, tag);
    },
    deleteManifest: (name, digest) => {
      const repository = find(name);
      return repository === undefined ? [] : removeManifest(state, repository, digest);
    },
    deleteRepository: name => {
      const repository = find(name);
      if (!isKnown(repository)) return undefined;
      const gone = { manifests: [...repository.manifests.keys()].sort(), tags: [...repository.tags.keys()].sort() };
      for (const digest of gone.manifests) removeManifest(state, repository, digest);
      state.repositories.delete(name);
      return gone;
    },
    setAttributes: (name, reference, changes) => {
      const repository = openRepository(state, name);
      const target =
        reference === undefined ? repository : (repository.tags.get(reference) ?? resolve(name, reference));
      if (target === undefined) throw new Error(`${name} holds no ${reference}`);
      Object.assign(target.attributes, changes);
    },
    freeze: () => new Map([...state.repositories].map(([name, repository]) => [name, freezeRepository(repository)])),
    snapshot: () => pictureOf(state, names()),
  };
  return { ...base, ...createSeeds(base) };
}
