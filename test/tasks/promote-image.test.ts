import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { makeImage, makeIndex, makeSignature } from '../support/images.ts';
import { node24 } from '../support/run-task.ts';
import { inspectDigest } from '../support/skopeo.ts';
import { type Bench, definitionId, linesOf, openBench, readSummary, warningsOf } from './promotion.ts';
import { assertFailed, assertKept, assertMasked, assertSucceeded, projectId, readRecords } from './step.ts';

const forged = '##vso[task.setvariable variable=pwned]1';
const root = resolve(import.meta.dirname, '../..');

describe('PromoteImage', () => {
  let bench: Bench;
  before(async () => {
    bench = await openBench();
  });
  after(() => bench.close());

  it('brings what the run recorded, digest for digest, with the build tag', async () => {
    const [web, api] = [makeIndex('web'), makeImage('api')];
    await bench.record({ id: 100 }, { 'shop/web': web, 'shop/api': api });
    const outcome = await bench.step(100);
    assertSucceeded(outcome);
    for (const [repository, image] of Object.entries({ 'shop/web': web, 'shop/api': api })) {
      assert.equal(await inspectDigest(bench.stage, `${repository}:100`), image.digest);
      assert.equal(await inspectDigest(bench.stage, `${repository}:built`), undefined, 'only the build tag is ours');
    }
    for (const child of web.parts) {
      assert.equal(await inspectDigest(bench.stage, `shop/web@${child.digest}`), child.digest);
    }
    assert.deepEqual(warningsOf(outcome), []);
    for (const secret of [bench.ci.password ?? '', bench.stage.password ?? '']) {
      assertMasked(outcome, secret);
      assertKept(outcome, secret);
    }
  });

  it('runs on Node 24 as well, and so does its end', async () => {
    const image = makeImage('node24');
    await bench.record({ id: 101 }, { 'node24/app': image });
    const outcome = await bench.step(101, {}, { node: node24 });
    assertSucceeded(outcome);
    assert.equal(await inspectDigest(bench.stage, 'node24/app:101'), image.digest);
    assertSucceeded(await bench.endJob(outcome, 'Succeeded', { node: node24 }));
  });

  it('gives the one digest and all images to the steps that follow, under declared names alone', async () => {
    const image = makeImage('outputs');
    await bench.record({ id: 110 }, { 'outputs/app': image });
    const outcome = await bench.step(110);
    assertSucceeded(outcome);
    assert.equal(outcome.variables['digest'], image.digest);
    assert.deepEqual(JSON.parse(outcome.variables['images'] ?? ''), [
      {
        repository: 'outputs/app',
        digest: image.digest,
        tags: ['110'],
        mediaType: image.mediaType,
        size: [image, ...image.parts].reduce((sum, part) => sum + part.bytes.byteLength, 0),
        reference: `${bench.stage.host}/outputs/app@${image.digest}`,
      },
    ]);
    const set = outcome.commands.filter(command => command.name === 'task.setvariable');
    const manifest = JSON.parse(await readFile(join(root, 'tasks/PromoteImage/task.json'), 'utf8')) as {
      restrictions: { settableVariables: { allowed: string[] } };
    };
    const { allowed } = manifest.restrictions.settableVariables;
    for (const { properties } of set) {
      assert.ok(allowed.includes(properties['variable'] ?? ''), properties['variable']);
      assert.equal(properties['isoutput'], 'true');
    }
  });

  it('names no one digest where there are two images', async () => {
    await bench.record({ id: 111 }, { 'outputs/one': makeImage('one'), 'outputs/two': makeImage('two') });
    const outcome = await bench.step(111);
    assertSucceeded(outcome);
    assert.equal(outcome.variables['digest'], undefined);
    assert.equal((JSON.parse(outcome.variables['images'] ?? '') as unknown[]).length, 2);
  });

  it('writes the record into the stage: the build as it was, the names that are there, who promoted', async () => {
    const image = makeImage('recorded');
    await bench.record({ id: 120, attempt: '1.2', job: 'package.x64' }, { 'recorded/app': image });
    assertSucceeded(await bench.step(120, { repositoryPrefix: 'prod' }));
    const [record, ...more] = await readRecords(bench.stage, 120);
    const [original] = await readRecords(bench.ci, 120);
    assert.equal(more.length, 0);
    assert.deepEqual(record?.build, original?.build);
    assert.deepEqual(
      record?.images.map(({ repository, digest, tags }) => ({ repository, digest, tags })),
      [{ repository: 'prod/recorded/app', digest: image.digest, tags: ['120'] }],
    );
    assert.equal(record?.promotedFrom, bench.ci.host);
    assert.deepEqual(record?.promotedBy, {
      projectId,
      definitionId,
      runId: 120,
      stage: 'Production',
      url: `${bench.devOps.url}/Web%20Shop/_build/results?buildId=120`,
    });
  });

  it('brings signatures too, also where the stage has no referrers API, and leaves them on request', async () => {
    const image = makeImage('signed');
    const signature = makeSignature(image);
    const tag = `${image.digest.replace(':', '-')}.sig`;
    await bench.record({ id: 130 }, { 'signed/app': image });
    await bench.push(bench.ci, `signed/app:${tag}`, signature);
    assertSucceeded(await bench.step(130, { referrers: 'false' }));
    assert.equal(await inspectDigest(bench.stage, `signed/app:${tag}`), undefined);
    const outcome = await bench.step(130);
    assertSucceeded(outcome);
    assert.equal(await inspectDigest(bench.stage, `signed/app:${tag}`), signature.digest);
    assert.match(await readSummary(outcome), /\| 1 digest tag \|/);
  });

  it('shows a page that markup in its texts cannot break, and obeys none of them', async () => {
    const image = makeImage('page');
    const number = '[x](https://evil.example)|<b>1';
    await bench.record({ id: 140, number, branch: `refs/heads/${forged}` }, { 'page/app': image });
    const stage = `<script>alert(1)</script>\n# *not* \`a\` heading\n${forged}`;
    const outcome = await bench.step(
      140,
      {},
      { variables: { 'Build.BuildNumber': number, 'System.StageName': stage } },
    );
    assertSucceeded(outcome);
    const text = await readSummary(outcome);
    assert.match(text, /^### Promoted: build /);
    assert.ok(text.includes('| `page/app` |'), text);
    assert.ok(text.includes(`${bench.stage.host}/page/app@${image.digest}`), text);
    assert.match(text, /\| copied \|/);
    assert.match(text, /Build 140 is held by a retention lease/);
    assert.doesNotMatch(text, /<script|<b>|[^\\]\]\(https:\/\/evil|^# /m);
    const names = outcome.commands.filter(({ name }) => name === 'task.uploadsummary').map(({ data }) => data);
    assert.match(names.join(), /Promotion of build 140\.md$/);
    assert.equal(outcome.variables['pwned'], undefined, outcome.output);
    // Also where a message holds it.
    const failed = await bench.step(140, { tags: 'x-{branch}', onExistingTag: 'fail' });
    assertFailed(failed, /page\/app/);
    assert.equal(failed.variables['pwned'], undefined, failed.output);
  });

  it('says how far it is, and at the end what it did', async () => {
    await bench.record({ id: 150 }, { 'progress/app': makeImage('progress') });
    const outcome = await bench.step(150);
    assertSucceeded(outcome);
    const shown = outcome.commands.filter(command => command.name === 'task.setprogress');
    const percents = shown.map(command => Number(command.properties['value']));
    assert.ok(percents.length > 3, percents.join());
    assert.deepEqual(
      percents,
      [...percents].sort((one, other) => one - other),
    );
    assert.equal(percents.at(-1), 100);
    assert.ok(
      shown.some(({ data }) => /^\S+ (?:bytes|kB) sent at .*\/s, .* left$/.test(data)),
      outcome.output,
    );
    assert.ok(
      linesOf(outcome).some(line => /^Sent \S+ \S+ in 4 blobs and 1 manifest in /.test(line)),
      outcome.output,
    );
  });

  it('moves nothing the second time, and is the same in the end', async () => {
    await bench.record({ id: 160 }, { 'again/app': makeIndex('again') });
    assertSucceeded(await bench.step(160));
    const before = await bench.stage.fingerprint();
    const outcome = await bench.step(160);
    assertSucceeded(outcome);
    assert.equal(await bench.stage.fingerprint(), before);
    assert.ok(linesOf(outcome).includes('Nothing had to be moved.'), outcome.output);
    assert.match(await readSummary(outcome), /\| was there \|/);
    assert.ok(outcome.variables['digest'], 'outputs are set all the same');
  });

  it('changes nothing at all in a dry run, and shows what would move and how many bytes', async () => {
    const [image, moved] = [makeImage('dry'), makeImage('moved')];
    const blobs = image.parts.reduce((sum, part) => sum + part.bytes.byteLength, 0);
    await bench.record({ id: 170 }, { 'dry/app': image });
    await bench.push(bench.stage, 'dry/app:edge', moved);
    const [stage, ci] = [await bench.stage.fingerprint(), await bench.ci.fingerprint()];
    const inputs = { dryRun: 'true', tags: 'edge', onExistingTag: 'overwrite' };
    const outcome = await bench.step(170, inputs);
    assertSucceeded(outcome);
    assert.equal(await bench.stage.fingerprint(), stage);
    assert.equal(await bench.ci.fingerprint(), ci);
    assert.deepEqual(bench.devOps.world.leases.ofBuild(170), []);
    assert.deepEqual([outcome.taskVariables, outcome.variables], [{}, {}]);
    const told = `To send: ${blobs} bytes in 4 blobs and 1 manifest; there already: nothing. Nothing was changed.`;
    assert.ok(linesOf(outcome).includes(told), outcome.output);
    assert.doesNotMatch(outcome.output, / sent at /);
    const text = await readSummary(outcome);
    assert.match(text, /^### Would be promoted: build /);
    assert.ok(text.includes(told), text);
    assert.match(text, /\| would be brought \|/);
    assert.ok(text.includes(`\`dry/app:edge\` would be moved from \`${moved.digest}\``), text);
    assert.match(text, /A dry run takes no lease/);
    // And it tells what is there.
    assertSucceeded(await bench.step(170, { ...inputs, dryRun: 'false' }));
    const again = await bench.step(170, inputs);
    assert.match(await readSummary(again), /\| is there \|/);
    assert.ok(linesOf(again).includes('Nothing would have to be moved. Nothing was changed.'), again.output);
  });
});
