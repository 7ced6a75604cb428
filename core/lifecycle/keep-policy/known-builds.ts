/** What is known of each build, from all that was said of it: gone only where nobody and nothing says otherwise. Pure. */

import type { Reading } from '../../base/reading.ts';
import { absenceMs } from '../evidence.ts';
import type { BuildFact, BuildName, BuildState, PlanFacts } from './policy-facts.ts';

/** Everything that was said of one build. */
export interface KnownBuild {
  readonly name: BuildName;
  /** Every answer. */
  readonly facts: readonly BuildFact[];
  readonly isGone: boolean;
}

/** Builds by organization, project and id: ids are unique in one organization only. */
export type KnownBuilds = ReadonlyMap<string, ReadonlyMap<string, ReadonlyMap<number, KnownBuild>>>;

/** What is known of a build; undefined where nothing was told. */
export function findBuild(builds: KnownBuilds, { organization, project, id }: BuildName): KnownBuild | undefined {
  return builds.get(organization)?.get(project)?.get(id);
}

/** Whether two names are of one build. */
export function isSameBuild(one: BuildName, other: BuildName): boolean {
  return one.organization === other.organization && one.project === other.project && one.id === other.id;
}

/** Judges every build that facts were given of. */
export function knowBuilds({ builds, now }: Pick<PlanFacts, 'builds' | 'now'>): KnownBuilds {
  const known = new Map<string, Map<string, Map<number, KnownBuild>>>();
  for (const fact of builds) {
    const { organization, project, id } = fact.build;
    const projects = known.get(organization) ?? new Map<string, Map<number, KnownBuild>>();
    const ids = projects.get(project) ?? new Map<number, KnownBuild>();
    known.set(organization, projects);
    projects.set(project, ids);
    const before = ids.get(id);
    ids.set(id, before ? judge([...before.facts, fact], now) : judge([fact], now));
  }
  return known;
}

/** Why a build counts as gone or not: a sentence, the same one whatever the order of the answers. */
export function reasonOf({ name, facts }: KnownBuild, now: number): string {
  if (isContested(facts))
    return `nothing is known of its build ${nameBuild(name)}: it was named with several pipelines`;
  const alive = facts.filter(each => !isGoneBy(each, now));
  return (alive.length > 0 ? alive : facts).map(each => tellFact(each, now)).sort()[0] ?? '';
}

function judge(said: readonly BuildFact[], now: number): KnownBuild {
  const [first] = said as readonly [BuildFact];
  const isGone = !isContested(said) && said.every(each => isGoneBy(each, now));
  return { name: first.build, facts: agreed(said, first), isGone };
}

/** Two answers of one build that differ in its pipeline are not about one build. */
function isContested(facts: readonly BuildFact[]): boolean {
  return facts.some(each => each.definition !== facts[0]?.definition);
}

/** A build for people. Joined, because a plan of 200,000 images keeps what is put together bit by bit in all its bits. */
export function nameBuild({ id, project }: BuildName): string {
  return [id, ' of ', project].join('');
}

/** Where the answers about a build differ in what it built, nobody knows that. */
function agreed(said: readonly BuildFact[], first: BuildFact): readonly BuildFact[] {
  const isSame = said.every(
    ({ source, ref, commit, pullRequest, finishedAt }) =>
      source === first.source &&
      ref === first.ref &&
      commit === first.commit &&
      pullRequest === first.pullRequest &&
      finishedAt === first.finishedAt,
  );
  return isSame ? said : said.map(each => ({ ...each, ref: '', pullRequest: undefined, finishedAt: undefined }));
}

function isGoneBy({ state, retainedBy }: BuildFact, now: number): boolean {
  if (retainedBy.kind === 'unread' || retainedBy.items.length > 0) return false;
  return state.kind === 'deleted' || (state.kind === 'absent' && isLongAbsent(state, now));
}

function isLongAbsent({ scope, since }: Absence, now: number): boolean {
  return since !== undefined && now - since >= absenceMs[scope];
}

type Absence = Extract<BuildState, { kind: 'absent' }>;

function tellFact({ build, state, retainedBy }: BuildFact, now: number): string {
  const name = nameBuild(build);
  const held = heldBy(retainedBy);
  switch (state.kind) {
    case 'unknown':
      return `nothing is known of its build ${name}: ${state.reason}`;
    case 'alive':
      return `its build ${name} is there${held === undefined ? '' : `, held by ${held}`}`;
    case 'deleted':
      return held === undefined
        ? ['its build ', name, ' is deleted'].join('')
        : `its build ${name} is gone, but held by ${held}`;
    case 'absent':
      return held === undefined ? tellAbsence(name, state, now) : `its build ${name} is gone, but held by ${held}`;
  }
}

function tellAbsence(name: string, absence: Absence, now: number): string {
  if (absence.since === undefined) return `nothing tells since when its build ${name} is absent`;
  const absent = `its build ${name} is absent since ${new Date(absence.since).toISOString()}`;
  const hours = absenceMs[absence.scope] / 3_600_000;
  return isLongAbsent(absence, now) ? absent : `${absent}: that counts after ${hours} hours`;
}

function heldBy(retainedBy: Reading<string>): string | undefined {
  if (retainedBy.kind === 'unread') return `whatever could not be read (${retainedBy.reason})`;
  return retainedBy.items.length > 0 ? [...new Set(retainedBy.items)].sort().join(', ') : undefined;
}
