import assert from 'node:assert/strict';
import { day, type Estate, hour, startEstate } from './estate.ts';

describe('what holds an image after its build is gone', () => {
  let estate: Estate;
  beforeEach(async () => {
    estate = await startEstate();
  });
  afterEach(() => estate.close());

  const kept = async (): Promise<string[]> => {
    const reports = await estate.settle();
    return reports
      .at(-1)!
      .items.filter(item => item.outcome === 'kept')
      .map(item => `${item.subject}: ${item.reason}`);
  };

  it('keeps a digest that two builds made until the second is gone too', async () => {
    const { acr, ado } = estate;
    const { digest } = acr.world.putImage('app');
    const first = await estate.build([{ repository: 'app', reference: digest }]);
    const second = await estate.build([{ repository: 'app', reference: digest }]);
    ado.world.deleteBuild(first);
    assert.deepEqual(await kept(), [`app@${digest}: the tag "${second}" is on it`]);
    assert.deepEqual(acr.world.tags('app'), { [second]: digest });
    ado.world.deleteBuild(second);
    await estate.settle();
    assert.deepEqual(acr.world.snapshot(), { repositories: {}, blobs: [] });
  });

  it('keeps what has a release tag, and closes the account of the build', async () => {
    const { acr, ado } = estate;
    const { digest } = acr.world.putImage('app', { tags: ['v1.2.3', 'latest'] });
    const id = await estate.build([{ repository: 'app', reference: 'v1.2.3' }]);
    ado.world.deleteBuild(id);
    await kept();
    assert.deepEqual(acr.world.tags('app'), { latest: digest, 'v1.2.3': digest });
    assert.deepEqual(acr.world.repositories(), ['app'], 'no record and no tombstone is left');
  });

  it('keeps what has its own digest for a tag, which is no signature', async () => {
    const { acr, ado } = estate;
    const { digest } = acr.world.putImage('app');
    const tag = `${digest.replace(':', '-')}.imgpkg`;
    acr.world.tag('app', tag, digest);
    const id = await estate.build([{ repository: 'app', reference: digest }]);
    ado.world.deleteBuild(id);
    assert.deepEqual(await kept(), [`app@${digest}: the tag "${tag}" is on it`]);
    assert.deepEqual(acr.world.tags('app'), { [tag]: digest });
  });

  it('keeps what signs each other, says so, and closes the account of the builds', async () => {
    const { acr, ado } = estate;
    const images = [acr.world.putImage('app'), acr.world.putImage('app')];
    for (const [at, { digest }] of images.entries()) {
      await estate.build([{ repository: 'app', reference: digest }], { id: 47 + at });
      acr.world.tag('app', `${digest.replace(':', '-')}.sig`, images[1 - at]!.digest);
      ado.world.deleteBuild(47 + at);
    }
    const reason = 'it belongs to a circle of signatures, in which nothing can go first';
    assert.deepEqual((await kept()).sort(), images.map(({ digest }) => `app@${digest}: ${reason}`).sort());
    assert.deepEqual(acr.world.repositories(), ['app'], 'no record and no tombstone is left');
  });

  it('takes off the tags that contain the build id or number and that the build named, and no others', async () => {
    const { acr, ado } = estate;
    acr.world.putImage('app', { tags: ['app-4711', '4711-linux', '14711', '1.4711.0', 'x4711', '20261123.4'] });
    await estate.build([{ repository: 'app', reference: 'app-4711' }], {
      id: 4711,
      number: '20261123.4',
      tags: ['14711', '1.4711.0', 'x4711'],
    });
    ado.world.deleteBuild(4711);
    await estate.reconcile();
    // "4711-linux" is no tag that the build named; the number stays with an image that something else holds.
    assert.deepEqual(Object.keys(acr.world.tags('app')).sort(), [
      '1.4711.0',
      '14711',
      '20261123.4',
      '4711-linux',
      'x4711',
    ]);
  });

  it('takes off the build number where nothing else holds the image', async () => {
    const { acr, ado } = estate;
    acr.world.putImage('app', { tags: ['20261123.4'] });
    await estate.build([{ repository: 'app', reference: '20261123.4' }], { id: 4711, number: '20261123.4' });
    ado.world.deleteBuild(4711);
    await estate.settle();
    assert.deepEqual(acr.world.repositories(), []);
  });

  it('takes off what the configuration says a build owns', async () => {
    const { acr, ado } = estate;
    estate.rules = { ...estate.rules, alsoOwn: ['rc-{buildId}-*'] };
    acr.world.putImage('app', { tags: ['rc-4711-a', 'rc-47110-a'] });
    await estate.build([{ repository: 'app', reference: 'rc-4711-a' }], { id: 4711 });
    ado.world.deleteBuild(4711);
    await estate.reconcile();
    assert.deepEqual(Object.keys(acr.world.tags('app')), ['rc-47110-a']);
  });

  it('does not take build 471 for build 47', async () => {
    const { acr, ado } = estate;
    const small = acr.world.putImage('app');
    const large = acr.world.putImage('app');
    await estate.build([{ repository: 'app', reference: small.digest }], { id: 47 });
    await estate.build([{ repository: 'app', reference: large.digest }], { id: 471 });
    ado.world.deleteBuild(47);
    await estate.settle();
    assert.deepEqual(acr.world.tags('app'), { 471: large.digest });
    assert.deepEqual(acr.world.manifests('app'), [large.digest]);
  });

  it('deletes an index with its children, but not a child that another index has', async () => {
    const { acr, ado } = estate;
    const [shared, own, other] = [acr.world.putImage('app'), acr.world.putImage('app'), acr.world.putImage('app')];
    const dead = acr.world.putIndex('app', [shared, own]);
    const live = acr.world.putIndex('app', [shared, other]);
    const first = await estate.build([{ repository: 'app', reference: dead.digest }]);
    const second = await estate.build([{ repository: 'app', reference: live.digest }]);
    ado.world.deleteBuild(first);
    await estate.settle();
    assert.deepEqual(acr.world.manifests('app').sort(), [shared.digest, other.digest, live.digest].sort());
    ado.world.deleteBuild(second);
    await estate.settle();
    assert.deepEqual(acr.world.repositories(), []);
  });

  it("keeps this build's images as long as another build's index is made of them", async () => {
    const { acr, ado } = estate;
    const [amd, arm] = [acr.world.putImage('app'), acr.world.putImage('app')];
    const parts = await estate.build([{ repository: 'app', reference: amd.digest }]);
    const index = acr.world.putIndex('app', [amd, arm]);
    const whole = await estate.build([{ repository: 'app', reference: index.digest }]);
    ado.world.deleteBuild(parts);
    assert.deepEqual(await kept(), [`app@${amd.digest}: the index ${index.digest} has it as a child`]);
    assert.equal(acr.world.manifests('app').length, 3);
    ado.world.deleteBuild(whole);
    await estate.settle();
    // The account of the first build was closed, but the index names its child itself.
    assert.deepEqual(acr.world.repositories(), []);
  });

  it('keeps the children of an index that nobody tagged', async () => {
    const { acr, ado } = estate;
    const child = acr.world.putImage('app');
    const index = acr.world.putIndex('app', [child]);
    const id = await estate.build([{ repository: 'app', reference: child.digest }]);
    ado.world.deleteBuild(id);
    await estate.settle();
    assert.deepEqual(acr.world.manifests('app').sort(), [child.digest, index.digest].sort());
  });

  it('lets signatures and attestations go with their subject, whichever way they are tied', async () => {
    const { acr, ado } = estate;
    const image = acr.world.putImage('app');
    const hex = image.digest.replace(':', '-');
    acr.world.putArtifact('app', { artifactType: 'application/vnd.dev.sigstore.bundle.v0.3+json', subject: image });
    acr.world.putArtifact('app', { artifactType: 'application/vnd.cosign', content: 'cosign', tags: [`${hex}.sig`] });
    acr.world.putArtifact('app', { artifactType: 'application/vnd.cosign', content: 'sbom', tags: [`${hex}.sbom`] });
    const notation = acr.world.putArtifact('app', {
      artifactType: 'application/vnd.cncf.notary.signature',
      subject: image,
      content: 'n',
    });
    acr.world.putIndex('app', [notation], { tags: [hex] });
    const id = await estate.build([{ repository: 'app', reference: image.digest }]);
    ado.world.deleteBuild(id);
    await estate.settle();
    assert.deepEqual(acr.world.snapshot(), { repositories: {}, blobs: [] });
  });

  it('leaves the signatures of other images alone', async () => {
    const { acr, ado } = estate;
    const [image, other] = [acr.world.putImage('app'), acr.world.putImage('app', { tags: ['prod'] })];
    const signature = acr.world.putArtifact('app', {
      artifactType: 'application/vnd.cosign',
      tags: [`${other.digest.replace(':', '-')}.sig`],
    });
    const orphan = acr.world.putArtifact('app', {
      artifactType: 'application/vnd.cosign',
      content: 'o',
      tags: [`sha256-${'0'.repeat(64)}.sig`],
    });
    const id = await estate.build([{ repository: 'app', reference: image.digest }]);
    ado.world.deleteBuild(id);
    await estate.settle();
    assert.deepEqual(acr.world.manifests('app').sort(), [other.digest, signature.digest, orphan.digest].sort());
  });

  it('keeps a subject whose referrer is tagged itself, because Azure would delete that with it', async () => {
    const { acr, ado } = estate;
    const image = acr.world.putImage('app');
    const report = acr.world.putArtifact('app', {
      artifactType: 'application/vnd.scan',
      subject: image,
      tags: ['audit-2026'],
    });
    const id = await estate.build([{ repository: 'app', reference: image.digest }]);
    ado.world.deleteBuild(id);
    await estate.settle();
    assert.deepEqual(acr.world.manifests('app').sort(), [image.digest, report.digest].sort());
    assert.deepEqual(acr.world.tags('app'), { 'audit-2026': report.digest });
    acr.world.untag('app', 'audit-2026');
    estate.advance(2 * day);
    await estate.reconcile();
    estate.advance(2 * day);
    await estate.reconcile();
    assert.deepEqual(acr.world.repositories(), [], 'asked again, and gone when nothing holds it');
  });

  it('keeps a subject whose referrer of a referrer is tagged', async () => {
    const { acr, ado } = estate;
    const image = acr.world.putImage('app');
    const signature = acr.world.putArtifact('app', { artifactType: 'application/vnd.sig', subject: image });
    acr.world.putArtifact('app', { artifactType: 'application/vnd.timestamp', subject: signature, tags: ['evidence'] });
    const id = await estate.build([{ repository: 'app', reference: image.digest }]);
    ado.world.deleteBuild(id);
    await estate.settle();
    assert.equal(acr.world.manifests('app').length, 3);
  });

  it('handles an attestation that is a child of the index and a referrer at once', async () => {
    const { acr, ado } = estate;
    const platform = acr.world.putImage('app');
    const attestation = acr.world.putArtifact('app', {
      artifactType: 'application/vnd.in-toto+json',
      subject: platform,
    });
    const index = acr.world.putIndex('app', [platform, attestation]);
    const other = acr.world.putIndex('app', [platform], { tags: ['stable'] });
    const id = await estate.build([{ repository: 'app', reference: index.digest }]);
    ado.world.deleteBuild(id);
    await estate.settle();
    assert.deepEqual(
      acr.world.manifests('app').sort(),
      [platform.digest, attestation.digest, other.digest].sort(),
      'a live subject keeps its referrer',
    );
    acr.world.deleteManifest('app', other.digest);
  });

  it('deletes such an index whole when nothing else has its parts', async () => {
    const { acr, ado } = estate;
    const platform = acr.world.putImage('app');
    const attestation = acr.world.putArtifact('app', {
      artifactType: 'application/vnd.in-toto+json',
      subject: platform,
    });
    const index = acr.world.putIndex('app', [platform, attestation]);
    const id = await estate.build([{ repository: 'app', reference: index.digest }]);
    ado.world.deleteBuild(id);
    await estate.settle();
    assert.deepEqual(acr.world.repositories(), []);
  });

  it('keeps what was pushed again within the grace', async () => {
    const { acr, ado } = estate;
    acr.behaviour.repushMovesTime = true;
    const image = acr.world.putImage('app');
    const id = await estate.build([{ repository: 'app', reference: image.digest }]);
    ado.world.deleteBuild(id);
    await estate.reconcile();
    estate.advance(25 * hour);
    acr.world.putManifest('app', acr.world.manifest('app', image.digest)!.bytes);
    const report = await estate.reconcile();
    assert.deepEqual(report.items.map(item => [item.outcome, item.reason]).at(-1), [
      'kept',
      'it was changed within the grace',
    ]);
    assert.ok(acr.world.has('app', image.digest));
  });
});
