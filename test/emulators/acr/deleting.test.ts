import assert from 'node:assert/strict';
import { startAcr } from './acr.ts';
import { type Client, type Reply, withAcr } from './client.ts';
import { mediaTypes } from './content.ts';

const untag = (client: Client, tag: string): Promise<Reply> => client.send('DELETE', `/acr/v1/app/_tags/${tag}`);
const remove = (client: Client, reference: string): Promise<Reply> =>
  client.send('DELETE', `/v2/app/manifests/${reference}`);

describe('emulated registry: untagging', () => {
  it('takes the tag alone, and names the digest that it pointed at', () =>
    withAcr(startAcr, async (acr, client) => {
      const { digest } = acr.world.putImage('app', { tags: ['1', '2'] });
      const reply = await untag(client, '1');
      assert.equal(reply.status, 202);
      assert.equal(reply.bytes.length, 0);
      assert.equal(reply.headers['x-ms-int-docker-content-digest'], digest);
      assert.equal(reply.headers['x-ms-ratelimit-remaining-calls-per-second'], '8.000000');
      assert.deepEqual(acr.world.tags('app'), { '2': digest });
      await untag(client, '2');
      assert.deepEqual(acr.world.manifests('app'), [digest], 'the manifest stays without any tag');
      assert.equal((await untag(client, '2')).code, 'TAG_UNKNOWN');
      assert.equal(acr.requests.count({ operation: 'tag.delete', status: 404 }), 1);
    }));

  it('names no digest when that switch is off', () =>
    withAcr(startAcr, async (acr, client) => {
      acr.world.putImage('app', { tags: ['1'] });
      acr.behaviour.untagDigestHeader = false;
      assert.equal((await untag(client, '1')).headers['x-ms-int-docker-content-digest'], undefined);
    }));
});

describe('emulated registry: deleting a manifest', () => {
  it('takes all its tags with it', () =>
    withAcr(startAcr, async (acr, client) => {
      const { digest } = acr.world.putImage('app', { tags: ['1', 'latest', 'v1.0'] });
      const other = acr.world.putImage('app', { tags: ['2'] });
      assert.equal((await remove(client, digest)).status, 202);
      assert.deepEqual(acr.world.tags('app'), { '2': other.digest });
      assert.equal((await remove(client, digest)).code, 'MANIFEST_UNKNOWN');
    }));

  it('by tag kills the siblings, too, as the tools of ACR do, or does what that switch says', async () => {
    const outcomes = { manifest: [202, []], tag: [202, ['latest']], refuse: [405, ['1', 'latest']] } as const;
    for (const [mode, [status, left]] of Object.entries(outcomes)) {
      await withAcr(startAcr, async (acr, client) => {
        acr.world.putImage('app', { tags: ['1', 'latest'] });
        acr.behaviour.deleteByTag = mode as keyof typeof outcomes;
        assert.equal((await remove(client, '1')).status, status, mode);
        assert.deepEqual(Object.keys(acr.world.tags('app')), left, mode);
      });
    }
  });

  it('cascades to referrers of referrers, to tagged ones, and to one that an index holds as a child', () =>
    withAcr(startAcr, async (acr, client) => {
      const { world } = acr;
      const image = world.putImage('app', { tags: ['1'] });
      const sbom = world.putArtifact('app', { artifactType: 'a/sbom', subject: image, tags: ['keep-me'] });
      world.putArtifact('app', { artifactType: 'a/signature', subject: sbom });
      const attestation = world.putArtifact('app', { artifactType: 'a/attestation', subject: image });
      const index = world.putIndex('app', [image, attestation], { tags: ['multi'] });
      const bystander = world.putImage('app');
      await remove(client, image.digest);
      assert.deepEqual(new Set(world.manifests('app')), new Set([index.digest, bystander.digest]));
      assert.deepEqual(world.tags('app'), { multi: index.digest });
    }));

  it('leaves referrers alone when that switch is off', () =>
    withAcr(startAcr, async (acr, client) => {
      acr.behaviour.cascadeReferrers = false;
      const image = acr.world.putImage('app');
      const sbom = acr.world.putArtifact('app', { artifactType: 'a/sbom', subject: image });
      await remove(client, image.digest);
      assert.deepEqual(acr.world.manifests('app'), [sbom.digest]);
    }));

  it('takes locked referrers along, or by that switch leaves them', async () => {
    for (const ignores of [true, false]) {
      await withAcr(startAcr, async (acr, client) => {
        acr.behaviour.cascadeIgnoresLocks = ignores;
        const image = acr.world.putImage('app');
        const sbom = acr.world.putArtifact('app', { artifactType: 'a/sbom', subject: image });
        acr.world.setAttributes('app', sbom.digest, { deleteEnabled: false });
        await remove(client, image.digest);
        assert.deepEqual(acr.world.manifests('app'), ignores ? [] : [sbom.digest]);
      });
    }
  });

  it('of an index leaves its children untagged', () =>
    withAcr(startAcr, async (acr, client) => {
      const children = [acr.world.putImage('app'), acr.world.putImage('app', { architecture: 'arm64' })];
      const index = acr.world.putIndex('app', children, { tags: ['1'] });
      await remove(client, index.digest);
      assert.deepEqual(new Set(acr.world.manifests('app')), new Set(children.map(({ digest }) => digest)));
      assert.deepEqual(acr.world.tags('app'), {});
    }));

  it('of a child under a live, tagged index is allowed, and breaks the index', () =>
    withAcr(startAcr, async (acr, client) => {
      const child = acr.world.putImage('app');
      acr.world.putIndex('app', [child], { tags: ['1'] });
      assert.equal((await remove(client, child.digest)).status, 202);
      const headers = { Accept: mediaTypes.ociIndex };
      assert.equal((await client.send('GET', '/v2/app/manifests/1', { headers })).status, 200);
      assert.equal((await client.send('GET', `/v2/app/manifests/${child.digest}`)).status, 404);
    }));

  it('ends the repository with its last manifest, or by that switch leaves an orphan in the catalog', async () => {
    for (const orphan of [false, true]) {
      await withAcr(startAcr, async (acr, client) => {
        acr.behaviour.orphanCatalogEntry = orphan;
        const { digest } = acr.world.putImage('app', { tags: ['1'] });
        await remove(client, digest);
        assert.equal((await client.send('GET', '/acr/v1/app')).code, 'NAME_UNKNOWN');
        assert.equal((await client.send('DELETE', '/acr/v1/app')).code, 'NAME_UNKNOWN');
        const catalog = await client.send('GET', '/acr/v1/_catalog');
        assert.deepEqual(catalog.json.repositories, orphan ? ['app'] : []);
      });
    }
  });
});

