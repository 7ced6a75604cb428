import assert from 'node:assert/strict';
import { readManifestLock, readRepositoryProperties, readTagLock } from '../../../core/acr/attributes.ts';
import type { Credentials } from '../../../core/oci/credentials.ts';
import type { Repository } from '../../../core/oci/repository.ts';
import { type Loopback, sendJson, startLoopback } from '../oci/loopback.ts';
import {
  type AcrWorld,
  admin,
  type Client,
  createClient,
  everyWord,
  fails,
  missing,
  openOn,
  startAcrWorld,
} from '../oci/world.ts';

type Digest = typeof missing;

describe("Azure's attributes, through the SDK", () => {
  let world: AcrWorld;
  let digest: Digest;
  before(async () => {
    world = await startAcrWorld();
    digest = world.acr.world.putImage('team/app', { tags: ['v1', 'v2'] }).digest as Digest;
    world.acr.world.putImage('team/other', { tags: ['v1'] });
  });
  beforeEach(() => {
    world.acr.faults.clear();
    world.acr.requests.clear();
    world.clock.sleeps.length = 0;
  });
  after(() => world.close());
  const levels: Record<string, (repository: Repository) => Promise<unknown>> = {
    'a repository': readRepositoryProperties,
    'a manifest': repository => readManifestLock(repository, digest),
    'a tag': repository => readTagLock(repository, 'v1'),
  };

  it('are read at three levels, signed in by password', async () => {
    const app = world.open('team/app', ['metadata_read'], admin);
    const open = { canDelete: true, canWrite: true };
    assert.deepEqual(await readRepositoryProperties(app), { manifestCount: 1, tagCount: 2, ...open });
    assert.deepEqual(await readManifestLock(app, digest), open);
    assert.deepEqual(await readTagLock(app, 'v1'), open);
    world.acr.world.setAttributes('team/app', undefined, { deleteEnabled: false });
    world.acr.world.setAttributes('team/app', digest, { writeEnabled: false });
    world.acr.world.setAttributes('team/app', 'v1', { deleteEnabled: false, writeEnabled: false });
    const read = await readRepositoryProperties(app);
    assert.deepEqual([read?.canDelete, read?.canWrite], [false, true]);
    assert.deepEqual(await readManifestLock(app, digest), { canDelete: true, canWrite: false });
    assert.deepEqual(await readTagLock(app, 'v1'), { canDelete: false, canWrite: false });
    assert.deepEqual(await readTagLock(app, 'v2'), open);
    for (const reference of [undefined, digest, 'v1'])
      world.acr.world.setAttributes('team/app', reference, { deleteEnabled: true, writeEnabled: true });
  });

  it('count what is hidden', async () => {
    world.acr.world.putImage('team/hidden', { tags: ['a', 'b'] });
    world.acr.world.setAttributes('team/hidden', 'a', { listEnabled: false });
    const read = await readRepositoryProperties(world.open('team/hidden'));
    assert.deepEqual([read?.manifestCount, read?.tagCount], [1, 2]);
  });

  it('cost one token for each scope, and no request more than one each', async () => {
    const registry = world.connect();
    const { openRepository } = await import('../../../core/oci/repository.ts');
    for (let round = 0; round < 3; round += 1) {
      for (const name of ['team/app', 'team/other']) {
        const repository = openRepository(registry, name, ['metadata_read']);
        await readRepositoryProperties(repository);
        await readTagLock(repository, 'v1');
      }
    }
    assert.equal(world.acr.requests.count({ operation: 'oauth2.token' }), 2);
    assert.equal(world.acr.requests.count({ status: 401 }), 1);
    assert.equal(world.acr.requests.count(), 2 + 1 + 12);
  });

  it('of what is not there are a value', async () => {
    assert.equal(await readRepositoryProperties(world.open('no/such')), undefined);
    assert.equal(await readManifestLock(world.open('no/such'), digest), undefined);
    assert.equal(await readManifestLock(world.open('team/app'), missing), undefined);
    assert.equal(await readTagLock(world.open('team/app'), 'v3'), undefined);
  });

  for (const [name, read] of Object.entries(levels)) {
    it(`of ${name} need their right, and the error names it`, async () => {
      const thrown = await fails(read(world.open('team/app', ['pull'])), 'REGISTRY_DENIED');
      assert.match(thrown.message, /"repository:team\/app:metadata_read"/);
      assert.equal(world.acr.requests.count({ operation: 'oauth2.token' }), 1);
      await fails(
        read(world.open('team/app', ['metadata_read'], { ...admin, password: 'x' } as Credentials)),
        'REGISTRY_DENIED',
      );
    });

    it(`of ${name} are an error where the registry fails, and the SDK adds no attempts of its own`, async () => {
      const app = world.open('team/app');
      await readTagLock(app, 'v1');
      world.acr.requests.clear();
      const fault = world.acr.faults.add({ repository: 'team/app' }, { kind: 'status', status: 500 });
      const thrown = await fails(read(app), 'REGISTRY_UNAVAILABLE');
      assert.ok(thrown.retryable);
      assert.equal(fault.hits(), 5);
      fault.remove();
      for (const status of [400, 403, 405, 418]) {
        const other = world.acr.faults.add({ repository: 'team/app' }, { kind: 'status', status });
        await fails(read(app), status === 403 ? 'REGISTRY_DENIED' : 'REGISTRY_UNEXPECTED');
        assert.equal(other.hits(), 1, `${status} was tried again`);
        other.remove();
      }
    });

    it(`of ${name} are an error where a proxy says 404, which knows nothing of the registry`, async () => {
      const fault = world.acr.faults.add({ repository: 'team/app' }, { kind: 'status', status: 404 });
      await fails(read(world.open('team/app')), 'REGISTRY_UNEXPECTED');
      fault.remove();
      world.acr.faults.add({ repository: 'team/none' }, { kind: 'replaced', body: '<html>Not found</html>' });
      await fails(readRepositoryProperties(world.open('team/none')), 'REGISTRY_UNEXPECTED');
    });

    it(`of ${name} are waited for on 429`, async () => {
      world.acr.faults.add({ repository: 'team/app', nth: 1 }, { kind: 'status', status: 429, retryAfter: 11 });
      assert.ok(await read(world.open('team/app')));
      assert.deepEqual(world.clock.sleeps, [11_000]);
    });
  }
});

