/**
 * Which classic releases hold builds that are gone. Builds that are there are not asked for: they stay anyway. Nor are
 * retention leases: while one is valid nobody can delete its build, and it goes with the build.
 * https://learn.microsoft.com/azure/devops/pipelines/policies/retention
 */
import type { AzureDevOps } from '../../azure-devops/connection.ts';
import { hasReleasePipelines, listHoldingReleases } from '../../azure-devops/held-builds.ts';
import { mapConcurrently } from '../../base/concurrency.ts';
import type { Reading } from '../../base/reading.ts';
import type { EstateProject } from './estate.ts';
import type { BuildAnswer } from './read-states.ts';

/** What holds each build, and why that is not known of some. */
export interface HoldsReading {
  readonly holds: ReadonlyMap<BuildAnswer, Reading<string>>;
  readonly unread?: string | undefined;
}

const askedAtOnce = 8;

/**
 * Asks once whether the project has classic releases at all, and then one request for each build that is gone. The first
 * question without an answer ends the asking: of that build and of those after it nothing is known.
 */
export async function readHolds(
  releases: AzureDevOps,
  project: EstateProject,
  answers: readonly BuildAnswer[],
): Promise<HoldsReading> {
  const gone = answers.filter(isGone);
  const holds = new Map<BuildAnswer, Reading<string>>();
  if (gone.length === 0) return { holds };
  const pipelines = await hasReleasePipelines(releases, project.id);
  let unread = pipelines.kind === 'unknown' ? pipelines.reason : undefined;
  const readOne = async ({ id, definition }: BuildAnswer): Promise<Reading<string>> => {
    if (unread !== undefined) return { kind: 'unread', reason: unread };
    if (pipelines.kind === 'none') return { kind: 'whole', items: [] };
    const found = await listHoldingReleases(releases, { projectId: project.id, definitionId: definition, buildId: id });
    if (found.kind === 'found') return { kind: 'whole', items: found.names.map(name => `the classic release ${name}`) };
    unread ??= found.reason;
    return { kind: 'unread', reason: found.reason };
  };
  await mapConcurrently(gone, askedAtOnce, async answer => void holds.set(answer, await readOne(answer)));
  return { holds, unread };
}

/** Deleted, or absent for as long as anybody knows: an absence that nobody has written down yet lets nothing go. */
function isGone({ state }: BuildAnswer): boolean {
  return state.kind === 'deleted' || (state.kind === 'absent' && state.since !== undefined);
}
