/**
 * What is in a tar archive, and where: headers alone are read, and what lies between them is stepped over.
 * https://pubs.opengroup.org/onlinepubs/9799919799/utilities/pax.html#tag_20_94_13
 */
import type { FileHandle } from 'node:fs/promises';
import { posix } from 'node:path';
import { extract, type Header } from 'tar-stream';
import { AppError, inputError } from '../../core/base/errors.ts';
import type { Piece } from './stored-file.ts';

/** A file, or a link to another name in the archive. */
export type TarEntry = Piece | { readonly linkTo: string };

const maxEntries = 20_000;
const maxNameLength = 1024;
const blockBytes = 512;

/**
 * The files and links by their names, without `./` in front. Throws `INPUT_INVALID` for what is no archive, is cut off,
 * or has an entry that an archive of images has no need of; `TOO_LARGE` for too many entries. `label` names the archive.
 */
export async function readTarIndex(file: FileHandle, label: string): Promise<Map<string, TarEntry>> {
  const { size: end } = await file.stat();
  const index = new Map<string, TarEntry>();
  let position = 0;
  for (let count = 0; ; count += 1) {
    const found = await readHeader(file, position, label);
    if (!found) return index;
    if (count >= maxEntries) {
      throw new AppError(`${label} has more than ${maxEntries} entries.`, { code: 'TOO_LARGE' });
    }
    const { header } = found;
    const offset = position + found.headerBytes;
    const size = header.type === 'directory' ? 0 : header.size;
    if (offset + size > end) throw inputError(`${label} is cut off: it ends within "${header.name.slice(0, 200)}".`);
    const name = readName(header, label);
    const entry = readEntry(header, { offset, size }, label);
    if (entry && index.has(name)) throw refused(label, header, 'is there twice');
    if (entry) index.set(name, entry);
    position = offset + Math.ceil(size / blockBytes) * blockBytes;
  }
}

interface FoundHeader {
  readonly header: Header;
  /** More than one block where a name is long. */
  readonly headerBytes: number;
}

/** The header of the entry at `position`; undefined at the archive's end, which is a block of zeros. */
async function readHeader(file: FileHandle, position: number, label: string): Promise<FoundHeader | undefined> {
  const tar = extract();
  const seen: { entry?: FoundHeader; error?: Error } = {};
  tar.on('entry', (header, { offset }) => {
    seen.entry = { header, headerBytes: offset + blockBytes };
  });
  tar.on('error', error => {
    seen.error = error;
  });
  for (let at = position; ; at += blockBytes) {
    const block = await readBlock(file, at, label);
    // While that was read, the library looked at the block before it.
    if (seen.entry) return seen.entry;
    const isEnd = block.every(byte => byte === 0);
    if (isEnd && at === position) return undefined;
    if (isEnd || seen.error) {
      throw inputError(`${label} is no tar archive, or is damaged at byte ${position}.`, seen.error);
    }
    tar.write(block);
  }
}

async function readBlock(file: FileHandle, at: number, label: string): Promise<Uint8Array> {
  const { buffer, bytesRead } = await file.read(new Uint8Array(blockBytes), 0, blockBytes, at);
  if (bytesRead === blockBytes) return buffer;
  throw inputError(`${label} is no tar archive, or is cut off: its end is missing.`);
}

/** Undefined for a folder. */
function readEntry(header: Header, piece: Piece, label: string): TarEntry | undefined {
  if (Object.keys(header.pax ?? {}).some(key => key.startsWith('GNU.sparse.'))) {
    throw refused(label, header, 'is a sparse file');
  }
  if (header.type === 'directory') return undefined;
  if (header.type === 'file' || header.type === 'contiguous-file') return piece;
  if (header.type === 'link') return { linkTo: readLink(header, '', label) };
  if (header.type === 'symlink') return { linkTo: readLink(header, posix.dirname(header.name), label) };
  throw refused(label, header, 'is neither a file, a folder nor a link');
}

function readName(header: Header, label: string): string {
  const name = posix.normalize(header.name).replace(/\/$/, '');
  if (header.name.length > maxNameLength)
    throw refused(label, header, `has a name of ${header.name.length} characters`);
  if (leadsOut(name) || header.name.split(/[\\/]/).includes('..'))
    throw refused(label, header, 'leads out of the archive');
  return name;
}

/** A hard link names its target from the archive's top, a symbolic link from its own folder. */
function readLink(header: Header, folder: string, label: string): string {
  const target = header.linkname ?? '';
  const name = posix.join(folder, target);
  if (target.length > maxNameLength) throw refused(label, header, 'is a link to a name that is too long');
  if (posix.isAbsolute(target) || leadsOut(name)) throw refused(label, header, 'is a link out of the archive');
  return name;
}

function leadsOut(name: string): boolean {
  return posix.isAbsolute(name) || /^[A-Za-z]:/.test(name) || name === '..' || name.startsWith('../');
}

function refused(label: string, { name }: Header, why: string): AppError {
  return inputError(
    `${label}: the entry "${name.slice(0, 200)}" ${why}, which no archive of images has. It was not read.`,
  );
}
