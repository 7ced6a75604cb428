/** What is known of each build, from all that was said of it: gone only where nobody and nothing says otherwise. Pure. */
import { groupBy } from '../base/group-by.ts';
import { absenceMs } from './evidence.ts';
import type { BuildFact, BuildName, BuildState, PlanFacts, Reading } from './policy-facts.ts';

/** Everything that was said of one build. */
export interface KnownBuild {
  readonly name: BuildName;
  readonly facts: readonly BuildFact[];
  readonly isGone: boolean;
  /** Why it counts as gone or not: a sentence. */
  readonly reason: string;
}

/** Builds by {@link keyOfBuild}. */
export type KnownBuilds = ReadonlyMap<string, KnownBuild>;

/** The key of a build: ids are unique in one organization only. */
export function keyOfBuild({ organization, project, id }: BuildName): string {
  return `${organization}/${project}/${id}`;
}

/** Judges every build that facts were given of. */
export function knowBuilds(facts: Pick<PlanFacts, 'builds' | 'now'>): KnownBuilds {
  const known = new Map<string, KnownBuild>();
  for (const [key, said] of groupBy(facts.builds, each => keyOfBuild(each.build))) {
    const [first] = said;
    if (!first) continue;
    const verdicts = said.map(each => judge(each, facts.now));
    const alive = verdicts.filter(each => !each.isGone);
    const reasons = (alive.length > 0 ? alive : verdicts).map(each => each.reason);
    // Two answers of one build that differ in its pipeline are not about one build.
    const isContested = said.some(each => each.definition !== first.definition);
    known.set(key, {
      name: first.build,
      facts: said,
      isGone: alive.length === 0 && !isContested,
      reason: isContested
        ? `nothing is known of its build ${nameBuild(first.build)}: it was named with several pipelines`
        : ([...reasons].sort()[0] ?? ''),
    });
  }
  return known;
}

/** A build for people. */
export function nameBuild({ id, project }: BuildName): string {
  return `${id} of ${project}`;
}

interface Verdict {
  readonly isGone: boolean;
  readonly reason: string;
}

function judge({ build, state, retainedBy }: BuildFact, now: number): Verdict {
  const name = nameBuild(build);
  const held = heldBy(retainedBy);
  switch (state.kind) {
    case 'unknown':
      return { isGone: false, reason: `nothing is known of its build ${name}: ${state.reason}` };
    case 'alive':
      return { isGone: false, reason: `its build ${name} is there${held === undefined ? '' : `, held by ${held}`}` };
    case 'deleted':
      return held === undefined ? { isGone: true, reason: `its build ${name} is deleted` } : stillHeld(name, held);
    case 'absent':
      return held === undefined ? judgeAbsence(name, state, now) : stillHeld(name, held);
  }
}

function stillHeld(name: string, held: string): Verdict {
  return { isGone: false, reason: `its build ${name} is gone, but held by ${held}` };
}

function judgeAbsence(name: string, { scope, since }: Extract<BuildState, { kind: 'absent' }>, now: number): Verdict {
  if (since === undefined) return { isGone: false, reason: `nothing tells since when its build ${name} is absent` };
  const absent = `its build ${name} is absent since ${new Date(since).toISOString()}`;
  return now - since >= absenceMs[scope]
    ? { isGone: true, reason: absent }
    : { isGone: false, reason: `${absent}: that counts after ${absenceMs[scope] / 3_600_000} hours` };
}

function heldBy(retainedBy: Reading<string>): string | undefined {
  if (retainedBy.kind === 'unread') return `whatever could not be read (${retainedBy.reason})`;
  return retainedBy.items.length > 0 ? [...new Set(retainedBy.items)].sort().join(', ') : undefined;
}
