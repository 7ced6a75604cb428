/** Reads the user's own image: an OCI layout, as a folder or as a tar archive. */
import { stat } from 'node:fs/promises';
import { buffer } from 'node:stream/consumers';
import { openImage } from '../../core/oci/image-store.ts';
import { openLayout } from '../../core/oci/layout.ts';
import type { Descriptor } from '../../core/oci/manifest.ts';
import { isIndexType, isManifestType } from '../../core/oci/media-types.ts';
import type { ImageSource } from '../../core/oci/source.ts';
import { openFolder } from '../../tasks/agent/folder.ts';
import { openTar } from '../../tasks/agent/tar-archive.ts';
import { type Content, content } from '../../test/support/images.ts';

/** Reads the one image at `path`, whole. Throws what says why it cannot be read. */
export async function readImage(path: string): Promise<Content> {
  const files = (await stat(path)).isDirectory() ? await openFolder(path, path) : await openTar(path, path);
  const { source, root } = await openImage(await openLayout(files));
  return readManifest(source, root);
}

async function readManifest(source: ImageSource, digest: Descriptor['digest']): Promise<Content> {
  const manifest = await source.getManifest(digest);
  if (!manifest) throw new Error(`${source.label} does not hold ${digest}.`);
  const { mediaType, bytes, config, layers, children } = manifest;
  const parts = [...(config ? [config] : []), ...layers, ...children].map(part => {
    const isBlob = !isIndexType(part.mediaType) && !isManifestType(part.mediaType);
    return isBlob ? readBlob(source, part) : readManifest(source, part.digest);
  });
  return content(mediaType, Buffer.from(bytes), await Promise.all(parts));
}

async function readBlob(source: ImageSource, blob: Descriptor): Promise<Content> {
  const read = content(blob.mediaType, await buffer(await source.openBlob(blob, 0)));
  if (read.digest !== blob.digest) throw new Error(`${blob.digest} is damaged in ${source.label}.`);
  return read;
}
