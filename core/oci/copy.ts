/**
 * Copies the graph below one manifest, digest for digest: index → children → config and layers, children before parents.
 * It puts no tag, so whoever reads the target meanwhile never meets a graph that is not whole.
 */
import { settleAll } from '../base/concurrency.ts';
import { AppError, hasCode, withContext } from '../base/errors.ts';
import { hasBlob } from './blobs.ts';
import { type CopyRun, largeBytes, once } from './copy-run.ts';
import type { Digest } from './digest.ts';
import type { Descriptor, Manifest } from './manifest.ts';
import { headManifest, putManifest } from './manifests.ts';
import { isForeignLayerType, isIndexType } from './media-types.ts';
import { type BlobMove, moveBlob } from './move-blob.ts';
import type { Repository } from './repository.ts';
import type { ImageSource } from './source.ts';
import { checkCount, isKnownType, listGraph, readManifest } from './source-graph.ts';

/** Where a graph comes from and goes to. */
export interface CopyPath {
  readonly source: ImageSource;
  readonly target: Repository;
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
