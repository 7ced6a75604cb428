import assert from 'node:assert/strict';
import { startAcr } from './acr.ts';
import { type Client, type Reply, withAcr } from './client.ts';
import { mediaTypes } from './content.ts';
import type { Attributes } from './repository.ts';

const repositoryPath = '/acr/v1/app';
const tagPath = '/acr/v1/app/_tags/1';

function patch(client: Client, path: string, body: Partial<Attributes>): Promise<Reply> {
  const headers = { 'Content-Type': 'application/json' };
  return client.send('PATCH', path, { headers, body: JSON.stringify(body) });
}

/** Starts with one image under two tags; gives what deleting and pushing answer after `lock`. */
async function tryAll(lock: (client: Client, digest: string) => Promise<Reply>): Promise<Record<string, number>> {
  return withAcr(startAcr, async (acr, client) => {
    const { world } = acr;
    const { digest } = world.putImage('app', { tags: ['1', '2'] });
    const bytes = world.manifest('app', digest)?.bytes ?? Buffer.alloc(0);
    const other = world.manifest('app', world.putImage('app').digest)?.bytes ?? Buffer.alloc(0);
    assert.equal((await lock(client, digest)).status, 200);
    const put = async (reference: string, body: Buffer) => {
      const headers = { 'Content-Type': mediaTypes.ociManifest };
      return (await client.send('PUT', `/v2/app/manifests/${reference}`, { headers, body })).status;
    };
    const status = async (method: string, path: string) => (await client.send(method, path)).status;
    return {
      pull: await status('GET', '/v2/app/manifests/1'),
      moveTag: await put('1', other),
      newTag: await put('new', bytes),
      blob: await status('POST', '/v2/app/blobs/uploads/'),
      untag: await status('DELETE', '/acr/v1/app/_tags/1'),
      delete: await status('DELETE', `/v2/app/manifests/${digest}`),
    };
  });
}

const free = { pull: 200, moveTag: 201, newTag: 201, blob: 202, untag: 202, delete: 202 };

describe('emulated registry: locks', () => {
  it('of nothing refuse nothing', async () => {
    assert.deepEqual(await tryAll(client => patch(client, repositoryPath, { writeEnabled: true })), free);
  });

  it('of a repository against deletion let one push', async () => {
    const seen = await tryAll(client => patch(client, repositoryPath, { deleteEnabled: false }));
    assert.deepEqual(seen, { ...free, untag: 405, delete: 405 });
  });

  it('of a repository against writing refuse deletion, too', async () => {
    const seen = await tryAll(client => patch(client, repositoryPath, { writeEnabled: false }));
    assert.deepEqual(seen, { pull: 200, moveTag: 405, newTag: 405, blob: 405, untag: 405, delete: 405 });
  });

  it('of a manifest protect it, but none of its tags', async () => {
    for (const body of [{ deleteEnabled: false }, { writeEnabled: false }]) {
      const seen = await tryAll((client, digest) => patch(client, `/acr/v1/app/_manifests/${digest}`, body));
      assert.deepEqual(seen, { ...free, newTag: 'writeEnabled' in body ? 405 : 201, delete: 405 });
    }
  });

  it('of a tag protect the tag, but not its manifest', async () => {
    assert.deepEqual(await tryAll(client => patch(client, tagPath, { deleteEnabled: false })), { ...free, untag: 405 });
    const seen = await tryAll(client => patch(client, tagPath, { writeEnabled: false }));
    assert.deepEqual(seen, { ...free, moveTag: 405, untag: 405 });
  });

  it('of a tag protect its manifest by that switch', () =>
    withAcr(startAcr, async (acr, client) => {
      acr.behaviour.tagLockProtectsManifest = true;
      const { digest } = acr.world.putImage('app', { tags: ['1', '2'] });
      await patch(client, tagPath, { writeEnabled: false });
      const reply = await client.send('DELETE', `/v2/app/manifests/${digest}`);
      assert.equal(reply.status, 405);
      assert.equal(reply.code, 'REGISTRY_DISALLOWED_OPERATION');
      await patch(client, tagPath, { writeEnabled: true });
      assert.equal((await client.send('DELETE', `/v2/app/manifests/${digest}`)).status, 202);
    }));

  it('against reading refuse pulls, on each level', async () => {
    const pulls = { ...free, pull: 405 };
    assert.deepEqual(await tryAll(client => patch(client, repositoryPath, { readEnabled: false })), pulls);
    assert.deepEqual(await tryAll(client => patch(client, tagPath, { readEnabled: false })), pulls);
    const seen = await tryAll((client, digest) =>
      patch(client, `/acr/v1/app/_manifests/${digest}`, { readEnabled: false }),
    );
    assert.deepEqual(seen, pulls);
  });

  it('against listing hide, but still count', () =>
    withAcr(startAcr, async (acr, client) => {
      const hidden = acr.world.putImage('app', { tags: ['1', '2'] });
      const shown = acr.world.putImage('app', { tags: ['3'] });
      await patch(client, `/acr/v1/app/_manifests/${hidden.digest}`, { listEnabled: false });
      await patch(client, tagPath, { listEnabled: false });
      const manifests = await client.send('GET', '/acr/v1/app/_manifests');
      assert.deepEqual(
        manifests.json.manifests?.map(item => item.digest),
        [shown.digest],
      );
      for (const path of ['/acr/v1/app/_tags', '/v2/app/tags/list']) {
        const { tags = [] } = (await client.send('GET', path)).json;
        assert.equal(tags.length, 2, path);
      }
      const byDigest = await client.send('GET', `/acr/v1/app/_tags?digest=${hidden.digest}`);
      assert.deepEqual(
        byDigest.json.tags?.map(tag => tag.name),
        ['2'],
      );
      const counts = (await client.send('GET', repositoryPath)).json;
      assert.deepEqual([counts.manifestCount, counts.tagCount], [2, 3]);
      assert.equal((await client.send('GET', tagPath)).status, 200, 'who knows the name still sees it');
      await patch(client, repositoryPath, { listEnabled: false });
      assert.deepEqual((await client.send('GET', '/acr/v1/_catalog')).json.repositories, []);
    }));

  it('can be taken off again, move no time, and change only what is named', () =>
    withAcr(startAcr, async (acr, client) => {
      acr.world.putImage('app', { tags: ['1'] });
      const before = (await client.send('GET', tagPath)).json.tag;
      acr.clock.advance(5000);
      const locked = await patch(client, tagPath, { deleteEnabled: false, writeEnabled: false });
      assert.deepEqual(locked.json.tag, {
        ...before,
        changeableAttributes: { deleteEnabled: false, writeEnabled: false, readEnabled: true, listEnabled: true },
      });
      await patch(client, tagPath, { writeEnabled: true });
      assert.deepEqual(acr.world.repository('app')?.tags.get('1')?.attributes.deleteEnabled, false);
      assert.equal((await patch(client, '/acr/v1/app/_tags/none', {})).code, 'TAG_UNKNOWN');
      const bad = await client.send('PATCH', tagPath, { body: 'no json' });
      assert.equal(bad.status, 400);
    }));

  it('of a repository keep it from being deleted whole', () =>
    withAcr(startAcr, async (acr, client) => {
      acr.world.putImage('app', { tags: ['1'] });
      acr.world.setAttributes('app', undefined, { deleteEnabled: false });
      assert.equal((await client.send('DELETE', repositoryPath)).code, 'REGISTRY_DISALLOWED_OPERATION');
      assert.equal(acr.world.has('app', '1'), true);
    }));
});
