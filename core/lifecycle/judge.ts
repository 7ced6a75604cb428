/** Judges one recorded build by the evidence, and takes the step that follows from it. */
import { confirmDeath } from './confirm.ts';
import { type Evidence, readEvidence } from './evidence.ts';
import type { FoundBuild, RecordedBuild } from './recorded-builds.ts';
import { allParts, releaseBuild, resumeRelease } from './release.ts';
import { removeTombstone } from './remove.ts';
import { restoreBuild } from './restore.ts';
import type { Rules } from './rules.ts';
import { type DeadBuild, type Run, registryTime } from './surroundings.ts';
import { isToTakeBack } from './take-back.ts';
import { isRelease, type TombstoneKey } from './tombstone.ts';

/** A tombstone whose grace is over, of a build whose evidence was read again and stands. */
export interface DueTombstone {
  readonly key: TombstoneKey;
  readonly dead: DeadBuild;
  /** Whether no other claims something of this part of the build: the records go with the last one. */
  readonly isLast: boolean;
}

/** Judges a build and releases, resumes or restores; gives the tombstones that are due for collection. */
export async function judgeBuild(run: Run, build: FoundBuild): Promise<DueTombstone[]> {
  const definitions = new Set([...build.records, ...build.tombstones].map(key => key.definitionId));
  const due: DueTombstone[] = [];
  for (const definitionId of definitions) {
    const records = build.records.filter(key => key.definitionId === definitionId);
    const tombstones = build.tombstones.filter(key => key.definitionId === definitionId);
    due.push(...(await judgeDefinition(run, { ...build, records, tombstones }, definitionId, definitions.size > 1)));
  }
  return due;
}

async function judgeDefinition(
  run: Run,
  build: FoundBuild,
  definitionId: number,
  contested: boolean,
): Promise<DueTombstone[]> {
  if (isClosed(build, run.rules)) return [];
  const evidence = await askOrForetell(run, build, definitionId);
  if (evidence.kind === 'unknown') {
    keep(run, build, `nothing is known of the build: ${evidence.reason}`);
    return [];
  }
  if (evidence.kind === 'alive') {
    for (const key of build.tombstones) {
      if (run.timeBox.isOver()) break;
      await restoreBuild(run, key, 'the build is alive after all');
    }
    return [];
  }
  // A build has one pipeline. Only the build itself could say which, and the wrong one's builds are no witnesses.
  if (evidence.kind === 'absent' && contested && !build.tombstones.some(isRelease)) {
    keep(run, build, 'its records name more than one pipeline, and only one can be true');
    return [];
  }
  const dead = await confirmDeath(run, build, definitionId, evidence);
  return dead ? advance(run, build, dead) : [];
}

/** Whoever changes nothing may go by the answer that found the build; a change wants one of its own, right before it. */
async function askOrForetell(run: Run, build: FoundBuild, definitionId: number): Promise<Evidence> {
  const { projectId, buildId, told } = build;
  if (run.dryRun && told?.deleted && told.definitionId === definitionId) return { kind: 'deleted', build: told };
  const others = run.rules.projects.map(project => project.projectId);
  return readEvidence(run.azureDevOps, { projectId, buildId, definitionId }, others);
}

/** Whether every record is kept, nothing was recorded since, and the rule that says so is still there. */
export function isClosed({ records, tombstones }: RecordedBuild, rules: Pick<Rules, 'promoted'>): boolean {
  return tombstones.some(
    key => key.kind === 'kept' && key.count === records.length && (!key.copies || rules.promoted === 'keep'),
  );
}

/** Whether nothing is to be done before the grace of a finished release is over. */
export function isWaiting(build: RecordedBuild, run: Pick<Run, 'rules'>, now: number): boolean {
  const isReleased = (key: TombstoneKey): boolean =>
    isRelease(key) && key.done && !isToTakeBack(key, run) && !isDue(key, run.rules.graceMs, now);
  return build.tombstones.length > 0 && build.tombstones.every(isReleased);
}

async function advance(run: Run, build: RecordedBuild, dead: DeadBuild): Promise<DueTombstone[]> {
  const releases = build.tombstones.filter(isRelease);
  const missing = allParts.filter(part => !releases.some(key => key.copies === (part === 'copies')));
  // While the rule keeps copies there is one part alone.
  const isOneLeft = missing.length > 0 && run.rules.promoted === 'delete';
  const isLookedAt = releases.length > 0 && !isOneLeft ? true : await releaseBuild(run, dead, missing);
  const going = releases.filter(key => !isToTakeBack(key, run));
  for (const key of going.filter(each => !each.done)) {
    if (!run.dryRun && !run.timeBox.isOver()) await resumeRelease(run, dead, key);
  }
  if (isLookedAt && !run.dryRun && !run.timeBox.isOver()) {
    // First sightings have served, and an account that was closed is open again.
    for (const key of build.tombstones.filter(each => !isRelease(each))) {
      await removeTombstone(run.registry, key, run.log);
    }
  }
  const now = dueTime(run);
  const isLast = (key: TombstoneKey): boolean => releases.every(each => each === key || each.copies !== key.copies);
  const due = going.filter(key => key.done && isDue(key, run.rules.graceMs, now));
  return due.map(key => ({ key, dead, isLast: isLast(key) }));
}

/** What is due by then may go. */
export function dueTime(run: Run): number {
  return Math.min(registryTime(run), run.lookedAt ?? Number.POSITIVE_INFINITY);
}

function isDue(key: TombstoneKey, graceMs: number, now: number): boolean {
  return now - key.time >= graceMs;
}

function keep(run: Run, { projectId, buildId }: RecordedBuild, reason: string): void {
  run.report({ projectId, buildId, subject: `build ${buildId}`, outcome: 'kept', reason });
}
