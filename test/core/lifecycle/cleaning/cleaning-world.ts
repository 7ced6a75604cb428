/** A CI registry, the registry of a stage and an organization, looked at and cleaned under one configuration. */
import { connectAzureDevOps } from '../../../../core/azure-devops/connection.ts';
import { type CarryOutRequest, carryOut } from '../../../../core/lifecycle/cleaning/carry-out.ts';
import type { CleanReport } from '../../../../core/lifecycle/cleaning/clean-report.ts';
import { type Look, lookAtEstate } from '../../../../core/lifecycle/cleaning/look.ts';
import { type Configuration, parseConfiguration } from '../../../../core/lifecycle/configuration/configuration.ts';
import { toPlanRules } from '../../../../core/lifecycle/configuration/plan-rules.ts';
import {
  type ResolvedOrganization,
  resolveProjects,
} from '../../../../core/lifecycle/configuration/resolve-projects.ts';
import type { Estate, EstateCluster } from '../../../../core/lifecycle/facts/estate.ts';
import type { PlannedImage } from '../../../../core/lifecycle/keep-policy/keep-plan.ts';
import { type Stages, startStages } from '../stages.ts';

/** What is said and seen beside the policy. */
export interface CleaningOptions {
  /** `keep`, `delete` and whatever else follows the registries; nothing is young, deployed or worked on unless it says so. */
  readonly policy?: string;
  /** Keys of each registry beside its name and URL. */
  readonly ci?: string;
  readonly prod?: string;
  /** What runs, by cluster: references, or why that was not read. */
  readonly clusters?: Readonly<Record<string, readonly string[] | { readonly unread: string }>>;
  readonly withInventory?: boolean;
}

/** How a plan is carried out. */
export type CarryOutOptions = Partial<Pick<CarryOutRequest, 'approved' | 'until' | 'signal' | 'organizations'>>;

/** Two registries, and the verbs of CleanImages wired to them. */
export interface CleaningWorld extends Stages {
  look(options?: CleaningOptions): Promise<Look>;
  /** Looks, and carries out what is planned. */
  clean(
    options?: CleaningOptions,
    request?: CarryOutOptions,
  ): Promise<{ readonly look: Look; readonly report: CleanReport }>;
  /** Carries out what was planned before. */
  carryOut(
    look: Pick<Look, 'plan' | 'facts'>,
    options?: CleaningOptions,
    request?: CarryOutOptions,
  ): Promise<{ readonly report: CleanReport }>;
}

/** Nothing is kept but what lives, runs or is locked. */
export const plain = 'keep: { deployed: false, references: [], newerThan: 0s }';

/** Starts both registries, with nothing in them. */
export async function startCleaning(): Promise<CleaningWorld> {
  const stages = await startStages();
  const open = async (options: CleaningOptions): Promise<Opened> => {
    const configuration = parseConfiguration(textOf(stages, options), 'image-lifecycle.yml');
    const organizations = await resolveProjects(configuration, () => stages.ci.surroundings.azureDevOps);
    return { configuration, organizations, estate: estateOf(stages, organizations, configuration, options) };
  };
  return {
    ...stages,
    look: async (options = {}) => lookAt(await open(options), options),
    clean: async (options = {}, request = {}) => {
      const opened = await open(options);
      const look = await lookAt(opened, options);
      const { configuration, organizations, estate } = opened;
      const { plan, facts } = look;
      return { look, report: await carryOut(estate, { configuration, organizations, plan, facts, ...request }) };
    },
    carryOut: async ({ plan, facts }, options = {}, request = {}) => {
      const { configuration, organizations, estate } = await open(options);
      return { report: await carryOut(estate, { configuration, organizations, plan, facts, ...request }) };
    },
  };
}

interface Opened {
  readonly configuration: Configuration;
  readonly organizations: readonly ResolvedOrganization[];
  readonly estate: Estate;
}

function lookAt({ configuration, organizations, estate }: Opened, { withInventory }: CleaningOptions): Promise<Look> {
  return lookAtEstate(estate, toPlanRules(configuration, organizations), organizations, {
    ...(withInventory !== undefined && { withInventory }),
  });
}

function textOf(
  { ci, stage }: Stages,
  { policy = plain, ci: ofCi = '', prod = '', clusters }: CleaningOptions,
): string {
  const names = Object.keys(clusters ?? {}).map((name, at) => `{ name: ${name}, context: c${at} }`);
  return `organizations: [{ url: "${ci.ado.url}", projects: [{ id: ${ci.projectId} }] }]
registries:
  - { name: ci, url: "${ci.acr.host}"${ofCi && `, ${ofCi}`} }
  - { name: prod, url: "${stage.host}"${prod && `, ${prod}`} }
clusters: [${names.join(', ')}]
${policy}
`;
}

function estateOf(
  stages: Stages,
  organizations: readonly ResolvedOrganization[],
  { registries }: Configuration,
  { clusters = {} }: CleaningOptions,
): Estate {
  const { ci, stage } = stages;
  const { azureDevOps, clock, log } = ci.surroundings;
  const releases = connectAzureDevOps({
    url: ci.ado.releaseUrl,
    token: async () => ({ kind: 'bearer', value: ci.ado.token }),
    clock,
    log,
  });
  return {
    registries: registries.map(({ name, repositories }) => {
      const registry = stages.connect(name === 'ci' ? ci.acr : stage);
      return { name, registry, repositories, reportsUsage: false };
    }),
    organizations: organizations.map(({ url: name, projects }) => ({
      name,
      azureDevOps,
      releases,
      projects,
    })),
    clusters: Object.entries(clusters).map(([name, runs]) => clusterOf(name, runs, clock.now())),
    clock,
    log,
  };
}

function clusterOf(
  name: string,
  runs: readonly string[] | { readonly unread: string },
  takenAt: number,
): EstateCluster {
  const uses =
    'unread' in runs
      ? { kind: 'unread' as const, reason: runs.unread }
      : { kind: 'whole' as const, items: runs.map((image, at) => ({ image, where: `pod shop/web-${at}` })) };
  return { name, read: async () => ({ takenAt, uses, releases: { kind: 'whole', items: [] } }) };
}

/** The decisions, as `ci/web@sha256:…` with the first reason, in order. */
export function decisionsOf({ plan }: Pick<Look, 'plan'>): Record<string, string> {
  return Object.fromEntries(plan.images.map(each => [placeOf(each), `${each.decision}: ${each.reasons[0]}`]));
}

/** `ci/web@sha256:…` */
export function placeOf({
  registry,
  repository,
  digest,
}: Pick<PlannedImage, 'registry' | 'repository' | 'digest'>): string {
  return `${registry}/${repository}@${digest}`;
}
