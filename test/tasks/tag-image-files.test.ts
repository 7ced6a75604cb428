import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type Content, makeImage, makeIndex } from '../support/images.ts';
import { assertFailed, assertSucceeded, type Bench, openBench } from './step.ts';

describe('TagImage and what build tools write', () => {
  let bench: Bench;
  let number = 200;
  const [image, index] = [makeImage('files'), makeIndex('files')];
  before(async () => {
    bench = await openBench();
    for (const name of ['one', 'two', 'three']) await bench.push(`files/${name}:built`, image);
    await bench.push('files/multi:built', index);
  });
  after(() => bench.close());

  async function write(path: string, content: unknown): Promise<void> {
    const file = join(bench.agent.sources, path);
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, typeof content === 'string' ? content : JSON.stringify(content));
  }

  function tag(imageFiles: string, inputs: Record<string, string> = {}) {
    number += 1;
    return bench.tag({ imageFiles, ...inputs }, { variables: { 'Build.BuildId': String(number) } });
  }

  async function assertTagged(expected: Record<string, Content>): Promise<void> {
    for (const [name, content] of Object.entries(expected)) {
      assert.equal(await bench.digestOf(`files/${name}:${number}`), content.digest, name);
    }
    const [record] = await bench.records(number);
    assert.deepEqual(
      record?.images.map(each => each.repository).sort(),
      Object.keys(expected).map(name => `files/${name}`),
    );
  }

  it('reads the metadata of buildx, with several names', async () => {
    const { host } = bench.registry;
    await write('buildx/one.json', {
      'buildx.build.ref': 'builder/builder0/abc',
      'containerimage.digest': image.digest,
      'containerimage.descriptor': { mediaType: image.mediaType, digest: image.digest, size: 1 },
      'image.name': `${host}/files/one:built,${host}/files/one:latest, ${host}/files/two:built`,
    });
    assertSucceeded(await tag('buildx/*.json'));
    await assertTagged({ one: image, two: image });
  });

  it('reads the metadata of bake, one document for each target', async () => {
    const { host } = bench.registry;
    await write('bake.json', {
      'buildx.build.warnings': [{ detail: 'something' }],
      web: { 'containerimage.digest': image.digest, 'image.name': `${host}/files/one:built` },
      multi: { 'containerimage.digest': index.digest, 'image.name': `${host}/files/multi:built` },
    });
    assertSucceeded(await tag('bake.json'));
    await assertTagged({ multi: index, one: image });
  });

  it('reads a digest alone, with the repository in front of the path', async () => {
    await write('kaniko/digest.txt', image.digest);
    assertSucceeded(await tag(`files/one=kaniko/digest.txt\n${bench.registry.host}/files/two=kaniko/*.txt`));
    await assertTagged({ one: image, two: image });
  });

  it("reads kaniko's names with digests, with and without tags", async () => {
    const { host } = bench.registry;
    await write('kaniko/names.txt', `${host}/files/one@${image.digest}\n${host}/files/two@${image.digest}\n`);
    await write('kaniko/tagged.txt', `${host}/files/three:built@${image.digest}\r\n`);
    assertSucceeded(await tag('kaniko/names.txt\nkaniko/tagged.txt'));
    await assertTagged({ one: image, three: image, two: image });
  });

  it('reads jib-image.json, and several files by pattern without the excluded', async () => {
    const { host } = bench.registry;
    const jib = (name: string) => ({
      image: `${host}/files/${name}:built`,
      imageId: `sha256:${'1'.repeat(64)}`,
      imageDigest: image.digest,
      tags: ['built', 'latest'],
      imagePushed: true,
    });
    await write('jib/one/jib-image.json', jib('one'));
    await write('jib/two/jib-image.json', jib('two'));
    await write('jib/three/jib-image.json', jib('three'));
    assertSucceeded(await tag('jib/**/jib-image.json\n!jib/three/**'));
    await assertTagged({ one: image, two: image });
  });

  for (const [what, content, message] of [
    ['is empty', '', /names no image/],
    ['is not JSON', '{"containerimage.digest":', /is not valid JSON|it is not valid JSON/],
    ['knows no digest', '{"image.name":"x"}', /neither "containerimage\.digest".*Was the image pushed/],
    ['has a digest of another kind', '{"containerimage.digest":"md5:1"}', /not a sha256 digest/],
    ['has a digest without a name', `sha256:${'a'.repeat(64)}`, /repository=path/],
    ['has a name without a digest', 'files/one:built', /has no digest/],
    ['has a name outside the grammar', `Files/ONE@sha256:${'a'.repeat(64)}`, /is not a repository/],
    [
      'is of another registry',
      `other.azurecr.io/files/one@sha256:${'a'.repeat(64)}`,
      /in the registry other\.azurecr\.io/,
    ],
    ['has more than 1 MiB', 'x'.repeat(1024 * 1024 + 1), /1048577 bytes; 1048576 are the most/],
    ['is another tool’s', '[1, 2]', /cannot be read/],
  ] as const) {
    it(`refuses a file that ${what}, naming input and file`, async () => {
      await write('bad/file', content);
      const before = await bench.registry.fingerprint();
      const outcome = await tag('bad/file');
      assertFailed(outcome, message);
      assert.match(outcome.message, /imageFiles/);
      assert.ok(outcome.message.length < 1000, outcome.message);
      assert.equal(await bench.registry.fingerprint(), before);
      assert.doesNotMatch(outcome.output, /GET localhost/, 'before any request');
    });
  }

  it('refuses a pattern that matches nothing, and a folder', async () => {
    assertFailed(await tag('nothing/*.json'), /imageFiles: "nothing\/\*\.json" matches no file/);
    await mkdir(join(bench.agent.sources, 'folder'), { recursive: true });
    assertFailed(await tag('folder'), /imageFiles: the file ".*folder" is not a file/);
  });
});
