import assert from 'node:assert/strict';
import { access, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parse } from 'yaml';
import { type AzureBench, adminOf, openAzure, type PutImage } from './promotion-azure.ts';
import { assertFailed, assertSucceeded, projectId } from './step.ts';

describe('PromoteImage and the values for the chart', () => {
  let bench: AzureBench;
  let web: PutImage | undefined;
  let api: PutImage | undefined;
  before(async () => {
    bench = await openAzure();
    [web, api] = await bench.record({ id: 850 }, 'shop/web', 'shop/api');
  });
  after(() => bench.close());

  const path = () => join(bench.agent.path, 'temp/image-lifecycle/stage-values.yaml');
  const promote = (inputs: Record<string, string>) =>
    bench.step(
      850,
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
});
