/** Puts a tag on a manifest that is in the repository, and looks whether it is there. */
import { AppError } from '../base/errors.ts';
import type { Digest } from './digest.ts';
import type { Manifest } from './manifest.ts';
import { getManifest, headManifest, putManifest } from './manifests.ts';
import type { Repository } from './repository.ts';

/** Puts the tag by putting the same bytes again, and reads it back: see {@link checkTag}. */
export async function putTag(repository: Repository, tag: string, manifest: Manifest): Promise<void> {
  await putManifest(repository, tag, manifest);
  await checkTag(repository, tag, manifest);
}

/**
 * Reads back a tag that was put. Throws `TAG_TAKEN`, retryable, where it is on something else: somebody moves the same
 * tag at the same time, and a registry has no precondition against that.
 */
export async function checkTag(repository: Repository, tag: string, manifest: Manifest): Promise<void> {
  const now = await headManifest(repository, tag);
  if (now?.digest === manifest.digest) return;
  throw new AppError(
    `${repository.label}:${tag} was set to ${manifest.digest}, but reads as ${now?.digest ?? 'missing'}: another job moves the same tag at the same time.`,
    { code: 'TAG_TAKEN', retryable: true },
  );
}

/**
 * What was brought is read back from the repository itself, every byte, before a tag may name it.
 * Throws `REGISTRY_UNEXPECTED` where it is not there, `DIGEST_MISMATCH` where it reads as other bytes.
 */
export async function readBack(repository: Repository, digest: Digest): Promise<Manifest> {
  const manifest = await getManifest(repository, digest);
  if (manifest) return manifest;
  throw new AppError(`${repository.label}@${digest} was brought there, but cannot be read back. It was not tagged.`, {
    code: 'REGISTRY_UNEXPECTED',
    retryable: true,
  });
}
