/** A tar archive, as core reads files: each at its place in the archive, which is never unpacked. */
import { open } from 'node:fs/promises';
import { posix } from 'node:path';
import { inputError } from '../../core/base/errors.ts';
import type { Files } from '../../core/oci/files.ts';
import { type Piece, readPiece } from './stored-file.ts';
import { readTarIndex, type TarEntry } from './tar-index.ts';

/** What a compressed file begins with. */
const compressions: Readonly<Record<string, string>> = { '1f8b': 'gzip', '28b5': 'zstd', fd37: 'xz', '425a': 'bzip2' };
const maxLinks = 8;

/** Opens the archive at `path`, which messages call `label`. Throws `INPUT_INVALID` where it is none that can be read at its places, or `TOO_LARGE`. */
export async function openTar(path: string, label: string): Promise<Files> {
  const index = await readIndex(path, label);
  return {
    label,
    async open(name) {
      const piece = follow(index, name, label);
      return piece && readPiece(path, piece);
    },
  };
}

async function readIndex(path: string, label: string): Promise<Map<string, TarEntry>> {
  const file = await open(path);
  try {
    const { buffer } = await file.read(Buffer.alloc(2), 0, 2, 0);
    const compression = compressions[buffer.toString('hex')];
    if (!compression) return await readTarIndex(file, label);
    throw inputError(
      `${label} is compressed with ${compression}. Decompress it first: its images are read at their places in it.`,
    );
  } finally {
    await file.close();
  }
}

/** Links lead to names of the archive alone; the index has seen to it. */
function follow(index: ReadonlyMap<string, TarEntry>, name: string, label: string): Piece | undefined {
  let entry = index.get(posix.normalize(name));
  for (let links = 0; entry && 'linkTo' in entry; links += 1) {
    if (links === maxLinks) throw inputError(`${label}: "${name.slice(0, 200)}" is a link to a link, and so on.`);
    entry = index.get(entry.linkTo);
  }
  return entry;
}
