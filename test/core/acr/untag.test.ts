import assert from 'node:assert/strict';
import { untag } from '../../../core/acr/untag.ts';
import { inputError } from '../../../core/base/errors.ts';
import { type Loopback, startLoopback } from '../oci/loopback.ts';
import { type AcrWorld, type Client, createClient, fails, missing, openOn, startAcrWorld } from '../oci/world.ts';

describe('untagging', () => {
  let world: AcrWorld;
  let digest: string;
  beforeEach(async () => {
    world = await startAcrWorld();
    ({ digest } = world.acr.world.putImage('team/app', { tags: ['v1', 'v2'] }));
  });
  afterEach(() => world.close());
  const tags = (): Record<string, string> => world.acr.world.tags('team/app');

  it('takes one tag, and says what it was on', async () => {
    assert.deepEqual(await untag(world.open('team/app'), 'v1'), { kind: 'untagged', digest });
    assert.deepEqual(tags(), { v2: digest });
    assert.deepEqual(await untag(world.open('team/app'), 'v2'), { kind: 'untagged', digest });
    assert.ok(world.acr.world.has('team/app', digest), 'the manifest went with its last tag');
  });

  it('says nothing of the digest where the registry does not, or lies', async () => {
    world.acr.behaviour.untagDigestHeader = false;
    assert.deepEqual(await untag(world.open('team/app'), 'v1'), { kind: 'untagged', digest: undefined });
    world.acr.behaviour.untagDigestHeader = true;
    world.acr.faults.add({ operation: 'tag.delete' }, { kind: 'wrong-digest', digest: 'nonsense' });
    assert.deepEqual(await untag(world.open('team/app'), 'v2'), { kind: 'untagged', digest: undefined });
  });

  it('of what is not there is no failure', async () => {
    assert.deepEqual(await untag(world.open('team/app'), 'v3'), { kind: 'alreadyGone' });
    assert.deepEqual(await untag(world.open('no/such'), 'v3'), { kind: 'alreadyGone' });
  });

  it('of what is locked changes nothing', async () => {
    world.acr.world.setAttributes('team/app', 'v1', { deleteEnabled: false });
    assert.deepEqual(await untag(world.open('team/app'), 'v1'), { kind: 'locked' });
    assert.deepEqual(tags(), { v1: digest, v2: digest });
  });

  it('without the right changes nothing, and names it', async () => {
    const thrown = await fails(untag(world.open('team/app', ['pull', 'push']), 'v1'), 'REGISTRY_DENIED');
    assert.match(thrown.message, /"repository:team\/app:delete" \(DELETE \/acr\/v1\/team\/app\/_tags\/v1\)/);
    assert.deepEqual(tags(), { v1: digest, v2: digest });
  });

  it('is tried again, and a lost answer is not a second deletion', async () => {
    world.acr.faults.add({ operation: 'tag.delete', nth: 2 }, { kind: 'cut', when: 'after' });
    assert.deepEqual(await untag(world.open('team/app'), 'v1'), { kind: 'alreadyGone' });
    assert.deepEqual(tags(), { v2: digest });
  });

  it('is not tried again before the caller has looked again', async () => {
    world.acr.faults.add({ operation: 'tag.delete', nth: 2 }, { kind: 'status', status: 429, retryAfter: 60 });
    let looks = 0;
    const look = async (): Promise<void> => {
      looks += 1;
      // The first repetition is that of signing in.
      if (looks === 2) throw inputError('it moved');
    };
    await fails(untag(world.open('team/app'), 'v1', look), 'INPUT_INVALID');
    assert.deepEqual([looks, tags()], [2, { v1: digest, v2: digest }]);
  });

  for (const status of [400, 409, 500]) {
    it(`is an error on ${status}`, async () => {
      world.acr.faults.add({ operation: 'tag.delete' }, { kind: 'status', status });
      await fails(untag(world.open('team/app'), 'v1'), status === 500 ? 'REGISTRY_UNAVAILABLE' : 'REGISTRY_UNEXPECTED');
      assert.deepEqual(tags(), { v1: digest, v2: digest });
    });
  }

  it('never reaches the repository: what is no tag is not sent', async () => {
    for (const tag of ['', '.', '..', '../..', '%2e%2e', 'a/b', 'a?b', 'a#b', 'a:b', 't'.repeat(129), missing])
      await fails(untag(world.open('team/app'), tag), 'INPUT_INVALID');
    assert.equal(world.acr.requests.count(), 0);
  });
});

describe('untagging where the answer is none that Azure gives', () => {
  let server: Loopback;
  let client: Client;
  let status = 0;
  before(async () => {
    client = createClient();
    server = await startLoopback((_, response) => response.writeHead(status, { location: '/v2/' }).end());
  });
  after(async () => {
    await client.http.close();
    await server.close();
  });
  for (const given of [201, 203, 204, 206, 301, 307, 308, 410]) {
    it(`${given} is an error, and nothing is followed`, async () => {
      status = given;
      server.requests.length = 0;
      await fails(untag(openOn(server, client), 'v1'), 'REGISTRY_UNEXPECTED');
      assert.deepEqual(
        server.requests.map(({ method, path }) => `${method} ${path}`),
        ['DELETE /acr/v1/team/app/_tags/v1'],
      );
    });
  }
});
