import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { helms } from '../support/helm.ts';
import { makeImage } from '../support/images.ts';
import type { TaskOutcome } from '../support/run-task.ts';
import { type Bench, chartOf, openBench, outputOf, readImagesJson, web } from './packaging.ts';
import { readSummary } from './promotion.ts';
import { assertFailed, assertKept, assertSucceeded } from './step.ts';

/** The lines that hand something to the agent, in their order. */
function handedOver({ output }: TaskOutcome): string[] {
  const kept = /^##vso\[(?:task\.setvariable|task\.uploadsummary|artifact\.)/;
  return output.split('\n').filter(line => kept.test(line));
}

function set(name: string, value: string | undefined): string {
  return `##vso[task.setvariable variable=${name};isOutput=true;issecret=false;]${value}`;
}

const secret = 'p4ss/w%rd;]"x';

describe('PackageChart and what it hands over', () => {
  let bench: Bench;
  before(async () => {
    bench = await openBench();
    await bench.build({ 'shop/web': web });
    await bench.write('web', chartOf('web', 'shop/web'));
    await bench.write('two', chartOf('two', 'shop/web'));
  });
  after(() => bench.close());

  it('tells the agent in this order: the artifact, the outputs, the page', async () => {
    const outcome = await bench.pack({ charts: 'web', push: 'true', publish: 'chart; [1] 100%' });
    assertSucceeded(outcome);
    const [chart] = (await readImagesJson(bench.agent.staging)).charts ?? [];
    const path = join(outputOf(bench.agent.staging), `web-${chart?.version}.tgz`);
    const digest = await bench.digestOf(`charts/web:${chart?.version.replace('+', '_')}`);
    const reference = `${bench.registry.host}/charts/web@${digest}`;
    const listed = [{ name: 'web', version: chart?.version, path, sha256: chart?.sha256, reference, digest }];
    const [page = '', ...lines] = handedOver(outcome).reverse();
    const name = 'chart%3B [1%5D 100%AZP25';
    assert.deepEqual(lines.reverse(), [
      `##vso[artifact.upload containerfolder=${name};artifactname=${name};]${outputOf(bench.agent.staging)}`,
      set('chartPath', path),
      set('chartVersion', chart?.version),
      set('chartDigest', digest),
      set('charts', JSON.stringify(listed)),
    ]);
    assert.match(page, /^##vso\[task\.uploadsummary\]\/.*\/temp\/image-lifecycle-\w+\/Charts of build 4711\.md$/);
    assert.equal(outcome.variables['chartdigest'], digest);
  });

  it('sets one output for several charts, with all that one chart has', async () => {
    const outcome = await bench.pack({ charts: 'web\ntwo' });
    assertSucceeded(outcome);
    const folder = outputOf(bench.agent.staging);
    const listed = ((await readImagesJson(bench.agent.staging)).charts ?? []).map(
      ({ name, version, file, sha256 }) => ({
        name,
        version,
        path: join(folder, file),
        sha256,
      }),
    );
    assert.deepEqual(handedOver(outcome).slice(0, -1), [set('charts', JSON.stringify(listed))]);
  });

  it('writes paths with signs of the agent so that the next step reads them as they are', async () => {
    const folder = join(bench.agent.path, 'out; [1] 100% of it');
    const outcome = await bench.pack({ charts: 'web', outputDirectory: folder, publish: 'chart' });
    assertSucceeded(outcome);
    const path = outcome.variables['chartpath'] ?? '';
    assert.ok(path.startsWith(`${folder}/web-1.4.0+c.`), path);
    assert.equal(outcome.commands.find(({ name }) => name === 'artifact.upload')?.data, folder);
    const [listed] = JSON.parse(outcome.variables['charts'] ?? '[]') as { path: string; sha256: string }[];
    const sum = createHash('sha256').update(await readFile(path));
    assert.deepEqual(listed && [listed.path, listed.sha256], [path, sum.digest('hex')]);
  });

  it('lists a chart once, as it was packaged last, beside the images and the other charts', async () => {
    assertSucceeded(await bench.pack({ charts: 'web\ntwo' }));
    const before = await readImagesJson(bench.agent.staging);
    await bench.write('web', { 'templates/NOTES.txt': 'More.\n' });
    assertSucceeded(await bench.pack({ charts: 'web' }));
    const after = await readImagesJson(bench.agent.staging);
    assert.deepEqual(after.images, before.images);
    assert.deepEqual(
      after.charts?.map(({ name }) => name),
      ['web', 'two'],
    );
    assert.deepEqual(after.charts?.[1], before.charts?.[1]);
    assert.notEqual(after.charts?.[0]?.sha256, before.charts?.[0]?.sha256);
  });

  it('takes of two images that jobs recorded in one repository the one with the build tag', async () => {
    const again = makeImage('web again');
    const variables = { 'Build.BuildId': '4720' };
    await bench.build({ 'shop/web': web }, { variables });
    await bench.push('shop/web:again', again);
    const job = { ...variables, 'System.JobName': 'again', 'System.PhaseName': 'again' };
    assertSucceeded(await bench.tag({ images: 'shop/web:again', overwrite: 'true' }, { variables: job }));
    const outcome = await bench.pack({ charts: 'web', outputDirectory: `${bench.agent.path}/again` }, undefined, {
      variables,
    });
    assertSucceeded(outcome);
    assert.ok(outcome.output.includes(`Pinned shop/web@${again.digest} at image of web `), outcome.output);
  });

  it('keeps what stands beside the image to itself: in the log, in its files, on its page, and where it fails', async () => {
    const values = [
      `password: ${JSON.stringify(secret)}`,
      `connections: ["amqp://shop:${encodeURIComponent(secret)}@queue.example.com/shop"]`,
      'image: {repository: shop/web, tag: x, pullPolicy: Always} # p4ss/w',
      'enabled: true',
    ].join('\n');
    await bench.write(
      'kept',
      chartOf('kept', 'shop/web', {
        'values.yaml': values,
        'templates/secret.yaml':
          'apiVersion: v1\nkind: Secret\nmetadata:\n  name: x\nstringData:\n  x: {{ .Values.password | quote }}\n',
      }),
    );
    const folder = join(bench.agent.path, 'kept');
    const more = { variables: { 'System.Debug': 'true' } };
    const outcome = await bench.pack({ charts: 'kept', outputDirectory: folder }, helms[0], more);
    assertSucceeded(outcome);
    const wrong = await bench.pack({ charts: 'kept', mappings: 'password.x=shop/web' }, helms[0], more);
    assertFailed(wrong, /"password\.x=shop\/web" leads nowhere/);
    const strict = JSON.stringify({ properties: { password: { type: 'number' } } });
    await bench.write('kept', { 'values.schema.json': strict });
    const refused = await bench.pack({ charts: 'kept', outputDirectory: folder }, helms[0], more);
    assertFailed(refused, /values\.schema\.json refuses the values of the chart: "password" must be number/);
    const texts = [await readFile(join(folder, 'images.json'), 'utf8'), await readSummary(outcome)];
    for (const each of [outcome, wrong, refused]) {
      assertKept(each, secret);
      texts.push(each.output);
    }
    for (const text of texts) assert.ok(!text.includes('p4ss'), text);
  });

  it('writes a page that the agent takes, however many charts and places there are', async () => {
    const places = Array.from({ length: 300 }, (_, at) => `p${at}: { image: { repository: shop/web, tag: x } }\n`);
    for (const name of ['many', 'more']) {
      await bench.write(name, chartOf(name, 'shop/web', { 'values.yaml': places.join('') }));
    }
    const outcome = await bench.pack({ charts: 'many\nmore' });
    assertSucceeded(outcome);
    const page = await readSummary(outcome);
    assert.equal(page.match(/^@@ line/gm)?.length, 500);
    assert.equal(page.match(/^# and 50 more$/gm)?.length, 2);
  });

  it('shows each pin on its page with its file and its line, and the value before and after', async () => {
    await bench.write('umbrella', {
      'Chart.yaml': 'apiVersion: v2\nname: umbrella\nversion: 0.1.0\n',
      'values.yaml': '# Of all.\njobs:\n  image: shop/web:v1 # old\n',
      'charts/sub/Chart.yaml': 'apiVersion: v2\nname: sub\nversion: 0.1.0\n',
      'charts/sub/values.yaml': '\n\nimage:\n  repository: shop/web\nsidecar:\n  image: docker.io/envoy:1\n',
    });
    const outcome = await bench.pack({ charts: 'umbrella' });
    assertSucceeded(outcome);
    const chart = (await readImagesJson(bench.agent.staging)).charts?.find(({ name }) => name === 'umbrella');
    const tag = `${web.digest.slice(7, 19)}@${web.digest}`;
    assert.equal(
      await readSummary(outcome),
      [
        '### Charts of build 4711',
        `| Chart | Version | sha256 of the archive | Pushed as |\n| --- | --- | --- | --- |\n| \`umbrella\` | \`${chart?.version}\` | \`${chart?.sha256}\` |  |`,
        '#### What is pinned in `umbrella`',
        `| Image | Digest | Values |\n| --- | --- | --- |\n| \`shop/web\` | \`${web.digest.slice(0, 19)}…\` | \`jobs.image\`, \`sub.image\` |`,
        [
          '```diff',
          '# values.yaml',
          '@@ line 3 @@',
          '- jobs.image: shop/web:v1',
          `+ jobs.image: "shop/web:${tag}"`,
          '# charts/sub/values.yaml',
          '@@ line 4 @@',
          `+ image.tag: "${tag}"`,
          '```',
        ].join('\n'),
        '#### Not pinned',
        '- `docker.io/envoy:1` at `sub.sidecar.image` of `umbrella` (`charts/sub/values.yaml`, line 6)',
        '#### Not checked',
        '- Nothing was linted or rendered, because there is no helm on this agent\\: whether the templates take every pin is not known\\.',
        '',
      ].join('\n\n'),
    );
  });
});
