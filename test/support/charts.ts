/** Charts on the disk, and what is in an archive of one. */
import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { gunzipSync, gzipSync } from 'node:zlib';
import { extract, type Header, pack } from 'tar-stream';
import { type Helm, runHelm } from './helm.ts';

/** What stands at a path: a file; a link; or the archive of a chart, whose folder is called `top`. */
export type Content = string | Uint8Array | { readonly link: string } | ArchivedChart;

/** A chart as somebody else packed it. */
export interface ArchivedChart {
  readonly top: string;
  readonly archive: ChartTree;
  /** What all of its entries have. */
  readonly header?: Partial<Header>;
  /** What stands between the parts of a path. */
  readonly delimiter?: string;
}

/** What is in a chart's folder by path; a path that ends with `/` is a folder, which may stay empty. */
export type ChartTree = Readonly<Record<string, Content>>;

/** Writes a chart into a folder, which is made where it is missing. Gives the folder. */
export async function writeChart(folder: string, tree: ChartTree): Promise<string> {
  for (const [path, content] of Object.entries(tree)) {
    const place = join(folder, path);
    await mkdir(path.endsWith('/') ? place : dirname(place), { recursive: true });
    if (path.endsWith('/')) continue;
    if (typeof content === 'object' && 'link' in content) await symlink(content.link, place);
    else await writeFile(place, await bytesOf(content));
  }
  return folder;
}

async function bytesOf(content: Exclude<Content, { link: string }>): Promise<string | Uint8Array> {
  return typeof content === 'object' && 'archive' in content ? packTree(content) : content;
}

/** A `.tgz` that holds exactly this. */
export async function packTree({ top, archive, header, delimiter = '/' }: ArchivedChart): Promise<Uint8Array> {
  const entries: TarEntry[] = [];
  for (const [path, content] of Object.entries(archive)) {
    const name = [top, ...path.split('/')].join(delimiter);
    if (path.endsWith('/')) entries.push({ ...header, name, type: 'directory' });
    else if (typeof content === 'object' && 'link' in content) {
      entries.push({ ...header, name, type: 'symlink', linkname: content.link });
    } else entries.push({ ...header, name, content: await bytesOf(content) });
  }
  return packEntries(entries);
}

/** One entry of an archive, whatever it says. */
export type TarEntry = Partial<Header> & { readonly name: string; readonly content?: string | Uint8Array };

/** A `.tgz` of exactly these entries. */
export async function packEntries(entries: readonly TarEntry[]): Promise<Uint8Array> {
  const tar = pack();
  for (const { content = '', ...header } of entries) tar.entry(header, Buffer.from(content as string));
  tar.finalize();
  return gzipSync(await buffer(tar));
}

/** The files of a `.tgz` by their paths. */
export async function unpack(bytes: Uint8Array): Promise<Map<string, Buffer>> {
  const tar = extract();
  tar.end(gunzipSync(bytes));
  const files = new Map<string, Buffer>();
  for await (const entry of tar) {
    if (files.has(entry.header.name)) throw new Error(`${entry.header.name} is there twice.`);
    files.set(entry.header.name, await buffer(entry));
  }
  return files;
}

/** Runs `work` with a folder that is removed afterwards. */
export async function inFolder<T>(work: (folder: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'image-lifecycle-chart-'));
  try {
    return await work(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** What `helm package` makes of the chart in `folder`: the archive's name, and its files by path. Rejects with what it said. */
export function packageByHelm(helm: Helm, folder: string): Promise<{ fileName: string; files: Map<string, Buffer> }> {
  return inFolder(async home => {
    await runHelm(helm, ['package', folder, '--destination', join(home, 'out')], home);
    const [fileName = ''] = await readdir(join(home, 'out'));
    return { fileName, files: await unpack(await readFile(join(home, 'out', fileName))) };
  });
}
