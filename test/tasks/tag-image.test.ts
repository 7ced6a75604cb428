import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { makeImage, makeIndex, makeSignature } from '../support/images.ts';
import { node24 } from '../support/run-task.ts';
import { assertSucceeded, type Bench, openBench, projectId } from './step.ts';

describe('TagImage', () => {
  let bench: Bench;
  before(async () => {
    bench = await openBench();
  });
  after(() => bench.close());

  it('puts the build tag and others on an image, and gives its digest', async () => {
    const image = makeImage('one');
    await bench.push('team/one:built', image);
    const outcome = await bench.tag({ images: 'team/one:built', tags: '$(Build.BuildId)\n$(Build.BuildNumber)' });
    assertSucceeded(outcome);
    assert.equal(await bench.digestOf('team/one:4711'), image.digest);
    assert.equal(await bench.digestOf('team/one:20261123.1'), image.digest);
    assert.equal(outcome.variables['digest'], image.digest);
    assert.deepEqual(JSON.parse(outcome.variables['images'] ?? ''), [
      {
        repository: 'team/one',
        digest: image.digest,
        tags: ['4711', '20261123.1', 'built'],
        mediaType: image.mediaType,
        size: [image, ...image.parts].reduce((sum, part) => sum + part.bytes.byteLength, 0),
        reference: `${bench.registry.host}/team/one@${image.digest}`,
      },
    ]);
    const set = outcome.commands.filter(command => command.name === 'task.setvariable');
    assert.deepEqual(
      set.map(each => each.properties['isoutput']),
      ['true', 'true'],
    );
  });

  it('runs on Node 24 as well', async () => {
    const image = makeImage('one');
    await bench.push('team/node24:built', image);
    assertSucceeded(await bench.tag({ images: 'team/node24:built' }, { node: node24 }));
    assert.equal(await bench.digestOf('team/node24:4711'), image.digest);
  });

  it('keeps an index one: the same bytes, its platforms and its signature where they were', async () => {
    const index = makeIndex('multi');
    const signature = makeSignature(index);
    await bench.push('team/multi:built', index);
    await bench.push(`team/multi:${index.digest.replace(':', '-')}`, signature);
    assertSucceeded(await bench.tag({ images: `team/multi@${index.digest}` }));
    assert.equal(await bench.digestOf('team/multi:4711'), index.digest);
    assert.equal(await bench.digestOf(`team/multi:${index.digest.replace(':', '-')}`), signature.digest);
    const record = (await bench.records()).find(each => each.images.some(image => image.repository === 'team/multi'));
    assert.deepEqual(record?.images, [
      {
        repository: 'team/multi',
        digest: index.digest,
        mediaType: index.mediaType,
        size: record?.images[0]?.size,
        children: index.parts.map(part => part.digest),
        tags: ['4711'],
      },
    ]);
  });

  it('records the build as the agent names it', async () => {
    await bench.push('team/recorded:built', makeImage('recorded'));
    const variables = { 'Build.BuildId': '815', 'System.JobName': 'linux x64', 'System.JobAttempt': '2' };
    assertSucceeded(await bench.tag({ images: 'team/recorded:built', onBuildDeleted: 'keep' }, { variables }));
    const [record, ...more] = await bench.records(815);
    assert.equal(more.length, 0);
    assert.equal(record?.onBuildDeleted, 'keep');
    assert.deepEqual(record?.build, {
      collectionId: '0a5a7f21-1b5c-4e6d-8f90-a1b2c3d4e5f6',
      organization: 'https://dev.azure.com/contoso/',
      projectId,
      definitionId: 12,
      id: 815,
      number: '20261123.1',
      repository: 'contoso/shop',
      branch: 'refs/heads/main',
      commit: '0123456789abcdef0123456789abcdef01234567',
      stage: 'build',
      job: 'package.linux x64',
      attempt: '1.2',
    });
  });

  it('adds the build tag where the list lacks it, and says so', async () => {
    const image = makeImage('bond');
    await bench.push('team/bond:built', image);
    const outcome = await bench.tag({ images: 'team/bond:built', tags: 'edge' });
    assertSucceeded(outcome);
    assert.match(outcome.output, /^The tag 4711 is added to the ones of the input tags/m);
    assert.equal(await bench.digestOf('team/bond:4711'), image.digest);
    assert.equal(await bench.digestOf('team/bond:edge'), image.digest);
  });

  it('takes the build id alone for the build tag, with its prefix', async () => {
    const image = makeImage('prefixed');
    await bench.push('team/prefixed:built', image);
    assertSucceeded(await bench.tag({ images: 'team/prefixed:built', buildTagPrefix: 'contoso-' }));
    assert.equal(await bench.digestOf('team/prefixed:contoso-4711'), image.digest);
    assert.equal(await bench.digestOf('team/prefixed:4711'), undefined);
  });

  it('writes images.json, and adds what a second step of the job tags', async () => {
    const [first, second] = [makeImage('first'), makeIndex('second')];
    await bench.push('team/first:built', first);
    await bench.push('team/second:built', second);
    const variables = { 'Build.BuildId': '900' };
    assertSucceeded(await bench.tag({ images: 'team/first:built' }, { variables }));
    const outcome = await bench.tag({ images: 'team/second:built\nteam/first:built' }, { variables });
    assertSucceeded(outcome);
    assert.equal(outcome.variables['digest'], undefined, 'there are two');
    const file = await bench.imagesJson();
    assert.equal(file['schema'], 1);
    assert.equal(file['registry'], bench.registry.host);
    assert.equal((file['build'] as { id: number }).id, 900);
    assert.deepEqual(
      file.images.map(image => image.reference),
      [`${bench.registry.host}/team/first@${first.digest}`, `${bench.registry.host}/team/second@${second.digest}`],
    );
    // Another build's file is not added to.
    assertSucceeded(await bench.tag({ images: 'team/second:built' }, { variables: { 'Build.BuildId': '901' } }));
    assert.equal((await bench.imagesJson()).images.length, 1);
  });

  it('shows a summary on the build that markup in its texts cannot break', async () => {
    const image = makeImage('summary');
    await bench.push('team/summary:built', image);
    const outcome = await bench.tag(
      { images: 'team/summary:built' },
      {
        variables: {
          'Build.BuildNumber': '[x](https://evil.example)|<b>1',
          'Build.SourceBranch': 'refs/heads/<script>alert(1)</script>\n# *not* `a` heading',
        },
      },
    );
    assertSucceeded(outcome);
    const path = outcome.commands.find(command => command.name === 'task.uploadsummary')?.data ?? '';
    const text = await readFile(path, 'utf8');
    assert.match(path, /Images of build 4711\.md$/);
    assert.ok(text.includes('buildId=4711'), text);
    assert.ok(text.includes('| `team/summary` |'), text);
    assert.ok(text.includes(`${bench.registry.host}/team/summary@${image.digest}`), text);
    assert.ok(text.includes('images that no other tag holds are deleted'), text);
    assert.doesNotMatch(text, /<script|<b>|[^\\]\]\(https:\/\/evil|^# /m);
  });

  it('tags many images at once', async () => {
    const image = makeImage('many');
    const names = Array.from({ length: 12 }, (_, number) => `many/app${number}`);
    for (const name of names) await bench.push(`${name}:built`, image);
    assertSucceeded(await bench.tag({ images: names.map(name => `${name}:built`).join('\n') }));
    for (const name of names) assert.equal(await bench.digestOf(`${name}:4711`), image.digest);
  });

  it('belongs into a build: a classic release is told so', async () => {
    const outcome = await bench.tag({ images: 'team/one:built' }, { variables: { 'System.HostType': 'release' } });
    assert.equal(outcome.result, 'Failed');
    assert.match(outcome.message, /belongs into the build that made the images, and this is a release/);
  });
});
