import assert from 'node:assert/strict';
import { cp } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { helms } from '../support/helm.ts';
import { makeAgentFolder, runTask } from '../support/run-task.ts';
import { inspectDigest, pushImage } from '../support/skopeo.ts';
import { api, chartOf, outputOf, readImagesJson, renderedImages, web, writeFiles } from './packaging.ts';
import { type Bench, openBench, warningsOf } from './promotion.ts';
import { assertSucceeded, connectionTo } from './step.ts';

describe('A chart from its build to a stage', () => {
  let bench: Bench;
  before(async () => {
    bench = await openBench();
  });
  after(() => bench.close());

  it('is packaged with the images of its build, promoted with them, and installs them from the registry of the stage', async () => {
    const building = await makeAgentFolder();
    try {
      const variables = { 'Build.BuildId': '900', 'System.CollectionUri': `${bench.devOps.url}/` };
      const shared = { variables, endpoints: { ci: connectionTo(bench.ci) } };
      const signIn = { connectionType: 'dockerRegistry', containerRegistry: 'ci' };
      bench.addBuild({ id: 900 });
      await pushImage(bench.ci, 'shop/web:built', web);
      await pushImage(bench.ci, 'shop/api:built', api);
      const images = 'shop/web:built\nshop/api:built';
      assertSucceeded(await runTask(building, { ...shared, task: 'TagImage', inputs: { ...signIn, images } }));
      await cp(resolve(import.meta.dirname, '../../examples/shop/web'), join(building.sources, 'web'), {
        recursive: true,
      });
      await writeFiles(join(building.sources, 'api'), chartOf('api', 'shop/api'));
      const imagesFile = '$(Build.ArtifactStagingDirectory)/image-lifecycle/images.json';
      const inputs = { ...signIn, charts: 'web\napi', imagesFile, push: 'true' };
      const packaged = await runTask(building, { ...shared, task: 'PackageChart', inputs });
      assertSucceeded(packaged);

      const folder = outputOf(building.staging);
      const promoted = await bench.step(900, {
        imagesFile: join(folder, 'images.json'),
        repositoryPrefix: 'prod',
        repositories: 'shop/api=store/backend',
      });
      assertSucceeded(promoted);
      const { host } = bench.stage;
      const listed = (await readImagesJson(building.staging)).charts ?? [];
      assert.deepEqual(
        listed.map(({ name }) => name),
        ['web', 'api'],
      );
      const expected = {
        web: [`${host}/prod/shop/web@${web.digest}`],
        api: [`${host}/store/backend:${api.digest.slice(7, 19)}@${api.digest}`],
      };
      for (const { name, file, digest, version } of listed) {
        const values = join(bench.agent.path, `temp/image-lifecycle/stage-values-${name}.yaml`);
        for (const helm of helms) {
          const images = await renderedImages(helm, join(folder, file), [values]);
          assert.deepEqual(images, expected[name as 'web' | 'api'], helm.version);
        }
        // The chart went along, under the names of the stage.
        const place = `prod/charts/${name}:${version.replace('+', '_')}`;
        assert.equal(await inspectDigest(bench.stage, place), digest);
      }
      assert.equal(promoted.variables['valuesfile'], undefined);
      assert.match(
        warningsOf(promoted).join('\n'),
        /^The output variable valuesFile is not set: the charts want different/,
      );
      for (const image of ['prod/shop/web', 'store/backend']) {
        const { digest } = image === 'store/backend' ? api : web;
        assert.equal(await inspectDigest(bench.stage, `${image}:900`), digest);
      }
    } finally {
      await building.remove();
    }
  });

  it('gets one file of values where it is the only one', async () => {
    const building = await makeAgentFolder();
    try {
      const variables = { 'Build.BuildId': '901', 'System.CollectionUri': `${bench.devOps.url}/` };
      const shared = { variables, endpoints: { ci: connectionTo(bench.ci) } };
      const signIn = { connectionType: 'dockerRegistry', containerRegistry: 'ci' };
      bench.addBuild({ id: 901 });
      await pushImage(bench.ci, 'shop/api:built', api);
      assertSucceeded(
        await runTask(building, { ...shared, task: 'TagImage', inputs: { ...signIn, images: 'shop/api:built' } }),
      );
      await writeFiles(join(building.sources, 'api'), chartOf('api', 'shop/api'));
      const packaged = await runTask(building, {
        ...shared,
        task: 'PackageChart',
        inputs: { ...signIn, charts: 'api' },
      });
      assertSucceeded(packaged);
      const promoted = await bench.step(901, { imagesFile: join(outputOf(building.staging), 'images.json') });
      assertSucceeded(promoted);
      const images = await renderedImages(helms[0]!, packaged.variables['chartpath'] ?? '', [
        promoted.variables['valuesfile'] ?? '',
      ]);
      assert.deepEqual(images, [`${bench.stage.host}/shop/api:${api.digest.slice(7, 19)}@${api.digest}`]);
    } finally {
      await building.remove();
    }
  });
});
