/** Builds that were deleted, each with images that the verb behind TagImage tagged and recorded. */
import { mapConcurrently } from '../../core/base/concurrency.ts';
import type { Estate } from '../../test/core/lifecycle/estate.ts';

/** An image that was put into the registry. */
export interface MadeImage {
  readonly repository: string;
  readonly reference: string;
  /** Its own digest, and those of its platforms where it is an index. */
  readonly digests: readonly string[];
}

/** Puts an image into a repository, or an index of two platforms. */
export function makeImage({ acr }: Estate, repository: string, isIndex: boolean): MadeImage {
  const { world } = acr;
  const architectures = isIndex ? ['amd64', 'arm64'] : [];
  const platforms = architectures.map(architecture => world.putImage(repository, { architecture }));
  const { digest } = isIndex ? world.putIndex(repository, platforms) : world.putImage(repository);
  return { repository, reference: digest, digests: [digest, ...platforms.map(each => each.digest)] };
}

const atOnce = 8;

/** Makes a build for each list of images, through the registry's front door; gives the builds' ids. */
export function makeBuilds(estate: Estate, images: readonly (readonly MadeImage[])[]): Promise<number[]> {
  return mapConcurrently(images, atOnce, each => estate.build(each));
}

/** Deletes builds in Azure DevOps, as its retention does. */
export function deleteBuilds({ ado }: Estate, ids: readonly number[]): void {
  for (const id of ids) ado.world.deleteBuild(id);
}

/** Successful deletions of each digest outside our own records, by the registry's log. */
export function deletionsByDigest({ acr }: Estate): Map<string, number> {
  const counts = new Map<string, number>();
  for (const { repository = '', reference = '' } of acr.requests.all({ operation: 'manifest.delete', status: 202 })) {
    if (repository.startsWith('image-lifecycle/')) continue;
    const place = `${repository}@${reference}`;
    counts.set(place, (counts.get(place) ?? 0) + 1);
  }
  return counts;
}
