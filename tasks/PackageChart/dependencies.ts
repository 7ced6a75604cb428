/** What a chart declares, in its folder for as long as it is read. */
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { buildDependencies, type Helm } from '../agent/helm.ts';

/** What helm writes into a folder for them, by the API of the chart. https://helm.sh/docs/helm/helm_dependency_build/ */
const locks = ['Chart.lock', 'requirements.lock'];

/**
 * Has helm bring the dependencies of the chart in the folder at `path`, and gives what `read` reads then. What was brought is
 * taken away again: agents keep folders, and the next build would find it there, however old it is by then. Throws as
 * {@link buildDependencies}, and as `read`.
 */
export async function withDependencies<T>(helm: Helm, path: string, read: () => Promise<T>): Promise<T> {
  const before = await listFolder(path);
  try {
    await buildDependencies(helm, path);
    // A lock of this moment holds the time, and no two builds would make one archive.
    await removeBrought(path, before, name => locks.includes(name));
    return await read();
  } finally {
    await removeBrought(path, before, name => locks.includes(name) || /^charts(?:$|[\\/])/.test(name));
  }
}

async function removeBrought(
  path: string,
  before: ReadonlySet<string>,
  isOurs: (name: string) => boolean,
): Promise<void> {
  for (const name of await listFolder(path)) {
    if (!before.has(name) && isOurs(name)) await rm(join(path, name), { recursive: true, force: true });
  }
}

/** The names in the folder and in its `charts`. */
async function listFolder(path: string): Promise<ReadonlySet<string>> {
  const inCharts = await namesIn(join(path, 'charts'));
  return new Set([...(await namesIn(path)), ...inCharts.map(name => join('charts', name))]);
}

async function namesIn(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (thrown) {
    const { code } = thrown as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return [];
    throw thrown;
  }
}
