/** Which repositories of a registry are looked at: what it lists, as far as the configuration names it, and nothing that it hides. */
import { readRepositoryProperties } from '../../acr/attributes.ts';
import { mapConcurrently } from '../../base/concurrency.ts';
import { AppError } from '../../base/errors.ts';
import { listRepositories } from '../../oci/catalog.ts';
import { isRepository } from '../../oci/reference.ts';
import type { Registry } from '../../oci/registry.ts';
import type { RepositoryFact } from '../keep-policy/policy-facts.ts';
import { matchesGlob } from '../owned-tags.ts';
import { nameCatalogRole } from './catalog-role.ts';
import { readableRepository } from './read-repository.ts';

/** Whether a repository holds images, and the globs of the configuration name it. */
export function isLookedAt(name: string, globs: readonly string[]): boolean {
  return !isReserved(name) && globs.some(glob => matchesGlob(name, glob));
}

/** The repositories of a registry. */
export interface NamedRepositories {
  /** Those that are looked at, in order. */
  readonly names: readonly string[];
  /** All that the registry lists; undefined where it was not asked. */
  readonly listed: readonly string[] | undefined;
}

/**
 * The repositories that the globs name. A catalog was once cut without a word
 * (https://github.com/Azure/acr/issues/875), so each of `known`, which records name or lie in, is asked for where it is not listed:
 * one that is there after all proves that others may be missing as well. Names without `*` need no list. Throws
 * `REGISTRY_UNEXPECTED` where the list is not whole, and as the registry does.
 */
export async function nameRepositories(
  registry: Registry,
  globs: readonly string[],
  known: Iterable<string>,
): Promise<NamedRepositories> {
  if (globs.every(glob => !glob.includes('*'))) {
    const names = [...new Set(globs)].filter(glob => isRepository(glob) && isLookedAt(glob, globs)).sort();
    return { names, listed: undefined };
  }
  const wanted = [...new Set(known)].filter(name => isReserved(name) || isLookedAt(name, globs)).sort();
  for (let isAgain = false; ; isAgain = true) {
    const listed = new Set(await listNames(registry));
    const missing = await findUnlisted(
      registry,
      wanted.filter(name => !listed.has(name)),
    );
    if (missing === undefined) {
      return { names: [...listed].filter(name => isLookedAt(name, globs)).sort(), listed: [...listed] };
    }
    // It may have been made since.
    if (isAgain)
      throw unexpected(
        `${registry.host}: its list of repositories lacks ${missing}, which is there: it was cut, or hides some.`,
      );
  }
}

/** The globs that find no image. One of stars alone is no name that could be mistaken. */
export function listUnmatched(globs: readonly string[], repositories: readonly RepositoryFact[]): string[] {
  const found = repositories.filter(({ images }) => images.kind === 'unread' || images.items.length > 0);
  return [...new Set(globs)].filter(glob => !/^\*+$/.test(glob) && !found.some(({ name }) => matchesGlob(name, glob)));
}

function isReserved(name: string): boolean {
  return name.startsWith('image-lifecycle/');
}

async function listNames(registry: Registry): Promise<string[]> {
  try {
    const names = [...(await listRepositories(registry))];
    const other = names.find(name => !isRepository(name));
    if (other === undefined) return names;
    throw unexpected(`${registry.host}: its list of repositories holds a name that is none.`);
  } catch (thrown) {
    throw nameCatalogRole(registry, thrown, '; or name every repository without "*"');
  }
}

async function findUnlisted(registry: Registry, names: readonly string[]): Promise<string | undefined> {
  const found = await mapConcurrently(names, 16, name => readRepositoryProperties(readableRepository(registry, name)));
  return names.find((_, at) => found[at] !== undefined);
}

function unexpected(message: string): AppError {
  return new AppError(message, { code: 'REGISTRY_UNEXPECTED' });
}