describe('emulated registry: deleting a repository', () => {
  it('takes everything in it and says what that was', () =>
    withAcr(startAcr, async (acr, client) => {
      const { digest } = acr.world.putImage('app', { tags: ['1', '2'] });
      acr.world.putImage('other', { tags: ['1'] });
      const reply = await client.send('DELETE', '/acr/v1/app');
      assert.equal(reply.status, 202);
      assert.deepEqual(JSON.parse(reply.bytes.toString()), { manifestsDeleted: [digest], tagsDeleted: ['1', '2'] });
      assert.deepEqual(acr.world.repositories(), ['other']);
    }));
});

describe('emulated registry: bytes of blobs', () => {
  it('go with the last manifest that uses them, not before', () =>
    withAcr(startAcr, async (acr, client) => {
      const { world } = acr;
      const first = world.putImage('app', { layers: ['shared', 'first'] });
      const second = world.putImage('app', { layers: ['shared', 'second'] });
      const elsewhere = world.putImage('other', { layers: ['first'] });
      const before = world.blobs.size();
      await remove(client, first.digest);
      assert.ok(world.blobs.size() < before, 'its config is gone');
      assert.equal(world.blobs.digests().length, 5, 'shared, second and the first of another repository stay');
      await remove(client, second.digest);
      await client.send('DELETE', `/v2/other/manifests/${elsewhere.digest}`);
      assert.equal(world.blobs.size(), 0);
    }));

  it('of an upload that no manifest ever used stay', () =>
    withAcr(startAcr, async (acr, client) => {
      acr.world.putBlob('app', 'pushed ahead of its manifest');
      await remove(client, acr.world.putImage('app').digest);
      assert.equal(acr.world.blobs.digests().length, 1);
    }));

  it('stay for the delay of that switch, and for good when a new manifest uses them before it is over', () =>
    withAcr(startAcr, async (acr, client) => {
      const { world } = acr;
      acr.behaviour.blobGarbageDelay = 60_000;
      const layers = ['a layer'];
      await remove(client, world.putImage('app', { layers }).digest);
      assert.equal(world.blobs.digests().length, 2);
      acr.clock.advance(59_000);
      const again = world.putImage('app', { layers, annotations: { again: '1' } });
      acr.clock.advance(2000);
      assert.equal(world.blobs.digests().length, 2);
      await remove(client, again.digest);
      acr.clock.advance(61_000);
      assert.equal(world.blobs.digests().length, 0);
    }));
});
