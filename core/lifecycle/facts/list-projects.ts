/** Which projects have left records or tombstones in a registry, whoever looks after them. */
import { listFolder, listRepositories } from '../../oci/catalog.ts';
import type { Registry } from '../../oci/registry.ts';
import { nameCatalogRole } from './catalog-role.ts';

const folders = ['image-lifecycle/builds', 'image-lifecycle/tombstones'];
const projectRepository = new RegExp(`^(?:${folders.join('|')})/([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})$`);

/**
 * The ids of these projects, lower-case GUIDs, in order. `listed` are the repositories as the registry lists them, where it
 * was asked already. That list may be cut before theirs, so others are read that begin there: a request for each folder.
 * Throws as these lists do, and names the role where the right to them is missing.
 */
export async function listProjectIds(registry: Registry, listed?: readonly string[]): Promise<string[]> {
  try {
    const names = new Set(listed ?? (await listRepositories(registry)));
    for (const folder of folders) for (const name of await listFolder(registry, folder)) names.add(name);
    return [...new Set([...names].flatMap(name => projectRepository.exec(name)?.[1] ?? []))].sort();
  } catch (thrown) {
    throw nameCatalogRole(registry, thrown);
  }
}
