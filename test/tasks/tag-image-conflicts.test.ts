import assert from 'node:assert/strict';
import { makeImage } from '../support/images.ts';
import { makeAgentFolder } from '../support/run-task.ts';
import { assertFailed, assertSucceeded, type Bench, openBench } from './step.ts';

/** What tests change about the build that runs. */
function build(id: number, changes: Record<string, string> = {}) {
  return { variables: { 'Build.BuildId': String(id), ...changes } };
}

describe('TagImage and tags that are taken', () => {
  let bench: Bench;
  const [first, second] = [makeImage('a'), makeImage('b')];
  before(async () => {
    bench = await openBench();
  });
  after(() => bench.close());

  async function pushBoth(repository: string): Promise<void> {
    await bench.push(`${repository}:a`, first);
    await bench.push(`${repository}:b`, second);
  }

  it('refuses a tag that another image has, and changes nothing, to the byte', async () => {
    await pushBoth('taken/foreign');
    await bench.push('taken/foreign:v1', first);
    const before = await bench.registry.fingerprint();
    const outcome = await bench.tag({ images: 'taken/foreign:b', tags: '$(Build.BuildId)\nv1' }, build(100));
    assertFailed(outcome, /taken\/foreign:v1 already names sha256:.*Nothing was changed.*overwrite/);
    assert.equal(await bench.registry.fingerprint(), before);
  });

  it('moves it with overwrite, and says so', async () => {
    await pushBoth('taken/overwrite');
    await bench.push('taken/overwrite:latest', first);
    const outcome = await bench.tag(
      { images: 'taken/overwrite:b', tags: '$(Build.BuildId)\nlatest', overwrite: 'true' },
      build(101),
    );
    assertSucceeded(outcome);
    assert.equal(await bench.digestOf('taken/overwrite:latest'), second.digest);
    assert.match(outcome.output, new RegExp(`^Moved .*taken/overwrite:latest from ${first.digest}`, 'm'));
  });

  it('lets a rerun of the same job take its own tags back, silently, and keeps both records', async () => {
    await pushBoth('taken/rerun');
    assertSucceeded(await bench.tag({ images: 'taken/rerun:a' }, build(102)));
    const outcome = await bench.tag({ images: 'taken/rerun:b' }, build(102, { 'System.StageAttempt': '2' }));
    assertSucceeded(outcome);
    assert.equal(await bench.digestOf('taken/rerun:102'), second.digest);
    assert.deepEqual(
      outcome.commands.filter(({ name }) => name === 'task.logissue' || name === 'task.issue'),
      [],
    );
    const digests = (await bench.records(102)).flatMap(record => record.images.map(image => image.digest));
    assert.deepEqual(digests.sort(), [first.digest, second.digest].sort());
  });

  it('changes nothing but the record when the same job runs again with the same image', async () => {
    await pushBoth('taken/same');
    assertSucceeded(await bench.tag({ images: 'taken/same:a' }, build(103)));
    assertSucceeded(await bench.tag({ images: 'taken/same:a' }, build(103, { 'System.JobAttempt': '2' })));
    assert.equal(await bench.digestOf('taken/same:103'), first.digest);
    assert.equal((await bench.records(103)).length, 2);
  });

  for (const [who, changes] of [
    ['another job', { 'System.PhaseName': 'other' }],
    ['another leg of the matrix', { 'System.JobName': 'windows' }],
    ['another stage', { 'System.StageName': 'other', 'System.StageAttempt': '2' }],
    ['a second step of the same attempt', {}],
    ['an attempt that came before', { 'System.StageAttempt': '0' }],
  ] as const) {
    it(`refuses the tags of this build to ${who}`, async () => {
      const repository = `taken/${who.replaceAll(' ', '-')}`;
      await pushBoth(repository);
      assertSucceeded(await bench.tag({ images: `${repository}:a` }, build(104)));
      const before = await bench.registry.fingerprint();
      const outcome = await bench.tag({ images: `${repository}:b` }, build(104, changes));
      assertFailed(outcome, /already names/);
      assert.equal(await bench.registry.fingerprint(), before);
    });
  }

  it('refuses the same build id of another organization', async () => {
    await pushBoth('taken/organization');
    assertSucceeded(await bench.tag({ images: 'taken/organization:a' }, build(105)));
    const changes = { 'System.CollectionId': '11111111-2222-4333-8444-555555555555', 'System.JobAttempt': '2' };
    assertFailed(await bench.tag({ images: 'taken/organization:b' }, build(105, changes)), /already names/);
  });

  it('refuses two images for one repository and tag, and takes the same one twice for one', async () => {
    await pushBoth('taken/two');
    const before = await bench.registry.fingerprint();
    assertFailed(
      await bench.tag({ images: 'taken/two:a\ntaken/two:b' }, build(106)),
      /Two images are to get the same tag in .*taken\/two/,
    );
    assert.equal(await bench.registry.fingerprint(), before);
    assertSucceeded(await bench.tag({ images: `taken/two:a\ntaken/two@${first.digest}` }, build(106)));
    assert.equal((await bench.records(106))[0]?.images.length, 1);
  });

  it('changes nothing when one image of several is missing', async () => {
    await pushBoth('taken/missing');
    const before = await bench.registry.fingerprint();
    const outcome = await bench.tag({ images: 'taken/missing:a\ntaken/missing-too:nowhere' }, build(107));
    assertFailed(outcome, /taken\/missing-too:nowhere is not in the registry\. Was it pushed/);
    assert.equal(await bench.registry.fingerprint(), before);
  });

  it('loses no record of matrix jobs that run at the same time', async () => {
    const legs = Array.from({ length: 8 }, (_, leg) => `leg${leg}`);
    for (const leg of legs) await bench.push(`matrix/${leg}:built`, makeImage(leg));
    const outcomes = await Promise.all(
      legs.map(async leg => {
        const agent = await makeAgentFolder();
        try {
          return await bench.tag(
            { images: `matrix/${leg}:built`, outputDirectory: agent.staging },
            build(108, {
              'System.JobName': leg,
              'Agent.TempDirectory': agent.path,
            }),
          );
        } finally {
          await agent.remove();
        }
      }),
    );
    for (const outcome of outcomes) assertSucceeded(outcome);
    const records = await bench.records(108);
    assert.deepEqual(records.map(record => record.build.job).sort(), legs.map(leg => `package.${leg}`).sort());
    for (const leg of legs) assert.equal(await bench.digestOf(`matrix/${leg}:108`), makeImage(leg).digest);
  });
});
