/** What a sign-in could not see, for people who must give somebody a right. */
import type { BuildFact } from '../keep-policy/policy-facts.ts';
import type { EstateOrganization, EstateProject } from './estate.ts';

/** Something of a project that was not read. */
export interface Unseen {
  /** `builds`, or the like. */
  readonly what: string;
  readonly project: string;
  /** As in the configuration. */
  readonly organization: string;
  readonly reason: string;
}

/** What was read of a part of an organization. */
export interface BuildsPart {
  readonly facts: readonly BuildFact[];
  /** Why some builds were not read. */
  readonly unread?: string | undefined;
  readonly unseen: readonly Unseen[];
}

/** Those of `reasons`, by what was not read, that are there. */
export function listUnseen(
  { name: organization }: Pick<EstateOrganization, 'name'>,
  { name: project }: EstateProject,
  reasons: Readonly<Record<string, string | undefined>>,
): Unseen[] {
  return Object.entries(reasons).flatMap(([what, reason]) =>
    reason === undefined ? [] : { what, project, organization, reason },
  );
}

/** Sentences, one for each thing of each project: the first reason stands for all. */
export function tellUnseen(unseen: readonly Unseen[]): string[] {
  const told = new Map<string, string>();
  for (const { what, project, organization, reason } of unseen) {
    const thing = `the ${what} of the project ${project} in ${organization}`;
    if (told.has(thing)) continue;
    told.set(
      thing,
      `Not seen: ${thing}; what they may hold stays (${reason}). Where a right is missing: a job's own token often sees its own project only, and azureDevOpsConnection names an identity that sees more.`,
    );
  }
  return [...told.values()];
}
