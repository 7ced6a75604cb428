/** What helm takes out of a chart's archive. https://github.com/helm/helm/blob/v4.2.4/pkg/chart/loader/archive/archive.go */
import { extract, type Header } from 'tar-stream';
import { AppError, errorMessage, inputError } from '../base/errors.ts';
import { type Budget, maxChartBytes, takeFile } from './bounds.ts';
import type { ChartFile } from './chart.ts';
import { gunzip } from './gzip.ts';
import { withoutMark } from './mark.ts';

/** Headers and padding of as many files as a chart may have. */
const maxOverhead = 32 * 1024 * 1024;

/**
 * The files below the archive's one folder, in its order. Throws `INPUT_INVALID` for what is no archive, is damaged, or
 * has an entry that no chart has; `TOO_LARGE` as soon as more comes out of it than the budget has.
 */
export async function readArchive(bytes: Uint8Array, label: string, budget: Budget): Promise<ChartFile[]> {
  const tar = extract({ allowUnknownFormat: true } as object);
  // The failure comes out of the archive's entries.
  const fed = feed(tar, unpack(bytes, label, budget.bytes + maxOverhead)).catch((thrown: Error) => tar.destroy(thrown));
  const files: ChartFile[] = [];
  const folders = new Set<string>();
  try {
    for await (const entry of tar) {
      const place = placeOf(entry.header, label);
      if (place) {
        takeFile(budget, label, place.path, entry.header.size);
        folders.add(place.folder);
        files.push({ path: place.path, bytes: withoutMark(await readAll(entry, entry.header.size)) });
      } else entry.resume();
    }
    await fed;
  } catch (thrown) {
    if (thrown instanceof AppError) throw thrown;
    throw inputError(`${label} is no tar archive, or is damaged: ${errorMessage(thrown)}`, thrown);
  }
  return judge(files, folders, label);
}

function judge(files: ChartFile[], folders: ReadonlySet<string>, label: string): ChartFile[] {
  if (folders.size > 1) {
    const names = [...folders].slice(0, 3).map(each => `"${each.slice(0, 100)}"`);
    throw inputError(`${label} holds several folders (${names.join(', ')}); the archive of a chart holds one.`);
  }
  if (files.length === 0) throw inputError(`${label} holds no file.`);
  const paths = new Set<string>();
  for (const { path } of files) {
    if (paths.has(path)) throw inputError(`${label}: "${path}" is there twice.`);
    paths.add(path);
  }
  return files;
}

/** What is in the gzip, as long as it is not too much. */
function* unpack(bytes: Uint8Array, label: string, maxBytes: number): Generator<Uint8Array> {
  let size = 0;
  const parts = gunzip(bytes);
  for (;;) {
    const part = next(parts, label);
    if (!part) return;
    size += part.length;
    if (size > maxBytes) {
      throw new AppError(`${label} unpacks to more than the ${maxChartBytes} bytes that a chart may have.`, {
        code: 'TOO_LARGE',
      });
    }
    yield part;
  }
}

function next(parts: Generator<Uint8Array>, label: string): Uint8Array | undefined {
  try {
    const { value, done } = parts.next();
    return done ? undefined : value;
  } catch (cause) {
    throw inputError(`${label} is no gzip archive, or is damaged or cut off. Fetch it again.`, cause);
  }
}

async function feed(tar: ReturnType<typeof extract>, parts: Iterable<Uint8Array>): Promise<void> {
  let wake: (() => void) | undefined;
  // It is closed by a failure, too.
  tar.on('drain', () => wake?.());
  tar.on('close', () => wake?.());
  for (const part of parts) {
    const drained = new Promise<void>(done => {
      wake = done;
    });
    if (!tar.write(part)) await drained;
    if (tar.destroyed) return;
  }
  tar.end(undefined);
}

async function readAll(entry: AsyncIterable<unknown>, size: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(size);
  let offset = 0;
  for await (const part of entry as AsyncIterable<Uint8Array>) {
    bytes.set(part, offset);
    offset += part.length;
  }
  return bytes;
}

/** Where a file belongs; undefined for a folder. */
function placeOf(header: Header, label: string): { folder: string; path: string } | undefined {
  if (header.type === 'directory') return undefined;
  // On Windows some write a "\\" between folders.
  const [folder = '', ...parts] = header.name.split(header.name.includes('\\') ? '\\' : '/');
  const path = parts.filter(part => part !== '' && part !== '.').join('/');
  const fault = findFault(header, [folder, ...parts]) ?? (path === '' || folder === '.' ? misplaced : undefined);
  if (fault) throw inputError(`${label}: the entry "${header.name.slice(0, 200)}" ${fault}.`);
  return { folder, path };
}

const misplaced = 'is in no folder; all of a chart is in one that has its name';

function findFault(header: Header, parts: readonly string[]): string | undefined {
  if (header.type !== 'file' && header.type !== 'contiguous-file') return 'is a link or a device; charts have none';
  if (Object.keys(header.pax ?? {}).some(key => key.startsWith('GNU.sparse.'))) return 'is a sparse file';
  if (/\p{Cc}/u.test(header.name)) return 'has a character in its name that cannot be seen';
  const isAbsolute =
    parts[0] === '' || parts[1] === '' || /^[A-Za-z]:/.test(header.name) || /^[A-Za-z]:$/.test(parts[1] ?? '');
  return isAbsolute || parts.includes('..') ? 'leads out of the chart' : undefined;
}
