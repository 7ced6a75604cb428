/** What the service runs, each in turns of its own: every registry with every organization, or all of it by one plan. */
import { clean } from './clean.ts';
import type { ConnectedPairing } from './connect.ts';
import type { ConnectedEstate } from './estate.ts';
import type { RunReport, RunRequest } from './reconciler.ts';

/** One thing that is reconciled. */
export interface Entry {
  /** As it stands in the log. */
  readonly name: string;
  /** Of two with the same one, no runs overlap. */
  readonly queue: string;
  /** Lower-case GUIDs of the projects whose notifications concern it. */
  readonly projects: ReadonlySet<string>;
  /** Whether a notification of one build wakes a look at everything, because less tells nothing. */
  readonly isWhole: boolean;
  readonly run: (request: RunRequest) => Promise<RunReport>;
}

/** One registry with one organization. Two runs on one registry never overlap, whatever their organizations. */
export function entryOfPairing({ registry, organization, rules, reconcile }: ConnectedPairing): Entry {
  return {
    name: `${registry.url} and ${organization.url}`,
    queue: registry.url,
    projects: new Set(rules.projects.map(project => project.projectId)),
    isWhole: false,
    run: reconcile,
  };
}

/** Everything, by one plan. */
export function entryOfEstate(connected: ConnectedEstate): Entry {
  return {
    name: 'all registries',
    queue: '',
    projects: new Set(connected.organizations.flatMap(each => each.projects.map(({ id }) => id))),
    isWhole: true,
    run: ({ signal }) => cleanAll(connected, signal),
  };
}

async function cleanAll(connected: ConnectedEstate, signal: AbortSignal): Promise<RunReport> {
  const { report, notRead } = await clean(connected, { signal });
  const { items = [], braked = [], failures = [] } = report ?? {};
  return {
    items: items.map(({ registry, subject, outcome, reason, build }) => ({
      subject: `${registry}: ${subject}`,
      outcome,
      reason,
      buildId: build?.id,
    })),
    braked: braked.length > 0 ? braked.join('; ') : undefined,
    failures: [
      ...failures,
      ...notRead.everything.map(each => `everything stays, because ${each}`),
      ...notRead.some.map(each => `some images stay, because ${each}`),
    ],
  };
}
