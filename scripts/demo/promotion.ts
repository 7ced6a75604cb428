/** Images go from stage to stage. */
import { connectionId, type EndedStep, runStep } from './agent.ts';
import { imagesFileOf, showValues } from './charting.ts';
import { type Hands, has } from './registry.ts';
import type { Scene } from './scene.ts';
import { chapter, check, quote, showImages, tell } from './story.ts';

/** Runs PromoteImage in a stage of the run that built the images. */
export function promote(scene: Scene, run: number, stage: 'QA' | 'Production'): Promise<EndedStep> {
  const { ci, qa, production } = scene.registries;
  const to =
    stage === 'QA'
      ? { registry: qa.host, method: 'import' }
      : { registry: production.host, method: 'copy', requirePromotedTo: qa.host };
  const imagesFile = imagesFileOf(scene, run);
  return runStep(scene, {
    task: 'PromoteImage',
    run,
    stage,
    inputs: {
      source: 'currentRun',
      sourceRegistry: ci.host,
      azureSubscription: connectionId,
      keepLeases: '1',
      ...(imagesFile !== undefined && { imagesFile }),
      ...to,
    },
  });
}

/** Azure itself copies, from one registry to the other. */
export async function promoteToQa(scene: Scene): Promise<void> {
  const { ci, qa } = scene.registries;
  chapter('Builds 101 and 103 go to QA. First way: an import by Azure');
  tell('PromoteImage rebuilds nothing and guesses nothing: what the build recorded is what arrives.');
  const before = await countBlobs([ci, qa]);
  const [first, second] = await Promise.all([promote(scene, 101, 'QA'), promote(scene, 103, 'QA')]);
  showPromotion(first, `build 101 was promoted to ${qa.name}`);
  showPromotion(second, `build 103 was promoted to ${qa.name}`);
  const moved = (await countBlobs([ci, qa])) - before;
  const log = `by the logs of both registries, ${moved} requests for a blob of an image`;
  check(`not a byte went through the agent: ${log}`, moved === 0);
}

/** The agent copies, and only what was in QA before. */
export async function promoteToProduction(scene: Scene): Promise<void> {
  const { registries, cast, images } = scene;
  const { ci, qa, production } = registries;
  chapter('Build 101 goes on to production. Second way: a copy through the agent');
  const refused = await promote(scene, 105, 'Production');
  quote(refused.message);
  const isEmpty = Object.keys((await production.look()).repositories).length === 0;
  check('build 105, which was never in QA, is refused, and nothing was changed', !refused.succeeded && isEmpty);
  const promoted = await promote(scene, 101, 'Production');
  showPromotion(promoted, `build 101, which was there, was promoted to ${production.name}`);
  await showValues(promoted);
  const everywhere = [ci, qa, production];
  await showImages('The same bytes everywhere', everywhere, images);
  const said = await Promise.all(everywhere.map(registry => registry.resolve('shop/api', '101')));
  const isSame = said.every(digest => digest === cast.api.digest);
  check('all three registries say of shop/api:101 that it is the digest which the build pushed', isSame);
  const states = await Promise.all(everywhere.map(registry => registry.look()));
  const signature = { repository: 'shop/api', digest: cast.signature.digest };
  check(
    'the signature came along, untouched',
    states.every(state => has(state, signature)),
  );
}

/** The lines that matter, and the verdict. */
export function showPromotion({ said, message, succeeded }: EndedStep, what: string): void {
  quote(said, succeeded ? /^(?:Retained|Imported|Tagged|Sent|Azure|Nothing)/ : undefined);
  check(succeeded ? what : `${what}: ${message}`, succeeded);
}

async function countBlobs(registries: readonly Hands[]): Promise<number> {
  const counts = registries.flatMap(registry => ['shop/api', 'shop/web'].map(each => registry.countBlobs(each)));
  return (await Promise.all(counts)).reduce((sum, count) => sum + count, 0);
}
