/**
 * The repositories of a registry, as it lists them. It may list fewer than there are: hidden ones, and Azure's list was
 * once cut without a word (https://github.com/Azure/acr/issues/875). No registry gives a count to compare with.
 * https://distribution.github.io/distribution/spec/api/#listing-repositories
 */
import { z } from 'zod';
import { AppError } from '../base/errors.ts';
import { readPages } from './paging.ts';
import { isRepository } from './reference.ts';
import type { Registry } from './registry.ts';

const catalogPage = z.object({ repositories: z.array(z.string().refine(isRepository)).nullable() });

/** The name of every repository, each once. Throws on any answer that is not such a list, and where the right is missing. */
export async function listRepositories(registry: Registry): Promise<Set<string>> {
  const found = new Set<string>();
  for await (const names of readCatalog(registry, 'n=1000')) for (const name of names) found.add(name);
  return found;
}

/**
 * The names under `folder`, such as `image-lifecycle/usage`, from a list that begins there: what is cut behind them hides
 * none. Throws as {@link listRepositories}, and where the list does not begin there or is not in an order.
 */
export async function listFolder(registry: Registry, folder: string): Promise<Set<string>> {
  const found = new Set<string>();
  let orders = [plainKey, pathKey];
  let before = folder;
  let isPast = false;
  for await (const names of readCatalog(registry, new URLSearchParams({ last: folder, n: '1000' }).toString())) {
    for (const name of names) {
      const previous = before;
      orders = orders.filter(key => key(name) > key(folder) && key(name) >= key(previous));
      if (orders.length === 0) {
        throw unexpected(
          `${registry.host}: its catalog was to go on behind ${folder}, in order, and names ${name} behind ${previous}.`,
        );
      }
      before = name;
      if (name.startsWith(`${folder}/`)) found.add(name);
      // In either order: "a-b" stands before "a/b" by its characters, and behind it by its parts.
      else isPast ||= [plainKey, pathKey].every(key => key(name) > key(`${folder}/`));
    }
    if (isPast) break;
  }
  return found;
}

const plainKey = (name: string): string => name;
/** Part by part, as distribution orders: https://github.com/distribution/distribution/blob/v2.8.3/registry/storage/catalog.go */
const pathKey = (name: string): string => name.replaceAll('/', '\0');

async function* readCatalog(registry: Registry, query: string): AsyncGenerator<readonly string[]> {
  const { host } = registry;
  // The scope: https://distribution.github.io/distribution/spec/auth/scope/#resource-class
  const catalog = { registry, name: '_catalog', scope: 'registry:catalog:*', label: host };
  let pages = 0;
  for await (const { body } of readPages(catalog, `/v2/_catalog?${query}`)) {
    pages += 1;
    const read = catalogPage.safeParse(body);
    if (!read.success) throw unexpected(`${host}: its catalog has an unknown shape: ${z.prettifyError(read.error)}.`);
    yield read.data.repositories ?? [];
  }
  if (pages === 0) throw unexpected(`${host}: it says that it has no catalog.`);
}

function unexpected(message: string): AppError {
  return new AppError(message, { code: 'REGISTRY_UNEXPECTED' });
}
