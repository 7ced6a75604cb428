/** Reads the user's own image: an OCI layout, as a folder or as a tar archive. https://github.com/opencontainers/image-spec/blob/v1.1.1/image-layout.md */
import { createReadStream } from 'node:fs';
import { mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { createGunzip } from 'node:zlib';
import { extract } from 'tar-stream';
import { computeDigest, type Digest } from '../../core/oci/digest.ts';
import { parseManifest } from '../../core/oci/manifest.ts';
import { isIndexType, isManifestType } from '../../core/oci/media-types.ts';
import type { Content } from '../../test/support/images.ts';

/** Reads the first image of the layout at `path`; archives are unpacked below `scratch`. */
export async function readImage(path: string, scratch: string): Promise<Content> {
  const isFolder = (await stat(path)).isDirectory();
  const folder = isFolder ? path : await unpack(path, scratch);
  const index = JSON.parse(await readFile(join(folder, 'index.json'), 'utf8')) as {
    manifests: { mediaType: string; digest: Digest }[];
  };
  const [first] = index.manifests;
  if (!first) throw new Error(`${path} is an OCI layout without an image.`);
  return readContent(folder, first);
}

async function readContent(folder: string, descriptor: { mediaType: string; digest: Digest }): Promise<Content> {
  const { mediaType, digest } = descriptor;
  const bytes = await readFile(join(folder, 'blobs', 'sha256', digest.slice('sha256:'.length)));
  if (computeDigest(bytes) !== digest) throw new Error(`${digest} is damaged in the layout.`);
  if (!isIndexType(mediaType) && !isManifestType(mediaType)) return { mediaType, bytes, digest, parts: [] };
  const { config, layers, children } = parseManifest(bytes, mediaType, digest);
  const parts = [...(config ? [config] : []), ...layers, ...children];
  return { mediaType, bytes, digest, parts: await Promise.all(parts.map(part => readContent(folder, part))) };
}

/** Only the files that a layout has are unpacked, so no entry can name a place outside. */
async function unpack(archive: string, scratch: string): Promise<string> {
  const folder = join(scratch, 'layout');
  const tar = extract();
  const [first] = await readHead(archive);
  const source = createReadStream(archive);
  if (first === 0x1f) source.pipe(createGunzip()).pipe(tar);
  else source.pipe(tar);
  for await (const entry of tar) {
    const name = entry.header.name.replace(/^\.\//, '');
    const parts: Buffer[] = [];
    for await (const part of entry) parts.push(part as Buffer);
    if (!/^(?:index\.json|oci-layout|blobs\/sha256\/[0-9a-f]{64})$/.test(name)) continue;
    await mkdir(dirname(join(folder, name)), { recursive: true });
    await writeFile(join(folder, name), Buffer.concat(parts));
  }
  return folder;
}

async function readHead(path: string): Promise<Buffer> {
  const stream = createReadStream(path, { end: 1 });
  for await (const part of stream) return part as Buffer;
  return Buffer.alloc(2);
}
