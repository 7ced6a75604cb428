/** The last build goes, by a person's hand. */
import { type Answered, askAsPerson } from './azure-devops.ts';
import { oneDay } from './deletion.ts';
import { reconcile } from './handler.ts';
import type { RegistryState } from './registry.ts';
import type { Scene } from './scene.ts';
import { chapter, check, quote, showImages, tell } from './story.ts';

/** The leases are removed first, as Azure DevOps wants it. */
export async function endTheLast(scene: Scene): Promise<void> {
  const { registries, images } = scene;
  const { ci, qa, production } = registries;
  chapter('A person removes the leases of build 103, and deletes it');
  const leases = await ask(scene, 'GET', 'builds/103/leases?');
  const ids = (leases.body?.value ?? []).map(({ leaseId }) => leaseId).join(',');
  await ask(scene, 'DELETE', `retention/leases?ids=${ids}&`);
  check('Azure DevOps deleted it', (await ask(scene, 'DELETE', 'builds/103?')).status === 204);
  const first = await reconcile(scene);
  quote(first.output, /^\s+(?:released|kept) +103/);
  tell('… 25 hours pass …');
  await scene.pass(oneDay);
  const second = await reconcile(scene);
  quote(second.output, /^\s+(?:deleted|kept) +10/);
  await showImages('At the end', [ci, qa, production], images);
  const [atCi, atQa, atProduction] = await Promise.all([ci.look(), qa.look(), production.look()]);
  check('both reconciliations ended well', first.code === 0 && second.code === 0);
  const isGone = [atCi, atQa].every(({ repositories }) => repositories['shop/web'] === undefined);
  check(`the image that two builds made went with the second of them, from ${ci.name} and ${qa.name}`, isGone);
  const isChartGone = [atCi, atQa].every(({ repositories }) => repositories['shop/charts/web'] === undefined);
  check('so did the chart that they share, with its version', isChartGone);
  check(`the one record left in ${ci.name} is that of the locked image`, /^104\.\S+$/.test(recordsIn(atCi)));
  check(`nothing is left in ${qa.name}`, recordsIn(atQa) === '' && atQa.blobBytes === 0);
  const why = first.output.includes('a promoted copy; nothing tells what runs in that stage');
  check(`the copies in ${production.name} are kept, and the report says why`, why);
  const explained = new Set(recordsIn(atProduction).match(/\b\d+(?=\.\d+\.)/g));
  const isWhole = [...explained].join(' ') === '101 103';
  check(`${production.name} has all that it was given, and the records that explain it`, isWhole);
}

function ask({ organization, pipeline }: Scene, method: 'GET' | 'DELETE', path: string): Promise<Answered> {
  return askAsPerson(organization, pipeline, method, `${path}api-version=7.1`);
}

/** The tags of all records of a registry, in order. */
export function recordsIn({ repositories }: RegistryState): string {
  const records = Object.entries(repositories).flatMap(([name, { tags }]) =>
    name.startsWith('image-lifecycle/builds/') ? Object.keys(tags) : [],
  );
  return records.sort().join(' ');
}
