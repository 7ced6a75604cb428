/** The folder of a chart on the agent, as core reads charts. */
import { open, readdir, realpath, stat } from 'node:fs/promises';
import { isAbsolute, join, relative, sep } from 'node:path';
import { AppError, inputError } from '../../core/base/errors.ts';
import type { ChartFolder, FolderEntry } from '../../core/helm/chart-folder.ts';

/**
 * The folder at `path`, which messages call `label`. Links are followed as helm follows them, as long as they stay in the
 * folder. Throws `INPUT_INVALID` where there is no folder.
 */
export async function openChartFolder(path: string, label: string): Promise<ChartFolder> {
  const root = await realpath(path).catch((cause: NodeJS.ErrnoException) => {
    throw inputError(`there is no folder "${label}".`, cause);
  });
  if (!(await stat(root)).isDirectory()) throw inputError(`"${label}" is not a folder.`);
  const place: Place = { root, label };
  return {
    label,
    list: async at => {
      const folder = await follow(place, at);
      // A folder that is reached again below itself has no end.
      const above = await Promise.all(foldersAbove(at).map(each => realpath(join(root, each))));
      if (above.includes(folder)) throw refused(place, at, 'is a link to a folder above it');
      const names = await readdir(folder);
      return Promise.all(names.map(name => describe(place, at, name)));
    },
    read: async (at, maxBytes) => readBounded(place, at, maxBytes),
  };
}

interface Place {
  readonly root: string;
  readonly label: string;
}

async function describe(place: Place, at: string, name: string): Promise<FolderEntry> {
  const state = await stat(await follow(place, at ? `${at}/${name}` : name));
  const kind = state.isFile() ? 'file' : state.isDirectory() ? 'folder' : 'other';
  return { name, kind, size: state.size };
}

/** The place that a path leads to, links resolved. Throws `INPUT_INVALID` for one that is outside, or is not there. */
async function follow(place: Place, at: string): Promise<string> {
  const found = await realpath(join(place.root, at)).catch((cause: NodeJS.ErrnoException) => {
    const why = cause.code === 'ELOOP' ? 'is a link in a circle' : 'is not there, or is a link to nothing';
    throw refused(place, at, why, cause);
  });
  const inside = relative(place.root, found);
  if (inside !== '..' && !inside.startsWith(`..${sep}`) && !isAbsolute(inside)) return found;
  throw refused(place, at, 'is a link that leads out of the chart');
}

function foldersAbove(at: string): string[] {
  const parts = at ? at.split('/') : [];
  return parts.map((_, length) => parts.slice(0, length).join('/'));
}

/** Read to one byte more than the bound: what grows meanwhile is refused too. */
async function readBounded(place: Place, at: string, maxBytes: number): Promise<Uint8Array> {
  const file = await open(await follow(place, at));
  try {
    const { size } = await file.stat();
    const bytes = new Uint8Array(Math.min(size, maxBytes) + 1);
    let length = 0;
    for (;;) {
      const { bytesRead } = await file.read(bytes, length, bytes.length - length);
      length += bytesRead;
      if (bytesRead === 0 || length === bytes.length) break;
    }
    if (length > maxBytes) {
      throw new AppError(`${place.label}: ${at} has more than ${maxBytes} bytes.`, { code: 'TOO_LARGE' });
    }
    if (length > size) throw refused(place, at, 'grew while it was read');
    return bytes.subarray(0, length);
  } finally {
    await file.close();
  }
}

function refused({ label }: Place, at: string, why: string, cause?: unknown): AppError {
  return inputError(`${label}: ${at.slice(0, 200) || 'the folder'} ${why}.`, cause);
}
