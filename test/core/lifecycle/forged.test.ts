import assert from 'node:assert/strict';
import type { BuildRecord } from '../../../core/lifecycle/build-record.ts';
import { defaultRules } from '../../../core/lifecycle/rules.ts';
import { day, type Estate, hour, requestOf, startEstate } from './estate.ts';
import { forgeRecord } from './forge-record.ts';

type D = `sha256:${string}`;
describe('what a forged record, and one that says keep, cannot do', () => {
  let estate: Estate;
  beforeEach(async () => {
    estate = await startEstate();
  });
  afterEach(() => estate.close());

  const forge = (tag: string, content: unknown): void => forgeRecord(estate, tag, content);
  const recordFor = (
    buildId: number,
    digests: readonly string[],
    changes: Partial<BuildRecord['build']> = {},
    image: Partial<BuildRecord['images'][0]> = {},
  ): BuildRecord => ({
    schema: 1,
    build: { ...requestOf(estate, buildId, [], {}).build, ...changes },
    images: digests.map(digest => ({
      repository: 'app',
      digest: digest as D,
      mediaType: 'application/vnd.oci.image.manifest.v1+json',
      size: 1,
      children: [],
      tags: [String(buildId)],
      ...image,
    })),
    charts: [],
    onBuildDeleted: 'delete',
    createdAt: new Date().toISOString(),
  });

  it('a forged record names the signature of a live image', async () => {
    const { acr, ado } = estate;
    const prod = acr.world.putImage('app', { tags: ['prod'] });
    const signature = acr.world.putArtifact('app', { artifactType: 'application/vnd.sig', subject: prod });
    estate.advance(2 * day);
    const id = await estate.build([{ repository: 'app', reference: acr.world.putImage('app').digest }]);
    forge(`${id}.${estate.definitionId}.zz`, recordFor(id, [signature.digest]));
    ado.world.deleteBuild(id);
    await estate.settle();
    assert.ok(acr.world.has('app', signature.digest));
  });

  it('a forged record names an image with a tag that holds the id', async () => {
    const { acr, ado } = estate;
    const prod = acr.world.putImage('app', { tags: ['release-2026'] });
    const id = await estate.build([{ repository: 'app', reference: acr.world.putImage('app').digest }], { id: 2026 });
    forge(`${id}.${estate.definitionId}.zz`, recordFor(id, [prod.digest], {}, { tags: ['release-2026'] }));
    ado.world.deleteBuild(id);
    await estate.settle();
    assert.deepEqual(acr.world.tags('app'), { 'release-2026': prod.digest });
  });

  it('images without a tag pass the brake uncounted', async () => {
    const { acr, ado } = estate;
    estate.rules = { ...estate.rules, brake: { ...defaultRules.brake, deleted: { images: 3, percent: 100 } } };
    const others = Array.from({ length: 30 }, () => acr.world.putImage('app').digest);
    estate.advance(2 * day);
    const id = await estate.build([{ repository: 'app', reference: acr.world.putImage('app').digest }]);
    forge(`${id}.${estate.definitionId}.zz`, recordFor(id, others));
    ado.world.deleteBuild(id);
    const reports = await estate.settle();
    assert.notEqual(reports[0]!.braked, undefined);
    assert.equal(acr.world.manifests('app').length, 31);
  });

  it('a forged record gives a living build of an unreadable pipeline to a readable one', async () => {
    const { acr, ado } = estate;
    const secret = ado.world.addDefinition({ projectId: estate.projectId });
    const { digest } = acr.world.putImage('app');
    const live = await estate.build([{ repository: 'app', reference: digest }], { definitionId: secret.id });
    ado.world.denyDefinition(secret.id, 'notFound');
    ado.world.addBuild({ definitionId: estate.definitionId });
    forge(`${live}.${estate.definitionId}.zz`, recordFor(live, [digest], { definitionId: estate.definitionId }));
    for (let i = 0; i < 5; i += 1) {
      await estate.reconcile();
      estate.advance(26 * hour);
    }
    assert.deepEqual(acr.world.tags('app'), { [live]: digest });
  });

  it('a tag of that number that is older than the build', async () => {
    const { acr, ado } = estate;
    const { digest } = acr.world.putImage('app', { tags: ['20'] });
    estate.advance(10 * day);
    ado.world.addBuild({ id: 20, definitionId: estate.definitionId });
    forge(`20.${estate.definitionId}.zz`, recordFor(20, [digest]));
    ado.world.deleteBuild(20);
    await estate.settle();
    assert.deepEqual(acr.world.tags('app'), { 20: digest });
  });

  it('a record that is listed and answers 404 said keep', async () => {
    const { acr, ado } = estate;
    const { digest } = acr.world.putImage('app');
    const id = await estate.build([{ repository: 'app', reference: digest }]);
    const keep = await estate.tag(id, [{ repository: 'app', reference: digest }], {
      onBuildDeleted: 'keep',
      job: 'other',
    });
    ado.world.deleteBuild(id);
    acr.faults.add(
      { operation: ['manifest.get', 'manifest.head'], path: new RegExp(keep.record.tag) },
      { kind: 'status', status: 404 },
    );
    await estate.reconcile();
    assert.deepEqual(acr.world.tags('app'), { [id]: digest });
  });

  it('a late record says keep, before the grace is over', async () => {
    const { acr, ado } = estate;
    const { digest } = acr.world.putImage('app');
    const id = await estate.build([{ repository: 'app', reference: digest }]);
    ado.world.deleteBuild(id);
    await estate.reconcile();
    await estate.tag(id, [{ repository: 'app', reference: digest }], { onBuildDeleted: 'keep', job: 'slow' });
    for (let i = 0; i < 5; i += 1) {
      estate.advance(25 * hour);
      await estate.reconcile();
    }
    assert.deepEqual(acr.world.tags('app'), { [id]: digest });
  });

  it('keep for a child of an index that another job tagged over it', async () => {
    const { acr, ado } = estate;
    const child = acr.world.putImage('app');
    const index = acr.world.putIndex('app', [child]);
    const id = await estate.build([{ repository: 'app', reference: child.digest }], { onBuildDeleted: 'keep' });
    await estate.tag(id, [{ repository: 'app', reference: index.digest }], { job: 'index', overwrite: true });
    ado.world.deleteBuild(id);
    await estate.settle();
    assert.ok(acr.world.has('app', child.digest));
  });
});
