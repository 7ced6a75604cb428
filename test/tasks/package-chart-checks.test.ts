import assert from 'node:assert/strict';
import { access, chmod, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { helms } from '../support/helm.ts';
import { api, type Bench, type ChartFiles, chartOf, openBench, renderedImages, web, writeFiles } from './packaging.ts';
import { linesOf, readSummary, warningsOf } from './promotion.ts';
import { assertFailed, assertSucceeded } from './step.ts';

const [helm310] = helms as [(typeof helms)[number]];

const schema = (tag: object) => JSON.stringify({ properties: { image: { properties: { tag } } } });
const shown = (digest: string) => `${digest.slice(7, 19)}@${digest}`;

describe('PackageChart and what it checks', () => {
  let bench: Bench;
  before(async () => {
    bench = await openBench();
    await bench.build({ 'shop/web': web });
    await bench.write('web', chartOf('web', 'shop/web'));
  });
  after(() => bench.close());
  beforeEach(() => rm(join(bench.agent.staging, 'image-lifecycle'), { recursive: true, force: true }));

  /** A chart in a folder of its own, by its name. */
  async function write(name: string, more: ChartFiles): Promise<void> {
    await bench.write(name, chartOf(name, 'shop/web', more));
  }

  it('goes without helm where there is none, and says what was not checked', async () => {
    const outcome = await bench.pack({ charts: 'web' });
    assertSucceeded(outcome);
    const said =
      'Nothing was linted or rendered, because there is no helm on this agent: whether the templates take every pin is not known.';
    assert.deepEqual(warningsOf(outcome), [said]);
    assert.match(
      await readSummary(outcome),
      /#### Not checked\n\n- Nothing was linted or rendered, because there is no/,
    );
  });

  it('does not look for helm where it is told never to', async () => {
    await write('broken', { 'templates/broken.yaml': '{{ nonsense' });
    assertFailed(
      await bench.pack({ charts: 'broken' }, helm310),
      /^The chart "broken": helm lint ended with 1: .*broken/,
    );
    const outcome = await bench.pack({ charts: 'broken', helm: 'never' }, helm310);
    assertSucceeded(outcome);
    assert.deepEqual(warningsOf(outcome), [
      'Nothing was linted or rendered, because the input helm is never: whether the templates take every pin is not known.',
    ]);
  });

  it('is refused without helm where it is required, and with one that is none', async () => {
    const required = { charts: 'web', helm: 'required' };
    assertFailed(
      await bench.pack(required),
      /^The input helm is required, but there is no helm on this agent\. Install helm/,
    );
    const fake = join(bench.agent.path, 'fake');
    const write = async (script: string): Promise<void> => {
      await writeFiles(fake, { helm: `#!/bin/sh\n${script}\n` });
      await chmod(join(fake, 'helm'), 0o755);
    };
    const helm = { version: 'x', path: join(fake, 'helm') };
    await write('echo v2.17.0');
    assertFailed(
      await bench.pack(required, helm),
      /required, but the helm of this agent is v2\.17\.0, and helm 3 or later/,
    );
    await write('echo "no such thing" >&2; exit 3');
    assertFailed(await bench.pack(required, helm), /required, but helm version ended with 3: no such thing\. Install/);
    assert.deepEqual(await bench.written(), []);
  });

  for (const helm of helms) {
    it(`shows what helm ${helm.version} lints, and refuses what it does not render`, async () => {
      const linted = await bench.pack({ charts: 'web', helm: 'required' }, helm);
      assertSucceeded(linted);
      assert.ok(linesOf(linted).includes('helm lint: [INFO] Chart.yaml: icon is recommended'), linted.output);
      await write('needy', { 'templates/needy.yaml': 'x: {{ required "say a colour" .Values.colour }}\n' });
      assertFailed(
        await bench.pack({ charts: 'needy' }, helm),
        /^The chart "needy": helm (lint|template) ended with 1: .*say a colour/,
      );
      assert.deepEqual(
        (await bench.written()).filter(name => name.startsWith('needy')),
        [],
      );
      await bench.write('ci', { 'colour.yaml': 'colour: red\n' });
      const outcome = await bench.pack({ charts: 'needy', valuesFiles: 'ci/colour.yaml' }, helm);
      assertSucceeded(outcome);
      assert.deepEqual(warningsOf(outcome), []);
    });

    it(`refuses a pin that helm ${helm.version} does not render, unless the values of the checks turn it on`, async () => {
      const values = 'image:\n  repository: shop/web\n  tag: latest\nenabled: false\n';
      await write('dark', { 'values.yaml': values });
      const lost = /^The chart "dark": The pin of shop\/web@sha256:[0-9a-f]{64} \("image"\) went nowhere/;
      assertFailed(await bench.pack({ charts: 'dark' }, helm), lost);
      assert.deepEqual(await bench.written(), []);
      await bench.write('ci', { 'on.yaml': 'enabled: true\n' });
      const outcome = await bench.pack({ charts: 'dark', valuesFiles: 'ci/on.yaml' }, helm);
      assertSucceeded(outcome);
      assert.deepEqual(await renderedImages(helm, outcome.variables['chartpath'] ?? ''), []);
    });

    it(`has helm ${helm.version} bring declared dependencies, packs them, and leaves the folder as it was`, async () => {
      const folder = `umbrella-${helm.version.split('.')[0]}${helm.version.split('.')[1]}`;
      await bench.write(`${folder}/sub`, chartOf('sub', 'shop/web'));
      await bench.write(`${folder}/umbrella`, {
        'Chart.yaml':
          'apiVersion: v2\nname: umbrella\nversion: 0.1.0\ndependencies:\n  - name: sub\n    version: 1.4.0\n    repository: file://../sub\n',
        'templates/_x.tpl': '',
      });
      const charts = `${folder}/umbrella`;
      const missing =
        /^The input charts: ".*umbrella" declares dependencies that are not in its charts folder: sub; and /;
      assertFailed(await bench.pack({ charts }), missing);
      assertFailed(
        await bench.pack({ charts, helm: 'never' }, helm),
        /sub; and the input helm is never\. Run helm depend/,
      );
      await assert.rejects(access(join(bench.agent.sources, charts, 'charts')));
      const outcome = await bench.pack({ charts }, helm);
      assertSucceeded(outcome);
      assert.match(
        outcome.output,
        /^.*umbrella declares sub, which it does not hold\. Running helm dependency build in it\.$/m,
      );
      assert.deepEqual((await readdir(join(bench.agent.sources, charts))).sort(), ['Chart.yaml', 'templates']);
      for (const judge of helms) {
        assert.deepEqual(await renderedImages(judge, outcome.variables['chartpath'] ?? ''), [
          `shop/web:${web.digest.slice(7, 19)}@${web.digest}`,
        ]);
      }
    });
  }

  it('says what helm said where a dependency cannot be brought', async () => {
    await write('lonely', {
      'Chart.yaml':
        'apiVersion: v2\nname: lonely\nversion: 0.1.0\ndependencies:\n  - name: gone\n    version: 1.0.0\n    repository: file://../gone\n',
    });
    assertFailed(
      await bench.pack({ charts: 'lonely' }, helm310),
      /^The input charts: helm dependency build ended with 1: Error: .*gone/,
    );
  });

  it('refuses a label that would hold a digest, and points to the way out', async () => {
    const service =
      'apiVersion: v1\nkind: Service\nmetadata:\n  name: x\n  labels:\n    version: "{{ .Values.image.tag }}"\n';
    await write('labelled', { 'templates/service.yaml': service });
    assertFailed(
      await bench.pack({ charts: 'labelled' }, helm310),
      /^The chart "labelled": .*a label that no cluster takes.*pin: digest/,
    );
    assert.deepEqual(await bench.written(), []);
  });

  it('holds the values against their schema without helm, and tells what it cannot judge', async () => {
    await write('strict', { 'values.schema.json': schema({ type: 'string', maxLength: 10 }) });
    assertFailed(
      await bench.pack({ charts: 'strict' }),
      /^The chart "strict": values\.schema\.json refuses the values of the chart/,
    );
    assert.deepEqual(await bench.written(), []);
    await write('remote', { 'values.schema.json': schema({ $ref: 'https://example.com/tag.json' }) });
    const outcome = await bench.pack({ charts: 'remote' });
    assertSucceeded(outcome);
    assert.match(warningsOf(outcome).join('\n'), /^remote: values\.schema\.json was not checked: /);
  });

  it('lints a library chart, and says that it cannot be rendered', async () => {
    await write('lib', { 'Chart.yaml': 'apiVersion: v2\nname: lib\nversion: 1.0.0\ntype: library\n' });
    const outcome = await bench.pack({ charts: 'lib' }, helm310);
    assertSucceeded(outcome);
    assert.match(warningsOf(outcome).join('\n'), /^lib: a library chart renders nothing by itself/);
  });

  it('warns of an image of the build that stands in the manifests without its pin', async () => {
    const pod =
      'apiVersion: v1\nkind: Pod\nmetadata:\n  name: fixed\nspec:\n  containers:\n    - name: x\n      image: shop/web:v1\n';
    await write('loose', { 'templates/pod.yaml': pod });
    const outcome = await bench.pack({ charts: 'loose' }, helm310);
    assertSucceeded(outcome);
    assert.match(
      warningsOf(outcome).join('\n'),
      /^loose: Pod fixed names shop\/web:v1 at "spec\.containers\.0\.image", which/,
    );
    assert.match(await readSummary(outcome), /#### Not pinned\n\n- loose\\: Pod fixed names shop\/web\\:v1 at/);
  });

  it('takes a mapping where an image is not found, for one chart of several, and shows what stays without a pin', async () => {
    await bench.build({ 'shop/web': web, 'shop/api': api });
    await write('mapped', {
      'values.yaml':
        'image:\n  repository: shop/web\n  tag: x\nenabled: true\njobs:\n  "migrate.db": {version: 1}\nredis:\n  image: docker.io/redis:7\n',
      'templates/job.yaml':
        'apiVersion: v1\nkind: Pod\nmetadata:\n  name: job\nspec:\n  containers:\n    - name: x\n      image: "shop/api:{{ (index .Values.jobs "migrate.db").version }}"\n    - name: y\n      image: busybox:1.36\n',
    });
    const mappings = 'mapped:jobs.migrate\\.db.version=shop/api';
    const outcome = await bench.pack({ charts: 'web\nmapped', mappings }, helm310);
    assertSucceeded(outcome);
    const charts = JSON.parse(outcome.variables['charts'] ?? '[]') as { name: string; path: string }[];
    const path = charts.find(({ name }) => name === 'mapped')?.path ?? '';
    assert.deepEqual(await renderedImages(helm310, path), [
      'busybox:1.36',
      `shop/api:${shown(api.digest)}`,
      `shop/web:${shown(web.digest)}`,
    ]);
    const page = await readSummary(outcome);
    assert.match(page, /^- `docker\.io\/redis:7` at `redis\.image` of `mapped` \(`values\.yaml`, line 8\)$/m);
    assert.match(page, /^- `busybox:1\.36` in what helm renders of `mapped`$/m);
    assert.match(page, /^\+ jobs\.migrate\\\.db\.version: "/m);
  });

  it('warns of an image that no chart names where that is wanted, but does not package where all are', async () => {
    await bench.build({ 'shop/web': web, 'shop/api': api });
    const outcome = await bench.pack({ charts: 'web', onUnusedPin: 'warn' }, helm310);
    assertSucceeded(outcome);
    assert.match(warningsOf(outcome).join('\n'), /^shop\/api@sha256:/);
    await bench.write('foreign', chartOf('foreign', 'library/web'));
    assertFailed(
      await bench.pack({ charts: 'foreign', onUnusedPin: 'warn' }, helm310),
      /^No image of the build is pinned anywhere, so there is nothing to package\. shop\//,
    );
  });

  it('leaves nothing of its checks behind', async () => {
    assertSucceeded(await bench.pack({ charts: 'web', onUnusedPin: 'warn' }, helm310));
    const left = await readdir(join(bench.agent.path, 'temp'), { recursive: true });
    assert.deepEqual(
      left.filter(name => name.endsWith('.tgz')),
      [],
    );
  });
});
