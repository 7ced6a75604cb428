/**
 * Copies the graph below one manifest, digest for digest: index → children → config and layers, children before parents.
 * It puts no tag, so whoever reads the target meanwhile never meets a graph that is not whole.
 */
import type { Clock } from '../base/clock.ts';
import { createLimit, type Limit, settleAll } from '../base/concurrency.ts';
import { AppError, hasCode, withContext } from '../base/errors.ts';
import { type Logger, silentLog } from '../base/log.ts';
import { hasBlob } from './blobs.ts';
import { type CopyProgress, createTally, type Tally } from './copy-progress.ts';
import { type Digest, verifyDigest } from './digest.ts';
import { type Descriptor, type Manifest, parseManifest } from './manifest.ts';
import { headManifest, putManifest } from './manifests.ts';
import { isForeignLayerType, isIndexType, isManifestType } from './media-types.ts';
import { type BlobMove, moveBlob } from './move-blob.ts';
import type { Repository } from './repository.ts';
import type { ImageSource } from './source.ts';

/** Where a graph comes from and goes to. */
export interface CopyPath {
  readonly source: ImageSource;
  readonly target: Repository;
}

/** How to copy. */
export interface CopyOptions {
  readonly log?: Logger;
  /** For the rate. */
  readonly clock?: Clock;
  /** Looks and counts, and changes nothing. */
  readonly dryRun?: boolean;
  /** Called at every change, so it must be quick. */
  readonly onProgress?: (progress: CopyProgress) => void;
}

/** One copying of any number of images to one registry: what they share is moved once. Ends with its first failure. */
export interface CopyRun {
  readonly dryRun: boolean;
  readonly log: Logger;
  readonly tally: Tally;
  /** Bounds the requests at one time; refuses to begin another once something failed. Never call it within itself. */
  readonly request: Limit;
  /** The same for lists of referrers, of which Azure allows few. */
  readonly list: Limit;
  /** The same for blobs of more than {@link largeBytes}. */
  readonly stream: Limit;
  /** Makes this failure the run's, so that nothing else is begun; gives it back. */
  fail<E>(thrown: E): E;
  /** Large blobs on their way, which a failure gives up: they may take minutes. */
  readonly streams: Set<AbortController>;
  /** By `source@digest`. */
  readonly manifests: Map<string, Promise<Manifest | undefined>>;
  /** By `target@digest`: what was brought, or is on its way. */
  readonly brought: Map<string, Promise<void>>;
  /** Bytes of the manifests that were brought, by digest. */
  readonly sizes: Map<Digest, number>;
  /** By `target:tag`: changes of it, one at a time. */
  readonly turns: Map<string, Limit>;
  /** By host of a target: whether it has the referrers API. */
  readonly api: Map<string, Promise<boolean>>;
  /** By digest: the first place in the target's registry that has the blob. */
  readonly blobs: Map<Digest, { readonly size: number; readonly at: Repository; readonly moved: Promise<void> }>;
}

/** A larger graph is no image. */
const maxManifests = 5000;
const requestsAtOnce = 24;
const listsAtOnce = 4;
/** More large streams at one time only share the same line. */
const streamsAtOnce = 4;
const largeBytes = 1024 * 1024;

/** Makes a run. */
export function createCopyRun(options: CopyOptions = {}): CopyRun {
  const streams = new Set<AbortController>();
  let failure: { readonly thrown: unknown } | undefined;
  const fail = <E>(thrown: E): E => {
    failure ??= { thrown };
    for (const each of streams) each.abort(thrown);
    return thrown;
  };
  const bounded = (atOnce: number): Limit => {
    const limit = createLimit(atOnce);
    return work =>
      limit(async () => {
        if (failure) throw failure.thrown as Error;
        return work().catch((thrown: unknown) => {
          fail(thrown);
          // What ended with the run tells of nothing new.
          throw failure?.thrown as Error;
        });
      });
  };
  return {
    dryRun: options.dryRun ?? false,
    log: options.log ?? silentLog,
    tally: createTally(options.onProgress, options.clock),
    request: bounded(requestsAtOnce),
    list: bounded(listsAtOnce),
    stream: bounded(streamsAtOnce),
    fail,
    streams,
    manifests: new Map(),
    brought: new Map(),
    sizes: new Map(),
    turns: new Map(),
    api: new Map(),
    blobs: new Map(),
  };
}

