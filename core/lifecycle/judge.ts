/** Judges one recorded build by the evidence, and takes the step that follows from it. */
import { absenceMs, type Evidence, readEvidence } from './evidence.ts';
import type { RecordedBuild } from './recorded-builds.ts';
import { releaseBuild, resumeRelease } from './release.ts';
import { removeTombstone } from './remove.ts';
import { restoreBuild } from './restore.ts';
import { type DeadBuild, type Run, registryTime } from './surroundings.ts';
import { type TombstoneKey, writeTombstone } from './tombstone.ts';

/** A tombstone whose grace is over, of a build whose evidence was read again and stands. */
export interface DueTombstone {
  readonly key: TombstoneKey;
  readonly dead: DeadBuild;
}

/** Judges a build and releases, resumes or restores; gives the tombstones that are due for collection. */
export async function judgeBuild(run: Run, build: RecordedBuild): Promise<DueTombstone[]> {
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
  build: RecordedBuild,
  definitionId: number,
  contested: boolean,
): Promise<DueTombstone[]> {
  if (isClosed(build)) return [];
  const { projectId, buildId } = build;
  const others = run.rules.projects.map(project => project.projectId);
  const evidence = await readEvidence(run.azureDevOps, { projectId, buildId, definitionId }, others);
  if (evidence.kind === 'unknown') {
    keep(run, build, `nothing is known of the build: ${evidence.reason}`);
    return [];
  }
  if (evidence.kind === 'alive') {
    for (const key of build.tombstones) await restoreBuild(run, key);
    return [];
  }
  // A build has one pipeline. Only the build itself could say which, and the wrong one's builds are no witnesses.
  if (evidence.kind === 'absent' && contested && !build.tombstones.some(isRelease)) {
    keep(run, build, 'its records name more than one pipeline, and only one can be true');
    return [];
  }
  const dead = await confirm(run, build, definitionId, evidence);
  return dead ? advance(run, build, dead) : [];
}

/** Whether every record said "keep", and nothing was recorded since. */
export function isClosed({ records, tombstones }: RecordedBuild): boolean {
  return tombstones.some(key => key.kind === 'kept' && key.count === records.length);
}

/** Whether nothing is to be done before the grace of a finished release is over. */
export function isWaiting(build: RecordedBuild, graceMs: number, now: number): boolean {
  const releases = build.tombstones.filter(isRelease);
  return releases.length > 0 && build.tombstones.every(key => isRelease(key) && key.done && !isDue(key, graceMs, now));
}

/** A dead build, when the evidence is enough; an absence must have been seen before, long enough ago. */
async function confirm(
  run: Run,
  build: RecordedBuild,
  definitionId: number,
  evidence: Extract<Evidence, { kind: 'deleted' | 'absent' }>,
): Promise<DeadBuild | undefined> {
  const { projectId, buildId, records } = build;
  if (evidence.kind === 'deleted') {
    const { id, number, deletedDate, queueTime } = evidence.build;
    const queuedAt = queueTime === undefined ? undefined : Date.parse(queueTime);
    const statement = `Azure DevOps says that the build was deleted${deletedDate ? ` at ${deletedDate}` : ''}`;
    return {
      projectId,
      build: { id, number, queuedAt },
      definitionId,
      evidence: { kind: 'deleted', statement },
      records,
    };
  }
  const { scope } = evidence;
  const statement = `Azure DevOps has no build ${buildId}${scope === 'definition' ? ' and no such pipeline' : ''} any more`;
  const dead: DeadBuild = {
    projectId,
    build: { id: buildId },
    definitionId,
    evidence: { kind: 'absent', statement },
    records,
  };
  // Once released the absence was confirmed, or the build had said "deleted" itself.
  if (build.tombstones.some(isRelease)) return dead;
  const seen = build.tombstones.find(key => key.kind === `seen-${scope}`);
  const hours = absenceMs[scope] / 3_600_000;
  if (seen && registryTime(run) - seen.time >= absenceMs[scope]) return dead;
  if (!seen && !evidence.witnessed) {
    keep(
      run,
      build,
      `${statement}, but no other build of it is readable either: that is also how a missing right looks`,
    );
    return undefined;
  }
  keep(run, build, `${statement}; that counts when it is seen again ${hours} hours after the first time`);
  if (seen || run.dryRun) return undefined;
  await writeTombstone(
    run.registry,
    `seen-${scope}`,
    {
      schema: 1,
      build: { projectId, id: buildId, definitionId },
      evidence: { kind: 'absent', statement },
      time: new Date(registryTime(run)).toISOString(),
      records: [],
      images: [],
    },
    0,
  );
  return undefined;
}

async function advance(run: Run, build: RecordedBuild, dead: DeadBuild): Promise<DueTombstone[]> {
  const releases = build.tombstones.filter(isRelease);
  if (releases.length === 0) await releaseBuild(run, dead);
  for (const key of releases.filter(each => !each.done)) {
    if (!run.dryRun) await resumeRelease(run, dead, key);
  }
  if (!run.dryRun) {
    const seen = build.tombstones.filter(each => each.kind.startsWith('seen-'));
    for (const key of seen) await removeTombstone(run.registry, key, run.log);
  }
  const now = registryTime(run);
  return releases.filter(key => key.done && isDue(key, run.rules.graceMs, now)).map(key => ({ key, dead }));
}

function isRelease(key: TombstoneKey): boolean {
  return key.kind === 'deleted' || key.kind === 'absent';
}

function isDue(key: TombstoneKey, graceMs: number, now: number): boolean {
  return now - key.time >= graceMs;
}

function keep(run: Run, { projectId, buildId }: RecordedBuild, reason: string): void {
  run.report({ projectId, buildId, subject: `build ${buildId}`, outcome: 'kept', reason });
}
