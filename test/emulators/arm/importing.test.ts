import assert from 'node:assert/strict';
import { createClient } from '../acr/client.ts';
import { type ArmScene, startArmScene } from './client.ts';

const untagged = { untaggedTargetRepositories: ['copy/app'] };

describe('emulated Resource Manager: an import', () => {
  let scene: ArmScene;
  beforeEach(async () => {
    scene = await startArmScene();
  });
  afterEach(() => scene.close());
  const run = async (image: string, parameters: object) => scene.follow(await scene.importImage(image, parameters));

  it('brings an index with its children and their blobs, and nothing that refers to it', async () => {
    const { source, target } = scene;
    const children = ['amd64', 'arm64'].map(architecture => source.world.putImage('app', { architecture }));
    const index = source.world.putIndex('app', children, { tags: ['v1'] });
    source.world.putArtifact('app', { artifactType: 'application/vnd.test.signature', subject: index });
    const begun = await scene.importImage(`app@${index.digest}`, untagged);
    assert.deepEqual([begun.status, begun.json, begun.headers['retry-after']], [202, null, undefined]);
    assert.match(
      String(begun.headers.location),
      /\/locations\/WESTEUROPE\/operationResults\/registries-[0-9a-f-]{36}\?/,
    );
    assert.deepEqual(target.world.manifests('copy/app'), [], 'nothing is there before it ends');
    const { statuses, last } = await scene.follow(begun);
    assert.deepEqual([statuses, last.json], [[202, 200], { status: 'Succeeded' }]);
    assert.deepEqual(
      new Set(target.world.manifests('copy/app')),
      new Set([index, ...children].map(({ digest }) => digest)),
    );
    assert.deepEqual(target.world.tags('copy/app'), {});
    assert.deepEqual(
      target.world.manifest('copy/app', index.digest)?.bytes,
      source.world.manifest('app', index.digest)?.bytes,
    );
    const inSource = (digest: string) => source.world.repository('app')?.uses.has(digest);
    assert.equal(target.world.blobs.digests().length, 4);
    assert.ok(target.world.blobs.digests().every(inSource));
  });

  it('takes a tag, `latest` where none is named, and puts every target tag', async () => {
    const { digest } = scene.source.world.putImage('app', { tags: ['latest'] });
    const { last } = await run('app', { targetTags: ['app:one', 'app:two'] });
    assert.equal(last.status, 200);
    assert.deepEqual(scene.target.world.tags('app'), { one: digest, two: digest });
  });

  it('races with whoever moves the tag, and leaves the target’s tag on what is not there', async () => {
    const { source, target } = scene;
    const before = source.world.putImage('app', { tags: ['v1'] }).digest;
    const begun = await scene.importImage('app:v1', { targetTags: ['app:v1'] });
    const after = source.world.putImage('app', { tags: ['v1'] }).digest;
    assert.deepEqual((await scene.follow(begun)).last.json, { status: 'Succeeded' });
    assert.deepEqual(target.world.manifests('app'), [before]);
    assert.deepEqual(target.world.tags('app'), { v1: after });
    const client = createClient(target);
    const pulled = await client.send('GET', '/v2/app/manifests/v1');
    const listed = await client.send('GET', '/acr/v1/app/_tags');
    client.close();
    assert.deepEqual([pulled.status, pulled.code], [404, 'MANIFEST_UNKNOWN']);
    assert.match(listed.bytes.toString(), new RegExp(`"name":"v1","digest":"${after}"`));
  });

  it('does not overwrite a tag unless it is forced, and finds that out before it copies', async () => {
    const { source, target } = scene;
    const taken = target.world.putImage('app', { tags: ['v1'], layers: ['another'] }).digest;
    const { digest } = source.world.putImage('app', { tags: ['v1'] });
    const { last } = await run('app:v1', { targetTags: ['app:v1'], mode: 'NoForce' });
    assert.deepEqual([last.status, last.code], [409, 'Conflict']);
    assert.match(last.json.error.message, /Tag app:v1 already exists in target registry/);
    assert.deepEqual(target.world.manifests('app'), [taken]);
    assert.equal((await run('app:v1', { targetTags: ['app:v1'], mode: 'Force' })).last.status, 200);
    assert.deepEqual(target.world.tags('app'), { v1: digest });
  });

  for (const [children, status] of [
    [49, 200],
    [50, 400],
  ] as const) {
    it(`${status === 200 ? 'takes' : 'refuses'} an image of ${children + 1} manifests`, async () => {
      const { images } = scene.source.world.seedManifests('app', { manifests: children });
      const descriptors = images.map(digest => ({
        mediaType: 'application/vnd.oci.image.manifest.v1+json',
        digest,
        size: 1,
      }));
      const { digest } = scene.source.world.putIndex('app', descriptors);
      const { last } = await run(`app@${digest}`, untagged);
      assert.deepEqual([last.status, scene.target.world.has('copy/app', digest)], [status, status === 200]);
    });
  }

  it('refuses a tag and a digest together, and whatever else is no image or target', async () => {
    const { digest } = scene.source.world.putImage('app', { tags: ['v1'] });
    const bodies: readonly (readonly [string, object])[] = [
      [`app:v1@${digest}`, untagged],
      ['App:v1', untagged],
      ['app@sha256:short', untagged],
      ['', untagged],
      ['app:v1', {}],
      ['app:v1', { targetTags: ['app'] }],
      ['app:v1', { untaggedTargetRepositories: ['../app'] }],
      ['app:v1', { ...untagged, mode: 'Maybe' }],
      ['app:v1', { ...untagged, source: { sourceImage: 'app:v1' } }],
    ];
    for (const [image, parameters] of bodies) {
      const reply = await scene.importImage(image, parameters);
      assert.deepEqual(
        [reply.status, reply.code],
        [400, 'InvalidParameters'],
        `${image} ${JSON.stringify(parameters)}`,
      );
    }
    assert.equal(scene.arm.world.operations.length, 0);
  });

  it('fails in the operation for an image that is not there, one that is closed, and a target that is locked', async () => {
    const { source, target } = scene;
    const { digest } = source.world.putImage('app');
    assert.match((await run('app:none', untagged)).last.json.error.message, /MANIFEST_UNKNOWN/);
    source.world.setAttributes('app', digest, { readEnabled: false });
    assert.match((await run(`app@${digest}`, untagged)).last.json.error.message, /REGISTRY_DISALLOWED_OPERATION/);
    source.world.setAttributes('app', digest, { readEnabled: true });
    target.world.putImage('copy/app', { layers: ['another'] });
    target.world.setAttributes('copy/app', undefined, { writeEnabled: false });
    assert.match((await run(`app@${digest}`, untagged)).last.json.error.message, /REGISTRY_DISALLOWED_OPERATION/);
    assert.equal(target.world.has('copy/app', digest), false);
  });

  it('takes a source by its address with its password, and cannot reach one that it does not know', async () => {
    const { digest } = scene.source.world.putImage('app');
    const from = (registryUri: string, password: string) => ({
      ...untagged,
      source: { registryUri, sourceImage: `app@${digest}`, credentials: { username: 'admin', password } },
    });
    assert.match(
      (await run('', from('elsewhere.example', 'x'))).last.json.error.message,
      /Refer https:\/\/aka\.ms\/acr\/firewall/,
    );
    assert.match((await run('', from(scene.source.host, 'wrong'))).last.json.error.message, /Access to .* denied/);
    assert.equal((await run('', from(scene.source.host, 'admin-password'))).last.status, 200);
    assert.equal(scene.target.world.has('copy/app', digest), true);
  });

  it('may never end, report success for nothing, leave a part out, or fail, as told', async () => {
    const { behaviour } = scene.arm;
    const child = scene.source.world.putImage('app');
    const { digest } = scene.source.world.putIndex('app', [child]);
    behaviour.outcome = 'stuck';
    assert.deepEqual(
      (await run(`app@${digest}`, untagged)).statuses,
      Array.from({ length: 20 }, () => 202),
    );
    behaviour.outcome = 'empty';
    assert.deepEqual((await run(`app@${digest}`, untagged)).last.json, { status: 'Succeeded' });
    assert.deepEqual(scene.target.world.manifests('copy/app'), []);
    behaviour.outcome = { status: 400, code: 'InvalidParameters', message: 'Error copying blobs.' };
    assert.match(
      (await run(`app@${digest}`, untagged)).last.json.error.message,
      /^Operation registries-.* Error copying blobs\.$/,
    );
    behaviour.outcome = 'copies';
    behaviour.omits = [child.digest];
    assert.equal((await run(`app@${digest}`, untagged)).last.status, 200);
    assert.deepEqual(scene.target.world.manifests('copy/app'), [digest]);
  });

  it('says its state with 200 where it is asked by Azure-AsyncOperation, and how long to wait where told', async () => {
    const { digest } = scene.source.world.putImage('app');
    Object.assign(scene.arm.behaviour, { operationStyle: 'asyncOperation', polls: 2, retryAfter: 7 });
    const begun = await scene.importImage(`app@${digest}`, untagged);
    assert.deepEqual([begun.headers.location, begun.headers['retry-after']], [undefined, '7']);
    const { statuses, last } = await scene.follow(begun);
    assert.deepEqual([statuses, last.json], [[200, 200, 200], { status: 'Succeeded' }]);
    scene.arm.behaviour.outcome = { status: 400, code: 'InvalidParameters', message: 'no' };
    const failed = (await run(`app@${digest}`, untagged)).last;
    assert.deepEqual([failed.status, failed.json.status, failed.code], [200, 'Failed', 'InvalidParameters']);
  });
});
