/**
 * Tiny images, the same bytes each time: real gzipped tar layers, indexes, and signatures that refer to them.
 * https://github.com/opencontainers/image-spec/blob/v1.1.1/image-layout.md
 */
import { createHash } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { emptyConfig, ociConfig, ociIndex, ociLayer, ociManifest } from '../../core/oci/media-types.ts';

/** Bytes with a type. `parts` is what they point at. */
export interface Content {
  readonly mediaType: string;
  readonly bytes: Buffer;
  readonly digest: `sha256:${string}`;
  readonly parts: readonly Content[];
  readonly platform?: { readonly os: string; readonly architecture: string };
}

/** The files of one layer. */
export type Files = readonly (readonly [name: string, content: string | Uint8Array])[];

/** What goes into an image beside its seed. */
export interface ImageOptions {
  readonly layers?: number;
  readonly architecture?: string;
  /** Further layers, at the bottom. */
  readonly files?: readonly Files[];
}

/** An image of one platform; another `seed` gives other layers. */
export function makeImage(seed: string, options: ImageOptions = {}): Content {
  const { layers: count = 3, architecture = 'amd64' } = options;
  const made = Array.from(
    { length: count },
    (_, layer): Files => [
      [`etc/${seed}-${architecture}-${layer}`, `layer ${layer} of ${seed} for ${architecture}\n`],
      [`usr/share/${seed}/${layer}.txt`, `${seed} ${layer}\n`.repeat(200)],
    ],
  );
  const tars = [...(options.files ?? []), ...made].map(makeTar);
  const layers = tars.map(tar => content(ociLayer, gzipSync(tar, { level: 9 })));
  const config = contentOf(ociConfig, {
    architecture,
    os: 'linux',
    config: { Labels: { seed } },
    rootfs: { type: 'layers', diff_ids: tars.map(digestOf) },
  });
  const manifest = { schemaVersion: 2, mediaType: ociManifest, config: pointTo(config), layers: layers.map(pointTo) };
  return { ...contentOf(ociManifest, manifest, [config, ...layers]), platform: { os: 'linux', architecture } };
}

/** An index of two platforms. */
export function makeIndex(seed: string, files: readonly Files[] = []): Content {
  const children = ['amd64', 'arm64'].map(architecture => makeImage(seed, { layers: 2, architecture, files }));
  return contentOf(ociIndex, { schemaVersion: 2, mediaType: ociIndex, manifests: children.map(pointTo) }, children);
}

/** A signature that refers to `subject`, as Notation makes it. */
export function makeSignature(subject: Content): Content {
  const config = content(emptyConfig, Buffer.from('{}'));
  const layer = contentOf('application/jose+json', { payload: subject.digest, signature: 'not a real one' });
  const manifest = {
    schemaVersion: 2,
    mediaType: ociManifest,
    artifactType: 'application/vnd.cncf.notary.signature',
    config: pointTo(config),
    layers: [pointTo(layer)],
    subject: { mediaType: subject.mediaType, digest: subject.digest, size: subject.bytes.byteLength },
  };
  return contentOf(ociManifest, manifest, [config, layer]);
}

/** Writes an OCI layout with one entry for each name, for `skopeo copy oci:<folder>:<name>`. */
export async function writeLayout(folder: string, entries: Readonly<Record<string, Content>>): Promise<string> {
  const blobs = join(folder, 'blobs', 'sha256');
  await mkdir(blobs, { recursive: true });
  const everything = Object.values(entries).flatMap(flatten);
  await Promise.all(everything.map(each => writeFile(join(blobs, each.digest.slice('sha256:'.length)), each.bytes)));
  const manifests = Object.entries(entries).map(([name, root]) => ({
    ...pointTo(root),
    annotations: { 'org.opencontainers.image.ref.name': name },
  }));
  await writeFile(join(folder, 'oci-layout'), '{"imageLayoutVersion":"1.0.0"}');
  await writeFile(join(folder, 'index.json'), JSON.stringify({ schemaVersion: 2, mediaType: ociIndex, manifests }));
  return folder;
}

/** The content itself and all that it points at. */
export function flatten(root: Content): Content[] {
  return [root, ...root.parts.flatMap(flatten)];
}

/** A JSON document, written once: from then on its bytes count. */
export function contentOf(mediaType: string, json: unknown, parts: readonly Content[] = []): Content {
  return content(mediaType, Buffer.from(JSON.stringify(json)), parts);
}

/** Bytes of a type. */
export function content(mediaType: string, bytes: Buffer, parts: readonly Content[] = []): Content {
  return { mediaType, bytes, digest: digestOf(bytes), parts };
}

function digestOf(bytes: Buffer): `sha256:${string}` {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}

/** The descriptor of a content. */
export function pointTo({ mediaType, digest, bytes, platform }: Content) {
  return { mediaType, digest, size: bytes.byteLength, ...(platform && { platform }) };
}

/** A ustar archive of regular files, all times zero. https://pubs.opengroup.org/onlinepubs/9799919799/utilities/pax.html */
export function makeTar(files: Files): Buffer {
  const blocks = files.flatMap(([name, content]) => {
    const bytes = Buffer.from(content);
    const header = Buffer.alloc(512);
    header.write(name, 0);
    header.write('0000644\x000000000\x000000000\0', 100);
    header.write(`${bytes.byteLength.toString(8).padStart(11, '0')}\0`, 124);
    header.write(`${'0'.repeat(11)}\0        0`, 136);
    header.write('ustar\x0000', 257);
    const sum = header.reduce((total, byte) => total + byte, 0);
    header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
    return [header, bytes, Buffer.alloc((512 - (bytes.byteLength % 512)) % 512)];
  });
  return Buffer.concat([...blocks, Buffer.alloc(1024)]);
}
