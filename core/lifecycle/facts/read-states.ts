/** What Azure DevOps says of the builds of one project: in bulk of those that live, one by one of the rest. */
import { type BuildFacts, getBuildsByIds } from '../../azure-devops/builds.ts';
import type { AzureDevOps } from '../../azure-devops/connection.ts';
import { mapConcurrently } from '../../base/concurrency.ts';
import { absenceMs, readEvidence } from '../evidence.ts';
import type { BuildState } from '../keep-policy/policy-facts.ts';
import type { EstateProject } from './estate.ts';
import type { AbsenceFact } from './registry-reading.ts';

/** A build that is asked for. */
export interface BuildQuestion {
  readonly id: number;
  readonly definition: number;
  /** What tombstones say of its absence, in this pipeline. */
  readonly absences: readonly AbsenceFact[];
}

/** The answer about one build; what it consists of is there where Azure DevOps still has it. */
export interface BuildAnswer {
  readonly id: number;
  readonly definition: number;
  readonly state: BuildState;
  readonly body?: BuildFacts | undefined;
}

/** The answers in the order of the questions. */
export interface StatesReading {
  readonly answers: readonly BuildAnswer[];
  /** Why nothing is known of some of them, where that is not for what they are. */
  readonly unread?: string | undefined;
}

/** Whoever waits for an answer each is not told to ask less often. */
const askedAtOnce = 8;

/**
 * Asks for builds of a project, 200 a request. What the answers lack is asked for by itself with proof, because a list is no
 * evidence that anything is not there. `projects` are all of the organization that we answer for.
 */
export async function readStates(
  ado: AzureDevOps,
  project: EstateProject,
  questions: readonly BuildQuestion[],
  projects: readonly EstateProject[],
): Promise<StatesReading> {
  const bulk = await getBuildsByIds(
    ado,
    project.id,
    questions.map(each => each.id),
  );
  const others = projects.map(each => each.id).filter(id => id !== project.id);
  const answers = await mapConcurrently(questions, askedAtOnce, async (question): Promise<BuildAnswer> => {
    const { id, definition } = question;
    const found = bulk.found.get(id);
    if (found) return { id, definition, state: stateOf(found, definition), body: found };
    if (bulk.unknown !== undefined) return { id, definition, state: { kind: 'unknown', reason: bulk.unknown } };
    const evidence = await readEvidence(ado, { projectId: project.id, buildId: id, definitionId: definition }, others);
    switch (evidence.kind) {
      case 'deleted':
        return { id, definition, state: { kind: 'deleted' }, body: evidence.build };
      case 'absent':
        return {
          id,
          definition,
          state: { kind: 'absent', scope: evidence.scope, since: sinceOf(question, evidence.scope) },
        };
      case 'alive':
      case 'unknown':
        return { id, definition, state: evidence };
    }
  });
  return { answers, unread: bulk.unknown };
}

function stateOf(found: BuildFacts & { readonly deleted: boolean }, definition: number): BuildState {
  if (found.definitionId !== definition) {
    return {
      kind: 'unknown',
      reason: `the record names definition ${definition}, Azure DevOps ${found.definitionId}`,
    };
  }
  return { kind: found.deleted ? 'deleted' : 'alive' };
}

/**
 * Since when a build is absent: of several registries the latest, because only one that looked since can say whether it was
 * there in between. Where images were let go, the wait was over by then.
 */
function sinceOf({ absences }: BuildQuestion, scope: keyof typeof absenceMs): number | undefined {
  const times = absences
    .filter(each => each.seen === scope || each.seen === 'released')
    .map(each => (each.seen === 'released' ? each.since - absenceMs[scope] : each.since));
  return times.length === 0 ? undefined : Math.max(...times);
}
