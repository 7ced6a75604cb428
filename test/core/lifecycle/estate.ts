/** A whole estate in one process: a registry, an organization, one project, and the verbs wired to them. */
import { connectAzureDevOps } from '../../../core/azure-devops/connection.ts';
import type { Clock } from '../../../core/base/clock.ts';
import { silentLog } from '../../../core/base/log.ts';
import { type ReconcileRequest, reconcile } from '../../../core/lifecycle/reconcile.ts';
import type { Report } from '../../../core/lifecycle/report.ts';
import { defaultRules, type Rules } from '../../../core/lifecycle/rules.ts';
import type { Surroundings } from '../../../core/lifecycle/surroundings.ts';
import { type TagRequest, type TagResult, tagImages } from '../../../core/lifecycle/tag.ts';
import { createHttp } from '../../../core/oci/http.ts';
import { openRegistry, type Registry } from '../../../core/oci/registry.ts';
import { type AcrEmulator, type AcrOptions, startAcr } from '../../emulators/acr/acr.ts';
import { type AzureDevOpsEmulator, startAzureDevOps } from '../../emulators/azure-devops/azure-devops.ts';

export const hour = 60 * 60_000;
export const day = 24 * hour;

/** The build of a test: what it tags, and what is said about it. */
export interface BuildOptions {
  readonly id?: number;
  readonly number?: string;
  readonly definitionId?: number;
  readonly tags?: readonly string[];
  readonly onBuildDeleted?: 'delete' | 'keep';
  readonly job?: string;
  readonly attempt?: string;
  readonly overwrite?: boolean;
}

export interface Estate {
  readonly acr: AcrEmulator;
  readonly ado: AzureDevOpsEmulator;
  readonly projectId: string;
  readonly definitionId: number;
  readonly surroundings: Surroundings;
  rules: Rules;
  /** Opens the registry anew, as another process would. */
  connect(): Registry;
  /** Makes a build in Azure DevOps and runs the verb behind TagImage for it; gives its id. */
  build(images: readonly { repository: string; reference: string }[], options?: BuildOptions): Promise<number>;
  /** Runs the verb again for a build that exists. */
  tag(
    buildId: number,
    images: readonly { repository: string; reference: string }[],
    options?: BuildOptions,
  ): Promise<TagResult>;
  reconcile(request?: ReconcileRequest): Promise<Report>;
  /** Reconciles, lets the grace pass, reconciles: the end of everything that is gone. */
  settle(): Promise<Report[]>;
  advance(ms: number): void;
  close(): Promise<void>;
}

/** A clock whose pauses last a thousandth: tests wait for nothing. */
export const hastyClock: Clock = {
  now: () => Date.now(),
  sleep: (ms, signal) =>
    new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason as Error);
      setTimeout(resolve, ms / 1000);
    }),
};

export async function startEstate(options: AcrOptions = {}): Promise<Estate> {
  const acr = await startAcr(options);
  const ado = await startAzureDevOps({ clock: acr.clock });
  const project = ado.world.addProject();
  const definition = ado.world.addDefinition({ projectId: project.id });
  const http = createHttp({ ca: acr.ca, clock: hastyClock });
  const connect = (): Registry =>
    openRegistry({
      address: acr.host,
      credentials: { kind: 'password', username: 'admin', password: 'admin-password' },
      http,
    });
  const surroundings: Surroundings = {
    registry: connect(),
    azureDevOps: connectAzureDevOps({
      url: ado.url,
      token: async () => ({ kind: 'bearer', value: ado.token }),
      clock: hastyClock,
      log: silentLog,
    }),
    clock: { ...hastyClock, now: () => acr.clock.now() },
    log: silentLog,
  };
  const estate: Estate = {
    acr,
    ado,
    projectId: project.id,
    definitionId: definition.id,
    surroundings,
    rules: { ...defaultRules, projects: [{ projectId: project.id, repositories: ['*'] }] },
    connect,
    async build(images, build = {}) {
      const { id, number, definitionId = definition.id } = build;
      const made = ado.world.addBuild({
        definitionId,
        ...(id !== undefined && { id }),
        ...(number !== undefined && { number }),
      });
      await estate.tag(made.id, images, build);
      return made.id;
    },
    tag: (buildId, images, build = {}) => tagImages(surroundings, requestOf(estate, buildId, images, build)),
    reconcile: request => reconcile(surroundings, estate.rules, request ?? {}),
    async settle() {
      const reports = [await estate.reconcile()];
      estate.advance(estate.rules.graceMs + hour);
      reports.push(await estate.reconcile());
      return reports;
    },
    advance: ms => acr.clock.advance(ms),
    async close() {
      await http.close();
      await Promise.all([acr.close(), ado.close()]);
    },
  };
  return estate;
}

export function requestOf(
  estate: Estate,
  buildId: number,
  images: readonly { repository: string; reference: string }[],
  options: BuildOptions,
): TagRequest {
  const build = estate.ado.world.builds.get(buildId);
  if (!build) throw new Error(`no build ${buildId}`);
  return {
    build: {
      collectionId: estate.ado.collectionId,
      organization: estate.ado.url,
      projectId: build.projectId,
      definitionId: build.definitionId,
      id: build.id,
      number: build.number,
      repository: 'shop',
      branch: 'refs/heads/main',
      commit: build.sourceVersion,
      stage: 'build',
      job: options.job ?? 'job',
      attempt: options.attempt ?? '1.1',
    },
    images,
    tags: [`${estate.rules.buildTagPrefix}${buildId}`, ...(options.tags ?? [])],
    onBuildDeleted: options.onBuildDeleted ?? 'delete',
    overwrite: options.overwrite ?? false,
  };
}
