/** Is the evidence enough to call a build dead? A deletion is at once; an absence must have been seen before. */
import { absenceMs, type Evidence } from './evidence.ts';
import type { RecordedBuild } from './recorded-builds.ts';
import { type DeadBuild, type Run, registryTime } from './surroundings.ts';
import { isRelease, writeTombstone } from './tombstone.ts';

type Sign = Extract<Evidence, { kind: 'deleted' | 'absent' }>;

/** A dead build, when the evidence is enough; else what is missing is reported, and a first absence written down. */
export async function confirmDeath(
  run: Run,
  build: RecordedBuild,
  definitionId: number,
  evidence: Sign,
): Promise<DeadBuild | undefined> {
  const dead = toDeadBuild(build, definitionId, evidence);
  if (evidence.kind === 'deleted') return dead;
  const { tombstones } = build;
  // Once released the absence was confirmed, or the build had said "deleted" itself.
  if (tombstones.some(isRelease)) return dead;
  const { scope } = evidence;
  const { statement } = dead.evidence;
  const seen = tombstones.find(key => key.kind === `seen-${scope}`);
  if (seen && registryTime(run) - seen.time >= absenceMs[scope]) return dead;
  // An account that was closed once had its witness then, and everything else is asked for anew.
  if (!seen && !evidence.witnessed && !tombstones.some(key => key.kind === 'kept')) {
    report(
      run,
      build,
      `${statement}, but no other build of it is readable either: that is also how a missing right looks`,
    );
    return undefined;
  }
  const hours = absenceMs[scope] / 3_600_000;
  report(run, build, `${statement}; that counts when it is seen again ${hours} hours after the first time`);
  if (!seen && !run.dryRun) await writeSighting(run, dead, scope);
  return undefined;
}

function toDeadBuild({ projectId, buildId, records }: RecordedBuild, definitionId: number, evidence: Sign): DeadBuild {
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
  const noPipeline = evidence.scope === 'definition' ? ' and no such pipeline' : '';
  const statement = `Azure DevOps has no build ${buildId}${noPipeline} any more`;
  return { projectId, build: { id: buildId }, definitionId, evidence: { kind: 'absent', statement }, records };
}

async function writeSighting(run: Run, dead: DeadBuild, scope: 'build' | 'definition'): Promise<void> {
  const { projectId, definitionId, evidence } = dead;
  await writeTombstone(
    run.registry,
    { kind: `seen-${scope}`, copies: false, count: 0 },
    {
      schema: 1,
      build: { projectId, id: dead.build.id, definitionId },
      evidence,
      time: new Date(registryTime(run)).toISOString(),
      records: [],
      images: [],
    },
  );
}

function report(run: Run, { projectId, buildId }: RecordedBuild, reason: string): void {
  run.report({ projectId, buildId, subject: `build ${buildId}`, outcome: 'kept', reason });
}
