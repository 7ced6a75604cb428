/** The graph of a source as it is read for one run: manifests once each, verified, and never without end. */
import { AppError } from '../base/errors.ts';
import { type CopyRun, once } from './copy-run.ts';
import { type Digest, verifyDigest } from './digest.ts';
import { type Descriptor, type Manifest, parseManifest } from './manifest.ts';
import { isIndexType, isManifestType } from './media-types.ts';
import type { ImageSource } from './source.ts';

/** A larger graph is no image. */
const maxManifests = 5000;
/** The manifests of a thousand images of a hundred platforms have less; more would fill the memory of an agent. */
const maxKeptBytes = 256 * 1024 * 1024;

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
      run.kept.bytes += manifest.bytes.byteLength;
      if (run.kept.bytes > maxKeptBytes) {
        throw new AppError(`${what}: with it, the manifests of this run have more than ${maxKeptBytes} bytes.`, {
          code: 'TOO_LARGE',
        });
      }
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

/** Whether it is a manifest. Some indexes hold blobs, as a build cache does; those are copied as what they are. */
export function isKnownType({ mediaType }: Pick<Descriptor, 'mediaType'>): boolean {
  return isIndexType(mediaType) || isManifestType(mediaType);
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
