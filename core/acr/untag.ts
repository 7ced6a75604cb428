/** Taking a tag off, and nothing else: the manifest and its other tags stay. */
import { inputError } from '../base/errors.ts';
import { type Digest, isDigest } from '../oci/digest.ts';
import { isLockRefusal } from '../oci/manifests.ts';
import { isTag } from '../oci/reference.ts';
import { type Repository, unexpectedAnswer } from '../oci/repository.ts';

/** How an untag ended; `digest` is what the tag pointed at when it went, where the registry says so. */
export type Untagging =
  | { readonly kind: 'untagged'; readonly digest: Digest | undefined }
  | { readonly kind: 'alreadyGone' }
  | { readonly kind: 'locked' };

/**
 * `DELETE /acr/v1/{repository}/_tags/{tag}`. Azure has no precondition for it, so the caller compares the digest that
 * comes back and puts the tag on again when it was another. Throws on every other answer,
 * and `INPUT_INVALID` for what is not a tag. `beforeAgain` runs before each repetition, and throws to end it.
 */
export async function untag(
  repository: Repository,
  tag: string,
  beforeAgain?: () => Promise<void>,
): Promise<Untagging> {
  // With ".." the path would be that of the repository, and the deletion, too.
  if (!isTag(tag)) throw inputError(`"${tag}" is not a tag.`);
  const answer = await repository.registry.exchange({
    method: 'DELETE',
    path: `/acr/v1/${repository.name}/_tags/${tag}`,
    scope: repository.scope,
    beforeAgain,
  });
  if (answer.status === 202 || answer.status === 200) {
    const digest = answer.headers['x-ms-int-docker-content-digest'] ?? '';
    return { kind: 'untagged', digest: isDigest(digest) ? digest : undefined };
  }
  if (answer.status === 404) return { kind: 'alreadyGone' };
  if (isLockRefusal(answer)) return { kind: 'locked' };
  throw unexpectedAnswer(`${repository.label}:${tag}`, answer);
}
