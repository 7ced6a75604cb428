/** Worlds of many builds, put into the emulators past their front doors: images, tags, records and builds as TagImage leaves them. */
import type { Estate } from '../../test/core/lifecycle/estate.ts';
import { forgeRecord } from '../../test/core/lifecycle/forge-record.ts';

/** How large the world is. */
export interface RecordedWorld {
  readonly repositories: number;
  readonly builds: number;
  /** Images of each build, each in a repository of its own. */
  readonly images: number;
  /** Builds that Azure DevOps calls deleted: the first of them. */
  readonly gone: number;
}

/** An image that was made, as `repository@digest`, by its build. */
export type MadePlaces = ReadonlyMap<number, readonly string[]>;

/** Fills the estate; gives each build's images. Build ids begin at 100,000; `when` says when each build made its images. */
export function seedBuilds(estate: Estate, world: RecordedWorld, when: (ordinal: number) => number): MadePlaces {
  const { acr, ado, definitionId } = estate;
  const places = new Map<number, readonly string[]>();
  for (let ordinal = 0; ordinal < world.builds; ordinal += 1) {
    const id = 100_000 + ordinal;
    const at = when(ordinal);
    const build = ado.world.addBuild({ definitionId, id, queueTime: at, startTime: at, finishTime: at });
    const repositories = Array.from(
      { length: world.images },
      (_, image) => `shop/service-${(ordinal * world.images + image) % world.repositories}`,
    );
    const images = repositories.map(repository => {
      const tags = [String(id)];
      const { digest, size, mediaType } = acr.world.putImage(repository, { tags, at });
      return { repository, digest, mediaType, size, children: [], tags };
    });
    putRecord(estate, build, images, at);
    places.set(
      id,
      images.map(({ repository, digest }) => `${repository}@${digest}`),
    );
    if (ordinal < world.gone) ado.world.deleteBuild(id);
  }
  return places;
}

function putRecord(
  estate: Estate,
  build: { readonly id: number; readonly number: string; readonly sourceVersion: string },
  images: readonly object[],
  at: number,
): void {
  const { ado, projectId, definitionId } = estate;
  const content = {
    schema: 1,
    build: {
      collectionId: ado.collectionId,
      organization: ado.url,
      projectId,
      definitionId,
      id: build.id,
      number: build.number,
      repository: 'shop',
      branch: 'refs/heads/main',
      commit: build.sourceVersion,
      stage: 'build',
      job: 'job',
      attempt: '1.1',
    },
    images,
    charts: [],
    onBuildDeleted: 'delete',
    createdAt: new Date(at).toISOString(),
  };
  const text = JSON.stringify(content);
  const data = Buffer.from(text).toString('base64');
  forgeRecord(estate, `${build.id}.${definitionId}.${build.id.toString(36)}`, text, { data });
}
