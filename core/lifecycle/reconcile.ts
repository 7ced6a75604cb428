/**
 * Reconciliation: holds what Azure DevOps says of the recorded builds against what is in the registry.
 * Stateless and level-triggered: run at any time, by anybody, as often as one likes; what one run leaves the next one does.
 */

import { type BuildsAnswer, getBuildsByIds } from '../azure-devops/builds.ts';
import { listDeletedBuilds } from '../azure-devops/deleted-builds.ts';
import { errorMessage, hasCode } from '../base/errors.ts';
import { groupBy } from '../base/group-by.ts';
import { isBelowFloor } from './brake.ts';
import { eachBuild } from './each-build.ts';
import { isClosed, isWaiting, judgeBuild } from './judge.ts';
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
  const now = registryTime(run);
  const left: FoundBuild[] = [];
  for (const [projectId, ofProject] of groupBy(builds, build => build.projectId)) {
    if (run.timeBox.isOver()) break;
    const answer = await getBuildsByIds(
      run.azureDevOps,
      projectId,
      ofProject.map(build => build.buildId),
    );
    const told = run.dryRun ? await foretell(run, projectId, ofProject, answer) : answer.found;
    for (const build of ofProject) {
      const found = answer.found.get(build.buildId);
      const isAlive = found !== undefined && !found.deleted;
      if (isAlive ? build.tombstones.length === 0 : isWaiting(build, run, now)) continue;
      // The first answer that failed ended the asking: what is missing then was never asked for.
      if (found === undefined && answer.unknown !== undefined) continue;
      left.push({ ...build, told: told.get(build.buildId) });
    }
    if (answer.unknown !== undefined)
      run.report({ projectId, buildId: 0, subject: `project ${projectId}`, outcome: 'failed', reason: answer.unknown });
  }
  return left;
}

/** So few builds are asked for one by one as well as a list is read. */
const fewBuilds = 10;

/** Whoever changes nothing need not ask for each build that is gone: the list of those that are deleted tells all of them. */
async function foretell(
  run: Run,
  projectId: string,
  builds: readonly RecordedBuild[],
  { found, unknown }: BuildsAnswer,
): Promise<BuildsAnswer['found']> {
  const missing = builds.filter(build => !found.has(build.buildId)).length;
  if (unknown !== undefined || missing <= fewBuilds) return found;
  const listed = await listDeletedBuilds(run.azureDevOps, projectId);
  const deleted = listed.kind === 'found' ? listed.items : [];
  return new Map([...deleted.map(build => [build.id, { ...build, deleted: true }] as const), ...found]);
}

function reportOf(items: readonly ReportItem[], builds: number, run?: Run, braked?: string): Report {
  const collect = items.filter(item => item.outcome === 'deleted').map(item => item.subject);
  const plan = { release: run?.brake.releases() ?? [], collect: [...new Set(collect)] };
  return { items, plan, braked: braked ?? run?.brake.tripped(), stopped: run?.timeBox.told(), builds };
}

function keyOf({ projectId, buildId }: BuildKey): BuildKey {
  return { projectId, buildId };
}
