/** A folder, as core reads files. */
import { realpath, stat } from 'node:fs/promises';
import { isAbsolute, join, relative, sep } from 'node:path';
import { inputError } from '../../core/base/errors.ts';
import type { Files } from '../../core/oci/files.ts';
import { readPiece } from './stored-file.ts';

/** The files below `path`, which messages call `label`. A name that leads out of it, by `..` or by a link, is refused when it is asked for. */
export async function openFolder(path: string, label: string): Promise<Files> {
  const root = await realpath(path);
  return {
    label,
    async open(name) {
      const about = `${label}: ${name.slice(0, 200)}`;
      const found = await realpath(join(root, name)).catch((cause: NodeJS.ErrnoException) => {
        if (cause.code === 'ENOENT' || cause.code === 'ENOTDIR') return undefined;
        throw inputError(`${about} cannot be read.`, cause);
      });
      if (found === undefined) return undefined;
      const inside = relative(root, found);
      if (inside === '..' || inside.startsWith(`..${sep}`) || isAbsolute(inside)) {
        throw inputError(`${about} leads out of the folder, and is not followed.`);
      }
      const state = await stat(found);
      if (!state.isFile()) throw inputError(`${about} is not a file.`);
      return readPiece(found, { offset: 0, size: state.size });
    },
  };
}
