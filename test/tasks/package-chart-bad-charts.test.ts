import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type ChartTree, inFolder, packEntries, writeChart } from '../support/charts.ts';
import { helms, runHelm } from '../support/helm.ts';
import { api, type Bench, chartOf, openBench, outputOf, web } from './packaging.ts';
import { assertFailed, assertSucceeded, projectId } from './step.ts';

const megabytes = (count: number): Uint8Array => new Uint8Array(count * 1024 * 1024);

/** More than helm unpacks, in few bytes. */
const bomb = (): Promise<Uint8Array> => {
  const files = Array.from({ length: 26 }, (_, at) => ({ name: `bomb/files/${at}`, content: megabytes(4) }));
  return packEntries([{ name: 'bomb/Chart.yaml', content: 'name: bomb\nversion: 1.0.0\n' }, ...files]);
};

const chart = (more: ChartTree): ChartTree => ({ ...chartOf('web', 'shop/web'), ...more });
const values = (text: string): ChartTree => chart({ 'values.yaml': text });

const versionOf = (name: string, version: string): ChartTree =>
  chart({ 'Chart.yaml': `apiVersion: v2\nname: ${name}\nversion: ${version}\n` });

/** Values of which each list is ten of the one before. */
const aliases = [
  'a0: &a0 x',
  ...Array.from({ length: 9 }, (_, at) => `a${at + 1}: &a${at + 1} [${`*a${at},`.repeat(10)}]`),
].join('\n');

