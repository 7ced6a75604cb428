/** Where an image goes in the stage's registry. Pure. */
import { inputError } from '../base/errors.ts';
import { isRepository } from '../oci/reference.ts';

/** How names change on the way. */
export interface RepositoryMapping {
  /** Put in front of every name that `renamed` does not have: `prod` makes `prod/shop/web` of `shop/web`. */
  readonly prefix: string;
  /** By the name in the source. */
  readonly renamed: ReadonlyMap<string, string>;
}

/** The repository in the target. Throws `INPUT_INVALID` where it would not be one, or one that is ours. */
export function mapRepository(name: string, { prefix, renamed }: RepositoryMapping): string {
  const mapped = renamed.get(name) ?? (prefix ? `${prefix.replace(/\/+$/, '')}/${name}` : name);
  if (!isRepository(mapped))
    throw inputError(`"${name}" would go to "${mapped.slice(0, 300)}", which is not a repository.`);
  // Records and tombstones decide what is deleted, so nobody may smuggle one in as an image.
  if (mapped === 'image-lifecycle' || mapped.startsWith('image-lifecycle/')) {
    throw inputError(`"${name}" would go to "${mapped}", where records are kept. No image may go there.`);
  }
  return mapped;
}
