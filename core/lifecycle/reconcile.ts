/**
 * Reconciliation: holds what Azure DevOps says of the recorded builds against what is in the registry.
 * Stateless and level-triggered: run at any time, by anybody, as often as one likes; what one run leaves the next one does.
 */

import { getBuildsByIds } from '../azure-devops/builds.ts';
import { listDeletedBuilds } from '../azure-devops/deleted-builds.ts';
import { errorMessage, hasCode } from '../base/errors.ts';
import { groupBy } from '../base/group-by.ts';
import { isBelowFloor } from './brake.ts';
import { eachBuild } from './each-build.ts';
import { dueTime, isClosed, isWaiting, judgeBuild } from './judge.ts';
import { type FoundBuild, listRecordedBuilds, type RecordedBuild, type RecordedBuilds } from './recorded-builds.ts';
import type { Report, ReportItem } from './report.ts';
import type { BuildKey, Rules } from './rules.ts';
import { settleDue } from './settle.ts';
import { type RunRequest, readCollectionId, startRun } from './start-run.ts';
import { type Run, registryTime, type Surroundings } from './surroundings.ts';
import { takeBackCopies } from './take-back.ts';

/** What to reconcile. */
export interface ReconcileRequest extends RunRequest {
  /** Hints: look at these builds alone, and only release. Without it: every recorded build, and collect. */
  readonly only?: readonly BuildKey[];
}

/**
 * Reconciles one registry with one organization. Throws `AZURE_DEVOPS_UNAVAILABLE` or a registry's error when it could
 * not even begin; what fails later stands in the report, and the rest goes on.
 */
export async function reconcile(surroundings: Surroundings, rules: Rules, request: ReconcileRequest): Promise<Report> {
  const items: ReportItem[] = [];
  if (rules.onBuildDeleted === 'keep') return reportOf(items, 0);
  const collectionId = await readCollectionId(surroundings);
  const recorded = await listWhatMatters(surroundings, rules, request.only);
  if (recorded.builds.length === 0) return reportOf(items, 0);
  const known = { tombstones: recorded.tombstones, builds: recorded.builds.length };
  const run = startRun({ surroundings, rules, request, collectionId, known, report: item => items.push(item) });
  let braked: string | undefined;
  try {
    const left = { ...recorded, builds: await takeBackCopies(run, recorded.builds) };
    const builds = chooseBuilds(run, left, request.only);
    const found = request.only ? builds : await withoutLiving(run, builds);
    const due = await eachBuild(run, found, build => judgeBuild(run, build));
    if (!request.only) await settleDue(run, due);
  } catch (thrown) {
    if (!hasCode(thrown, 'BRAKE')) throw thrown;
    braked = errorMessage(thrown);
  }
  return reportOf(items, recorded.builds.length, run, braked);
}

/** For hints their own builds are enough, unless the brake must know how large a share of all builds they are. */
async function listWhatMatters(
  surroundings: Surroundings,
  rules: Rules,
  only: readonly BuildKey[] | undefined,
): Promise<RecordedBuilds> {
  // More could be below no floor.
  if (!only || only.length > 20) return listRecordedBuilds(surroundings, rules);
  const hinted = await listRecordedBuilds(surroundings, rules, only);
  if (hinted.builds.length === 0) return hinted;
  const keys = hinted.builds.flatMap(build => [...build.records, ...build.tombstones]);
  const releases = new Set(keys.map(key => `${key.projectId}/${key.buildId}/${key.definitionId}`)).size;
  const now = registryTime(surroundings);
  return isBelowFloor({ tombstones: hinted.tombstones, now }, releases)
    ? hinted
    : listRecordedBuilds(surroundings, rules);
}

/** The builds to look at: the hinted ones or all, without those that are closed or that two projects claim. */
function chooseBuilds(
  run: Run,
  { builds, disputed }: RecordedBuilds,
  only: readonly BuildKey[] | undefined,
): RecordedBuild[] {
  const hinted = only && new Set(only.map(key => `${key.projectId}/${key.buildId}`));
  return builds.filter(build => {
    if (hinted && !hinted.has(`${build.projectId}/${build.buildId}`)) return false;
    if (!disputed.has(build.buildId)) return !isClosed(build, run.rules);
    run.report({
      ...keyOf(build),
      subject: `build ${build.buildId}`,
      outcome: 'kept',
      reason: 'records of two projects claim this build id, and only one can be true',
    });
    return false;
  });
}

/** Leaves out what a question in bulk shows to be alive, and what is waiting; the others are asked for one by one. */
async function withoutLiving(run: Run, builds: readonly RecordedBuild[]): Promise<FoundBuild[]> {
  const left: FoundBuild[] = [];
  for (const [projectId, ofProject] of groupBy(builds, build => build.projectId)) {
    const found = await findLeft(run, projectId, ofProject);
    left.push(...(run.dryRun ? await foretell(run, projectId, found) : found));
  }
  return left;
}

/** What is told of so many builds is held at once; of most of them nothing is needed but that they are there. */
const heldAtOnce = 2000;

async function findLeft(run: Run, projectId: string, builds: readonly RecordedBuild[]): Promise<FoundBuild[]> {
  const now = dueTime(run);
  const left: FoundBuild[] = [];
  for (let start = 0; start < builds.length && !run.timeBox.isOver(); start += heldAtOnce) {
    const asked = builds.slice(start, start + heldAtOnce);
    const { found, unknown } = await getBuildsByIds(
      run.azureDevOps,
      projectId,
      asked.map(build => build.buildId),
    );
    for (const build of asked) {
      const told = found.get(build.buildId);
      const isAlive = told !== undefined && !told.deleted;
      if (isAlive ? build.tombstones.length === 0 : isWaiting(build, run, now)) continue;
      // The first answer that failed ended the asking: what is missing then was never asked for.
      if (told !== undefined || unknown === undefined) left.push({ ...build, told });
    }
    if (unknown === undefined) continue;
    run.report({ projectId, buildId: 0, subject: `project ${projectId}`, outcome: 'failed', reason: unknown });
    break;
  }
  return left;
}

/** So few builds are asked for one by one as well as a list is read. */
const fewBuilds = 10;

/** Whoever changes nothing need not ask for each build that is gone: the list of those that are deleted tells all of them. */
async function foretell(run: Run, projectId: string, builds: readonly FoundBuild[]): Promise<readonly FoundBuild[]> {
  if (builds.filter(build => build.told === undefined).length <= fewBuilds) return builds;
  const listed = await listDeletedBuilds(run.azureDevOps, projectId);
  const deleted = new Map((listed.kind === 'found' ? listed.items : []).map(build => [build.id, build]));
  return builds.map(build => {
    const told = build.told ?? deleted.get(build.buildId);
    return { ...build, told: told && { deleted: true, ...told } };
  });
}

function reportOf(items: readonly ReportItem[], builds: number, run?: Run, braked?: string): Report {
  const collect = items.filter(item => item.outcome === 'deleted').map(item => item.subject);
  const plan = { release: run?.brake.releases() ?? [], collect: [...new Set(collect)] };
  return { items, plan, braked: braked ?? run?.brake.tripped(), stopped: run?.timeBox.told(), builds };
}

function keyOf({ projectId, buildId }: BuildKey): BuildKey {
  return { projectId, buildId };
}
