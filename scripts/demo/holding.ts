/** Time passes: stages hold the builds that they run, and let them go when they have moved on. */
import { askAsPerson } from './azure-devops.ts';
import { control } from './control.ts';
import { promote, showPromotion } from './promotion.ts';
import type { Scene } from './scene.ts';
import { chapter, check, quote, tell } from './story.ts';

const day = 24 * 60 * 60_000;

/** Retention takes what nobody holds. */
export async function passAMonth(scene: Scene): Promise<void> {
  const { http, organization, pipeline } = scene;
  chapter('A month later: retention deletes builds, but none that a stage may run');
  tell('… 31 days and three more builds pass, then the retention of Azure DevOps runs …');
  await scene.pass(31 * day);
  for (const id of [106, 107, 108]) {
    await control(http, organization.url, 'builds', { definitionId: pipeline.definitionId, id });
  }
  check('it deleted builds 102, 104 and 105', (await runRetention(scene)) === '102 104 105');
  check('builds 101 and 103, as old, are held by the leases of their stages', (await holders(scene, 101)) === 2);
  const { status, body } = await askAsPerson(organization, pipeline, 'DELETE', 'builds/101?api-version=7.1');
  quote(body?.message ?? '');
  check('nobody deletes build 101 by hand either', status === 400);
}

/** A second promotion moves nothing, and the end of a job lets go what its stage ran before. */
export async function moveOn(scene: Scene): Promise<void> {
  const { qa, production } = scene.registries;
  chapter('Both stages move on to build 103');
  tell('QA gets it a second time:');
  const before = await qa.look();
  const again = await promote(scene, 103, 'QA');
  const unchanged = JSON.stringify(before) === JSON.stringify(await qa.look());
  showPromotion(again, 'build 103 was promoted again');
  check(`nothing moved, and ${qa.name} is as it was`, unchanged && again.said.includes('Nothing had to be moved.'));
  tell('Production gets it for the first time:');
  const first = await promote(scene, 103, 'Production');
  showPromotion(first, `build 103 was promoted to ${production.name}`);
  tell('Each job deploys and succeeds. At its end the step lets go what the stage ran before, but for one build:');
  for (const { said } of await Promise.all([again.endJob(), first.endJob()])) quote(said, /Let .* go/);
  check('no lease holds build 101 any more', (await holders(scene, 101)) === 0);
  check('so the next retention deletes it', (await runRetention(scene)) === '101');
}

async function runRetention({ http, organization }: Scene): Promise<string> {
  const { deleted } = await control(http, organization.url, 'retention', {});
  return (deleted as number[]).sort((one, other) => one - other).join(' ');
}

async function holders({ organization, pipeline }: Scene, build: number): Promise<number> {
  const { body } = await askAsPerson(organization, pipeline, 'GET', `builds/${build}/leases?api-version=7.1`);
  return body?.value?.length ?? 0;
}