/**
 * A manifest of the source, asked for once and verified; undefined where there is none. What it says is read from the
 * verified bytes, and none can hold its own digest, so that no graph leads back to itself.
 */
export function findManifest(run: CopyRun, source: ImageSource, digest: Digest): Promise<Manifest | undefined> {
  return once(run.manifests, `${source.label}@${digest}`, () =>
    run.request(async () => {
      const what = `${source.label}@${digest}`;
      const manifest = await source.getManifest(digest);
      if (!manifest) return undefined;
      verifyDigest(manifest.bytes, digest, what);
      return parseManifest(manifest.bytes, manifest.mediaType, what);
    }),
  );
}

/** Like {@link findManifest}. Throws `IMAGE_NOT_FOUND` where there is none. */
export async function readManifest(run: CopyRun, source: ImageSource, digest: Digest): Promise<Manifest> {
  const manifest = await findManifest(run, source, digest);
  if (manifest) return manifest;
  throw run.fail(
    new AppError(`${source.label}@${digest} is not there (any more). Was it deleted there? Build it anew, then.`, {
      code: 'IMAGE_NOT_FOUND',
    }),
  );
}

/** The manifests of a graph, the root first and each once; indexes alone are read. Throws `TOO_LARGE` for what is no image. */
export async function listGraph(run: CopyRun, source: ImageSource, root: Digest): Promise<Digest[]> {
  const found = new Set<Digest>([root]);
  const unread: Digest[] = [root];
  for (let next = unread.shift(); next; next = unread.shift()) {
    for (const child of (await readManifest(run, source, next)).children) {
      if (found.has(child.digest) || !isKnownType(child)) continue;
      found.add(child.digest);
      if (isIndexType(child.mediaType)) unread.push(child.digest);
      checkCount(run, source, root, found.size);
    }
  }
  return [...found];
}

/** Whether an index of the graph holds blobs of its own, as that of a build cache does. */
export async function holdsBlobs(run: CopyRun, source: ImageSource, graph: readonly Digest[]): Promise<boolean> {
  for (const digest of graph) {
    const manifest = await run.manifests.get(`${source.label}@${digest}`);
    if (manifest?.children.some(child => !isKnownType(child))) return true;
  }
  return false;
}

/** Copies the graph below `root`, where it is not there already. What is there is looked through for holes. */
export function copyGraph(run: CopyRun, path: CopyPath, root: Digest): Promise<void> {
  return once(run.brought, `${path.target.label}@${root}`, () => bring(run, path, root));
}

async function bring(run: CopyRun, path: CopyPath, digest: Digest): Promise<void> {
  const { source, target } = path;
  const head = await run.request(() => headManifest(target, digest));
  if (head && head.size > 0) run.sizes.set(digest, head.size);
  // A registry takes an image manifest only with its blobs; the children of an index can be deleted under it.
  if (head && !isIndexType(head.mediaType)) return;
  const manifest = await readManifest(run, source, digest);
  run.sizes.set(digest, manifest.bytes.byteLength);
  if (!isKnownType(manifest)) throw run.fail(unknownType(source, manifest));
  checkCount(run, source, digest, manifest.children.length);
  if (isIndexType(manifest.mediaType)) await listGraph(run, source, digest);
  const children = manifest.children.filter(isKnownType);
  await settleAll(
    children.map(async child => {
      await copyGraph(run, path, child.digest);
      // A descriptor that lies is read wrongly by whoever believes it.
      const size = run.sizes.get(child.digest) ?? child.size;
      if (size !== child.size) throw run.fail(wrongSize(source, child, size));
    }),
  );
  if (head) return;
  const parts = [manifest.config, ...manifest.layers, ...manifest.children.filter(child => !isKnownType(child))];
  await settleAll(parts.flatMap(part => (part ? [bringBlob(run, path, part)] : [])));
  if (run.dryRun) {
    run.tally.manifest(manifest.bytes.byteLength);
    return;
  }
  await run.request(() => putManifest(target, digest, manifest));
  run.tally.manifest(manifest.bytes.byteLength);
  run.log.debug(`Put ${target.label}@${digest}.`);
}

