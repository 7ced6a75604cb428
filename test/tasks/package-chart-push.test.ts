import assert from 'node:assert/strict';
import { mkdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { BuildRecord, RecordedChart } from '../../core/lifecycle/build-record.ts';
import { account } from '../support/docker-registry.ts';
import { helms, runHelm } from '../support/helm.ts';
import { api, type Bench, chartOf, openBench, readImagesJson, web } from './packaging.ts';
import { linesOf, readSummary } from './promotion.ts';
import { assertFailed, assertKept, assertSucceeded } from './step.ts';

const [helm310] = helms as [(typeof helms)[number]];

describe('PackageChart and what it pushes', () => {
  let bench: Bench;
  const second = { variables: { 'Build.BuildId': '4712', 'Build.BuildNumber': '20261123.2' } };
  const both = 'web\napi';
  before(async () => {
    bench = await openBench();
    await bench.build({ 'shop/web': web, 'shop/api': api });
    await bench.write('web', chartOf('web', 'shop/web'));
    await bench.write('api', chartOf('api', 'shop/api'));
  });
  after(() => bench.close());

  it('pushes nothing where that is not wanted', async () => {
    const untouched = await bench.registry.fingerprint();
    assertSucceeded(await bench.pack({ charts: both }));
    assert.equal(await bench.registry.fingerprint(), untouched);
  });

  it('pushes each chart under its version and the build tag, by the digest that it told before, and records them', async () => {
    const outcome = await bench.pack({ charts: both, push: 'true', onBuildDeleted: 'keep' }, helm310);
    assertSucceeded(outcome);
    const { charts: listed = [], registry } = await readImagesJson(bench.agent.staging);
    const records: readonly BuildRecord[] = (await bench.records()).filter(record => record.charts.length > 0);
    assert.equal(records.length, 1);
    assert.equal(records[0]?.onBuildDeleted, 'keep');
    for (const { name, version, digest, reference, sha256 } of listed) {
      const tags = [version.replace('+', '_'), '4711'];
      for (const tag of tags) assert.equal(await bench.digestOf(`charts/${name}:${tag}`), digest);
      assert.equal(reference, `${registry}/charts/${name}@${digest}`);
      const recorded: RecordedChart | undefined = records[0]?.charts.find(chart => chart.name === name);
      assert.deepEqual(
        { ...recorded, size: undefined, children: undefined, mediaType: undefined },
        {
          repository: `charts/${name}`,
          digest,
          name,
          version,
          archive: `sha256:${sha256}`,
          tags: ['4711', tags[0]],
          size: undefined,
          children: undefined,
          mediaType: undefined,
        },
      );
      assert.ok(
        linesOf(outcome).includes(`Pushed the chart ${reference}, version ${version}, and tagged it with 4711.`),
      );
      assert.ok((await readSummary(outcome)).includes(`| \`${reference}\` |`));
    }
    assertKept(outcome, bench.registry.password ?? '');
  });

  it('hands the digest of the only chart to the steps that follow, and helm pulls the very archive', async () => {
    const outcome = await bench.pack({
      charts: 'web',
      onUnusedPin: 'warn',
      push: 'true',
      chartRepositoryPrefix: 'helm/',
    });
    assertSucceeded(outcome);
    const version = outcome.variables['chartversion'] ?? '';
    assert.equal(outcome.variables['chartdigest'], await bench.digestOf(`helm/web:${version.replace('+', '_')}`));
    const [listed] = JSON.parse(outcome.variables['charts'] ?? '[]') as { digest: string; reference: string }[];
    assert.equal(listed?.digest, outcome.variables['chartdigest']);
    const folder = join(bench.agent.path, 'pulled');
    const { username, password } = account;
    for (const helm of helms) {
      await rm(folder, { recursive: true, force: true });
      await mkdir(folder);
      const login = ['registry', 'login', bench.registry.host, '--username', username, '--password', password];
      const plain = helm.version === '3.10.1' ? [] : ['--plain-http'];
      await runHelm(helm, [...login, ...(plain.length > 0 ? plain : ['--insecure'])], bench.agent.path);
      const place = `oci://${bench.registry.host}/helm/web`;
      await runHelm(helm, ['pull', place, '--version', version, '--destination', folder, ...plain], bench.agent.path);
      const pulled = await readFile(join(folder, `web-${version}.tgz`));
      assert.ok(pulled.equals(await readFile(outcome.variables['chartpath'] ?? '')), helm.version);
    }
  });

  it('sends nothing of a chart that another build pushed, and adds its own build tag', async () => {
    await bench.build({ 'shop/web': web, 'shop/api': api }, second);
    const first = (await readImagesJson(bench.agent.staging)).charts;
    const outcome = await bench.pack({ charts: both, push: 'true' }, undefined, {
      ...second,
      variables: { ...second.variables, 'System.Debug': 'true' },
    });
    assertSucceeded(outcome);
    assert.equal(first, undefined);
    for (const { name, version, digest, reference } of (await readImagesJson(bench.agent.staging)).charts ?? []) {
      for (const tag of ['4711', '4712']) assert.equal(await bench.digestOf(`charts/${name}:${tag}`), digest);
      assert.ok(
        linesOf(outcome).includes(`Found the chart ${reference}, version ${version}, and tagged it with 4712.`),
      );
    }
    assert.ok(!/#\d+ (POST|PATCH|PUT) \S+\/charts\/\w+\/blobs/.test(outcome.output));
    assert.ok(/#\d+ PUT \S+\/charts\/web\/manifests\/4712 /.test(outcome.output), outcome.output);
  });

  it('never overwrites a version that is there with another content', async () => {
    const inputs = { charts: 'web', onUnusedPin: 'warn', push: 'true', version: 'exact', exactVersion: '9.0.0' };
    const third = { variables: { 'Build.BuildId': '4713' } };
    const fourth = { variables: { 'Build.BuildId': '4714' } };
    for (const more of [third, fourth]) await bench.build({ 'shop/web': web, 'shop/api': api }, more);
    assertSucceeded(await bench.pack(inputs, undefined, third));
    const digest = await bench.digestOf('charts/web:9.0.0');
    await bench.write('web', { 'templates/NOTES.txt': 'Another content.\n' });
    const outcome = await bench.pack({ ...inputs, publish: 'chart' }, undefined, fourth);
    assertFailed(outcome, /charts\/web:9\.0\.0 is .* already.*the same version with another content/);
    assert.equal(await bench.digestOf('charts/web:9.0.0'), digest);
    assert.equal(outcome.variables['chartdigest'], undefined);
    assert.ok(!outcome.output.includes('artifact.upload'));
  });

  it('changes nothing in the registry where the push is refused by the input, or the check fails', async () => {
    const untouched = await bench.registry.fingerprint();
    await bench.write('sick', chartOf('sick', 'shop/web', { 'templates/sick.yaml': '{{ fail "no" }}' }));
    assertFailed(
      await bench.pack({ charts: 'sick', onUnusedPin: 'warn', push: 'true' }, helm310),
      /^The chart "sick": helm/,
    );
    assert.equal(await bench.registry.fingerprint(), untouched);
    assert.deepEqual(
      (await bench.written()).filter(name => name.startsWith('sick')),
      [],
    );
  });

  it('tells the right that is missing, by the name of the repository', async () => {
    const endpoints = {
      'registry-connection': {
        url: 'https://index.docker.io/v1/',
        scheme: 'UsernamePassword',
        parameters: { registry: `http://${bench.registry.host}`, username: 'someone', password: 'else, entirely' },
        data: { registrytype: 'Others' },
      },
    };
    const outcome = await bench.pack({ charts: 'web' }, undefined, { endpoints });
    assertFailed(outcome, /image-lifecycle\/builds\/6ce954b1/);
    assertKept(outcome, 'else, entirely');
  });
});
