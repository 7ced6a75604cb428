/** Archives of images on the disk: as tools make them, and as nobody should. */
import { execFile } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { promisify } from 'node:util';
import { type Header, pack } from 'tar-stream';
import { type Content, content, writeLayout } from './images.ts';
import type { Shape } from './shapes.ts';
import { skopeo } from './skopeo.ts';

const execute = promisify(execFile);

/** One entry: a file with its content, or whatever its header says. */
export type ArchiveEntry = Partial<Header> & { readonly name: string; readonly content?: string | Uint8Array };

/** Makes a folder of a test's own. */
export function makeFolder(): Promise<string> {
  return mkdtemp(join(tmpdir(), 'image-lifecycle-archives-'));
}

/** Writes a tar archive of exactly these entries, whatever they are, and gives its path. */
export async function writeTar(path: string, entries: readonly ArchiveEntry[]): Promise<string> {
  const tar = pack();
  for (const { content: bytes = '', ...header } of entries) tar.entry(header, Buffer.from(bytes));
  tar.finalize();
  await mkdir(dirname(path), { recursive: true });
  await pipeline(tar as unknown as Readable, createWriteStream(path));
  return path;
}

/** Packs a folder with GNU tar, every name with `./` in front, and gives the archive's path. */
export async function packFolder(folder: string, path: string, ...flags: readonly string[]): Promise<string> {
  await execute('tar', ['--create', `--file=${path}`, `--directory=${folder}`, ...flags, '.']);
  return path;
}

/** Writes a layout with everything that a shape has; its image is called `image`. */
export function writeShape(folder: string, { root, referrers = [], digestTags = {} }: Shape): Promise<string> {
  const named = referrers.map((referrer, at) => [`referrer-${at}`, referrer] as const);
  return writeLayout(folder, { image: root, ...Object.fromEntries(named), ...digestTags });
}

/** Changes the JSON document of a file. */
export async function changeJson(path: string, change: (json: never) => unknown): Promise<void> {
  await writeFile(path, JSON.stringify(change(JSON.parse(await readFile(path, 'utf8')) as never)));
}

/** Has skopeo write an image as `docker save` would, and gives the archive's path. */
export async function writeDockerArchive(path: string, image: Content, name: string): Promise<string> {
  const folder = await writeLayout(await makeFolder(), { image });
  try {
    await skopeo('copy', '--quiet', `oci:${folder}:image`, `docker-archive:${path}:${name}`);
    return path;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** An image for {@link writeOldDockerArchive}. */
export interface SavedImage {
  readonly names: readonly string[];
  /** Uncompressed, the lowest first. */
  readonly layers: readonly Uint8Array[];
}

/**
 * What Docker up to version 24 saves: a folder for each layer, a link where a layer was saved before with another image,
 * and a config whose name is its digest. https://github.com/moby/docker-image-spec/blob/v1.3.1/v1.2.md
 */
export async function writeOldDockerArchive(path: string, images: readonly SavedImage[]): Promise<string> {
  const entries: ArchiveEntry[] = [];
  const saved = new Map<string, string>();
  const manifest = images.map(({ names, layers }, at) => {
    const places = layers.map((layer, depth) => {
      const { digest } = content('', Buffer.from(layer));
      const folder = content('', Buffer.from(`${at} ${depth} ${digest}`)).digest.slice('sha256:'.length);
      const before = saved.get(digest);
      saved.set(digest, before ?? folder);
      entries.push({ name: `${folder}/`, type: 'directory' }, { name: `${folder}/VERSION`, content: '1.0' });
      entries.push(
        before
          ? { name: `${folder}/layer.tar`, type: 'symlink', linkname: `../${before}/layer.tar` }
          : { name: `${folder}/layer.tar`, content: layer },
      );
      return `${folder}/layer.tar`;
    });
    const config = makeConfig(layers);
    entries.push({ name: configName(config), content: config });
    return { Config: configName(config), RepoTags: names, Layers: places };
  });
  return writeTar(path, [...entries, { name: 'manifest.json', content: JSON.stringify(manifest) }]);
}

/** The config of an image of these uncompressed layers. */
export function makeConfig(layers: readonly Uint8Array[]): Buffer {
  const diffIds = layers.map(layer => content('', Buffer.from(layer)).digest);
  return Buffer.from(
    JSON.stringify({
      architecture: 'amd64',
      os: 'linux',
      docker_version: '20.10.24',
      config: { Cmd: ['/a'], Healthcheck: { Test: ['CMD', '/a'] } },
      rootfs: { type: 'layers', diff_ids: diffIds },
    }),
  );
}

/** How Docker calls the file of a config. */
export function configName(config: Uint8Array): string {
  return `${content('', Buffer.from(config)).digest.slice('sha256:'.length)}.json`;
}
