import assert from 'node:assert/strict';
import { listAllTags, listManifests, listNewestManifests, listTagsOf } from '../../../core/acr/listings.ts';
import { ociIndex, ociManifest } from '../../../core/oci/media-types.ts';
import { type Loopback, sendJson, startLoopback } from '../oci/loopback.ts';
import { type AcrWorld, type Client, createClient, fails, missing, openOn, startAcrWorld } from '../oci/world.ts';

type Digest = typeof missing;

describe("Azure's own lists", () => {
  let world: AcrWorld;
  before(async () => {
    world = await startAcrWorld();
  });
  beforeEach(() => {
    world.acr.faults.clear();
    world.acr.requests.clear();
  });
  after(() => world.close());

  it('give the tags of one digest, over as many pages as there are', async () => {
    const one = world.acr.world.putImage('team/tags').digest as Digest;
    const two = world.acr.world.putImage('team/tags', { tags: ['other'] }).digest;
    const names = Array.from({ length: 2300 }, (_, at) => `t${at}`);
    world.acr.world.seedTags('team/tags', one, names);
    const found = await listTagsOf(world.open('team/tags'), one);
    assert.deepEqual(found.map(tag => tag.name).sort(), names.sort());
    assert.deepEqual([...new Set(found.map(tag => tag.digest))], [one]);
    assert.equal(world.acr.requests.count({ operation: 'tags.list', status: 200 }), 3);
    assert.deepEqual(
      (await listTagsOf(world.open('team/tags'), two as Digest)).map(tag => tag.name),
      ['other'],
    );
  });

  it('give no tags for a digest without, one that is not there, and a repository that is not', async () => {
    const { digest } = world.acr.world.putImage('team/untagged');
    for (const [name, each] of [
      ['team/untagged', digest],
      ['team/untagged', missing],
      ['no/such', missing],
    ] as const)
      assert.deepEqual(await listTagsOf(world.open(name), each as Digest), []);
  });

  it('give every tag of a repository with its digest and date, over pages of a thousand', async () => {
    const at = Date.parse('2026-01-02T03:04:05Z');
    const one = world.acr.world.putImage('team/every', { tags: ['a'], at });
    const two = world.acr.world.putImage('team/every', { tags: ['b'] });
    world.acr.world.seedTags(
      'team/every',
      two.digest,
      Array.from({ length: 1500 }, (_, each) => `t${each}`),
    );
    world.acr.world.setAttributes('team/every', 'b', { writeEnabled: false });
    const found = await listAllTags(world.open('team/every'));
    assert.equal(new Set(found.map(tag => tag.name)).size, 1502);
    assert.equal(world.acr.requests.count({ operation: 'tags.list', status: 200 }), 2);
    const [a, b] = ['a', 'b'].map(name => found.find(tag => tag.name === name));
    assert.deepEqual(a, { name: 'a', digest: one.digest, locked: false, changedAt: at });
    assert.deepEqual([b?.digest, b?.locked], [two.digest, true]);
    assert.deepEqual(await listAllTags(world.open('no/such')), []);
  });

  it('say of a tag that it is locked, whichever switch does it', async () => {
    const { digest } = world.acr.world.putImage('team/locks', { tags: ['a', 'b', 'c', 'd'] });
    world.acr.world.setAttributes('team/locks', 'a', { deleteEnabled: false });
    world.acr.world.setAttributes('team/locks', 'b', { writeEnabled: false });
    world.acr.world.setAttributes('team/locks', 'c', { readEnabled: false });
    const found = await listTagsOf(world.open('team/locks'), digest as Digest);
    assert.deepEqual(Object.fromEntries(found.map(tag => [tag.name, tag.locked])), {
      a: true,
      b: true,
      c: false,
      d: false,
    });
  });

  it('give every manifest: tagged or not, image or index, locked or not', async () => {
    const child = world.acr.world.putImage('team/all');
    const index = world.acr.world.putIndex('team/all', [child], {
      tags: ['v2', 'v1'],
      at: Date.parse('2026-01-02T03:04:05Z'),
    });
    world.acr.world.setAttributes('team/all', child.digest, { writeEnabled: false });
    const found = await listManifests(world.open('team/all'));
    assert.deepEqual(new Set(found.keys()), new Set([child.digest, index.digest]));
    const [one, two] = [found.get(child.digest as Digest), found.get(index.digest as Digest)];
    assert.deepEqual([one?.mediaType, one?.tags, one?.locked], [ociManifest, [], true]);
    assert.deepEqual([two?.mediaType, two?.tags, two?.locked], [ociIndex, ['v1', 'v2'], false]);
    assert.equal(two?.changedAt, Date.parse('2026-01-02T03:04:05Z'));
    assert.ok((one?.size ?? 0) > child.size);
  });

  it('go over pages of a thousand, whatever was asked for', async () => {
    world.acr.world.seedManifests('team/many', { manifests: 2100 });
    assert.equal((await listManifests(world.open('team/many'))).size, 2100);
    assert.equal(world.acr.requests.count({ operation: 'manifests.list', status: 200 }), 3);
    assert.equal((await listNewestManifests(world.open('team/many'), 5000)).length, 1000);
  });

  it('give the newest first, and one page of them', async () => {
    const at = Date.parse('2026-03-01T00:00:00Z');
    const digests = [2, 0, 1].map(day => world.acr.world.putImage('team/new', { at: at + day * 86_400_000 }).digest);
    const found = await listNewestManifests(world.open('team/new'), 2);
    assert.deepEqual(
      found.map(each => each.digest),
      [digests[0], digests[2]],
    );
    assert.equal(world.acr.requests.count({ operation: 'manifests.list', status: 200 }), 1);
    assert.deepEqual(await listNewestManifests(world.open('no/such'), 2), []);
    assert.equal((await listManifests(world.open('no/such'))).size, 0);
  });

  it('need their right, and its lack is not an empty list', async () => {
    const { digest } = world.acr.world.putImage('team/denied', { tags: ['v1'] });
    const repository = world.open('team/denied', ['pull']);
    const thrown = await fails(listTagsOf(repository, digest as Digest), 'REGISTRY_DENIED');
    assert.match(thrown.message, /"repository:team\/denied:metadata_read"/);
    await fails(listManifests(repository), 'REGISTRY_DENIED');
  });

  for (const status of [400, 500]) {
    it(`are an error on ${status}, on the first page and on a later one`, async () => {
      const code = status === 400 ? 'REGISTRY_UNEXPECTED' : 'REGISTRY_UNAVAILABLE';
      world.acr.world.seedManifests('team/late', { manifests: 1001 });
      world.acr.faults.add({ operation: ['tags.list', 'manifests.list'], path: /last=/ }, { kind: 'status', status });
      await fails(listManifests(world.open('team/late')), code);
      world.acr.faults.add({ operation: ['tags.list', 'manifests.list'] }, { kind: 'status', status });
      await fails(listManifests(world.open('team/late')), code);
      await fails(listNewestManifests(world.open('team/late'), 1), code);
      await fails(listTagsOf(world.open('team/late'), missing), code);
    });
  }

  it('are an error where a page begins again or a later one is missing', async () => {
    world.acr.world.seedManifests('team/loop', { manifests: 1001 });
    world.acr.faults.add({ operation: 'manifests.list' }, { kind: 'repeated' });
    await fails(listManifests(world.open('team/loop')), 'REGISTRY_UNEXPECTED');
    world.acr.faults.clear();
    world.acr.faults.add({ operation: 'manifests.list', path: /last=/ }, { kind: 'status', status: 404 });
    await fails(listManifests(world.open('team/loop')), 'REGISTRY_UNEXPECTED');
  });
});