describe("Azure's attributes, when they are not what they should be", () => {
  let server: Loopback;
  let client: Client;
  let body: unknown;
  before(async () => {
    client = createClient();
    server = await startLoopback((_, response) => sendJson(response, body));
  });
  after(async () => {
    await client.http.close();
    await server.close();
  });
  const times = { createdTime: '2026-01-01T00:00:00Z', lastUpdateTime: '2026-01-01T00:00:00Z' };
  const frame = { registry: 'x', imageName: 'team/app' };
  const repository = { ...frame, ...times, manifestCount: 1, tagCount: 2, changeableAttributes: {} };
  const { manifestCount: _, ...countless } = repository;
  const strange: unknown[] = [
    countless,
    { ...repository, tagCount: null },
    { ...repository, tagCount: 1.5 },
    { ...repository, imageName: 'team/other' },
    {},
    [],
    'null',
    '',
    '<html>Sign in</html>',
    { errors: [{ code: 'UNAUTHORIZED' }] },
  ];
  for (const answer of strange) {
    it(`are refused of a repository: ${JSON.stringify(answer).slice(0, 90)}`, async () => {
      body = answer;
      await fails(readRepositoryProperties(openOn(server, client)), 'REGISTRY_UNEXPECTED');
    });
  }

  it('are refused of another manifest or tag', async () => {
    body = { ...frame, manifest: { ...times, digest: `sha256:${'1'.repeat(64)}`, changeableAttributes: {} } };
    await fails(readManifestLock(openOn(server, client), missing), 'REGISTRY_UNEXPECTED');
    body = { ...frame, tag: { ...times, name: 'v2', digest: missing, changeableAttributes: {} } };
    await fails(readTagLock(openOn(server, client), 'v1'), 'REGISTRY_UNEXPECTED');
    for (body of [{}, '', { ...frame, tag: null, manifest: null }]) {
      await fails(readManifestLock(openOn(server, client), missing), 'REGISTRY_UNEXPECTED');
      assert.doesNotMatch(
        everyWord(await fails(readTagLock(openOn(server, client), 'v1'), 'REGISTRY_UNEXPECTED')),
        /Bearer/,
      );
    }
  });
});
