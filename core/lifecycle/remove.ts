/**
 * The one place that deletes. Nothing else in this project calls `untag` or `deleteManifest`; a test holds that.
 * Each function asks again right before the change, because the plan may be minutes old and Azure has no precondition.
 */
import { listTagsOf } from '../acr/listings.ts';
import { untag } from '../acr/untag.ts';
import { AppError } from '../base/errors.ts';
import type { Logger } from '../base/log.ts';
import type { Digest } from '../oci/digest.ts';
import { deleteManifest, getManifest, headManifest, putManifest } from '../oci/manifests.ts';
import type { Registry } from '../oci/registry.ts';
import { openRepository, type Repository } from '../oci/repository.ts';
import { readTombstone, type TombstoneKey, tombstoneRepository, tombstoneTags } from './tombstone.ts';

/** How one removal ended. `held` changed nothing and says why. */
export type Removal =
  | { readonly kind: 'removed' }
  | { readonly kind: 'alreadyGone' }
  | {
      readonly kind: 'held';
      readonly by: 'moved' | 'tagged' | 'locked' | 'needed';
      readonly tag?: string;
      readonly reason: string;
    };

/** Thrown between two attempts of a change, when the answer to the question before it is another one by then. */
class HeldMeanwhile extends Error {
  readonly removal: Removal;

  constructor(removal: Removal) {
    super('held meanwhile');
    this.removal = removal;
  }
}

/**
 * Asks, changes, and asks again before each repetition of the change: a throttled request waits for minutes,
 * and what was free before may be somebody's after. `ask` gives a removal where nothing is to be changed.
 */
async function askThenChange<T>(
  ask: () => Promise<Removal | undefined>,
  change: (beforeAgain: () => Promise<void>) => Promise<T>,
): Promise<{ readonly settled: Removal } | { readonly changed: T }> {
  const settled = await ask();
  if (settled) return { settled };
  try {
    const changed = await change(async () => {
      const removal = await ask();
      if (removal) throw new HeldMeanwhile(removal);
    });
    return { changed };
  } catch (thrown) {
    if (thrown instanceof HeldMeanwhile) return { settled: thrown.removal };
    throw thrown;
  }
}

/** Takes `tag` off, if it is on `digest` at this moment. When it moved between the look and the change, it is put back. */
export async function removeTag(repository: Repository, tag: string, digest: Digest, log: Logger): Promise<Removal> {
  const ask = async (): Promise<Removal | undefined> => {
    const head = await headManifest(repository, tag);
    if (!head) return { kind: 'alreadyGone' };
    return head.digest === digest
      ? undefined
      : { kind: 'held', by: 'moved', reason: `the tag "${tag}" moved to ${head.digest}` };
  };
  const result = await askThenChange(ask, beforeAgain => untag(repository, tag, beforeAgain));
  if ('settled' in result) return result.settled;
  const { changed } = result;
  if (changed.kind === 'alreadyGone') return changed;
  if (changed.kind === 'locked') return { kind: 'held', by: 'locked', reason: `the tag "${tag}" is locked` };
  if (changed.digest !== undefined && changed.digest !== digest) {
    await putBack(repository, tag, changed.digest, log);
    const reason = `the tag "${tag}" moved to ${changed.digest} in that moment, and was put back`;
    return { kind: 'held', by: 'moved', reason };
  }
  log.info(`Untagged ${repository.label}:${tag}, which was on ${digest}.`);
  return { kind: 'removed' };
}

/** A manifest to delete. */
export interface ManifestToRemove {
  readonly repository: Repository;
  readonly digest: Digest;
  /** The tags that it may carry; with the manifest they go too. */
  readonly expected: readonly string[];
  /** A further question, asked with that for the tags: why it must stay, or undefined. */
  readonly heldBy?: () => Promise<string | undefined>;
}

/** Deletes a manifest whose tags are all expected, by a question asked right before: with the manifest go all its tags. */
export async function removeManifest(manifest: ManifestToRemove, log: Logger): Promise<Removal> {
  const { repository, digest } = manifest;
  const result = await askThenChange(
    () => askForHolds(manifest),
    beforeAgain => deleteManifest(repository, digest, beforeAgain),
  );
  if ('settled' in result) return result.settled;
  if (result.changed === 'locked') return { kind: 'held', by: 'locked', reason: 'it is locked' };
  if (result.changed === 'alreadyGone') return { kind: 'alreadyGone' };
  log.info(`Deleted ${repository.label}@${digest}.`);
  return { kind: 'removed' };
}

/** The tags are asked last, because they move most easily. */
async function askForHolds({ repository, digest, expected, heldBy }: ManifestToRemove): Promise<Removal | undefined> {
  const reason = await heldBy?.();
  if (reason !== undefined) return { kind: 'held', by: 'needed', reason };
  const tags = await listTagsOf(repository, digest);
  const other = tags.find(tag => !expected.includes(tag.name));
  if (other) return { kind: 'held', by: 'tagged', tag: other.name, reason: `the tag "${other.name}" is on it` };
  const locked = tags.find(tag => tag.locked);
  return locked && { kind: 'held', by: 'locked', reason: `its tag "${locked.name}" is locked` };
}

/** Puts a tag on a manifest that is in the repository, unless the tag exists; gives what the tag is on then. */
export async function putBack(repository: Repository, tag: string, digest: Digest, log: Logger): Promise<Digest> {
  const writable = openRepository(repository.registry, repository.name, ['pull', 'push']);
  const head = await headManifest(writable, tag);
  if (head) return head.digest;
  const manifest = await getManifest(writable, digest);
  if (!manifest) {
    throw new AppError(`${repository.label}:${tag} could not be put back: ${digest} is not there any more.`, {
      code: 'IMAGE_NOT_FOUND',
    });
  }
  await putManifest(writable, tag, manifest);
  log.warn(`Put ${repository.label}:${tag} back on ${digest}.`);
  return digest;
}

/** Removes a tombstone that has served, with both its tags. `manifest` is its digest, where it was read before. */
export async function removeTombstone(
  registry: Registry,
  key: TombstoneKey,
  log: Logger,
  manifest?: Digest,
): Promise<void> {
  const digest = manifest ?? (await readTombstone(registry, key))?.manifest;
  if (!digest) return;
  const repository = tombstoneRepository(registry, key.projectId);
  await removeManifest({ repository, digest, expected: tombstoneTags(key) }, log);
}
