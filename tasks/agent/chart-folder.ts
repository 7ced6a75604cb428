/** The folder of a chart on the agent, as core reads charts. */
import { closeSync, constants, fstatSync, openSync, readdirSync, readSync, realpathSync, statSync } from 'node:fs';
import { isAbsolute, join, relative, sep } from 'node:path';
import { AppError, inputError } from '../../core/base/errors.ts';
import type { ChartFolder, FolderEntry } from '../../core/helm/chart-folder.ts';

/**
 * The folder at `path`, which messages call `label`. Links are followed as helm follows them, as long as they stay in the
 * folder. Throws `INPUT_INVALID` where there is no folder.
 *
 * It waits for the disk: a chart has hundreds of small files, and a task has nothing else to do meanwhile.
 */
export async function openChartFolder(path: string, label: string): Promise<ChartFolder> {
  const place: Place = { root: findRoot(path, label), label, found: new Map() };
  place.found.set('', place.root);
  return {
    label,
    list: async at => list(place, at),
    read: async (at, maxBytes) => readBounded(place, at, maxBytes),
  };
}

interface Place {
  readonly root: string;
  readonly label: string;
  /** Where the paths lead that were seen, links resolved. */
  readonly found: Map<string, string>;
}

function findRoot(path: string, label: string): string {
  try {
    const root = realpathSync.native(path);
    if (statSync(root).isDirectory()) return root;
  } catch (cause) {
    throw inputError(`there is no folder "${label}".`, cause);
  }
  throw inputError(`"${label}" is not a folder.`);
}

function list(place: Place, at: string): FolderEntry[] {
  const folder = resolvePath(place, at);
  // A folder that is reached again below itself has no end.
  const above = foldersAbove(at).map(each => resolvePath(place, each));
  if (above.includes(folder)) throw refused(place, at, 'is a link to a folder above it');
  return attempt(place, at, () => readdirSync(folder, { withFileTypes: true })).map(entry => {
    const path = at ? `${at}/${entry.name}` : entry.name;
    // What is no link is where it seems to be.
    const found = entry.isSymbolicLink() ? follow(place, path) : join(folder, entry.name);
    place.found.set(path, found);
    const kind = entry.isSymbolicLink() ? attempt(place, path, () => statSync(found)) : entry;
    return { name: entry.name, kind: kind.isFile() ? 'file' : kind.isDirectory() ? 'folder' : 'other' };
  });
}

function resolvePath(place: Place, at: string): string {
  const found = place.found.get(at) ?? follow(place, at);
  place.found.set(at, found);
  return found;
}

/** The place that a path leads to, links resolved. Throws `INPUT_INVALID` for one that is outside, or is not there. */
function follow(place: Place, at: string): string {
  const found = attempt(place, at, () => realpathSync.native(join(place.root, at)));
  const inside = relative(place.root, found);
  if (inside !== '..' && !inside.startsWith(`..${sep}`) && !isAbsolute(inside)) return found;
  throw refused(place, at, 'is a link that leads out of the chart');
}

function attempt<T>(place: Place, at: string, work: () => T): T {
  try {
    return work();
  } catch (thrown) {
    const { code } = thrown as NodeJS.ErrnoException;
    const why = code === 'ELOOP' ? 'is a link in a circle' : 'is not there, or is a link to nothing';
    throw refused(place, at, code === 'EACCES' || code === 'EPERM' ? 'must not be read by this agent' : why, thrown);
  }
}

function foldersAbove(at: string): string[] {
  const parts = at ? at.split('/') : [];
  return parts.map((_, length) => parts.slice(0, length).join('/'));
}

/** Read to one byte more than the bound: what grows meanwhile is refused too. */
function readBounded(place: Place, at: string, maxBytes: number): Uint8Array {
  const found = resolvePath(place, at);
  // Links are resolved by now: one that takes the file's place is not followed, and nothing waits for a pipe.
  const flags = constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0);
  const file = attempt(place, at, () => openSync(found, flags));
  try {
    const state = fstatSync(file);
    if (!state.isFile()) throw refused(place, at, 'is not a file');
    const { size } = state;
    const bytes = new Uint8Array(Math.min(size, maxBytes) + 1);
    let length = 0;
    for (let more = 1; more > 0 && length < bytes.length; length += more) {
      more = readSync(file, bytes, length, bytes.length - length, null);
    }
    if (length > maxBytes) {
      throw new AppError(`${place.label}: ${at} has more than ${maxBytes} bytes.`, { code: 'TOO_LARGE' });
    }
    if (length > size) throw refused(place, at, 'grew while it was read');
    return bytes.subarray(0, length);
  } finally {
    closeSync(file);
  }
}

function refused({ label }: Place, at: string, why: string, cause?: unknown): AppError {
  return inputError(`${label}: ${at.slice(0, 200) || 'the folder'} ${why}.`, cause);
}
