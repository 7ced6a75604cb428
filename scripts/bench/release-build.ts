/** What a hint costs: requests until every tag of one deleted build is off, in a small and in a large registry. */
import { recordRepository } from '../../core/lifecycle/build-record.ts';
import { type Estate, startEstate } from '../../test/core/lifecycle/estate.ts';
import type { RunClient } from './client.ts';
import { deleteBuilds, makeImage } from './dead-builds.ts';
import { orderFor } from './order.ts';
import { clearLogs, type Tally, tallyAll } from './tally.ts';

/** The build, and the registry around it. */
export interface ReleaseWorld {
  readonly images: number;
  /** So many of the images have two platforms. */
  readonly indexes: number;
  /** Tags of other images in the repositories of the build, all together. */
  readonly otherTags: number;
  /** Records of other builds of the project. */
  readonly otherRecords: number;
}

/** Makes a build in a world, deletes it, and gives the requests that its release took. Throws where a tag is left. */
export async function measureRelease(world: ReleaseWorld, run: RunClient): Promise<Tally> {
  const estate = await startEstate();
  try {
    const repositories = Array.from({ length: world.images }, (_, ordinal) => `shop/service-${ordinal}`);
    const images = repositories.map((repository, ordinal) => makeImage(estate, repository, ordinal < world.indexes));
    const buildId = await estate.build(images, { id: 700_000 });
    surround(estate, repositories, world);
    deleteBuilds(estate, [buildId]);
    clearLogs(estate);
    const { braked, reasons } = await run(orderFor(estate, buildId));
    const left = repositories.filter(repository => estate.acr.world.has(repository, String(buildId)));
    if (left.length > 0 || braked) throw new Error(`${left.length} tags are left: ${braked ?? reasons.join('; ')}`);
    return tallyAll(estate);
  } finally {
    await estate.close();
  }
}

/** Fills the same repositories with images of other builds, each with a tag like ours. */
function surround(estate: Estate, repositories: readonly string[], { otherTags, otherRecords }: ReleaseWorld): void {
  const { world } = estate.acr;
  const each = Math.ceil(otherTags / repositories.length);
  for (const repository of repositories) {
    world.seedManifests(repository, { manifests: each, tag: ordinal => String(600_000 + ordinal) });
  }
  const records = recordRepository(estate.connect(), estate.projectId, []).name;
  const some = Object.values(world.tags(records))[0];
  if (!some) throw new Error('the build left no record');
  const names = Array.from({ length: otherRecords }, (_, ordinal) => `${600_000 + ordinal}.1.${ordinal}`);
  world.seedTags(records, some, names);
}
