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
  const { host } = registry;
  // The scope: https://distribution.github.io/distribution/spec/auth/scope/#resource-class
  const catalog = { registry, name: '_catalog', scope: 'registry:catalog:*', label: host };
  const found = new Set<string>();
  let pages = 0;
  for await (const { body } of readPages(catalog, '/v2/_catalog?n=1000')) {
    pages += 1;
    const read = catalogPage.safeParse(body);
    if (!read.success) throw unexpected(`${host}: its catalog has an unknown shape: ${z.prettifyError(read.error)}.`);
    for (const name of read.data.repositories ?? []) found.add(name);
  }
  if (pages === 0) throw unexpected(`${host}: it says that it has no catalog.`);
  return found;
}

function unexpected(message: string): AppError {
  return new AppError(message, { code: 'REGISTRY_UNEXPECTED' });
}
