/** Reads what Azure DevOps knows of every build that a record or a tag names. What it does not say is unknown, never gone. */
import { groupBy } from '../../base/group-by.ts';
import type { BuildFact, PlanFacts } from '../keep-policy/policy-facts.ts';
import type { AskedBuilds, NamedBuild } from './asked-builds.ts';
import { azureWithSignal } from './azure-with-signal.ts';
import { createFindSource, holdsOf, makeBuildFact, noHolds } from './build-fact.ts';
import type { Estate, EstateOrganization, EstateProject } from './estate.ts';
import { readHolds } from './read-holds.ts';
import { notConfigured } from './read-others.ts';
import { type BuildAnswer, readStates } from './read-states.ts';
import { readUnrecordedBuilds } from './read-unrecorded-builds.ts';
import { type BuildsPart, listUnseen, tellUnseen } from './unseen.ts';

/** What was read of all organizations. */
export interface BuildsReading {
  /** One at least for each build and pipeline that a record names. */
  readonly builds: readonly BuildFact[];
  readonly organizations: PlanFacts['organizations'];
  /** What could not be seen, a sentence for each project, with what to do. */
  readonly unseen: readonly string[];
}

/** What a reader shares with the run. */
export type ReadOptions = Pick<Estate, 'onProgress' | 'signal'>;

/**
 * Reads the builds of all organizations: one request for 200 builds that are there, and for each that is gone its evidence
 * and the classic releases that take it. Rejects with the signal's reason alone; whatever fails is unknown, with why.
 */
export async function readBuildFacts(
  organizations: readonly EstateOrganization[],
  asked: AskedBuilds,
  options: ReadOptions = {},
): Promise<BuildsReading> {
  const parts: BuildsPart[] = [strangers(organizations, asked.records)];
  const told: { name: string; unread?: string }[] = [];
  for (const organization of organizations) {
    const own = await readOrganization(withSignal(organization, options), asked, options);
    const unread = own.flatMap(each => each.unread ?? []);
    told.push({ name: organization.name, ...(unread.length > 0 && { unread: [...new Set(unread)].join('; ') }) });
    parts.push(...own);
  }
  return {
    builds: parts.flatMap(each => each.facts),
    organizations: told,
    unseen: tellUnseen(parts.flatMap(each => each.unseen)),
  };
}

function withSignal(organization: EstateOrganization, { signal }: ReadOptions): EstateOrganization {
  const { azureDevOps, releases } = organization;
  return {
    ...organization,
    azureDevOps: azureWithSignal(azureDevOps, signal),
    releases: azureWithSignal(releases, signal),
  };
}

/** Builds of which nobody can be asked: they are unknown, and hold what their records name. */
function strangers(organizations: readonly EstateOrganization[], records: readonly NamedBuild[]): BuildsPart {
  const isKnown = ({ build }: NamedBuild): boolean =>
    organizations.some(
      ({ name, projects }) => name === build.organization && projects.some(each => each.name === build.project),
    );
  const strange = records.filter(each => each.stranger !== undefined || !isKnown(each));
  return { facts: strange.map(each => unknownFact(each, each.stranger ?? notConfigured)), unseen: [] };
}

async function readOrganization(
  organization: EstateOrganization,
  asked: AskedBuilds,
  { onProgress }: ReadOptions,
): Promise<BuildsPart[]> {
  const { name, projects } = organization;
  const records = asked.records.filter(({ build }) => build.organization === name);
  const projectsOf = groupBy(records, ({ build }) => build.id);
  const isDisputed = (id: number): boolean => new Set(projectsOf.get(id)?.map(({ build }) => build.project)).size > 1;
  const parts: BuildsPart[] = [];
  for (const [index, project] of projects.entries()) {
    onProgress?.(`reading the builds of ${project.name}`, index / projects.length);
    const own = records.filter(({ build }) => build.project === project.name);
    const sure = own.filter(({ build }) => !isDisputed(build.id));
    // An id is of one build in an organization: one of the records is not true, and nobody can say which.
    const disputed = own.filter(({ build }) => isDisputed(build.id));
    const why = 'records of several projects name a build with its id';
    parts.push({ facts: disputed.map(each => unknownFact(each, why)), unseen: [] });
    if (sure.length > 0) parts.push(await readProject(organization, project, { ...asked, records: sure }));
  }
  const candidates = (asked.candidates?.get(name) ?? []).filter(id => !projectsOf.has(id));
  if (candidates.length > 0) parts.push(await readUnrecordedBuilds(organization, candidates));
  return parts;
}

async function readProject(
  organization: EstateOrganization,
  project: EstateProject,
  { records, absences }: AskedBuilds,
): Promise<BuildsPart> {
  const named = groupBy(records, ({ build, definition }) => keyOf({ id: build.id, definition }));
  const own = absences.filter(
    ({ build }) => build.organization === organization.name && build.project === project.name,
  );
  const absencesOf = groupBy(own, ({ build, definition }) => keyOf({ id: build.id, definition }));
  const questions = [...named].map(([key, [first]]) => ({
    id: (first as NamedBuild).build.id,
    definition: (first as NamedBuild).definition,
    absences: absencesOf.get(key) ?? [],
  }));
  const { answers, unread } = await readStates(organization.azureDevOps, project, questions, organization.projects);
  const held = await readHolds(organization.releases, project, answers);
  const findSource = createFindSource(answers);
  const facts = answers.flatMap(answer => {
    const retainedBy = answer.state.kind === 'alive' ? holdsOf(answer.body) : (held.holds.get(answer) ?? noHolds);
    const told = named.get(keyOf(answer)) ?? [];
    return distinct(told.map(each => makeBuildFact(each.build, answer, retainedBy, { told: each, findSource })));
  });
  return {
    facts,
    unread,
    unseen: listUnseen(organization, project, { builds: unread, 'classic releases': held.unread }),
  };
}

/** A build may be named with several pipelines, of which one at most is its own. */
function keyOf({ id, definition }: { readonly id: number; readonly definition: number }): string {
  return `${id} ${definition}`;
}

/** Records of one build mostly say the same, and where Azure DevOps has the build they do not count. */
function distinct(facts: readonly BuildFact[]): BuildFact[] {
  const found = new Map<string, BuildFact>();
  for (const fact of facts) {
    const { number, source, ref, commit } = fact;
    const key = JSON.stringify([number, source, ref, commit]);
    if (!found.has(key)) found.set(key, fact);
  }
  return [...found.values()];
}

function unknownFact(told: NamedBuild, reason: string): BuildFact {
  const answer: BuildAnswer = { id: told.build.id, definition: told.definition, state: { kind: 'unknown', reason } };
  return makeBuildFact(told.build, answer, noHolds, { told, findSource: () => '' });
}
