/** What a dead build made is held by what others have, even where it does not look like it. */
import { deepEqual, match, ok } from 'node:assert/strict';
import { day, type Estate, startEstate } from './estate.ts';

describe('what others have holds what a dead build made', () => {
  let estate: Estate;
  beforeEach(async () => {
    estate = await startEstate();
  });
  afterEach(() => estate.close());

  const die = async (digest: string): Promise<string> => {
    const id = await estate.build([{ repository: 'app', reference: digest }]);
    estate.ado.world.deleteBuild(id);
    const reports = await estate.settle();
    return reports.flatMap(report => report.items.map(item => item.reason)).join('\n');
  };
  const goesLater = async (...digests: readonly string[]): Promise<void> => {
    for (let days = 0; days < 3; days += 1) {
      estate.advance(2 * day);
      await estate.reconcile();
    }
    for (const digest of digests) ok(!estate.acr.world.has('app', digest), digest);
  };

  it('a referrer stays with the image that it refers to', async () => {
    const { world } = estate.acr;
    const subject = world.putImage('app', { tags: ['prod'] });
    const report = world.putArtifact('app', { artifactType: 'application/vnd.scan', subject });
    match(await die(report.digest), /refers to sha256:[0-9a-f]+, which is not to go/);
    deepEqual(new Set(world.manifests('app')), new Set([subject.digest, report.digest]));
  });

  it('an attestation in the build’s index stays with the image that it refers to', async () => {
    const { world } = estate.acr;
    const subject = world.putImage('app', { tags: ['prod'] });
    const attestation = world.putArtifact('app', { artifactType: 'application/vnd.in-toto+json', subject });
    const own = world.putImage('app');
    const index = world.putIndex('app', [own, attestation]);
    await die(index.digest);
    deepEqual(new Set(world.manifests('app')), new Set([subject.digest, attestation.digest]));
  });

  it('an image stays where a manifest of a form that we do not know may hold it', async () => {
    const { world } = estate.acr;
    const image = world.putImage('app');
    const mediaType = 'application/vnd.future.index.v9+json';
    const future = world.putManifest(
      'app',
      { schemaVersion: 2, mediaType, manifests: [image] },
      { mediaType, tags: ['next'] },
    );
    match(
      await die(image.digest),
      /has the media type "application\/vnd\.future\.index\.v9\+json", which may hold others/,
    );
    ok(world.has('app', image.digest));
    world.deleteManifest('app', future);
    await goesLater(image.digest);
  });

  it('a child that is locked is asked again when its index is gone', async () => {
    const { world } = estate.acr;
    const [locked, other] = [world.putImage('app'), world.putImage('app')];
    const index = world.putIndex('app', [locked, other]);
    world.setAttributes('app', locked.digest, { deleteEnabled: false });
    await die(index.digest);
    deepEqual(world.manifests('app'), [locked.digest]);
    world.setAttributes('app', locked.digest, { deleteEnabled: true });
    await goesLater(locked.digest);
  });
});
