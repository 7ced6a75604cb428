/** A reader that looks at the tags of a target at each request, and asks for everything below them. */
import type { AcrEmulator } from '../../emulators/acr/acr.ts';
import { blobsOf, type Descriptor, isForeign, isManifestType } from '../../emulators/acr/content.ts';

/** What is missing below a manifest, and the manifest itself where it is. */
export function missingBelow({ world }: AcrEmulator, repository: string, digest: string): string[] {
  const entry = world.manifest(repository, digest);
  if (!entry) return [digest];
  const hasBlob = (blob: Descriptor): boolean => world.repository(repository)?.blobs.has(blob.digest) === true;
  const blobs = blobsOf(entry.document).filter(blob => !isForeign(blob) && !hasBlob(blob));
  const children = (entry.document.manifests ?? []).flatMap(child => {
    if (isManifestType(child.mediaType)) return missingBelow({ world } as AcrEmulator, repository, child.digest);
    return hasBlob(child) ? [] : [child.digest];
  });
  return [...blobs.map(blob => blob.digest), ...children];
}

/** Every tag of a repository on something that is not whole, with what is missing. */
export function brokenTags(acr: AcrEmulator, repository: string): string[] {
  return Object.entries(acr.world.tags(repository)).flatMap(([tag, digest]) =>
    missingBelow(acr, repository, digest).map(missing => `${tag} lacks ${missing}`),
  );
}
