/** One registry for what a build pushed and for what a promotion brought: each has its rule, and its own account. */
import { deepEqual, equal, match, ok } from 'node:assert/strict';
import { defaultRules } from '../../../core/lifecycle/rules.ts';
import { day, type Estate, hour, startEstate } from './estate.ts';
import { leavePromotion } from './promoted-copies.ts';

describe('a registry of pushed images and promoted copies', () => {
  let estate: Estate;
  let pushed: string;
  let copy: string;
  let id: number;
  beforeEach(async () => {
    estate = await startEstate();
    pushed = estate.acr.world.putImage('app').digest;
    copy = estate.acr.world.putImage('prod/app').digest;
    id = await estate.build([{ repository: 'app', reference: pushed }]);
    await leavePromotion(estate, id, { copies: [{ repository: 'prod/app', digest: copy }] });
  });
  afterEach(() => estate.close());

  const setRule = (promoted: 'delete' | 'keep'): void => {
    estate.rules = { ...estate.rules, promoted };
  };
  const live = async (days: number): Promise<string[]> => {
    const told: string[] = [];
    for (let at = 0; at < days; at += 1) {
      const { items } = await estate.reconcile();
      told.push(...items.map(item => `${item.outcome} ${item.subject}: ${item.reason}`));
      estate.advance(day + hour);
    }
    return told;
  };
  const records = () => Object.keys(estate.acr.world.tags(`image-lifecycle/builds/${estate.projectId}`)).length;

  it('loses the one with the build and keeps the other, with its record', async () => {
    estate.ado.world.deleteBuild(id);
    await live(3);
    deepEqual(estate.acr.world.manifests('app'), []);
    deepEqual(estate.acr.world.tags('prod/app'), { [id]: copy });
    equal(records(), 1);
    estate.ado.requests.clear();
    deepEqual(await live(2), []);
    equal(estate.ado.requests.count('builds.get'), 0, 'and the account is closed');
  });

  it('loses both with "delete", in one release that the brake counts as one build', async () => {
    setRule('delete');
    estate.rules = { ...estate.rules, brake: { ...defaultRules.brake, deleted: { images: 2, percent: 0 } } };
    estate.ado.world.deleteBuild(id);
    const dry = await estate.reconcile({ dryRun: true });
    deepEqual(dry.plan.release, [{ projectId: estate.projectId, buildId: id, images: 2 }]);
    equal((await estate.reconcile()).braked, undefined);
    deepEqual([estate.acr.world.tags('app'), estate.acr.world.tags('prod/app')], [{}, {}]);
    const next = await estate.build([{ repository: 'app', reference: estate.acr.world.putImage('app').digest }]);
    estate.ado.world.deleteBuild(next);
    match((await estate.reconcile()).braked ?? '', /would make 3 images of 2 builds/);
    estate.advance(2 * day);
    await live(3);
    deepEqual(estate.acr.world.repositories(), []);
  });

  it('releases nothing of a build whose images together pass the brake', async () => {
    setRule('delete');
    estate.rules = { ...estate.rules, brake: { ...defaultRules.brake, deleted: { images: 1, percent: 0 } } };
    estate.ado.world.deleteBuild(id);
    const before = estate.acr.world.snapshot();
    match((await estate.reconcile()).braked ?? '', /would make 2 images of 1 builds/);
    deepEqual(estate.acr.world.snapshot(), before);
  });

  it('keeps an image that the build pushed and a promotion named in the same repository', async () => {
    await leavePromotion(estate, id, { copies: [{ repository: 'app', digest: pushed }] });
    estate.ado.world.deleteBuild(id);
    await live(4);
    deepEqual(estate.acr.world.tags('app'), { [id]: pushed });
    setRule('delete');
    await live(4);
    deepEqual(estate.acr.world.repositories(), []);
  });

  it('gives such an image its tags back when the configuration changes within the grace', async () => {
    setRule('delete');
    await leavePromotion(estate, id, { copies: [{ repository: 'app', digest: pushed }] });
    await estate.tag(id, [{ repository: 'app', reference: pushed }], { tags: [`${id}-linux`], job: 'linux' });
    estate.ado.world.deleteBuild(id);
    await estate.reconcile();
    deepEqual(estate.acr.world.tags('app'), {});
    setRule('keep');
    await live(4);
    deepEqual(estate.acr.world.tags('app'), { [id]: pushed, [`${id}-linux`]: pushed });
    deepEqual(estate.acr.world.tags('prod/app'), { [id]: copy });
  });

  it('keeps an image that a promotion names only after the build had let go of it', async () => {
    estate.ado.world.deleteBuild(id);
    const fault = estate.acr.faults.add({ operation: 'tag.delete' }, { kind: 'status', status: 500 });
    await estate.reconcile();
    await leavePromotion(estate, id, { copies: [{ repository: 'app', digest: pushed }] });
    fault.remove();
    await live(4);
    deepEqual(estate.acr.world.tags('app'), { [id]: pushed }, 'the release that was interrupted leaves it out');
  });

  it('takes no tag off such an image again, where its repository cannot be judged', async () => {
    estate.ado.world.deleteBuild(id);
    await estate.reconcile();
    await leavePromotion(estate, id, { copies: [{ repository: 'app', digest: pushed }] });
    const hidden = estate.acr.world.putImage('app', { tags: ['hidden'] });
    estate.acr.world.setAttributes('app', hidden.digest, { listEnabled: false });
    estate.advance(25 * hour);
    match((await live(3)).join('\n'), /nothing is collected in app/);
    equal(estate.acr.world.tags('app')[id], pushed);
  });

  it('takes up the copies when the configuration changes, though a lock holds up what the build pushed', async () => {
    estate.acr.world.setAttributes('app', pushed, { deleteEnabled: false });
    estate.ado.world.deleteBuild(id);
    await live(3);
    setRule('delete');
    await live(4);
    deepEqual(estate.acr.world.manifests('prod/app'), []);
    deepEqual(estate.acr.world.tags('app'), { [id]: pushed });
    equal(records(), 1, 'the record of what is locked');
    estate.acr.world.setAttributes('app', pushed, { deleteEnabled: true });
    await live(4);
    deepEqual(estate.acr.world.repositories(), []);
  });

  it('takes up what the build pushed late, though a lock holds up the copies', async () => {
    setRule('delete');
    estate.acr.world.setAttributes('prod/app', copy, { deleteEnabled: false });
    estate.ado.world.deleteBuild(id);
    await live(3);
    const late = estate.acr.world.putImage('late').digest;
    await estate.tag(id, [{ repository: 'late', reference: late }], { job: 'late' });
    await live(4);
    deepEqual(estate.acr.world.manifests('late'), []);
    deepEqual(estate.acr.world.tags('prod/app'), { [id]: copy });
  });

  it('keeps the children of a copy that the build itself had pushed one by one', async () => {
    const { world } = estate.acr;
    const child = world.putImage('shared');
    const index = world.putIndex('shared', [child]);
    const other = await estate.build([{ repository: 'shared', reference: child.digest }]);
    await leavePromotion(estate, other, { copies: [{ repository: 'shared', digest: index.digest }] });
    estate.ado.world.deleteBuild(other);
    await live(4);
    ok(world.has('shared', child.digest));
    deepEqual(world.tags('shared'), { [other]: index.digest });
  });

  it('closes no account of which a foreign record is told, and writes nothing for it', async () => {
    estate.ado.world.deleteBuild(id);
    await live(3);
    const other = estate.ado.world.addBuild({ definitionId: estate.definitionId }).id;
    const [tag = ''] = Object.keys(estate.acr.world.tags(`image-lifecycle/builds/${estate.projectId}`));
    const repository = `image-lifecycle/builds/${estate.projectId}`;
    estate.acr.world.putManifest(repository, estate.acr.world.manifest(repository, tag)!.bytes, {
      tags: [`${other}.${estate.definitionId}.zz`],
    });
    await leavePromotion(estate, other, { copies: [{ repository: 'prod/app', digest: copy }] });
    estate.ado.world.deleteBuild(other);
    estate.acr.requests.clear();
    match((await live(3)).join('\n'), /zz is foreign and not acted on/);
    equal(estate.acr.requests.count({ operation: 'manifest.put' }), 0);
  });

  it('keeps a record that somebody made say "keep" within the grace', async () => {
    const repository = `image-lifecycle/builds/${estate.projectId}`;
    const other = await estate.build([{ repository: 'web', reference: estate.acr.world.putImage('web').digest }]);
    estate.ado.world.deleteBuild(other);
    await estate.reconcile();
    const kept = await estate.tag(other, [{ repository: 'app', reference: pushed }], {
      onBuildDeleted: 'keep',
      job: 'late',
    });
    const first = Object.keys(estate.acr.world.tags(repository)).find(
      tag => tag.startsWith(`${other}.`) && tag !== kept.record.tag,
    )!;
    estate.acr.world.tag(repository, first, kept.record.digest);
    estate.acr.world.untag(repository, kept.record.tag);
    await live(4);
    equal(estate.acr.world.tags(repository)[first], kept.record.digest);
  });

  for (const [what, hide] of [
    ['Azure DevOps has forgotten', () => undefined],
    [
      'whose pipeline is gone as well',
      (newer: number) => {
        estate.ado.world.deleteDefinition(estate.definitionId);
        estate.ado.world.purgeBuild(newer);
      },
    ],
  ] as const) {
    it(`lets go of the copies of a build that ${what} by then, after as long as any absence takes`, async () => {
      const newer = estate.ado.world.addBuild({ definitionId: estate.definitionId }).id;
      estate.ado.world.deleteBuild(id);
      await live(3);
      const other = estate.ado.world.addDefinition({ projectId: estate.projectId });
      estate.ado.world.addBuild({ definitionId: other.id });
      estate.ado.world.purgeBuild(id);
      hide(newer);
      setRule('delete');
      await live(1);
      deepEqual(estate.acr.world.tags('prod/app'), { [id]: copy }, 'not at once');
      await live(33);
      deepEqual(estate.acr.world.repositories(), []);
    });
  }

  it('keeps the copies of a build that is only absent, where no account of it was ever closed', async () => {
    setRule('delete');
    estate.ado.world.deleteDefinition(estate.definitionId);
    const other = estate.ado.world.addDefinition({ projectId: estate.projectId });
    estate.ado.world.addBuild({ definitionId: other.id });
    estate.ado.world.purgeBuild(id);
    match((await live(34)).join('\n'), /that is also how a missing right looks/);
    deepEqual(estate.acr.world.tags('prod/app'), { [id]: copy });
  });
});

