/**
 * Locks, each on its own level: https://learn.microsoft.com/azure/container-registry/container-registry-image-lock
 * `writeEnabled: false` forbids deletion, too: https://github.com/Azure/acr/issues/561
 */
import type { Core } from './core.ts';
import { disallowed } from './errors.ts';
import type { Attributes, ManifestEntry, Repository } from './repository.ts';

function forbidsDelete(attributes: Attributes): boolean {
  return !attributes.deleteEnabled || !attributes.writeEnabled;
}

/** Refuses to remove one tag; a lock of its manifest does not matter. */
export function checkUntag(repository: Repository, tag: string): void {
  const entry = repository.tags.get(tag);
  if (forbidsDelete(repository.attributes) || (entry && forbidsDelete(entry.attributes))) throw disallowed();
}

/** Refuses to delete a manifest; whether a lock of one of its tags matters is a switch. */
export function checkDelete(core: Core, repository: Repository, entry: ManifestEntry): void {
  if (forbidsDelete(repository.attributes) || forbidsDelete(entry.attributes)) throw disallowed();
  if (!core.behaviour.tagLockProtectsManifest) return;
  for (const name of entry.tags) {
    const tag = repository.tags.get(name);
    if (tag && forbidsDelete(tag.attributes)) throw disallowed();
  }
}

/** Refuses to delete a whole repository that is locked itself. */
export function checkDeleteRepository(repository: Repository): void {
  if (forbidsDelete(repository.attributes)) throw disallowed();
}

/** Refuses to push into a locked repository, over a locked tag, or a locked manifest again. */
export function checkPush(repository: Repository | undefined, reference?: string, digest?: string): void {
  if (repository === undefined) return;
  const tag = reference === undefined ? undefined : repository.tags.get(reference);
  const manifest = digest === undefined ? undefined : repository.manifests.get(digest);
  const targets = [repository, tag, manifest];
  if (targets.some(target => target?.attributes.writeEnabled === false)) throw disallowed();
}

/** Refuses to hand out what is closed for reading. */
export function checkRead(repository: Repository, entry?: ManifestEntry, tag?: string): void {
  const targets = [repository, entry, tag === undefined ? undefined : repository.tags.get(tag)];
  if (targets.some(target => target?.attributes.readEnabled === false)) throw disallowed();
}
