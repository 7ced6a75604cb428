import assert from 'node:assert/strict';
import { startAcr } from './acr.ts';
import { digests, readPages, withAcr } from './client.ts';
import { digestOf, mediaTypes } from './content.ts';

describe('emulated registry: referrers', () => {
  it('are the descriptors of what names the subject, with type and annotations', () =>
    withAcr(startAcr, async (acr, client) => {
      const { world } = acr;
      const image = world.putImage('team/app', { tags: ['1'] });
      const annotations = { made: 'today' };
      const sbom = world.putArtifact('team/app', { artifactType: 'a/sbom', subject: image, annotations });
      const index = world.putIndex('team/app', [], { artifactType: 'a/index', subject: image });
      world.putArtifact('team/app', { artifactType: 'a/sbom' });
      const reply = await client.send('GET', `/v2/team%2Fapp/referrers/${image.digest}`);
      assert.equal(reply.headers['content-type'], mediaTypes.ociIndex);
      const expected = [
        { mediaType: sbom.mediaType, digest: sbom.digest, size: sbom.size, artifactType: 'a/sbom', annotations },
        { mediaType: index.mediaType, digest: index.digest, size: index.size, artifactType: 'a/index' },
      ].sort((left, right) => (left.digest < right.digest ? -1 : 1));
      assert.deepEqual(reply.json.manifests, expected);
      assert.equal(reply.headers['oci-filters-applied'], undefined);
    }));

  it('may be filtered by type, or by that switch not', () =>
    withAcr(startAcr, async (acr, client) => {
      const image = acr.world.putImage('app');
      const sbom = acr.world.putArtifact('app', { artifactType: 'a/sbom', subject: image });
      acr.world.putArtifact('app', { artifactType: 'a/signature', subject: image });
      const ask = () => client.send('GET', `/v2/app/referrers/${image.digest}?artifactType=a%2Fsbom`);
      const filtered = await ask();
      assert.deepEqual(digests(filtered), [sbom.digest]);
      assert.equal(filtered.headers['oci-filters-applied'], 'artifactType');
      acr.behaviour.referrersFilter = false;
      const whole = await ask();
      assert.equal(digests(whole).length, 2);
      assert.equal(whole.headers['oci-filters-applied'], undefined);
    }));

  it('lack the type where only their config has one, unless that switch is on', () =>
    withAcr(startAcr, async (acr, client) => {
      const image = acr.world.putImage('app');
      acr.world.putImage('app', { subject: image });
      const type = async () =>
        (await client.send('GET', `/v2/app/referrers/${image.digest}`)).json.manifests?.[0]?.artifactType;
      assert.equal(await type(), undefined);
      acr.behaviour.referrersConfigType = true;
      assert.equal(await type(), mediaTypes.ociConfig);
    }));

  it('come by pages', () =>
    withAcr(startAcr, async (acr, client) => {
      acr.behaviour.referrersPage = 2;
      const image = acr.world.putImage('app');
      const made = ['1', '2', '3', '4', '5'].map(
        content => acr.world.putArtifact('app', { artifactType: 'a/b', content, subject: image }).digest,
      );
      const pages = await readPages(client, `/v2/app/referrers/${image.digest}`);
      assert.deepEqual(
        pages.map(page => digests(page).length),
        [2, 2, 1],
      );
      assert.deepEqual(digests(...pages), made.sort());
    }));

  it('of what is not there are none; a bad digest is an error; without the API there is a 404', () =>
    withAcr(startAcr, async (acr, client) => {
      const ask = (name: string, digest: string) => client.send('GET', `/v2/${name}/referrers/${digest}`);
      const none = await ask('nowhere', digestOf('x'));
      assert.deepEqual([none.status, none.json.manifests], [200, []]);
      assert.equal((await ask('app', 'sha256:bad')).status, 400);
      acr.behaviour.referrers = false;
      assert.equal((await ask('app', digestOf('x'))).status, 404);
    }));

  it('go from the list when they are deleted', () =>
    withAcr(startAcr, async (acr, client) => {
      const image = acr.world.putImage('app');
      const sbom = acr.world.putArtifact('app', { artifactType: 'a/sbom', subject: image });
      await client.send('DELETE', `/v2/app/manifests/${sbom.digest}`);
      assert.deepEqual(digests(await client.send('GET', `/v2/app/referrers/${image.digest}`)), []);
      assert.equal(acr.world.has('app', image.digest), true);
    }));
});