describe('a chart that a build pushed', () => {
  let estate: Estate;
  let id: number;
  let digest: string;
  beforeEach(async () => {
    estate = await startEstate();
    digest = estate.acr.world.putArtifact('charts/shop', {
      artifactType: 'application/vnd.cncf.helm.config.v1+json',
    }).digest;
    ({ id } = estate.ado.world.addBuild({ definitionId: estate.definitionId }));
  });
  afterEach(() => estate.close());

  const end = async (version: string, tag: boolean): Promise<void> => {
    estate.rules = { ...estate.rules, promoted: 'delete' };
    await leavePromotion(estate, id, { copies: [], charts: [{ repository: 'charts/shop', digest, version }] });
    if (tag) estate.acr.world.tag('charts/shop', String(id), digest);
    estate.ado.world.deleteBuild(id);
    for (let days = 0; days < 4; days += 1) {
      await estate.reconcile();
      estate.advance(day + hour);
    }
  };

  it('goes with it, where the build tag is on it and its version names the build', async () => {
    await end(`1.2.3-${id}`, true);
    deepEqual(estate.acr.world.repositories(), []);
  });

  it('is held by a version of its own, which is not the build’s', async () => {
    await end('1.2.3', true);
    deepEqual(estate.acr.world.tags('charts/shop'), { '1.2.3': digest });
  });

  it('is held by a version in which the build id is a part', async () => {
    await end(`1.2.${id}`, true);
    deepEqual(estate.acr.world.tags('charts/shop'), { [`1.2.${id}`]: digest });
  });

  it('stays where the build tag is not on it', async () => {
    await end('1.2.3', false);
    deepEqual(estate.acr.world.tags('charts/shop'), { '1.2.3': digest });
  });

  it('stays as a promoted copy does', async () => {
    await leavePromotion(estate, id, {
      copies: [],
      charts: [{ repository: 'charts/shop', digest, version: `1.2.3-${id}` }],
    });
    estate.acr.world.tag('charts/shop', String(id), digest);
    estate.ado.world.deleteBuild(id);
    const { items } = await estate.reconcile();
    match(items.map(item => item.reason).join(), /^a promoted copy/);
    await estate.settle();
    equal(Object.keys(estate.acr.world.tags('charts/shop')).length, 2);
  });
});
