/** Makes of an answer of Azure DevOps, and of what a record says, the fact that a plan is reckoned from. Pure. */
import type { BuildFacts } from '../../azure-devops/builds.ts';
import type { Reading } from '../../base/reading.ts';
import type { BuildFact, BuildName } from '../keep-policy/policy-facts.ts';
import type { NamedBuild } from './asked-builds.ts';
import { normalizeSource, sourceOfBuild } from './git-source.ts';
import type { BuildAnswer } from './read-states.ts';

/** Nothing holds it. */
export const noHolds: Reading<string> = { kind: 'whole', items: [] };

/** Finds the URL of a repository that a record names, by what other builds of the same pipeline were made from. */
export type FindSource = (definition: number, repository: string) => string;

/** What a record says of its build, and how the repository that it names is found. */
export interface RecordSay {
  readonly told: NamedBuild;
  readonly findSource: FindSource;
}

/** The fact of a build. What Azure DevOps does not say of it, the record does, where there is one. */
export function makeBuildFact(
  build: BuildName,
  { state, definition, body }: BuildAnswer,
  retainedBy: Reading<string>,
  record?: RecordSay,
): BuildFact {
  return {
    build,
    definition,
    number: body?.number ?? record?.told.number,
    queuedAt: readTime(body?.queueTime),
    startedAt: readTime(body?.startTime),
    finishedAt: readTime(body?.finishTime),
    ...whatWasBuilt(body, record),
    state,
    retainedBy,
  };
}

function whatWasBuilt(
  body: BuildFacts | undefined,
  record: RecordSay | undefined,
): Pick<BuildFact, 'source' | 'ref' | 'commit' | 'pullRequest'> {
  const told = record?.told;
  const ref = body?.sourceBranch ?? told?.branch ?? '';
  return {
    source: sourceOfBuild(body?.repository) || sourceOfRecord(record),
    ref,
    commit: body?.sourceVersion ?? told?.commit ?? '',
    pullRequest: body?.pullRequest ?? pullRequestOf(ref),
  };
}

function sourceOfRecord(record: RecordSay | undefined): string {
  return record ? record.findSource(record.told.definition, record.told.repository) : '';
}

/** Why Azure DevOps itself keeps a build that is there, by the build's own words. */
export function holdsOf(body: BuildFacts | undefined): Reading<string> {
  const items = [
    ...(body?.keepForever === true ? ['a person who keeps it'] : []),
    ...(body?.retainedByRelease === true ? ['a classic release'] : []),
  ];
  return { kind: 'whole', items };
}

/**
 * Learns from the builds that Azure DevOps has: a record says the name of its repository, and the pipeline's other builds of
 * that name say where it is. A name that stands for two repositories is nobody's.
 */
export function createFindSource(answers: readonly BuildAnswer[]): FindSource {
  const known = new Map<string, string>();
  for (const { definition, body } of answers) {
    const source = sourceOfBuild(body?.repository);
    if (source === '' || body?.definitionId !== definition) continue;
    for (const name of new Set([body.repository?.name, body.repository?.id])) {
      const key = `${definition} ${name}`;
      known.set(key, (known.get(key) ?? source) === source ? source : '');
    }
  }
  return (definition, repository) => normalizeSource(repository) || (known.get(`${definition} ${repository}`) ?? '');
}

function readTime(text: string | undefined): number | undefined {
  return text === undefined ? undefined : Date.parse(text);
}

/** https://learn.microsoft.com/azure/devops/pipelines/build/variables, Build.SourceBranch */
function pullRequestOf(ref: string): number | undefined {
  const number = /^refs\/pull\/([1-9]\d{0,8})(?=\/|$)/.exec(ref)?.[1];
  return number === undefined ? undefined : Number(number);
}
