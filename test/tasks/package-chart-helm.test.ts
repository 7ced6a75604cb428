/** Charts as people have them, with the helm that they have: what `helm create` makes, umbrellas, and what Bitnami writes. */
import assert from 'node:assert/strict';
import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Helm, helms, runHelm } from '../support/helm.ts';
import type { TaskOutcome } from '../support/run-task.ts';
import { api, type Bench, type ChartFiles, chartOf, openBench, outputOf, renderedImages, web } from './packaging.ts';
import { readSummary, warningsOf } from './promotion.ts';
import { assertFailed, assertSucceeded } from './step.ts';

const [helm310] = helms as [Helm];
const shown = ({ digest }: { readonly digest: string }): string => `${digest.slice(7, 19)}@${digest}`;
const pathOf = (outcome: TaskOutcome): string => outcome.variables['chartpath'] ?? '';

/** A template that writes this image. */
const podOf = (image: string): ChartFiles => ({
  'templates/deployment.yaml': `apiVersion: v1\nkind: Pod\nmetadata:\n  name: x\nspec:\n  containers:\n    - name: x\n      image: "${image}"\n`,
});

describe('PackageChart and the charts of people', () => {
  let bench: Bench;
  before(async () => {
    bench = await openBench();
    await bench.build({ 'shop/web': web });
  });
  after(() => bench.close());
  beforeEach(() => rm(outputOf(bench.agent.staging), { recursive: true, force: true }));

  const inSources = (path: string): string => join(bench.agent.sources, path);

  for (const helm of helms) {
    it(`takes what helm ${helm.version} creates: as it is it says what to map, mapped it warns of the name, edited it is whole`, async () => {
      const { sources } = bench.agent;
      await rm(inSources('created'), { recursive: true, force: true });
      await runHelm(helm, ['create', 'created'], sources);
      const charts = { charts: 'created', helm: 'required' };
      assertFailed(
        await bench.pack(charts, helm),
        /image \(nginx; created, values\.yaml line \d+\).*image=shop\/web\.$/,
      );

      const mapped = await bench.pack({ ...charts, mappings: 'image=shop/web' }, helm);
      assertSucceeded(mapped);
      assert.deepEqual(warningsOf(mapped), [
        `created: Deployment release-created names nginx:${shown(web)} at "spec.template.spec.containers.0.image", but the digest is of shop/web: name that in the values, unless those of a stage do.`,
      ]);

      const values = inSources('created/values.yaml');
      await writeFile(values, (await readFile(values, 'utf8')).replace('repository: nginx', 'repository: shop/web'));
      const edited = await bench.pack(charts, helm);
      assertSucceeded(edited);
      assert.deepEqual(warningsOf(edited), []);
      const page = await readSummary(edited);
      assert.ok(!page.includes('in every stage'), page);
      assert.ok(page.includes(`\n- image.tag: ""\n+ image.tag: "${shown(web)}"\n`), page);
      for (const judge of helms) {
        const images = await renderedImages(judge, pathOf(edited));
        assert.deepEqual(images, ['busybox', `shop/web:${shown(web)}`], judge.version);
      }
    });
  }

  /** An umbrella over two charts beside it, one of them under another name and off by default. */
  async function writeUmbrella(folder: string, more: ChartFiles = {}): Promise<string> {
    await bench.write(`${folder}/web`, chartOf('web', 'shop/web'));
    await bench.write(`${folder}/api`, chartOf('api', 'shop/api'));
    await bench.write(`${folder}/umbrella`, {
      'Chart.yaml': [
        'apiVersion: v2',
        'name: umbrella',
        'version: 0.1.0',
        'dependencies:',
        '  - {name: web, version: 1.x, repository: "file://../web"}',
        '  - {name: api, alias: backend, version: 1.x, repository: "file://../api", condition: backend.enabled}',
        '',
      ].join('\n'),
      'values.yaml': 'web:\n  image:\n    tag: stable # of the umbrella\nbackend:\n  enabled: false\n',
      ...more,
    });
    return `${folder}/umbrella`;
  }

  it('pins an umbrella where its own values win, and asks for the values that turn on what is off', async () => {
    const both = { variables: { 'Build.BuildId': '4712' } };
    await bench.build({ 'shop/web': web, 'shop/api': api }, both);
    await rm(outputOf(bench.agent.staging), { recursive: true });
    const charts = await writeUmbrella('shop');
    assertFailed(
      await bench.pack({ charts }, helm310, both),
      /The pin of shop\/api@sha256:[0-9a-f]{64} \("backend\.image"\) went nowhere: .*turn on what is off by values in valuesFiles/,
    );
    assert.deepEqual(await bench.written(), []);
    await bench.write('ci', { 'on.yaml': 'backend: {enabled: true}\n' });
    for (const helm of helms) {
      const outcome = await bench.pack({ charts, valuesFiles: 'ci/on.yaml' }, helm, both);
      assertSucceeded(outcome);
      const on = [inSources('ci/on.yaml')];
      assert.deepEqual(await renderedImages(helm, pathOf(outcome)), [`shop/web:${shown(web)}`]);
      assert.deepEqual(await renderedImages(helm, pathOf(outcome), on), [
        `shop/api:${shown(api)}`,
        `shop/web:${shown(web)}`,
      ]);
    }
  });

  for (const helm of helms) {
    it(`makes one archive of dependencies that helm ${helm.version} brings, and another when one of them has changed in the same folder`, async () => {
      const folder = `fresh-${helm.version}`;
      const charts = await writeUmbrella(folder);
      await bench.write(`${folder}/api`, { 'values.yaml': 'image: {repository: docker.io/api, tag: "1"}\n' });
      const pack = async (): Promise<Buffer> => {
        const outcome = await bench.pack({ charts }, helm);
        assertSucceeded(outcome);
        return readFile(pathOf(outcome));
      };
      const first = await pack();
      assert.deepEqual((await readdir(inSources(charts))).sort(), ['Chart.yaml', 'values.yaml']);
      assert.ok((await pack()).equals(first));
      const templates = { 'templates/new.yaml': 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: added-later}\n' };
      await bench.write(`${folder}/web`, templates);
      assert.ok(!(await pack()).equals(first));
      const listed = await runHelm(
        helm,
        ['template', 'x', pathOf(await bench.pack({ charts }, helm))],
        bench.agent.path,
      );
      assert.match(listed, /added-later/);
    });

    it(`keeps the lock that a chart has, by which helm ${helm.version} brings what it names, and refuses one that is out of date`, async () => {
      const folder = `locked-${helm.version}`;
      const charts = await writeUmbrella(folder);
      await bench.write(`${folder}/api`, { 'values.yaml': 'image: {repository: docker.io/api, tag: "1"}\n' });
      await runHelm(helm, ['dependency', 'update', inSources(charts)], bench.agent.path);
      await rm(inSources(`${charts}/charts`), { recursive: true });
      const lock = await readFile(inSources(`${charts}/Chart.lock`), 'utf8');
      const outcome = await bench.pack({ charts }, helm);
      assertSucceeded(outcome);
      assert.equal(await readFile(inSources(`${charts}/Chart.lock`), 'utf8'), lock);
      assert.deepEqual((await readdir(inSources(charts))).sort(), ['Chart.lock', 'Chart.yaml', 'values.yaml']);
      assert.deepEqual(await renderedImages(helm, pathOf(outcome)), [`shop/web:${shown(web)}`]);
      const chart = inSources(`${charts}/Chart.yaml`);
      await writeFile(
        chart,
        (await readFile(chart, 'utf8')).replace('{name: web, version: 1.x', '{name: web, version: ">1"'),
      );
      assertFailed(
        await bench.pack({ charts }, helm),
        /^The input charts: helm dependency build ended with 1: .*lock file .*out of sync/,
      );
    });
  }

  it('refuses a mapping of the name beside a tag, and a tag that goes on behind the pin, and writes nothing', async () => {
    await bench.write('parts', {
      ...chartOf('parts', ''),
      'values.yaml': 'webRepository: shop/web\nwebTag: "1.0"\n',
      ...podOf('{{ .Values.webRepository }}:{{ .Values.webTag }}'),
    });
    await bench.write(
      'alpine',
      chartOf('alpine', 'shop/web', podOf('{{ .Values.image.repository }}:{{ .Values.image.tag }}-alpine')),
    );
    for (const helm of helms) {
      const mappings = 'webRepository=shop/web';
      const named = /^The chart "parts": The chart makes of the pin at "webRepository" an image that no cluster takes/;
      assertFailed(await bench.pack({ charts: 'parts', mappings }, helm), named);
      const behind = /^The chart "alpine": The chart makes of the pin at "image" .*Pod x names shop\/web:\S+-alpine at/;
      assertFailed(await bench.pack({ charts: 'alpine' }, helm), behind);
      assert.deepEqual(await bench.written(), []);
      const outcome = await bench.pack({ charts: 'parts', mappings: 'webTag=shop/web' }, helm);
      assertSucceeded(outcome);
      assert.deepEqual(await renderedImages(helm, pathOf(outcome)), [`shop/web:${shown(web)}`]);
      assert.match(
        await readSummary(outcome),
        /\n#### Pulled from the same registry in every stage\n\n- `shop\/web` at `webTag` of `parts`\n/,
      );
      await rm(outputOf(bench.agent.staging), { recursive: true });
    }
  });

  it('writes tag and digest each at its own key, as the charts of Bitnami have them, and leaves labels whole', async () => {
    const image = `{{ include "common.image" (dict "root" .Values.image "global" .Values.global) }}`;
    await bench.write('bitnami', {
      'Chart.yaml': 'apiVersion: v2\nname: bitnami\nversion: 18.1.0\nappVersion: 1.2.3\n',
      'values.yaml': `global:\n  imageRegistry: ""\nimage:\n  registry: ${bench.registry.host}\n  repository: shop/web\n  tag: 1.2.3-debian-12-r0\n  digest: ""\n`,
      'templates/_image.tpl':
        '{{- define "common.image" -}}{{- $registry := default .root.registry .global.imageRegistry -}}{{- if .root.digest }}{{ printf "%s/%s@%s" $registry .root.repository .root.digest }}{{- else }}{{ printf "%s/%s:%s" $registry .root.repository .root.tag }}{{- end }}{{- end }}\n',
      'templates/pod.yaml': `apiVersion: v1\nkind: Pod\nmetadata:\n  name: x\n  labels:\n    app.kubernetes.io/version: {{ .Values.image.tag | quote }}\nspec:\n  containers:\n    - name: x\n      image: ${image}\n`,
    });
    for (const helm of helms) {
      const outcome = await bench.pack({ charts: 'bitnami', helm: 'required' }, helm);
      assertSucceeded(outcome);
      assert.deepEqual(warningsOf(outcome), []);
      assert.deepEqual(await renderedImages(helm, pathOf(outcome)), [`${bench.registry.host}/shop/web@${web.digest}`]);
      const manifests = await runHelm(helm, ['template', 'x', pathOf(outcome)], bench.agent.path);
      assert.match(manifests, new RegExp(`app\\.kubernetes\\.io/version: "${web.digest.slice(7, 19)}"`));
    }
  });
});
