/** The product's side of a whole run of CleanImages: looks, plans and carries out, as a step that just started. */
import { connectAzureDevOps } from '../../core/azure-devops/connection.ts';
import { systemClock } from '../../core/base/clock.ts';
import { silentLog } from '../../core/base/log.ts';
import { carryOut } from '../../core/lifecycle/cleaning/carry-out.ts';
import { lookAtEstate } from '../../core/lifecycle/cleaning/look.ts';
import { parseConfiguration } from '../../core/lifecycle/configuration/configuration.ts';
import { toPlanRules } from '../../core/lifecycle/configuration/plan-rules.ts';
import { resolveProjects } from '../../core/lifecycle/configuration/resolve-projects.ts';
import type { Estate } from '../../core/lifecycle/facts/estate.ts';
import { createHttp } from '../../core/oci/http.ts';
import { openRegistry } from '../../core/oci/registry.ts';
import { readPeakMB } from './peak-memory.ts';

/** What to clean, as text that can go to another process. */
export interface CleanOrder {
  readonly registry: { readonly host: string; readonly ca: string };
  readonly azureDevOps: { readonly url: string; readonly releaseUrl: string; readonly token: string };
  readonly projectId: string;
}

/** What became of it. */
export interface CleanResult {
  readonly images: number;
  /** Items of the report by their outcome. */
  readonly outcomes: Readonly<Record<string, number>>;
  /** What is wrong with a world of which everything can be read. */
  readonly problems: readonly string[];
  readonly lookSeconds: number;
  readonly seconds: number;
  readonly rssMB: number;
}

/** Runs an order, here or in a process of its own. */
export type RunClean = (order: CleanOrder) => Promise<CleanResult>;

const generous = '{ images: 1000000, percent: 100 }';

/** Nothing is deployed and nobody works on anything: every image of a build that is gone goes. */
function textOf({ registry, azureDevOps, projectId }: CleanOrder): string {
  return `organizations: [{ url: "${azureDevOps.url}", projects: [{ id: ${projectId} }] }]
registries: [{ name: ci, url: "${registry.host}" }]
keep: { deployed: false, references: [] }
brake: { deleted: ${generous}, absent: ${generous} }
`;
}

/** Cleans once, in this process. */
export const cleanHere: RunClean = async order => {
  const started = performance.now();
  const http = createHttp({ ca: order.registry.ca });
  const { url, releaseUrl, token } = order.azureDevOps;
  const connect = (at: string) =>
    connectAzureDevOps({
      url: at,
      token: async () => ({ kind: 'bearer', value: token }),
      clock: systemClock,
      log: silentLog,
    });
  const credentials = { kind: 'password', username: 'admin', password: 'admin-password' } as const;
  const registry = openRegistry({ address: order.registry.host, credentials, http });
  const configuration = parseConfiguration(textOf(order), 'bench');
  const azureDevOps = connect(url);
  const organizations = await resolveProjects(configuration, () => azureDevOps);
  const estate: Estate = {
    registries: [{ name: 'ci', registry, repositories: ['*'], reportsUsage: false }],
    organizations: organizations.map(({ url: name, projects }) => ({
      name,
      azureDevOps,
      releases: connect(releaseUrl),
      projects,
    })),
    clusters: [],
    clock: systemClock,
    log: silentLog,
  };
  const look = await lookAtEstate(estate, toPlanRules(configuration, organizations), organizations);
  const looked = performance.now();
  const report = await carryOut(estate, { configuration, organizations, plan: look.plan, facts: look.facts });
  await http.close();
  const outcomes: Record<string, number> = {};
  for (const { outcome } of report.items) outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
  const failed = report.items.filter(each => each.outcome === 'failed').map(each => `${each.subject}: ${each.reason}`);
  const problems = [...look.plan.unread, ...look.unseen, ...report.braked, ...report.failures, ...failed];
  return {
    images: look.plan.images.length,
    outcomes,
    problems: problems.slice(0, 5),
    lookSeconds: secondsOf(looked - started),
    seconds: secondsOf(performance.now() - started),
    rssMB: readPeakMB(),
  };
};

function secondsOf(milliseconds: number): number {
  return Math.round(milliseconds / 100) / 10;
}
