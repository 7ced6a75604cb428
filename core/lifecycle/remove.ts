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
import { openRepository, type Repository } from '../oci/repository.ts';

/** How one removal ended. `held` changed nothing and says why. */
export type Removal =
  | { readonly kind: 'removed' }
  | { readonly kind: 'alreadyGone' }
  | {
      readonly kind: 'held';
      readonly by: 'moved' | 'tagged' | 'locked';
      readonly tag?: string;
      readonly reason: string;
    };

/** Takes `tag` off, if it is on `digest` at this moment. When it moved between the look and the change, it is put back. */
export async function removeTag(repository: Repository, tag: string, digest: Digest, log: Logger): Promise<Removal> {
  const head = await headManifest(repository, tag);
  if (!head) return { kind: 'alreadyGone' };
  if (head.digest !== digest) return { kind: 'held', by: 'moved', reason: `the tag "${tag}" moved to ${head.digest}` };
  const result = await untag(repository, tag);
  if (result.kind === 'alreadyGone') return result;
  if (result.kind === 'locked') return { kind: 'held', by: 'locked', reason: `the tag "${tag}" is locked` };
  if (result.digest !== undefined && result.digest !== digest) {
    await putBack(repository, tag, result.digest, log);
    return {
      kind: 'held',
      by: 'moved',
      reason: `the tag "${tag}" moved to ${result.digest} in that moment, and was put back`,
    };
  }
  log.info(`Untagged ${repository.label}:${tag}, which was on ${digest}.`);
  return { kind: 'removed' };
}

/**
 * Deletes a manifest whose tags are all in `expected`, by a question asked right before: with the manifest go all its tags.
 */
export async function removeManifest(
  repository: Repository,
  digest: Digest,
  expected: readonly string[],
  log: Logger,
): Promise<Removal> {
  const tags = await listTagsOf(repository, digest);
  const other = tags.find(tag => !expected.includes(tag.name));
  if (other) return { kind: 'held', by: 'tagged', tag: other.name, reason: `the tag "${other.name}" is on it` };
  const locked = tags.find(tag => tag.locked);
  if (locked) return { kind: 'held', by: 'locked', reason: `its tag "${locked.name}" is locked` };
  const result = await deleteManifest(repository, digest);
  if (result === 'locked') return { kind: 'held', by: 'locked', reason: 'it is locked' };
  if (result === 'alreadyGone') return { kind: 'alreadyGone' };
  log.info(`Deleted ${repository.label}@${digest}.`);
  return { kind: 'removed' };
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
