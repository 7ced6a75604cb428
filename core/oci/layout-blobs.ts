/** The blobs of a layout: where each is, and whether all those of an image are there. */
import { AppError } from '../base/errors.ts';
import type { Digest } from './digest.ts';
import type { Files } from './files.ts';
import type { Descriptor, Manifest } from './manifest.ts';
import { isForeignLayerType, isIndexType, isManifestType } from './media-types.ts';
import type { ImageSource } from './source.ts';

/** The name of a blob's file. https://github.com/opencontainers/image-spec/blob/v1.1.1/image-layout.md#blobs */
export function blobName(digest: Digest): string {
  return `blobs/${digest.replace(':', '/')}`;
}

/** Whether a descriptor points at a manifest or an index that we know to read. */
export function isKnownType({ mediaType }: Descriptor): boolean {
  return isIndexType(mediaType) || isManifestType(mediaType);
}

/**
 * Looks for everything that copying `root` will need: manifests, blobs by their sizes, and what refers to them.
 * No blob is read. Throws `IMAGE_NOT_FOUND` or `DIGEST_MISMATCH`, naming what is missing or of another size.
 */
export async function checkWhole(files: Files, source: ImageSource, root: Digest): Promise<void> {
  const found = new Set<Digest>();
  const unread: Digest[] = [root];
  for (let next = unread.shift(); next; next = unread.shift()) {
    if (found.has(next)) continue;
    found.add(next);
    const manifest = await source.getManifest(next);
    if (!manifest) throw missingManifest(files, next);
    for (const blob of blobsOf(manifest)) await checkBlob(files, blob);
    const referrers = await source.listReferrers(next);
    const tags = await source.listDigestTags(next);
    unread.push(...[...manifest.children.filter(isKnownType), ...referrers, ...tags].map(({ digest }) => digest));
  }
}

function blobsOf({ config, layers, children }: Manifest): Descriptor[] {
  return [...(config ? [config] : []), ...layers, ...children.filter(child => !isKnownType(child))];
}

async function checkBlob(files: Files, { digest, mediaType, size }: Descriptor): Promise<void> {
  const file = await files.open(blobName(digest));
  if (file?.size === size || (!file && isForeignLayerType(mediaType))) return;
  if (!file) throw new AppError(`${files.label}: the blob ${digest} is not in it.`, { code: 'IMAGE_NOT_FOUND' });
  throw new AppError(
    `${files.label}: a manifest says that the blob ${digest} has ${size} bytes, but it has ${file.size}.`,
    { code: 'DIGEST_MISMATCH' },
  );
}

/** Docker saves an index whole, with only those of its platforms that it has itself. */
function missingManifest(files: Files, digest: Digest): AppError {
  return new AppError(
    `${files.label}: the manifest ${digest} is listed, but not in it. If this is an image of several platforms that was saved without all of them, save one with "docker save --platform", or name it by its digest.`,
    { code: 'IMAGE_NOT_FOUND' },
  );
}
