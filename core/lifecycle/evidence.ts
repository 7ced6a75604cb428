/** Is the build gone? What Azure DevOps says, and what that means. An error is never an absence. */
import { type BuildFacts, getBuild, getDefinition, getProject, newestBuild } from '../azure-devops/builds.ts';
import type { AzureDevOps } from '../azure-devops/connection.ts';

/** The build in question, as the places of its records name it. */
export interface BuildInQuestion {
  readonly projectId: string;
  readonly buildId: number;
  readonly definitionId: number;
}

/** What is known. Only `deleted` counts at once; `absent` counts when it is seen again after {@link absenceMs}. */
export type Evidence =
  | { readonly kind: 'deleted'; readonly build: BuildFacts }
  | {
      readonly kind: 'absent';
      readonly scope: AbsenceScope;
      /** Whether a newer build of the same pipeline is readable. A pipeline that may not be seen looks like one that is gone. */
      readonly witnessed: boolean;
    }
  | { readonly kind: 'alive' }
  | { readonly kind: 'unknown'; readonly reason: string };

/** Whether the build alone is not found, or its definition neither. */
export type AbsenceScope = 'build' | 'definition';

/** How long an absence must last, in milliseconds. */
export const absenceMs: Readonly<Record<AbsenceScope, number>> = {
  build: 24 * 60 * 60_000,
  definition: 30 * 24 * 60 * 60_000,
};

/**
 * Reads the evidence about one build. `otherProjects` are the further projects we answer for: build ids are unique in
 * an organization, so an id that lives in one of them was claimed by a record that is not its own.
 */
export async function readEvidence(
  ado: AzureDevOps,
  question: BuildInQuestion,
  otherProjects: readonly string[],
): Promise<Evidence> {
  const { projectId, buildId, definitionId } = question;
  const answer = await getBuild(ado, projectId, buildId);
  switch (answer.kind) {
    case 'unknown':
      return answer;
    case 'notFound':
      return proveAbsence(ado, question, otherProjects);
    case 'alive':
    case 'deleted':
      if (answer.build.definitionId !== definitionId) {
        return unknown(`the record names definition ${definitionId}, Azure DevOps ${answer.build.definitionId}`);
      }
      return answer.kind === 'alive' ? { kind: 'alive' } : answer;
  }
}

/** A 404 counts only beside proof that the same credential would have seen the build if it were there. */
async function proveAbsence(
  ado: AzureDevOps,
  { projectId, buildId, definitionId }: BuildInQuestion,
  otherProjects: readonly string[],
): Promise<Evidence> {
  const project = await getProject(ado, projectId);
  if (project.kind === 'notFound')
    return unknown('the project is not there or not readable; only "retire" by hand ends its images');
  if (project.kind === 'unknown') return project;
  const definition = await getDefinition(ado, projectId, definitionId);
  if (definition.kind === 'unknown') return definition;
  const scope: AbsenceScope = definition.kind === 'readable' ? 'build' : 'definition';
  const isNewer = (newest: Awaited<ReturnType<typeof newestBuild>>): boolean =>
    newest.kind === 'found' && newest.build.id > buildId;
  const ofDefinition = await newestBuild(ado, projectId, definitionId);
  if (ofDefinition.kind === 'unknown') return ofDefinition;
  const witnessed = isNewer(ofDefinition);
  if (!witnessed && (scope === 'build' || !isNewer(await newestBuild(ado, projectId)))) {
    return unknown('no newer build is readable, so nothing shows that this one would be');
  }
  for (const other of otherProjects.filter(each => each !== projectId)) {
    const elsewhere = await getBuild(ado, other, buildId);
    if (elsewhere.kind === 'unknown') return elsewhere;
    if (elsewhere.kind !== 'notFound') return unknown(`build ${buildId} belongs to project ${other}`);
  }
  return { kind: 'absent', scope, witnessed };
}

function unknown(reason: string): Evidence {
  return { kind: 'unknown', reason };
}