describe("Azure's own lists, when they are not what they should be", () => {
  let server: Loopback;
  let client: Client;
  let body: unknown;
  before(async () => {
    client = createClient();
    server = await startLoopback((_, response) => sendJson(response, body));
  });
  beforeEach(() => {
    server.requests.length = 0;
  });
  after(async () => {
    await client.http.close();
    await server.close();
  });
  const frame = { registry: 'x', imageName: 'team/app' };
  const tag = { name: 'v1', digest: missing };
  const other = `sha256:${'1'.repeat(64)}`;

  it('are asked for by digest, and a server that does not filter is found out', async () => {
    body = { ...frame, tags: [tag, { ...tag, name: 'v2', digest: other }] };
    const thrown = await fails(listTagsOf(openOn(server, client), missing), 'REGISTRY_UNEXPECTED');
    assert.match(thrown.message, new RegExp(`include "v2", which is on ${other}`));
    assert.equal(server.requests[0]?.path, `/acr/v1/team/app/_tags?n=1000&digest=${encodeURIComponent(missing)}`);
  });

  const tagPages: unknown[] = [
    { ...frame, imageName: 'team/other', tags: [] },
    { tags: [] },
    { ...frame, tags: {} },
    { ...frame, tags: ['v1'] },
    { ...frame, tags: [{ name: 'v1' }] },
    { ...frame, tags: [{ ...tag, digest: 'sha256:short' }] },
    { ...frame, tags: [{ ...tag, changeableAttributes: { deleteEnabled: 'false' } }] },
    { errors: [{ code: 'UNAUTHORIZED' }] },
    [],
    'null',
    '<html>',
    '',
  ];
  for (const page of tagPages) {
    it(`refuse as tags ${JSON.stringify(page).slice(0, 90)}`, async () => {
      body = page;
      await fails(listTagsOf(openOn(server, client), missing), 'REGISTRY_UNEXPECTED');
    });
  }

  const manifestPages: unknown[] = [
    { ...frame, imageName: 'team/other', manifests: [] },
    { manifests: [] },
    { ...frame, manifests: [{}] },
    { ...frame, manifests: [{ digest: '../x' }] },
    { ...frame, manifests: [{ digest: missing, tags: 'v1' }] },
    { ...frame, manifests: [{ digest: missing, tags: [{ name: 'v1' }] }] },
    { ...frame, manifests: [{ digest: missing, changeableAttributes: [] }] },
    { errors: [] },
    '[]',
    '<html>',
  ];
  for (const page of manifestPages) {
    it(`refuse as manifests ${JSON.stringify(page).slice(0, 90)}`, async () => {
      body = page;
      await fails(listManifests(openOn(server, client)), 'REGISTRY_UNEXPECTED');
      await fails(listNewestManifests(openOn(server, client), 5), 'REGISTRY_UNEXPECTED');
    });
  }

  it('may leave out all that a manifest need not have', async () => {
    body = { ...frame, manifests: [{ digest: missing }, { digest: other, tags: null, lastUpdateTime: 'yesterday' }] };
    const found = [...(await listManifests(openOn(server, client))).values()];
    const bare = { mediaType: '', locked: false, tags: [], size: 0, changedAt: undefined };
    assert.deepEqual(found, [
      { digest: missing, ...bare },
      { digest: other, ...bare },
    ]);
  });

  it('may have more fields than are known today', async () => {
    body = { ...frame, future: 1, tags: [{ ...tag, signed: false, quarantineState: 'Passed' }] };
    assert.deepEqual(await listTagsOf(openOn(server, client), missing), [
      { name: 'v1', digest: missing, locked: false, changedAt: undefined },
    ]);
  });
});
