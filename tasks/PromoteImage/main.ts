/** PromoteImage: brings the images that a build recorded into the registry of a stage. */
import type { Importer } from '../../core/acr/import.ts';
import type { AzureDevOps } from '../../core/azure-devops/connection.ts';
import { systemClock } from '../../core/base/clock.ts';
import { chooseBring } from '../../core/lifecycle/bring.ts';
import { watchBuild } from '../../core/lifecycle/living-build.ts';
import { promote } from '../../core/lifecycle/promote.ts';
import type { LeaseOwner } from '../../core/lifecycle/retain-build.ts';
import { createCopyRun } from '../../core/oci/copy-run.ts';
import { createHttp, type Http } from '../../core/oci/http.ts';
import { connectAzureDevOps } from '../agent/azure-devops.ts';
import { createCopyProgress } from '../agent/copy-progress.ts';
import { agentLog, showProgress } from '../agent/log.ts';
import { type RunningPromoter, readPromoter } from '../agent/promoter.ts';
import { createDispatcher } from '../agent/proxy.ts';
import { runTask } from '../agent/run.ts';
import { readSourceBuilds } from '../agent/source-build.ts';
import { showSummary } from '../agent/summary.ts';
import { setOutput, setTaskVariable } from '../agent/variables.ts';
import { type Hold, holdBuilds, letGoVariable, writeLetGo } from './hold.ts';
import { readImporter } from './importer.ts';
import { readInputs } from './inputs.ts';
import { setOutputs } from './outputs.ts';
import { nameOfSource, type PlannedBuild, type PlanningDeps, planBuilds } from './plan-builds.ts';
import { openRegistries } from './registries.ts';
import { describeBytes, describePromotion } from './summary.ts';
import { makeValues, readPins, writeValues } from './values-file.ts';

/** What everything after the planning needs. */
interface Scene extends PlanningDeps {
  readonly azureDevOps: AzureDevOps;
  readonly promoter: RunningPromoter;
  readonly importer: Importer | undefined;
}

async function promoteImages(http: Http): Promise<void> {
  const inputs = readInputs();
  const promoter = readPromoter();
  const pins = await readPins(inputs.imagesFile);
  const builds = await readSourceBuilds(inputs.from);
  const registries = await openRegistries(inputs, http);
  const azureDevOps = connectAzureDevOps();
  // What only looks is soon done, and would speak of bytes that were never sent.
  const onProgress = inputs.dryRun ? {} : { onProgress: createCopyProgress(10, 95) };
  const run = createCopyRun({ log: agentLog, dryRun: inputs.dryRun, ...onProgress });
  showProgress(5, `Looking at ${registries.target.host}`);
  const planned = await planBuilds({ ...registries, inputs, run }, builds);
  try {
    const values = makeValues(pins, planned.builds, registries.target.host);
    const importer = inputs.dryRun ? undefined : await readImporter(run, inputs, http);
    const scene: Scene = { ...registries, inputs, run, azureDevOps, promoter, importer };
    const hold = await takeHold(scene, planned.builds);
    for (const each of planned.builds) await promoteBuild(scene, each, hold);
    await finish(scene, planned.builds, values);
    // Last: only a step that did all it had to may let older builds go.
    if (hold.held.length > 0) {
      setTaskVariable(letGoVariable, writeLetGo(ownerOf(scene), hold.held, inputs.keepLeases));
    }
  } finally {
    await planned.close();
  }
  showProgress(100, 'Done');
}

async function takeHold(scene: Scene, planned: readonly PlannedBuild[]): Promise<Hold> {
  const { azureDevOps, inputs } = scene;
  if (inputs.dryRun) return { held: [], words: 'A dry run takes no lease.' };
  const builds = planned.map(({ build: { projectId, definitionId, id } }) => ({
    projectId,
    definitionId,
    buildId: id,
  }));
  return holdBuilds({ azureDevOps, log: agentLog }, { wish: inputs.retainBuild, owner: ownerOf(scene), builds });
}

function ownerOf({ target, promoter }: Scene): LeaseOwner {
  const { kind, projectId, definitionId, stage } = promoter;
  return { registry: target.host, stage, deployedBy: { kind, projectId, definitionId } };
}

async function promoteBuild(scene: Scene, { build, plan }: PlannedBuild, hold: Hold): Promise<void> {
  const { inputs, run, source, target, promoter, importer, azureDevOps } = scene;
  const { dryRun, referrers } = inputs;
  const started = systemClock.now();
  const before = run.tally.read();
  const key = { ...build, buildId: build.id };
  const { bring, imported } = chooseBring(run, { importer, importOnly: inputs.method === 'import', log: agentLog });
  const result = await promote(
    { run, target, clock: systemClock, log: agentLog },
    { build: key, plan, referrers, by: promoter, bring, checkBuild: watchBuild(azureDevOps, key, agentLog) },
  );
  const content = {
    build: { buildId: build.id, number: build.number },
    from: nameOfSource(source),
    to: target.host,
    stage: promoter.stage,
    dryRun,
    images: result.images,
    imported,
    progress: run.tally.since(before),
    took: systemClock.now() - started,
    hold: hold.words,
  };
  agentLog.info(describeBytes(content));
  await showSummary(`${dryRun ? 'Promotion plan' : 'Promotion'} of build ${build.id}`, describePromotion(content));
}

async function finish(
  { inputs, target }: Scene,
  planned: readonly PlannedBuild[],
  values?: ReadonlyMap<string, string>,
): Promise<void> {
  // A digest that is not in the stage would be deployed there by the next step.
  if (inputs.dryRun) return;
  setOutputs(
    planned.map(({ plan }) => plan),
    target.host,
  );
  if (values === undefined) return;
  const path = await writeValues(inputs.outputDirectory, values);
  if (path !== undefined) setOutput('valuesFile', path);
}

void runTask(async () => {
  const http = createHttp({ dispatcher: createDispatcher(), log: agentLog });
  await promoteImages(http);
  await http.close();
});
