import assert from 'node:assert/strict';
import { access, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parse } from 'yaml';
import { writeRecord } from '../../core/lifecycle/build-record.ts';
import type { Digest } from '../../core/oci/digest.ts';
import { readSummary, warningsOf, withRegistry } from './promotion.ts';
import { type AzureBench, addressOf, adminOf, openAzure, type PutImage } from './promotion-azure.ts';
import { assertFailed, assertSucceeded, projectId } from './step.ts';

describe('PromoteImage and what it leaves for the deployment', () => {
  let bench: AzureBench;
  let web: PutImage | undefined;
  let api: PutImage | undefined;
  before(async () => {
    bench = await openAzure();
    [web, api] = await bench.record({ id: 850 }, 'shop/web', 'shop/api');
  });
  after(() => bench.close());

  const path = () => join(bench.agent.path, 'temp/image-lifecycle/stage-values.yaml');
  const promote = (inputs: Record<string, string>, buildId = 850) =>
    bench.step(
      buildId,
      {
        sourceConnectionType: 'dockerRegistry',
        sourceContainerRegistry: 'ci-connection',
        connectionType: 'dockerRegistry',
        containerRegistry: 'stage-connection',
        imagesFile: 'chart/images.json',
        ...inputs,
      },
      { endpoints: { 'ci-connection': adminOf(bench.ci), 'stage-connection': adminOf(bench.stage) } },
    );

  /** As the packaging of a chart leaves it in the artifact. */
  async function pin(change: { buildId?: number; digest?: string } = {}): Promise<void> {
    const pins = [
      {
        repository: 'shop/web',
        digest: web?.digest,
        values: { registry: ['global', 'registry'], repository: ['web', 'image', 'repository'] },
      },
      { repository: 'shop/api', digest: change.digest ?? api?.digest, values: { repository: ['api', 'image.name'] } },
      { repository: 'shop/api', digest: api?.digest, values: { image: ['jobs', 'migrate'] } },
    ];
    const file = {
      schema: 1,
      build: { id: change.buildId ?? 850, projectId: projectId.toUpperCase() },
      images: [],
      charts: [{ name: 'shop', version: '1.2.3', pins }],
    };
    await mkdir(join(bench.agent.sources, 'chart'), { recursive: true });
    await writeFile(join(bench.agent.sources, 'chart/images.json'), JSON.stringify(file));
  }

  it('shows what would move in a dry run, and writes no file', async () => {
    await pin();
    const outcome = await promote({ dryRun: 'true' });
    assertSucceeded(outcome);
    assert.equal(outcome.variables['valuesfile'], undefined);
    await assert.rejects(access(path()));
  });

  it('names the registry of the stage at every place where the chart pins an image', async () => {
    await pin();
    const outcome = await promote({ repositoryPrefix: 'prod', repositories: 'shop/api=store/backend' });
    assertSucceeded(outcome);
    assert.equal(outcome.variables['valuesfile'], path());
    const text = await readFile(path(), 'utf8');
    const { host } = bench.stage;
    assert.deepEqual(parse(text), {
      global: { registry: host },
      web: { image: { repository: 'prod/shop/web' } },
      api: { 'image.name': `${host}/store/backend` },
      jobs: { migrate: `${host}/store/backend@${api?.digest}` },
    });
    // Every value in quotes, for a reader that takes `on` for true.
    assert.match(text, /^"global":\n {2}"registry": "localhost:\d+"$/m);
    for (const name of ['prod/shop/web', 'store/backend']) assert.ok(bench.stage.world.has(name, '850'), name);
  });

  it('is refused where a chart pins what is not promoted, or another build pinned it, with nothing changed', async () => {
    const before = bench.stage.world.snapshot();
    const leases = bench.devOps.world.leases.all().length;
    const other = `sha256:${'1'.repeat(64)}`;
    await pin({ digest: other });
    assertFailed(
      await promote({ repositoryPrefix: 'qa' }),
      new RegExp(
        `^The input imagesFile: The chart "shop" pins shop/api@${other}, which is not among the images of this`,
      ),
    );
    await pin({ buildId: 849 });
    assertFailed(
      await promote({ repositoryPrefix: 'qa' }),
      /^The input imagesFile names a file of build 849, and promoted is build 850\. Take the artifact of the same build/,
    );
    assert.deepEqual(bench.stage.world.snapshot(), before);
    assert.equal(bench.devOps.world.leases.all().length, leases);
  });

  it('brings a chart under its version, unless it is told not to', async () => {
    const { digest, mediaType } = bench.ci.world.putArtifact('charts/shop', {
      artifactType: 'application/vnd.cncf.helm.config.v1+json',
      tags: ['1.2.3', '851'],
    });
    const chart = { repository: 'charts/shop', name: 'shop', version: '1.2.3', tags: ['1.2.3', '851'], mediaType };
    await withRegistry(addressOf(bench.ci), registry =>
      writeRecord(registry, {
        build: bench.addBuild({ id: 851 }),
        images: [],
        charts: [{ ...chart, digest: digest as Digest, size: 1, children: [] }],
        onBuildDeleted: 'delete',
        createdAt: new Date().toISOString(),
      }),
    );
    const none = await promote({ charts: 'false', imagesFile: '' }, 851);
    assertFailed(none, /The records of the build in localhost:\d+ name no image/);
    const outcome = await promote({ tags: 'edge', imagesFile: '' }, 851);
    assertSucceeded(outcome);
    assert.deepEqual(bench.stage.world.tags('charts/shop'), { '1.2.3': digest, '851': digest });
    assert.match(await readSummary(outcome), /\| `charts\/shop`, a chart \|/);
  });

  it('leaves out an output variable that would be too long, and says so', async () => {
    const names = Array.from({ length: 120 }, (_, number) => `many/app${number}`);
    for (const name of names) bench.ci.world.putImage(name, { tags: ['v1'], layers: ['shared'] });
    bench.addBuild({ id: 852 });
    const images = names.map(name => `${name}:v1`).join('\n');
    const outcome = await promote({ source: 'images', images, imagesFile: '' }, 852);
    assertSucceeded(outcome);
    assert.equal(outcome.variables['images'], undefined);
    assert.match(
      warningsOf(outcome).join('\n'),
      /^The output variable images is not set: 120 images are too long for one/,
    );
    for (const name of names) assert.ok(bench.stage.world.has(name, '852'), name);
  });
});
