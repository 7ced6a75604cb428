/** A CI registry and the registry of a stage, and the verb behind PromoteImage between them. */
import { chooseBring } from '../../../core/lifecycle/bring.ts';
import { watchBuild } from '../../../core/lifecycle/living-build.ts';
import { buildTagIn, readPromotable } from '../../../core/lifecycle/promotable.ts';
import { type PromoteResult, promote } from '../../../core/lifecycle/promote.ts';
import { requirePromoted } from '../../../core/lifecycle/promotion-gate.ts';
import { type PromotionPlan, type PromotionRules, planPromotion } from '../../../core/lifecycle/promotion-plan.ts';
import { type CopyRun, createCopyRun } from '../../../core/oci/copy-run.ts';
import { createHttp, type Http } from '../../../core/oci/http.ts';
import { openRegistry, type Registry } from '../../../core/oci/registry.ts';
import { openRepository } from '../../../core/oci/repository.ts';
import { repositorySource } from '../../../core/oci/source.ts';
import { type AcrEmulator, startAcr } from '../../emulators/acr/acr.ts';
import { createCollectingLog } from '../oci/world.ts';
import { type Estate, hastyClock, startEstate } from './estate.ts';

export interface PromotionOptions extends Partial<PromotionRules> {
  readonly referrers?: boolean;
  readonly dryRun?: boolean;
  /** Promote from and to; CI and the stage unless told. */
  readonly from?: Registry;
  readonly to?: Registry;
  /** The stage that must have had it before. */
  readonly gate?: Registry;
  readonly importer?: Parameters<typeof chooseBring>[1]['importer'];
  readonly importOnly?: boolean;
  /** Runs when everything was planned, before anything is changed. */
  readonly afterPlan?: (plan: PromotionPlan) => void | Promise<void>;
}

export interface Promotion extends PromoteResult {
  readonly run: CopyRun;
  readonly said: readonly string[];
  readonly imported: ReadonlySet<string>;
}

export interface Stages {
  readonly ci: Estate;
  readonly stage: AcrEmulator;
  readonly http: Http;
  /** Opens a registry anew, as another process would. */
  connect(acr: AcrEmulator): Registry;
  promote(buildId: number, options?: PromotionOptions): Promise<Promotion>;
  close(): Promise<void>;
}

export async function startStages(): Promise<Stages> {
  const ci = await startEstate();
  const stage = await startAcr({ clock: ci.acr.clock });
  const clock = { ...hastyClock, now: () => ci.acr.clock.now() };
  const clients = new Map([ci.acr, stage].map(acr => [acr, createHttp({ ca: acr.ca, clock })]));
  const clientOf = (acr: AcrEmulator): Http => clients.get(acr) as Http;
  const connect = (acr: AcrEmulator): Registry => {
    const credentials = { kind: 'password', username: 'admin', password: 'admin-password' } as const;
    return openRegistry({ address: acr.host, credentials, http: clientOf(acr) });
  };
  return {
    ci,
    stage,
    http: clientOf(stage),
    connect,
    promote: (buildId, options = {}) =>
      carryOut({ ci, from: options.from ?? connect(ci.acr), to: options.to ?? connect(stage) }, buildId, options),
    async close() {
      for (const http of clients.values()) await http.close();
      await Promise.all([ci.close(), stage.close()]);
    },
  };
}

async function carryOut(
  { ci, from, to }: { ci: Estate; from: Registry; to: Registry },
  buildId: number,
  options: PromotionOptions,
): Promise<Promotion> {
  const log = createCollectingLog();
  const { projectId, definitionId } = ci;
  const build = { collectionId: ci.ado.collectionId, projectId, definitionId, buildId };
  const rules: PromotionRules = {
    mapping: { prefix: '', renamed: new Map() },
    buildTagPrefix: '',
    tags: [],
    onExistingTag: 'skip-if-same',
    charts: true,
    ...options,
  };
  const run = createCopyRun({ log, dryRun: options.dryRun ?? false });
  const plan = await planPromotion(
    { run, target: to, log },
    {
      records: await readPromotable(from, build, log),
      from: from.host,
      open: image => repositorySource(openRepository(from, image.repository, ['pull'])),
      tagged: repository => buildTagIn(from, repository, `${rules.buildTagPrefix}${buildId}`),
    },
    rules,
  );
  if (options.gate) await requirePromoted(options.gate, build, plan, log);
  await options.afterPlan?.(plan);
  const { bring, imported } = chooseBring(run, {
    importer: options.importer,
    importOnly: options.importOnly ?? false,
    log,
  });
  const result = await promote(
    { run, target: to, clock: ci.surroundings.clock, log },
    {
      build,
      plan,
      referrers: options.referrers ?? true,
      by: { projectId, definitionId: 99, runId: 5000, stage: 'production' },
      bring,
      checkBuild: watchBuild(ci.surroundings.azureDevOps, build, log),
    },
  );
  return { ...result, run, said: log.lines, imported };
}
