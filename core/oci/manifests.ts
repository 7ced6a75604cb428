/** Head, get, put and delete manifests. https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md */
import { AppError, inputError } from '../base/errors.ts';
import { computeDigest, type Digest, isDigest, verifyDigest } from './digest.ts';
import type { HttpAnswer } from './http.ts';
import { type Manifest, maxManifestBytes, parseManifest } from './manifest.ts';
import { acceptManifests } from './media-types.ts';
import { isTag } from './reference.ts';
import { errorCodes, type Repository, unexpectedAnswer } from './repository.ts';

/** What a HEAD tells. */
export interface ManifestHead {
  readonly digest: Digest;
  readonly mediaType: string;
  /** Bytes. */
  readonly size: number;
}

/** The head of the manifest at a tag or digest; undefined where there is none. */
export async function headManifest(repository: Repository, reference: string): Promise<ManifestHead | undefined> {
  const what = `${repository.label}, manifest ${reference}`;
  const answer = await repository.registry.exchange({
    method: 'HEAD',
    path: manifestPath(repository, reference),
    scope: repository.scope,
    headers: { accept: acceptManifests },
  });
  if (answer.status === 404) return undefined;
  if (answer.status !== 200) throw unexpectedAnswer(what, answer);
  const digest = answer.headers['docker-content-digest'] ?? '';
  const mediaType = mediaTypeOf(answer.headers['content-type']);
  if (isDigest(digest) && mediaType) {
    if (isDigest(reference) && reference !== digest) throw contradiction(what, digest);
    return { digest, mediaType, size: Number(answer.headers['content-length'] ?? 0) };
  }
  // The digest header is optional in the specification; the bytes always tell.
  const manifest = await getManifest(repository, reference);
  return manifest && { digest: manifest.digest, mediaType: manifest.mediaType, size: manifest.bytes.byteLength };
}

/**
 * The manifest at a tag or digest, its bytes verified; undefined where there is none of a form that `accept` names.
 * Throws `DIGEST_MISMATCH` when the bytes are not those that the digest (or the registry's own header) names.
 */
export async function getManifest(
  repository: Repository,
  reference: string,
  accept: string = acceptManifests,
): Promise<Manifest | undefined> {
  const what = `${repository.label}, manifest ${reference}`;
  const answer = await repository.registry.exchange({
    method: 'GET',
    path: manifestPath(repository, reference),
    scope: repository.scope,
    headers: { accept },
    maxBytes: maxManifestBytes,
  });
  if (answer.status === 404) return undefined;
  if (answer.status !== 200) throw unexpectedAnswer(what, answer);
  const named = isDigest(reference) ? reference : (answer.headers['docker-content-digest'] ?? '');
  if (isDigest(named)) verifyDigest(answer.bytes, named, what);
  return parseManifest(answer.bytes, mediaTypeOf(answer.headers['content-type']), what);
}

/** Puts a manifest's exact bytes at a tag or at its digest, and checks the digest that the registry answers. */
export async function putManifest(repository: Repository, reference: string, manifest: Manifest): Promise<void> {
  const answer = await sendManifest(repository, reference, manifest);
  if (answer.status !== 201) throw unexpectedAnswer(`${repository.label}, manifest ${reference}`, answer);
}

/** {@link putManifest}, where what the manifest names may be gone by now: gives whether the registry has all of it, and took it. */
export async function offerManifest(repository: Repository, reference: string, manifest: Manifest): Promise<boolean> {
  const answer = await sendManifest(repository, reference, manifest);
  if (answer.status === 201) return true;
  // https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#error-codes
  if (errorCodes(answer.bytes).includes('MANIFEST_BLOB_UNKNOWN')) return false;
  throw unexpectedAnswer(`${repository.label}, manifest ${reference}`, answer);
}

async function sendManifest(repository: Repository, reference: string, manifest: Manifest): Promise<HttpAnswer> {
  const what = `${repository.label}, manifest ${reference}`;
  const answer = await repository.registry.exchange({
    method: 'PUT',
    path: manifestPath(repository, reference),
    scope: repository.scope,
    headers: { 'content-type': manifest.mediaType },
    body: manifest.bytes,
  });
  if (isLockRefusal(answer)) {
    throw new AppError(`${what} could not be written: it is locked in the registry.`, { code: 'LOCKED' });
  }
  const stored = answer.status === 201 ? answer.headers['docker-content-digest'] : undefined;
  if (stored !== undefined && stored !== computeDigest(manifest.bytes)) throw contradiction(what, stored);
  return answer;
}

/** How a deletion ended. */
export type Deletion = 'deleted' | 'alreadyGone' | 'locked';

/**
 * Deletes a manifest by digest. **Every tag on it goes with it**, and on Azure its referrers:
 * ask for the tags right before, and in `beforeAgain`, which runs before each repetition (a throttled one may be minutes
 * later) and throws to end it. 404 is already gone, 405 is locked; neither is a failure.
 */
export async function deleteManifest(
  repository: Repository,
  digest: Digest,
  beforeAgain?: () => Promise<void>,
): Promise<Deletion> {
  const answer = await repository.registry.exchange({
    method: 'DELETE',
    path: manifestPath(repository, digest),
    scope: repository.scope,
    beforeAgain,
  });
  if (answer.status === 202) return 'deleted';
  if (answer.status === 404) return 'alreadyGone';
  if (isLockRefusal(answer)) return 'locked';
  throw unexpectedAnswer(`${repository.label}@${digest}`, answer);
}

/** Azure refuses a change of something locked with this status. https://learn.microsoft.com/azure/container-registry/container-registry-image-lock */
export function isLockRefusal(answer: { readonly status: number }): boolean {
  return answer.status === 405;
}

/** Throws `INPUT_INVALID` for what is neither a tag nor a digest: `..` would lead to another path. */
function manifestPath(repository: Repository, reference: string): string {
  if (!isTag(reference) && !isDigest(reference)) throw inputError(`"${reference}" is neither a tag nor a digest.`);
  return `/v2/${repository.name}/manifests/${reference}`;
}

function mediaTypeOf(contentType: string | undefined): string {
  return (contentType ?? '').split(';')[0]?.trim() ?? '';
}

function contradiction(what: string, digest: string): AppError {
  return new AppError(`${what}: the registry answered with another digest, ${digest}.`, { code: 'DIGEST_MISMATCH' });
}