/** The same blob for two repositories moves once, and is mounted from the first into the second. */
async function bringBlob(run: CopyRun, { source, target }: CopyPath, blob: Descriptor): Promise<void> {
  const first = run.blobs.get(blob.digest);
  if (first && first.size !== blob.size) throw run.fail(wrongSize(source, blob, first.size));
  if (!first) {
    const moved = move(run, { source, target }, blob);
    run.blobs.set(blob.digest, { size: blob.size, at: target, moved });
    return moved;
  }
  await first.moved;
  if (first.at.name === target.name || run.dryRun) return;
  const path = { source: { ...source, repository: first.at }, target };
  await once(run.brought, `${target.label}@${blob.digest}`, () => move(run, path, blob));
}

async function move(run: CopyRun, { source, target }: CopyPath, blob: Descriptor): Promise<void> {
  const limit = blob.size > largeBytes ? run.stream : run.request;
  const count = run.tally.begin(blob.size);
  const moved = await limit(() =>
    tryMove(run, { source, target }, blob, count.bytes).catch((thrown: unknown) => {
      throw withContext(`copying the blob ${blob.digest} of ${source.label} to ${target.label}`, thrown);
    }),
  );
  count.end(moved);
}

async function tryMove(
  run: CopyRun,
  { source, target }: CopyPath,
  blob: Descriptor,
  onBytes: (bytes: number) => void,
): Promise<BlobMove> {
  if (run.dryRun) return (await hasBlob(target, blob.digest)) ? 'present' : 'copied';
  const leaving = new AbortController();
  if (blob.size > largeBytes) run.streams.add(leaving);
  try {
    return await moveBlob(source, target, blob, { onBytes, signal: leaving.signal });
  } catch (thrown) {
    // Layers that may not be distributed stay where their `urls` say.
    // https://github.com/opencontainers/image-spec/blob/v1.1.1/layer.md#non-distributable-layers
    if (isForeignLayerType(blob.mediaType) && hasCode(thrown, 'IMAGE_NOT_FOUND')) return 'present';
    throw thrown;
  } finally {
    run.streams.delete(leaving);
  }
}

/** Whether it is a manifest. Some indexes hold blobs, as a build cache does; those are copied as what they are. */
export function isKnownType({ mediaType }: Pick<Descriptor, 'mediaType'>): boolean {
  return isIndexType(mediaType) || isManifestType(mediaType);
}

function once<K, V>(known: Map<K, Promise<V>>, key: K, work: () => Promise<V>): Promise<V> {
  const running = known.get(key) ?? work();
  known.set(key, running);
  return running;
}

/** Throws `TOO_LARGE` for more manifests than an image has, or than anybody says something about. */
export function checkCount(run: CopyRun, source: ImageSource, root: Digest, count: number): void {
  if (count <= maxManifests) return;
  throw run.fail(
    new AppError(`${source.label}@${root} leads to more than ${maxManifests} manifests, which no image does.`, {
      code: 'TOO_LARGE',
    }),
  );
}

function unknownType(source: ImageSource, { digest, mediaType }: Manifest): AppError {
  return new AppError(
    `${source.label}@${digest} is of the media type "${mediaType}", which is not known here. It was not copied.`,
    { code: 'REGISTRY_UNEXPECTED' },
  );
}

function wrongSize(source: ImageSource, { digest, size }: Descriptor, actual: number): AppError {
  return new AppError(
    `${source.label}: a manifest says that ${digest} has ${size} bytes, but it has ${actual}. Nothing was tagged.`,
    { code: 'DIGEST_MISMATCH' },
  );
}
