/**
 * Reconciliation: holds what Azure DevOps says of the recorded builds against what is in the registry.
 * Stateless and level-triggered: run at any time, by anybody, as often as one likes; what one run leaves the next one does.
 */

import { getBuildsByIds, getCollectionId } from '../azure-devops/builds.ts';
import { mapConcurrently } from '../base/concurrency.ts';
import { AppError, errorMessage, hasCode } from '../base/errors.ts';
import { groupBy } from '../base/group-by.ts';
import { createBrake, isBelowFloor } from './brake.ts';
import { type DueTombstone, isClosed, isWaiting, judgeBuild } from './judge.ts';
import { type FoundBuild, listRecordedBuilds, type RecordedBuild, type RecordedBuilds } from './recorded-builds.ts';
import type { Plan, Report, ReportItem } from './report.ts';
import type { BuildKey, Rules } from './rules.ts';
import { settleDue } from './settle.ts';
import { type Run, registryTime, type Surroundings } from './surroundings.ts';
import { takeBackCopies } from './take-back.ts';
import { createTimeBox } from './time-box.ts';
import type { Veto } from './veto.ts';

/** What to reconcile. */
export interface ReconcileRequest {
  /** Changes nothing, tells what would be done. */
  readonly dryRun?: boolean;
  /** Hints: look at these builds alone, and only release. Without it: every recorded build, and collect. */
  readonly only?: readonly BuildKey[];
  /** A plan that a person approved: the brake lets its part of the fresh plan through. */
  readonly approved?: Plan;
  /** What a keep plan forbids. */
  readonly veto?: Veto;
  /** Whether the time is over: asked before anything new is begun. */
  readonly until?: () => boolean;
  readonly signal?: AbortSignal;
}

const buildsAtOnce = 4;

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
  const run = startRun({ surroundings, rules, request, collectionId, recorded, items });
  let braked: string | undefined;
  try {
    const known = { ...recorded, builds: await takeBackCopies(run, recorded.builds) };
    const builds = chooseBuilds(run, known, request.only);
    const due = await judgeAll(run, request.only ? builds : await withoutLiving(run, builds));
    if (!request.only) await settleDue(run, due);
  } catch (thrown) {
    if (!hasCode(thrown, 'BRAKE')) throw thrown;
    braked = errorMessage(thrown);
  }
  return reportOf(items, recorded.builds.length, run, braked);
}

async function readCollectionId({ azureDevOps }: Surroundings): Promise<string> {
  const answer = await getCollectionId(azureDevOps);
  if (answer.kind === 'found') return answer.id;
  throw new AppError(`Nothing was reconciled: ${answer.reason}`, { code: 'AZURE_DEVOPS_UNAVAILABLE', retryable: true });
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

interface Start {
  readonly surroundings: Surroundings;
  readonly rules: Rules;
  readonly request: ReconcileRequest;
  readonly collectionId: string;
  readonly recorded: RecordedBuilds;
  readonly items: ReportItem[];
}

function startRun({ surroundings, rules, request, collectionId, recorded, items }: Start): Run {
  return {
    ...surroundings,
    rules,
    collectionId,
    dryRun: request.dryRun ?? false,
    signal: request.signal,
    veto: request.veto,
    timeBox: createTimeBox(request.until),
    brake: createBrake({
      limits: rules.brake,
      tombstones: recorded.tombstones,
      builds: recorded.builds.length,
      now: registryTime(surroundings),
      approved: request.approved,
      dryRun: request.dryRun ?? false,
    }),
    needed: new Map(),
    report: item => items.push(item),
  };
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
    for (const build of ofProject) {
      const found = answer.found.get(build.buildId);
      const isAlive = found !== undefined && !found.deleted;
      if (isAlive ? build.tombstones.length === 0 : isWaiting(build, run, now)) continue;
      // The first answer that failed ended the asking: what is missing then was never asked for.
      if (found === undefined && answer.unknown !== undefined) continue;
      left.push({ ...build, told: found });
    }
    if (answer.unknown !== undefined)
      run.report({ projectId, buildId: 0, subject: `project ${projectId}`, outcome: 'failed', reason: answer.unknown });
  }
  return left;
}

async function judgeAll(run: Run, builds: readonly FoundBuild[]): Promise<DueTombstone[]> {
  let braked: unknown;
  run.timeBox.expect('builds', builds.length);
  const due = await mapConcurrently(builds, buildsAtOnce, async build => {
    if (braked || run.timeBox.isOver()) return [];
    try {
      const found = await judgeBuild(run, build);
      run.timeBox.finish('builds');
      return found;
    } catch (thrown) {
      run.signal?.throwIfAborted();
      if (hasCode(thrown, 'BRAKE')) braked = thrown;
      else if (thrown instanceof AppError) {
        run.report({ ...keyOf(build), subject: `build ${build.buildId}`, outcome: 'failed', reason: thrown.message });
      } else throw thrown;
      return [];
    }
  });
  if (braked) throw braked as Error;
  return due.flat();
}

function reportOf(items: readonly ReportItem[], builds: number, run?: Run, braked?: string): Report {
  const collect = items.filter(item => item.outcome === 'deleted').map(item => item.subject);
  const plan = { release: run?.brake.releases() ?? [], collect: [...new Set(collect)] };
  return { items, plan, braked: braked ?? run?.brake.tripped(), stopped: run?.timeBox.told(), builds };
}

function keyOf({ projectId, buildId }: BuildKey): BuildKey {
  return { projectId, buildId };
}
