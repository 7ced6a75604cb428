/** What a sign-in could not see, for people who must give somebody a right. */
import type { BuildFact } from '../keep-policy/policy-facts.ts';

/** What was read of a part of an organization. */
export interface BuildsPart {
  readonly facts: readonly BuildFact[];
  /** Why some builds were not read. */
  readonly unread?: string | undefined;
  /** Sentences, as {@link tellUnseen} makes them. */
  readonly unseen: readonly string[];
}

/** One sentence where there is a reason, else none. `what` are `builds` or the like, of the project. */
export function tellUnseen(what: string, project: string, organization: string, reason: string | undefined): string[] {
  if (reason === undefined) return [];
  return [
    `Not seen: the ${what} of the project ${project} in ${organization}; what they may hold stays (${reason}). Where a right is missing: a job's own token often sees its own project only, and azureDevOpsConnection names an identity that sees more.`,
  ];
}