describe('PackageChart and charts that cannot be packaged', () => {
  let bench: Bench;
  let untouched: string;
  before(async () => {
    bench = await openBench();
    await bench.build({ 'shop/web': web });
    await writeFile(join(bench.agent.sources, 'secret.txt'), 'hunter2');
    untouched = await fingerprint();
  });
  after(() => bench.close());

  /** Everything that the step could have changed: the registry, and its folder. */
  async function fingerprint(): Promise<string> {
    const folder = outputOf(bench.agent.staging);
    const names = (await bench.written()).sort();
    const files = names.map(async name => `${name} ${await readFile(join(folder, name), 'base64')}`);
    return [await bench.registry.fingerprint(), ...(await Promise.all(files))].join('\n');
  }

  const bad: [title: string, tree: () => ChartTree | Promise<ChartTree>, message: RegExp][] = [
    [
      'a Chart.yaml that is no YAML',
      () => chart({ 'Chart.yaml': 'name: web\nversion: "1.0.0\n' }),
      /^The input charts: (\w+)\/Chart\.yaml, line \d: /,
    ],
    [
      'a name that leads out of the folder',
      () => chart({ 'Chart.yaml': 'apiVersion: v2\nname: ../web\nversion: 1.0.0\n' }),
      /^The input charts: \w+\/Chart\.yaml, line 2: name is not the name of a chart/,
    ],
    [
      'a version that is none',
      () => chart({ 'Chart.yaml': 'apiVersion: v2\nname: web\nversion: one\n' }),
      /^The input charts: \w+\/Chart\.yaml, line 3: version is not a semantic version/,
    ],
    [
      'values that are no YAML',
      () => values('image:\n  repository: shop/web\npassword: "hunter2\nother: [\n'),
      /^The chart "web": values\.yaml, line 5: a quote, a bracket, .* is missing\. Mend it there\.$/,
    ],
    [
      'values of two documents',
      () => values('image: {repository: shop/web, tag: x}\n---\npassword: hunter2\n'),
      /^The chart "web": values\.yaml, line 2: /,
    ],
    [
      'values with a line break that not every reader knows',
      () => values(`# What runs.\u2028image: {repository: else}\nimage: {repository: shop/web, tag: x}\n`),
      /^The chart "web": values\.yaml, line 1: the line break U\+2028 stands there/,
    ],
    [
      'values without end',
      () => values(`image: {repository: shop/web, tag: x}\n${aliases}\n`),
      /^The chart "web": values\.yaml, line \d+: its aliases make it larger than 1000000 values\.$/,
    ],
    [
      'a link out of the chart',
      () => chart({ 'templates/secret.yaml': { link: '../../secret.txt' } }),
      /^The input charts: \w+: templates\/secret\.yaml is a link that leads out of the chart\.$/,
    ],
    [
      'a folder that is a link out of the chart',
      () => chart({ files: { link: '..' } }),
      /^The input charts: \w+: files is a link that leads out of the chart\.$/,
    ],
    [
      'a file of more than 5 MiB',
      () => chart({ 'files/large.bin': megabytes(6) }),
      /^The input charts: \w+: files\/large\.bin has more than 5242880 bytes\.$/,
    ],
    [
      'an archive that unpacks to more than helm takes',
      async () => chart({ 'charts/bomb-1.0.0.tgz': await bomb() }),
      /^The input charts: \w+\/charts\/bomb-1\.0\.0\.tgz: with it the chart has more than 104857600 bytes/,
    ],
    [
      'an archive that is none',
      () => chart({ 'charts/sub-1.0.0.tgz': 'hunter2' }),
      /^The input charts: \w+\/charts\/sub-1\.0\.0\.tgz is no gzip archive/,
    ],
    [
      'one subchart twice',
      () =>
        chart({
          'charts/a/Chart.yaml': 'name: sub\nversion: 1.0.0\n',
          'charts/b/Chart.yaml': 'name: sub\nversion: 2.0.0\n',
        }),
      /^The input charts: \w+: ".*charts\/a" and ".*charts\/b" are both the chart "sub"/,
    ],
    [
      'an annotation of images that is no list',
      () =>
        chart({
          'Chart.yaml': 'apiVersion: v2\nname: web\nversion: 1.0.0\nannotations:\n  artifacthub.io/images: "hunter2"\n',
        }),
      /^The annotation artifacthub\.io\/images of \w+\/Chart\.yaml is no list of images\./,
    ],
    [
      'values that their schema refuses',
      () => chart({ 'values.schema.json': '{"properties": {"password": {"maxLength": 3}}}' }),
      /^The chart "web": values\.schema\.json refuses the values of the chart: "password" must NOT have more than 3/,
    ],
    [
      'a schema that is none',
      () => chart({ 'values.schema.json': '{"password": hunter2' }),
      /^The input charts: \w+\/values\.schema\.json: it is not JSON\.$/,
    ],
  ];
  for (const [at, [title, tree, message]] of bad.entries()) {
    it(`refuses ${title}, changes nothing, and quotes nothing of it`, async () => {
      await writeChart(join(bench.agent.sources, `bad${at}`), await tree());
      const inputs = { charts: `bad${at}`, push: 'true', publish: 'chart' };
      const outcome = await bench.pack(inputs, helms[0], { variables: { 'System.Debug': 'true' } });
      assertFailed(outcome, message);
      assert.ok(!outcome.output.includes('hunter2'), outcome.output);
      assert.ok(!outcome.output.includes('artifact.upload'));
      assert.equal(await fingerprint(), untouched);
    });
  }

  for (const helm of helms) {
    it(`does not read less than helm ${helm.version}, which begins a line where others do not`, () =>
      inFolder(async folder => {
        await writeChart(folder, {
          ...values('image: {repository: shop/web}\n# Older.\u2028image: {repository: else}\n# \u0085enabled: 1\n'),
          'templates/deployment.yaml': 'image: {{ .Values.image.repository }}{{ .Values.enabled }}\n',
        });
        assert.match(await runHelm(helm, ['template', 'release', folder], folder), /^image: else1$/m);
      }));
  }

  describe('because of what they name', () => {
    const older = `sha256:${'1'.repeat(64)}`;
    const pins = [
      'image: {repository: shop/web, tag: x}',
      'mirror: {image: {repository: eu.example.com/shop/api, tag: "7"}}',
      'jobs: {colour: red, list: [{image: shop/web}]}',
      'password: hunter2',
    ].join('\n');
    before(async () => {
      const imageOf = (repository: string, digest: string) => ({
        repository,
        digest,
        tags: ['4711'],
        mediaType: 'x',
        size: 1,
        reference: `${bench.registry.host}/${repository}@${digest}`,
      });
      const fileOf = (...images: object[]): string =>
        JSON.stringify({
          schema: 1,
          build: { id: 4711, projectId, collectionId: '0a5a7f21-1b5c-4e6d-8f90-a1b2c3d4e5f6' },
          registry: bench.registry.host,
          images,
        });
      await writeChart(join(bench.agent.sources, 'named'), values(pins));
      await writeFile(
        join(bench.agent.sources, 'two.json'),
        fileOf(imageOf('shop/web', web.digest), imageOf('shop/web', older)),
      );
      await writeFile(
        join(bench.agent.sources, 'api.json'),
        fileOf(imageOf('shop/web', web.digest), imageOf('shop/api', api.digest)),
      );
      await writeFile(join(bench.agent.sources, 'none.json'), fileOf());
    });

    const webIs = web.digest;
    const wrong: [title: string, inputs: Record<string, string>, message: string | RegExp][] = [
      [
        'an image that could be two of the build',
        { imagesFile: 'two.json' },
        `The chart "web": The value "image" names shop/web:x, and the build has 2 images of that repository. Say which by one of the mappings image=shop/web@${webIs}, image=shop/web@${older}.`,
      ],
      [
        'a mapping that could mean two images',
        { imagesFile: 'two.json', mappings: 'image=shop/web' },
        `The chart "web": The mapping "image=shop/web" could mean shop/web@${webIs}, shop/web@${older}. Write the one that is meant with its digest.`,
      ],
      [
        'an image that is pinned nowhere, with what could be it and the line to write,',
        { imagesFile: 'api.json' },
        `shop/api@${api.digest}: of this build, but pinned nowhere in web. What looks like an image there and is not pinned: mirror.image (eu.example.com/shop/api:7; web, values.yaml line 2). Say where it stands by a mapping, such as mirror.image=shop/api.`,
      ],
      [
        'a mapping that leads nowhere',
        { mappings: 'web:jobs.image=shop/web' },
        'The chart "web": The mapping "jobs.image=shop/web" leads nowhere: the values of the chart have nothing there.',
      ],
      [
        'a mapping to a list',
        { mappings: 'jobs.list=shop/web' },
        'The chart "web": The mapping "jobs.list=shop/web" leads to a list. Say which item: jobs.list.0.',
      ],
      [
        'a mapping to a map without a repository',
        { mappings: 'jobs=shop/web' },
        'The chart "web": The mapping "jobs=shop/web" leads to a map that names no repository. Map the value that is the tag, as jobs.tag.',
      ],
      [
        'two mappings for one place',
        { mappings: 'image=shop/web\nimage.tag=shop/web' },
        'The chart "web": The mappings "image=shop/web" and "image.tag=shop/web" are for the same place. Keep the one that is meant.',
      ],
      [
        'a mapping to an image of another build',
        { mappings: `image=shop/web@${older}` },
        `The chart "web": The mapping "image=shop/web@${older}" names no image of this build. It has shop/web@${webIs}.`,
      ],
      [
        'a build without an image',
        { imagesFile: 'none.json' },
        /^Build 4711 has no image in localhost:\d+ that a chart could be pinned to\. Did TagImage run in it/,
      ],
      [
        'a build tag of which no version can be made',
        { version: 'build', buildTagPrefix: 'a..' },
        /^The chart "web" would have the version "1\.4\.0\+build\.a\.\.4711": .* is not a semantic version/,
      ],
      [
        'a version that is too long with the build tag',
        { version: 'build', buildTagPrefix: 'x'.repeat(120) },
        /^The chart "web" would have the version "1\.4\.0\+build\.x{120}4711": .* is longer than 128 characters/,
      ],
    ];
    for (const [title, inputs, message] of wrong) {
      it(`refuses ${title} and changes nothing`, async () => {
        const outcome = await bench.pack({ charts: 'named', push: 'true', publish: 'chart', ...inputs }, helms[0]);
        assertFailed(outcome, /./);
        if (typeof message === 'string') assert.equal(outcome.message, message);
        else assert.match(outcome.message, message);
        assert.ok(!outcome.output.includes('hunter2'), outcome.output);
        assert.equal(await fingerprint(), untouched);
      });
    }

    it('refuses two charts that would be one file', async () => {
      await writeChart(join(bench.agent.sources, 'one'), versionOf('web', '1-2.0.0'));
      await writeChart(join(bench.agent.sources, 'other'), versionOf('Web-1', '2.0.0'));
      const inputs = { charts: 'one\nother', version: 'build', helm: 'never' };
      const message = /^The input charts: "web" and "Web-1" would both be the file "web-1-2\.0\.0\+build\.4711\.tgz"/;
      assertFailed(await bench.pack(inputs), message);
      assert.equal(await fingerprint(), untouched);
    });

    it('takes the image that a mapping names by its digest', async () => {
      const inputs = { charts: 'named', imagesFile: 'two.json', onUnusedPin: 'warn', helm: 'never' };
      const mappings = `image=shop/web@${older}\njobs.list.0.image=shop/web@${older}`;
      const outcome = await bench.pack({ ...inputs, mappings });
      assertSucceeded(outcome);
      assert.ok(outcome.output.includes(`Pinned shop/web@${older} at image of web `), outcome.output);
    });
  });
});
