/** Charts: the images of a build, pinned in what a release installs, and found there again years later. */
import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { maxChartBytes } from '../../core/helm/bounds.ts';
import { readArchive } from '../../core/helm/read-archive.ts';
import { connectionId, type EndedStep, folderOf, runStep } from './agent.ts';
import { tagsOf } from './registry.ts';
import type { Scene } from './scene.ts';
import { chapter, check, type Named, quote, showImages, tell } from './story.ts';

const examples = resolve(import.meta.dirname, '../../examples/shop');
const prefix = 'shop/charts';

/** The chart of each build, by its folder in the example. */
const charts: Readonly<Record<number, 'api' | 'web'>> = { 101: 'api', 102: 'web', 103: 'web' };

/** Where a build's step left what a promotion needs of its chart; undefined where it packaged none. */
export function imagesFileOf(scene: Scene, build: number): string | undefined {
  return charts[build] && join(folderOf(scene, { run: build, stage: 'build' }), 'image-lifecycle/images.json');
}

/** Three builds package theirs; two of them the very same. Gives the scene with the charts in its tables. */
export async function packageCharts(scene: Scene): Promise<Scene> {
  const { ci } = scene.registries;
  chapter('Builds 101, 102 and 103 package their charts, with what they built pinned inside');
  tell('A chart that a release takes from Git is not the chart that was built. This one names its images by digest,');
  tell('and is the same archive whenever chart and images are the same.');
  const steps = await Promise.all(
    Object.entries(charts).map(([run, chart]) => packageChart(scene, Number(run), chart)),
  );
  for (const [at, { said, message, succeeded }] of steps.entries()) {
    quote(said, succeeded ? /^(?:Pinned|Pushed|Found)/ : undefined);
    check(`build ${Object.keys(charts)[at]} packaged its chart${message && `: ${message}`}`, succeeded);
  }
  const [api = '', first = '', second = ''] = steps.map(({ variables }) => variables['chartdigest'] ?? '');
  const named: Named[] = [
    { name: 'chart of api', repository: `${prefix}/api`, digest: api },
    { name: 'chart of web, of two', repository: `${prefix}/web`, digest: first },
  ];
  const whole = { ...scene, images: [...scene.images, ...named] };
  await showImages('What the builds made', [ci], whole.images);
  const tags = tagsOf(await ci.look(), `${prefix}/web`);
  check('builds 102 and 103 changed nothing, so they share one chart', first === second && /102.*103/.test(tags));
  return whole;
}

function packageChart(scene: Scene, run: number, chart: string): Promise<EndedStep> {
  return runStep(scene, {
    task: 'PackageChart',
    run,
    stage: 'build',
    inputs: {
      azureSubscription: connectionId,
      registry: scene.registries.ci.host,
      charts: join(examples, chart),
      push: 'true',
      chartRepositoryPrefix: prefix,
      helm: 'never',
    },
  });
}

/** Says where a stage's chart finds its images. */
export async function showValues(step: EndedStep): Promise<void> {
  const path = step.variables['valuesfile'];
  if (path === undefined) return check('the step wrote the values of the stage', false);
  tell('For `helm upgrade --values`, where the chart finds its images in this stage:');
  quote(await readFile(path, 'utf8'), /^[^#]/);
}

/** What was built first is installed anew, when its build is long gone. */
export async function installTheOldest({ registries, images }: Scene): Promise<void> {
  const { production } = registries;
  chapter('Production goes back to build 101, which Azure DevOps has forgotten');
  const digest = await production.resolve(`${prefix}/api`, '101');
  const wanted = images.find(({ repository }) => repository === 'shop/api')?.digest;
  check(`${production.name} has its chart`, digest !== undefined);
  if (digest === undefined) return;
  const archive = await production.readLayer(`${prefix}/api`, digest);
  const files = await readArchive(archive, 'the chart', { bytes: maxChartBytes, files: 100 });
  const values = new TextDecoder().decode(files.find(({ path }) => path === 'values.yaml')?.bytes);
  quote(values, /repository:|tag:/);
  const pinned = /sha256:[0-9a-f]{64}/.exec(values)?.[0];
  check('its chart names what was built, by digest', pinned === wanted);
  const isThere = pinned !== undefined && (await production.resolve('shop/api', pinned)) === pinned;
  check('that very image is still there, so the old release can be installed again', isThere);
}
