/** The tags of a repository. https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#listing-tags */
import { z } from 'zod';
import { AppError } from '../base/errors.ts';
import { readPages } from './paging.ts';
import type { Repository } from './repository.ts';

const tagList = z.object({ name: z.string(), tags: z.array(z.string()).nullish() });

/** Every tag, in the registry's order; empty where the repository is unknown. */
export async function listTags(repository: Repository): Promise<string[]> {
  const tags: string[] = [];
  for await (const page of tagPages(repository, '')) tags.push(...page);
  return tags;
}

/**
 * The tags that begin with `prefix`. Starts right before them and stops behind them, where the registry's order is
 * lexical, as the specification wants it. Where a page is not, or nothing is found, everything is listed:
 * a registry with an order of its own may begin anywhere.
 */
export async function listTagsWithPrefix(repository: Repository, prefix: string): Promise<string[]> {
  const found = await findInOrder(repository, prefix);
  return found?.length ? found : (await listTags(repository)).filter(tag => tag.startsWith(prefix));
}

async function findInOrder(repository: Repository, prefix: string): Promise<string[] | undefined> {
  const found: string[] = [];
  let previous = prefix;
  for await (const page of tagPages(repository, prefix)) {
    for (const tag of page) {
      if (tag <= previous) return undefined;
      previous = tag;
      if (tag.startsWith(prefix)) found.push(tag);
    }
    if (!previous.startsWith(prefix)) break;
  }
  return found;
}

async function* tagPages(repository: Repository, last: string): AsyncGenerator<string[]> {
  const after = last ? `&last=${encodeURIComponent(last)}` : '';
  for await (const { body } of readPages(repository, `/v2/${repository.name}/tags/list?n=1000${after}`)) {
    const read = tagList.safeParse(body);
    if (!read.success || read.data.name !== repository.name) {
      throw new AppError(`${repository.label}: the list of tags is not one of this repository.`, {
        code: 'REGISTRY_UNEXPECTED',
      });
    }
    yield read.data.tags ?? [];
  }
}
