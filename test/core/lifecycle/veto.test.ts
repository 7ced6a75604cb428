/** What a keep plan forbids while reconciling, and that nothing is forgotten by it. */
import { deepEqual, equal, match, ok, rejects } from 'node:assert/strict';
import { defaultRules } from '../../../core/lifecycle/rules.ts';
import type { Step, Veto } from '../../../core/lifecycle/veto.ts';
import { day, type Estate, hour, startEstate } from './estate.ts';
import { leavePromotion } from './promoted-copies.ts';

describe('a veto', () => {
  let estate: Estate;
  let tombstones: string;
  beforeEach(async () => {
    estate = await startEstate();
    tombstones = `image-lifecycle/tombstones/${estate.projectId}`;
  });
  afterEach(() => estate.close());

  const makeBuild = async (...repositories: readonly string[]): Promise<{ id: number; digests: string[] }> => {
    const images = repositories.map(repository => ({ repository, ...estate.acr.world.putImage(repository) }));
    const id = await estate.build(images.map(({ repository, digest }) => ({ repository, reference: digest })));
    return { id, digests: images.map(image => image.digest) };
  };
  const reconcile = async (veto?: Veto): Promise<string[]> => {
    const report = await estate.reconcile(veto && { veto });
    return report.items.map(item => `${item.subject} ${item.outcome}: ${item.reason}`);
  };
  const hasTombstones = (): boolean => estate.acr.world.repositories().includes(tombstones);
  const nextDay = (): void => estate.advance(day + hour);

  it('leaves an image and its tags as they are, writes nothing down, and the image goes when it is lifted', async () => {
    const { id, digests } = await makeBuild('app');
    estate.ado.world.deleteBuild(id);
    const before = estate.acr.world.snapshot();
    for (let days = 0; days < 3; days += 1) {
      deepEqual(await reconcile(forbid(digests)), [`app@${digests[0]} kept: it runs in the cluster aks`]);
      nextDay();
    }
    deepEqual(estate.acr.world.snapshot(), before);
    await estate.settle();
    estate.advance(day);
    deepEqual(estate.acr.world.snapshot(), { repositories: {}, blobs: [] });
  });

  it('holds one image of a build, the others go, and the record stays until it is lifted', async () => {
    const { id, digests } = await makeBuild('app', 'api');
    estate.ado.world.deleteBuild(id);
    for (let days = 0; days < 4; days += 1) {
      await reconcile(forbid([digests[0]!]));
      nextDay();
    }
    deepEqual(estate.acr.world.tags('app'), { [id]: digests[0] });
    equal(estate.acr.world.has('api', digests[1]!), false);
    ok(estate.acr.world.repositories().includes(`image-lifecycle/builds/${estate.projectId}`));
    for (let days = 0; days < 3; days += 1) {
      await reconcile();
      nextDay();
    }
    deepEqual(estate.acr.world.snapshot(), { repositories: {}, blobs: [] });
  });

  it('does not count for the brake, and neither does a build of which everything is held', async () => {
    const first = await makeBuild('app', 'api');
    const second = await makeBuild('app');
    estate.rules = { ...estate.rules, brake: { ...defaultRules.brake, deleted: { images: 1, percent: 100 } } };
    for (const { id } of [first, second]) estate.ado.world.deleteBuild(id);
    const report = await estate.reconcile({ veto: forbid([first.digests[0]!, second.digests[0]!]) });
    equal(report.braked, undefined);
    deepEqual(report.plan.release, [{ projectId: estate.projectId, buildId: first.id, images: 1 }]);
    deepEqual(estate.acr.world.tags('api'), {});
  });

  it('lets the grace run anew for what it held, and claims no more what went', async () => {
    const { id, digests } = await makeBuild('app', 'api');
    const [app, api] = digests as [string, string];
    const bytes = estate.acr.world.manifest('api', api)?.bytes;
    ok(bytes);
    estate.ado.world.deleteBuild(id);
    await reconcile();
    nextDay();
    await reconcile(forbid([app]));
    equal(estate.acr.world.has('api', api), false);
    nextDay();
    await reconcile(forbid([app]));
    // The same bytes, as a build that can be reproduced pushes them; nobody has tagged them yet.
    estate.acr.world.putManifest('api', bytes);
    nextDay();
    deepEqual(await reconcile(forbid([app])), [`app@${app} kept: it runs in the cluster aks`]);
    deepEqual(await reconcile(), []);
    nextDay();
    match((await reconcile()).join(), new RegExp(`^app@${app} deleted`));
    ok(estate.acr.world.has('api', api), 'an old account took what was pushed since');
  });

  it('holds what was released before as long as it stands, and says so', async () => {
    const { id, digests } = await makeBuild('app');
    estate.ado.world.deleteBuild(id);
    await reconcile();
    for (let days = 0; days < 3; days += 1) {
      nextDay();
      deepEqual(await reconcile(forbid(digests, ['delete'])), [`app@${digests[0]} kept: it runs in the cluster aks`]);
    }
    ok(hasTombstones());
    nextDay();
    await reconcile();
    deepEqual(estate.acr.world.manifests('app'), []);
    nextDay();
    await reconcile();
    equal(hasTombstones(), false);
  });

  it('gives the tags back to a build that lives after all', async () => {
    const { id, digests } = await makeBuild('app', 'api');
    estate.ado.world.deleteBuild(id);
    await reconcile(forbid([digests[0]!]));
    deepEqual(estate.acr.world.tags('api'), {});
    nextDay();
    // Renewed, the tombstone still knows what it took off.
    await reconcile(forbid(digests));
    delete estate.ado.world.builds.get(id)!.deleted;
    await reconcile(forbid(digests));
    deepEqual(estate.acr.world.tags('api'), { [id]: digests[1] });
    equal(hasTombstones(), false);
  });

  it('on an index holds its children, and on a child that alone', async () => {
    const { world } = estate.acr;
    const children = [world.putImage('app'), world.putImage('app')];
    const index = world.putIndex('app', children);
    const id = await estate.build([{ repository: 'app', reference: index.digest }]);
    estate.ado.world.deleteBuild(id);
    await reconcile();
    nextDay();
    await reconcile(forbid([index.digest], ['delete']));
    equal(world.manifests('app').length, 3);
    nextDay();
    await reconcile(forbid([children[1]!.digest], ['delete']));
    deepEqual(world.manifests('app'), [children[1]!.digest], 'a child needs no index to run');
  });

  it('on a referrer holds what it refers to, because Azure would delete it with that', async () => {
    const { world } = estate.acr;
    const image = world.putImage('app');
    const signature = world.putArtifact('app', { artifactType: 'application/vnd.sig', subject: image });
    const id = await estate.build([{ repository: 'app', reference: image.digest }]);
    estate.ado.world.deleteBuild(id);
    await reconcile();
    nextDay();
    const [line = ''] = await reconcile(forbid([signature.digest], ['delete']));
    match(line, /kept: its referrer sha256:\w+ is held \(it runs in the cluster aks\)/);
    equal(world.manifests('app').length, 2);
  });

  it('settles nothing, not even where the tag of somebody else holds the image as well', async () => {
    const { id, digests } = await makeBuild('app');
    estate.acr.world.tag('app', 'v1.0.0', digests[0]!);
    estate.ado.world.deleteBuild(id);
    await reconcile();
    for (let days = 0; days < 2; days += 1) {
      nextDay();
      await reconcile(forbid(digests, ['delete']));
    }
    ok(hasTombstones());
    for (let days = 0; days < 2; days += 1) {
      nextDay();
      await reconcile();
    }
    deepEqual(estate.acr.world.repositories(), ['app']);
    deepEqual(estate.acr.world.tags('app'), { 'v1.0.0': digests[0] });
  });

  it('leaves tags that come off when it is lifted, also where another build holds the image by then', async () => {
    const { id: living, digests } = await makeBuild('app');
    const [app = ''] = digests;
    const api = estate.acr.world.putImage('api').digest;
    const images = [
      { repository: 'app', reference: app },
      { repository: 'api', reference: api },
    ];
    estate.ado.world.deleteBuild(await estate.build(images));
    await reconcile(forbid([app]));
    deepEqual([Object.keys(estate.acr.world.tags('app')).length, estate.acr.world.tags('api')], [2, {}]);
    for (let days = 0; days < 3; days += 1) {
      nextDay();
      await reconcile();
    }
    deepEqual(estate.acr.world.tags('app'), { [living]: app });
    equal(hasTombstones(), false);
  });

  for (const pause of [0, 2 * hour]) {
    it(`leaves no tag behind where a release that was interrupted goes on under it, ${pause / hour} hours later`, async () => {
      const { id: living, digests } = await makeBuild('app');
      const [app = ''] = digests;
      const images = [app, estate.acr.world.putImage('api').digest].map((reference, at) => ({
        repository: ['app', 'api'][at] as string,
        reference,
      }));
      estate.ado.world.deleteBuild(await estate.build(images));
      const fault = estate.acr.faults.add({ method: 'DELETE' }, { kind: 'status', status: 400 });
      await estate.reconcile();
      fault.remove();
      estate.advance(pause);
      await reconcile(forbid([app]));
      deepEqual([Object.keys(estate.acr.world.tags('app')).length, estate.acr.world.tags('api')], [2, {}]);
      for (let days = 0; days < 3; days += 1) {
        nextDay();
        await reconcile();
      }
      deepEqual(estate.acr.world.tags('app'), { [living]: app });
    });
  }

  it('does not untie what it holds when the tag of the build comes off what was promoted', async () => {
    estate.rules = { ...estate.rules, promoted: 'delete' };
    const { id, digests } = await makeBuild('app');
    const copy = estate.acr.world.putImage('app');
    await leavePromotion(estate, id, {
      copies: [{ repository: 'app', digest: copy.digest }],
      onBuildDeleted: 'delete',
    });
    deepEqual(estate.acr.world.tags('app'), { [id]: copy.digest }, 'the tag moved');
    estate.ado.world.deleteBuild(id);
    for (let days = 0; days < 2; days += 1) {
      await reconcile(forbid(digests));
      nextDay();
    }
    deepEqual(estate.acr.world.manifests('app'), digests);
    for (let days = 0; days < 2; days += 1) {
      await reconcile();
      nextDay();
    }
    deepEqual(estate.acr.world.manifests('app'), []);
  });

  it('settles nothing where an index of somebody else holds the image as its child', async () => {
    const { world } = estate.acr;
    const image = world.putImage('app');
    const id = await estate.build([{ repository: 'app', reference: image.digest }]);
    estate.ado.world.deleteBuild(id);
    await reconcile();
    world.putIndex('app', [image], { tags: ['v1.0.0'] });
    for (let days = 0; days < 2; days += 1) {
      nextDay();
      await reconcile(forbid([image.digest], ['delete']));
    }
    ok(hasTombstones());
    for (let days = 0; days < 2; days += 1) {
      nextDay();
      await reconcile();
    }
    equal(hasTombstones(), false);
    ok(world.has('app', image.digest));
  });

  it('is asked again when a release that was interrupted goes on', async () => {
    for (const pause of [0, 3 * hour]) {
      const { id, digests } = await makeBuild('app', 'api');
      estate.ado.world.deleteBuild(id);
      const controller = new AbortController();
      estate.acr.faults.intercept = ({ repository, operation }, phase) => {
        const isWritten = repository === tombstones && operation === 'manifest.put' && phase === 'after';
        if (isWritten) controller.abort(new Error('told to end'));
        return 'proceed';
      };
      await rejects(estate.reconcile({ signal: controller.signal }), /told to end/);
      estate.acr.faults.clear();
      estate.advance(pause);
      const lines = await reconcile(forbid([digests[0]!]));
      ok(lines.includes(`app@${digests[0]} kept: it runs in the cluster aks`), lines.join('\n'));
      deepEqual(estate.acr.world.tags('app')[id], digests[0]);
      equal(estate.acr.world.tags('api')[id], undefined);
      for (let days = 0; days < 4; days += 1) {
        nextDay();
        await reconcile();
      }
      equal(estate.acr.world.has('app', digests[0]!), false, 'and it goes when it is lifted');
    }
  });

  it('does not have an absence be waited for once more', async () => {
    const { id, digests } = await makeBuild('app');
    estate.ado.world.purgeBuild(id);
    estate.ado.world.addBuild({ definitionId: estate.definitionId });
    await reconcile();
    nextDay();
    deepEqual(await reconcile(forbid(digests)), [`app@${digests[0]} kept: it runs in the cluster aks`]);
    await reconcile();
    deepEqual(estate.acr.world.tags('app'), {});
  });

  it('of one who does not know an image that is gone keeps no account open', async () => {
    const { id, digests } = await makeBuild('app', 'api');
    estate.acr.world.deleteManifest('app', digests[0]!);
    estate.ado.world.deleteBuild(id);
    for (let days = 0; days < 3; days += 1) {
      await reconcile(forbid([digests[0]!]));
      nextDay();
    }
    deepEqual(estate.acr.world.snapshot(), { repositories: {}, blobs: [] });
  });

  it('ties no image to a build that it is not of, whatever a record says', async () => {
    const { world } = estate.acr;
    const { id, digests } = await makeBuild('app');
    // Named by the record, but the build tag was never on it, and nothing is on it now.
    const theirs = world.putImage('other').digest;
    await estate.tag(id, [{ repository: 'other', reference: theirs }], { attempt: '2.1' });
    world.untag('other', String(id));
    estate.ado.world.deleteBuild(id);
    await reconcile(forbid([theirs]));
    for (let days = 0; days < 3; days += 1) {
      nextDay();
      await reconcile();
    }
    deepEqual([world.manifests('app').length, world.manifests('other')], [0, [theirs]]);
    ok(digests.length === 1);
  });
});

function forbid(digests: readonly string[], steps: readonly Step[] = ['untag', 'delete']): Veto {
  return (_repository, digest, step) =>
    digests.includes(digest) && steps.includes(step) ? 'it runs in the cluster aks' : undefined;
}
