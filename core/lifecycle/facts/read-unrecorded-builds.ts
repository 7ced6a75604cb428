/**
 * Builds that tags name and no record does: their project is not known, so each is asked. The living are found by their
 * ids, the deleted in the list of each project's; an id that is in neither is left out, and then its images stay.
 */
import { type BuildFacts, getBuildsByIds } from '../../azure-devops/builds.ts';
import { listDeletedBuilds } from '../../azure-devops/deleted-builds.ts';
import { holdsOf, makeBuildFact } from './build-fact.ts';
import type { EstateOrganization, EstateProject } from './estate.ts';
import { readHolds } from './read-holds.ts';
import type { BuildAnswer } from './read-states.ts';
import { type BuildsPart, listUnseen } from './unseen.ts';

/** Ids of Azure DevOps are of 32 bits; a longer number in a tag is a date or the like, and would spoil the question. */
const largestId = 2 ** 31 - 1;

/** Reads the builds of one organization that have one of these ids. */
export async function readUnrecordedBuilds(
  organization: EstateOrganization,
  candidates: readonly number[],
): Promise<BuildsPart> {
  const left = new Set(candidates.filter(id => Number.isSafeInteger(id) && id > 0 && id <= largestId));
  const parts: BuildsPart[] = [];
  for (const read of [readLiving, readDeleted]) {
    for (const project of organization.projects) {
      if (left.size === 0) break;
      const { builds, unread } = await read(organization, project, left);
      // Ids are unique in an organization: what one project has, no other is asked for.
      for (const { id } of builds) left.delete(id);
      parts.push(await toPart(organization, project, builds, unread));
    }
  }
  const unread = parts.flatMap(each => each.unread ?? []);
  return {
    facts: parts.flatMap(each => each.facts),
    unread: unread.length > 0 ? unread.join('; ') : undefined,
    unseen: parts.flatMap(each => each.unseen),
  };
}

type Found = BuildFacts & { readonly deleted: boolean };

interface Answer {
  readonly builds: readonly Found[];
  readonly unread?: string | undefined;
}

async function readLiving(
  { azureDevOps }: EstateOrganization,
  project: EstateProject,
  ids: ReadonlySet<number>,
): Promise<Answer> {
  const { found, unknown } = await getBuildsByIds(azureDevOps, project.id, [...ids]);
  return { builds: [...found.values()], unread: unknown };
}

async function readDeleted(
  { azureDevOps }: EstateOrganization,
  project: EstateProject,
  ids: ReadonlySet<number>,
): Promise<Answer> {
  const listed = await listDeletedBuilds(azureDevOps, project.id);
  if (listed.kind === 'unknown') return { builds: [], unread: listed.reason };
  const wanted = new Map(listed.items.filter(({ id }) => ids.has(id)).map(build => [build.id, build]));
  return { builds: [...wanted.values()].map(build => ({ ...build, deleted: true })) };
}

async function toPart(
  organization: EstateOrganization,
  project: EstateProject,
  builds: readonly Found[],
  unread: string | undefined,
): Promise<BuildsPart> {
  const answers = builds.map(
    (body): BuildAnswer => ({
      id: body.id,
      definition: body.definitionId,
      state: { kind: body.deleted ? 'deleted' : 'alive' },
      body,
    }),
  );
  const held = await readHolds(organization.releases, project, answers);
  const facts = answers.map(answer => {
    const build = { organization: organization.name, project: project.name, id: answer.id };
    return makeBuildFact(build, answer, held.holds.get(answer) ?? holdsOf(answer.body));
  });
  return {
    facts,
    unread,
    unseen: listUnseen(organization, project, { builds: unread, 'classic releases': held.unread }),
  };
}
