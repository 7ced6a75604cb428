import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { cp, readFile, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { helms, runHelm } from '../support/helm.ts';
import { node24 } from '../support/run-task.ts';
import { api, type Bench, chartOf, openBench, outputOf, readImagesJson, renderedImages, web } from './packaging.ts';
import { linesOf, readSummary, warningsOf } from './promotion.ts';
import { assertKept, assertSucceeded } from './step.ts';

const [helm310] = helms as [(typeof helms)[number]];
const shown = (digest: string): string => `${digest.slice(7, 19)}@${digest}`;
const imageAt = (registry: string) => `{registry: "${registry}", repository: shop/web, tag: x}`;

describe('PackageChart', () => {
  let bench: Bench;
  before(async () => {
    bench = await openBench();
    await bench.build({ 'shop/web': web, 'shop/api': api });
    await bench.write('charts/web', chartOf('web', 'shop/web'));
    await bench.write('charts/api', chartOf('api', 'shop/api'));
  });
  after(() => bench.close());

  it('packages a chart with the image that the build recorded, and three helms install that digest', async () => {
    // Another job tagged them: nothing of that is in this one's folder.
    await rm(outputOf(bench.agent.staging), { recursive: true });
    const outcome = await bench.pack({ charts: 'charts/web', onUnusedPin: 'warn' }, helm310);
    assertSucceeded(outcome);
    const { charts, images } = await readImagesJson(bench.agent.staging);
    const [chart] = charts ?? [];
    const path = join(outputOf(bench.agent.staging), chart?.file ?? '');
    assert.match(chart?.version ?? '', /^1\.4\.0\+c\.[0-9a-f]{10}$/);
    assert.equal(chart?.file, `web-${chart?.version}.tgz`);
    assert.equal(
      createHash('sha256')
        .update(await readFile(path))
        .digest('hex'),
      chart?.sha256,
    );
    assert.deepEqual(chart?.pins, [
      { repository: 'shop/web', digest: web.digest, values: { repository: ['image', 'repository'] } },
    ]);
    assert.deepEqual(images.map(({ digest }) => digest).sort(), [web.digest, api.digest].sort());
    for (const helm of helms) {
      assert.deepEqual(await renderedImages(helm, path), [`shop/web:${shown(web.digest)}`], helm.version);
    }
    assert.equal(
      await runHelm(helm310, ['show', 'values', path], bench.agent.path),
      `# What runs.\nimage:\n  repository: shop/web\n  tag: "${shown(web.digest)}" # pinned by the build\npassword: hunter2\nenabled: true\n\n`,
    );
  });

  it('says what it did: in its outputs, in the log, and on the page as a diff of the pinned values alone', async () => {
    const outcome = await bench.pack({ charts: 'charts/web', onUnusedPin: 'warn' }, helm310);
    assertSucceeded(outcome);
    const { charts } = await readImagesJson(bench.agent.staging);
    const [chart] = charts ?? [];
    const path = join(outputOf(bench.agent.staging), chart?.file ?? '');
    const set = outcome.output.split('\n').filter(line => line.startsWith('##vso[task.setvariable'));
    const listed = [{ name: 'web', version: chart?.version, path, sha256: chart?.sha256 }];
    assert.deepEqual(set, [
      `##vso[task.setvariable variable=chartPath;isOutput=true;issecret=false;]${path}`,
      `##vso[task.setvariable variable=chartVersion;isOutput=true;issecret=false;]${chart?.version}`,
      `##vso[task.setvariable variable=charts;isOutput=true;issecret=false;]${JSON.stringify(listed)}`,
    ]);
    assert.ok(linesOf(outcome).includes(`Pinned shop/web@${web.digest} at image of web ${chart?.version}.`));
    const page = await readSummary(outcome);
    assert.ok(page.includes(`| \`web\` | \`${chart?.version}\` | \`${chart?.sha256}\` |  |`), page);
    assert.ok(
      page.includes(
        `\`\`\`diff\n# values.yaml\n@@ line 4 @@\n- image.tag: latest\n+ image.tag: "${shown(web.digest)}"\n\`\`\``,
      ),
      page,
    );
    assert.ok(!page.includes('hunter2'));
    assert.ok(!outcome.output.includes('hunter2'));
    assert.match(warningsOf(outcome).join('\n'), /^shop\/api@sha256:[0-9a-f]{64}: of this build, but pinned nowhere/);
  });

  it('packages several charts, each with its own image, and the same archives again', async () => {
    const charts = 'charts/web\ncharts/api';
    const outcome = await bench.pack({ charts }, helm310);
    assertSucceeded(outcome);
    const first = (await readImagesJson(bench.agent.staging)).charts ?? [];
    for (const [name, image] of [
      ['web', web],
      ['api', api],
    ] as const) {
      const chart = first.find(each => each.name === name);
      const path = join(outputOf(bench.agent.staging), chart?.file ?? '');
      assert.deepEqual(await renderedImages(helm310, path), [`shop/${name}:${shown(image.digest)}`]);
    }
    assert.equal(outcome.variables['chartpath'], undefined);
    assert.equal((JSON.parse(outcome.variables['charts'] ?? '') as unknown[]).length, 2);
    assertSucceeded(await bench.pack({ charts }, undefined, { node: node24, path: `/usr/bin:/bin` }));
    assert.deepEqual((await readImagesJson(bench.agent.staging)).charts, first);
  });

  it('makes one archive of two builds with the same chart and images, and another where the build is to be read', async () => {
    const other = { variables: { 'Build.BuildId': '4712' } };
    await bench.build({ 'shop/web': web, 'shop/api': api }, other);
    const charts = 'charts/web\ncharts/api';
    const sums = async (inputs: Record<string, string>, more = {}): Promise<string[]> => {
      assertSucceeded(await bench.pack({ charts, ...inputs }, undefined, more));
      return ((await readImagesJson(bench.agent.staging)).charts ?? []).map(chart => chart.sha256);
    };
    const one = await sums({});
    assert.deepEqual(await sums({}, other), one);
    assert.notDeepEqual(await sums({ version: 'build' }), one);
    assert.notDeepEqual(await sums({ version: 'build' }), await sums({ version: 'build' }, other));
  });

  it('names all that is in the chart by its version: what is given for it, too', async () => {
    const versions: (string | undefined)[] = [];
    for (const appVersion of ['1.4.1', '1.4.1', '1.4.2']) {
      const outcome = await bench.pack({ charts: 'charts/web', onUnusedPin: 'warn', appVersion });
      assertSucceeded(outcome);
      versions.push(outcome.variables['chartversion']);
    }
    assert.equal(versions[1], versions[0]);
    assert.notEqual(versions[2], versions[0]);
  });

  it('pins what names the registry of the images or none, and nothing at a foreign host', async () => {
    const { host } = bench.registry;
    const values = `enabled: true\nown: ${imageAt(host)}\nforeign: ${imageAt('docker.io')}\nimage: ${imageAt('')}\n`;
    await bench.write('charts/hosts', chartOf('hosts', 'shop/web', { 'values.yaml': values }));
    const outcome = await bench.pack({ charts: 'charts/hosts', onUnusedPin: 'warn' });
    assertSucceeded(outcome);
    const [listed] = ((await readImagesJson(bench.agent.staging)).charts ?? []).filter(({ name }) => name === 'hosts');
    assert.deepEqual(
      listed?.pins.map(each => each.values),
      [
        { registry: ['own', 'registry'], repository: ['own', 'repository'] },
        { registry: ['image', 'registry'], repository: ['image', 'repository'] },
      ],
    );
    assert.match(await readSummary(outcome), /^- `docker\.io\/shop\/web:x` at `foreign` of `hosts`/m);
  });

  it('writes the build where it is to be read: version, pin, appVersion, commit', async () => {
    assertSucceeded(await bench.pack({ charts: 'charts/web\ncharts/api', version: 'build' }, helm310));
    const listed = (await readImagesJson(bench.agent.staging)).charts?.find(({ name }) => name === 'web');
    const path = join(outputOf(bench.agent.staging), listed?.file ?? '');
    assert.equal(listed?.version, '1.4.0+build.4711');
    assert.deepEqual(await renderedImages(helm310, path), [`shop/web:4711@${web.digest}`]);
    const chart = await runHelm(helm310, ['show', 'chart', path], bench.agent.path);
    assert.match(chart, /^appVersion: "4711"$/m);
    assert.match(chart, /^ {2}image-lifecycle\/build: "4711"$/m);
    assert.match(chart, /^ {2}org\.opencontainers\.image\.revision: "?0123456789abcdef0123456789abcdef01234567"?$/m);
  });

  it('takes an exact version and an appVersion, and pins by tag or by digest alone', async () => {
    const values = 'image:\n  repository: shop/web\n  tag: x\n  digest: ""\n';
    const image = '          image: "{{ .Values.image.repository }}@{{ .Values.image.digest }}"';
    const files = chartOf('digested', 'shop/web');
    const template = (files['templates/deployment.yaml'] ?? '').replace(/^ {10}image: .*$/m, image);
    const whole = { ...files, 'values.yaml': `${values}enabled: true\n`, 'templates/deployment.yaml': template };
    await bench.write('charts/digested', whole);
    const digested = { charts: 'charts/digested', onUnusedPin: 'warn', pin: 'digest', version: 'exact' };
    const outcome = await bench.pack({ ...digested, exactVersion: '2.0.0-rc.1', appVersion: '1e3' }, helm310);
    assertSucceeded(outcome);
    assert.equal(outcome.variables['chartversion'], '2.0.0-rc.1');
    const path = outcome.variables['chartpath'] ?? '';
    assert.match(path, /\/digested-2\.0\.0-rc\.1\.tgz$/);
    assert.deepEqual(await renderedImages(helm310, path), [`shop/web@${web.digest}`]);
    assert.match(await runHelm(helm310, ['show', 'chart', path], bench.agent.path), /^appVersion: "?1e3"?$/m);
    const tagged = await bench.pack({ charts: 'charts/web', onUnusedPin: 'warn', pin: 'tag' }, helm310);
    assertSucceeded(tagged);
    assert.deepEqual(await renderedImages(helm310, tagged.variables['chartpath'] ?? ''), ['shop/web:4711']);
  });

  it('takes images from the file of TagImage, with no registry and no sign-in', async () => {
    await bench.build({ 'shop/web': web, 'shop/api': api });
    const file = join(outputOf(bench.agent.staging), 'images.json');
    const inputs = { charts: 'charts/web', connectionType: 'none', imagesFile: file, onUnusedPin: 'warn' };
    const outcome = await bench.pack({ ...inputs, containerRegistry: '' }, helm310, { endpoints: {} });
    assertSucceeded(outcome);
    assert.deepEqual(await renderedImages(helm310, outcome.variables['chartpath'] ?? ''), [
      `shop/web:${shown(web.digest)}`,
    ]);
  });

  it('keeps what TagImage listed, and TagImage keeps what it listed', async () => {
    assertSucceeded(await bench.pack({ charts: 'charts/web\ncharts/api' }));
    const before = await readImagesJson(bench.agent.staging);
    await bench.build({ 'shop/web': web });
    const after = await readImagesJson(bench.agent.staging);
    assert.deepEqual(after.charts, before.charts);
    assert.equal(after.images.length, 2);
  });

  it('has the folder uploaded as a build artifact', async () => {
    const outcome = await bench.pack({ charts: 'charts/web\ncharts/api', publish: 'chart of $(Build.BuildId)' });
    assertSucceeded(outcome);
    const line = `##vso[artifact.upload containerfolder=chart of 4711;artifactname=chart of 4711;]${outputOf(bench.agent.staging)}`;
    assert.deepEqual(
      outcome.output.split('\n').filter(each => each.includes('artifact.upload')),
      [line],
    );
    assert.equal((await bench.pack({ charts: 'charts/web\ncharts/api' })).output.includes('artifact.upload'), false);
  });

  it('packages the charts of the example shop, which helm installs', async () => {
    const shop = resolve(import.meta.dirname, '../../examples/shop');
    await cp(shop, join(bench.agent.sources, 'shop'), { recursive: true });
    const outcome = await bench.pack({ charts: 'shop/web\nshop/api' }, helm310);
    assertSucceeded(outcome);
    for (const { name, path } of JSON.parse(outcome.variables['charts'] ?? '[]') as { name: string; path: string }[]) {
      for (const helm of helms) {
        const { digest } = name === 'web' ? web : api;
        const images = await renderedImages(helm, path);
        assert.ok(images.length > 0 && images.every(image => image.endsWith(`@${digest}`)), images.join());
      }
    }
  });

  it('tells no secret of the connection, to no log and no file', async () => {
    const outcome = await bench.pack({ charts: 'charts/web\ncharts/api' }, helm310, {
      variables: { 'System.Debug': 'true' },
    });
    assertSucceeded(outcome);
    const { password = '' } = bench.registry;
    assertKept(outcome, password);
    for (const name of await bench.written()) {
      const bytes = await readFile(join(outputOf(bench.agent.staging), name));
      assert.ok(!bytes.includes(password), name);
    }
    assert.ok(!(await readSummary(outcome)).includes(password));
  });

  it('leaves out an output variable that would be too long, and says so', async () => {
    const names = Array.from({ length: 100 }, (_, at) => `chart-${at}-${'x'.repeat(60)}`);
    for (const name of names) await bench.write(`many/${name}`, chartOf(name, 'shop/web'));
    const charts = names.map(name => `many/${name}`).join('\n');
    const outcome = await bench.pack({ charts, onUnusedPin: 'warn', helm: 'never' });
    assertSucceeded(outcome);
    assert.deepEqual(outcome.variables, {});
    assert.ok(
      warningsOf(outcome).includes(
        'The output variable charts is not set: 100 charts are too long for one. Read images.json.',
      ),
    );
    assert.ok(((await readImagesJson(bench.agent.staging)).charts ?? []).length >= 100);
  });
});
