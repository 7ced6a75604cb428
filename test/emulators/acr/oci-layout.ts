/** An OCI image layout on disk, made on the spot, for foreign clients to push: https://github.com/opencontainers/image-spec/blob/v1.1.1/image-layout.md */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { pack } from 'tar-stream';
import { type Descriptor, digestOf, mediaTypes } from './content.ts';

async function makeTar(files: Readonly<Record<string, string>>): Promise<Buffer> {
  const archive = pack();
  for (const [name, text] of Object.entries(files)) archive.entry({ name, mtime: new Date(0) }, text);
  archive.finalize();
  const chunks: Buffer[] = [];
  for await (const chunk of archive) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

/** Writes a layout whose tag `1.0` is an index over one gzip layer each for amd64 and arm64; gives the index's digest. */
export async function writeLayout(directory: string): Promise<string> {
  const blobs = join(directory, 'blobs', 'sha256');
  await mkdir(blobs, { recursive: true });
  const write = async (mediaType: string, content: Buffer | object): Promise<Descriptor> => {
    const bytes = Buffer.isBuffer(content) ? content : Buffer.from(JSON.stringify(content));
    const digest = digestOf(bytes);
    await writeFile(join(blobs, digest.slice(7)), bytes);
    return { mediaType, digest, size: bytes.length };
  };
  const manifests: Descriptor[] = [];
  for (const architecture of ['amd64', 'arm64']) {
    const tar = await makeTar({ 'etc/arch': architecture, 'etc/name': 'emulated' });
    const layer = await write(mediaTypes.ociLayer, gzipSync(tar));
    const rootfs = { type: 'layers', diff_ids: [digestOf(tar)] };
    const config = await write(mediaTypes.ociConfig, { architecture, os: 'linux', rootfs, config: {}, history: [] });
    const document = { schemaVersion: 2, mediaType: mediaTypes.ociManifest, config, layers: [layer] };
    manifests.push({ ...(await write(mediaTypes.ociManifest, document)), platform: { architecture, os: 'linux' } });
  }
  const index = await write(mediaTypes.ociIndex, { schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests });
  const annotations = { 'org.opencontainers.image.ref.name': '1.0' };
  await writeFile(join(directory, 'oci-layout'), '{"imageLayoutVersion":"1.0.0"}');
  await writeFile(
    join(directory, 'index.json'),
    JSON.stringify({ schemaVersion: 2, manifests: [{ ...index, annotations }] }),
  );
  return index.digest;
}
