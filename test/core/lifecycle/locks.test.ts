import assert from 'node:assert/strict';
import { day, type Estate, startEstate } from './estate.ts';

describe('locks', () => {
  let estate: Estate;
  let digest: string;
  let id: number;
  beforeEach(async () => {
    estate = await startEstate();
    digest = estate.acr.world.putImage('app').digest;
    id = await estate.build([{ repository: 'app', reference: digest }]);
  });
  afterEach(() => estate.close());

  const everything = (): unknown => ({
    tags: estate.acr.world.tags('app'),
    manifests: estate.acr.world.manifests('app'),
  });

  for (const [what, reference] of [
    ['tag', () => String(id)],
    ['manifest', () => digest],
    ['repository', () => undefined],
  ] as const) {
    for (const flag of ['deleteEnabled', 'writeEnabled'] as const) {
      it(`keeps an image whose ${what} has ${flag}=false, says so, and takes it when the lock is gone`, async () => {
        const { acr, ado } = estate;
        acr.world.setAttributes('app', reference(), { [flag]: false });
        ado.world.deleteBuild(id);
        const before = everything();
        const reports = await estate.settle();
        assert.deepEqual(everything(), before, 'tag and manifest are as they were');
        const reasons = reports.flatMap(report =>
          report.items.filter(item => item.outcome === 'kept').map(item => item.reason),
        );
        assert.ok(
          reasons.some(reason => reason.includes('locked')),
          reasons.join('\n'),
        );
        assert.equal(
          reports.flatMap(report => report.items).some(item => item.outcome === 'failed'),
          false,
          'a lock is no failure',
        );

        acr.world.setAttributes('app', reference(), { [flag]: true });
        for (let days = 0; days < 3; days += 1) {
          estate.advance(day + 1);
          await estate.reconcile();
        }
        assert.deepEqual(acr.world.repositories(), [], 'what a lock keeps is asked again');
      });
    }
  }

  it('keeps the children of a locked index, locked or not', async () => {
    const { acr, ado } = estate;
    const child = acr.world.putImage('app');
    const index = acr.world.putIndex('app', [child]);
    const build = await estate.build([{ repository: 'app', reference: index.digest }]);
    ado.world.deleteBuild(build);
    await estate.reconcile();
    acr.world.setAttributes('app', index.digest, { deleteEnabled: false });
    estate.advance(2 * day);
    await estate.reconcile();
    assert.ok(acr.world.has('app', index.digest) && acr.world.has('app', child.digest));
  });

  it('keeps a subject whose referrer is locked', async () => {
    const { acr, ado } = estate;
    const subject = { ...acr.world.putImage('app') };
    const signature = acr.world.putArtifact('app', { artifactType: 'application/vnd.sig', subject });
    acr.world.setAttributes('app', signature.digest, { writeEnabled: false });
    const build = await estate.build([{ repository: 'app', reference: subject.digest }]);
    ado.world.deleteBuild(build);
    await estate.settle();
    assert.ok(acr.world.has('app', subject.digest) && acr.world.has('app', signature.digest));
  });

  it('keeps a locked record, and the image goes all the same', async () => {
    const { acr, ado } = estate;
    const records = `image-lifecycle/builds/${estate.projectId}`;
    const [tag] = Object.keys(acr.world.tags(records));
    acr.world.setAttributes(records, tag, { deleteEnabled: false });
    ado.world.deleteBuild(id);
    await estate.settle();
    assert.deepEqual(acr.world.manifests('app'), []);
    assert.deepEqual(Object.keys(acr.world.tags(records)), [tag]);
  });
});
