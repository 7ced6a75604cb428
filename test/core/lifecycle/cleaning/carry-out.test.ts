/** A plan that is carried out, from the look to the deletion, with and without somebody's approval. */
import { deepEqual, equal, match, ok, rejects } from 'node:assert/strict';
import { type CleanPlan, makeCleanPlan } from '../../../../core/lifecycle/cleaning/clean-plan.ts';
import type { CleanReport } from '../../../../core/lifecycle/cleaning/clean-report.ts';
import { day, hour } from '../estate.ts';
import { leavePromotion } from '../promoted-copies.ts';
import { type CleaningOptions, type CleaningWorld, plain, startCleaning } from './cleaning-world.ts';

const grace = 24 * hour;

describe('carrying out a plan', () => {
  let world: CleaningWorld;
  beforeEach(async () => {
    world = await startCleaning();
  });
  afterEach(() => world.close());

  const approve = async (options?: CleaningOptions): Promise<CleanPlan> => {
    const { facts, plan } = await world.look(options);
    return makeCleanPlan(facts, plan, { grace, registries: [] });
  };
  const nextDay = (): void => world.ci.advance(day + hour);
  const makeBuild = async (repository: string): Promise<{ id: number; digest: string }> => {
    const { digest } = world.ci.acr.world.putImage(repository);
    return { id: await world.ci.build([{ repository, reference: digest }]), digest };
  };

  it('takes tags off, waits, deletes, and tells what that freed and on whose account', async () => {
    const dead = await makeBuild('shop/web');
    const living = await makeBuild('shop/web');
    world.ci.ado.world.deleteBuild(dead.id);
    const { report } = await world.clean();
    deepEqual(told(report), [`ci shop/web:${dead.id} released`]);
    const project = world.ci.ado.world.projects.get(world.ci.projectId)?.name;
    deepEqual(report.items[0]?.build, { organization: world.ci.ado.url, project, id: dead.id });
    equal(report.freedBytes, 0);
    nextDay();
    const last = await world.clean();
    deepEqual(told(last.report), [`ci shop/web@${dead.digest} deleted`]);
    const sizes = last.look.facts.registries.flatMap(({ repositories }) =>
      repositories.kind === 'whole' ? repositories.items : [],
    );
    const images = sizes.flatMap(each => (each.images.kind === 'whole' ? each.images.items : []));
    equal(last.report.freedBytes, images.find(each => each.digest === dead.digest)?.size);
    ok(last.report.freedBytes > 0);
    deepEqual(world.ci.acr.world.manifests('shop/web'), [living.digest]);
    deepEqual([last.report.braked, last.report.stopped, last.report.failures], [[], [], []]);
  });

  it('keeps what runs, with its tag and its record, and lets it go when it runs no more', async () => {
    const dead = await makeBuild('shop/web');
    world.ci.ado.world.deleteBuild(dead.id);
    const policy = 'keep: { references: [], newerThan: 0s }';
    const runs = { policy, clusters: { aks: [`shop/web@${dead.digest}`] } };
    for (let days = 0; days < 2; days += 1) {
      const { report } = await world.clean(runs);
      deepEqual(told(report), [`ci shop/web@${dead.digest} kept`]);
      match(report.items[0]?.reason ?? '', /pod shop\/web-0/);
      nextDay();
    }
    deepEqual(world.ci.acr.world.tags('shop/web'), { [dead.id]: dead.digest });
    const idle = { policy, clusters: { aks: [] } };
    await world.clean(idle);
    nextDay();
    await world.clean(idle);
    deepEqual(world.ci.acr.world.manifests('shop/web'), []);
  });

  it('keeps what was deployed by its digest within the grace', async () => {
    const dead = await makeBuild('shop/web');
    world.ci.ado.world.deleteBuild(dead.id);
    const policy = 'keep: { references: [], newerThan: 0s }';
    await world.clean({ policy, clusters: { aks: [] } });
    deepEqual(world.ci.acr.world.tags('shop/web'), {});
    nextDay();
    await world.clean({ policy, clusters: { aks: [`shop/web@${dead.digest}`] } });
    ok(world.ci.acr.world.has('shop/web', dead.digest));
  });

  it('changes nothing where a source is unread', async () => {
    const dead = await makeBuild('shop/web');
    world.ci.ado.world.deleteBuild(dead.id);
    const before = world.ci.acr.world.snapshot();
    const policy = 'keep: { references: [], newerThan: 0s }';
    const { report } = await world.clean({ policy, clusters: { aks: { unread: 'it answered 503' } } });
    deepEqual(world.ci.acr.world.snapshot(), before);
    match(report.items[0]?.reason ?? '', /what aks runs was not read: it answered 503/);
  });

  it('does not touch what came after the plan was made', async () => {
    const dead = await makeBuild('shop/web');
    const { look } = await world.clean();
    // The plan saw the build alive; by now it is gone.
    world.ci.ado.world.deleteBuild(dead.id);
    const late = await makeBuild('shop/late');
    world.ci.ado.world.deleteBuild(late.id);
    const { acr } = world.ci;
    const before = acr.world.snapshot();
    const { report } = await world.carryOut(look);
    deepEqual(acr.world.snapshot(), before);
    const reasons = report.items.map(each => each.reason).sort();
    match(reasons[0] ?? '', /^its build \d+ of \S+ is there$/);
    equal(reasons[1], 'the keep plan does not know it');
  });

  it('does not delete what became due since the look, because what needs it was last asked in its grace', async () => {
    const dead = await makeBuild('shop/web');
    world.ci.ado.world.deleteBuild(dead.id);
    const early = await world.look();
    await world.clean();
    for (const look of [early, await world.look()]) {
      world.ci.advance(grace - hour);
      await world.carryOut(look);
      deepEqual(world.ci.acr.world.manifests('shop/web'), [dead.digest]);
    }
    await world.clean();
    deepEqual(world.ci.acr.world.manifests('shop/web'), [], 'and its grace did not run anew');
  });

  it('refuses a plan of other facts', async () => {
    await makeBuild('shop/web');
    const { look } = await world.clean();
    await makeBuild('shop/web');
    const later = await world.look();
    await rejects(world.carryOut({ ...look, facts: later.facts }), { code: 'DEFECT' });
  });

  describe('that was approved', () => {
    it('does what stands in it and in the fresh plan, step by step', async () => {
      const first = await makeBuild('shop/web');
      world.ci.ado.world.deleteBuild(first.id);
      const approved = await approve();
      const second = await makeBuild('shop/web');
      world.ci.ado.world.deleteBuild(second.id);
      const { report } = await world.clean({}, { approved });
      deepEqual(told(report), [`ci shop/web:${first.id} released`, `ci shop/web@${second.digest} kept`].sort());
      nextDay();
      // Taking tags off was approved, and deleting was not.
      const { report: other } = await world.clean({}, { approved });
      ok(told(other).includes(`ci shop/web@${first.digest} kept`));
      const reasons = new Map(other.items.map(each => [each.subject, each.reason]));
      equal(reasons.get(`shop/web@${first.digest}`), 'the approved plan does not delete it');
      equal(reasons.get(`shop/web@${second.digest}`), 'the approved plan does not take its tags off');
      // What an old plan approved for the step before has its grace anew.
      nextDay();
      const again = await approve();
      deepEqual(
        again.deletions.map(each => each.step),
        world.ci.acr.world.manifests('shop/web').map(digest => (digest === first.digest ? 'delete' : 'untag')),
      );
      await world.clean({}, { approved: again });
      deepEqual(world.ci.acr.world.manifests('shop/web'), [second.digest]);
      deepEqual(world.ci.acr.world.tags('shop/web'), {});
    });

    it('deletes in the end what becomes due each day between the plan and its approval', async () => {
      world.ci.ado.world.deleteBuild((await makeBuild('shop/web')).id);
      const steps: string[][] = [];
      for (let night = 0; night < 4; night += 1) {
        const approved = await approve();
        steps.push(approved.deletions.map(each => each.step));
        const asleep = 2 * hour + (night * hour) / 4;
        world.ci.advance(asleep);
        await world.clean({}, { approved });
        world.ci.advance(day - asleep);
      }
      deepEqual(steps, [['untag'], [], ['delete'], []]);
      deepEqual(world.ci.acr.world.manifests('shop/web'), []);
    });

    it('deletes so also beside what runs, and takes off by approvals what was left on while it ran', async () => {
      const { acr } = world.ci;
      const [web = '', api = ''] = ['web', 'api'].map(name => acr.world.putImage(name).digest);
      const images = [web, api].map((reference, at) => ({ repository: ['web', 'api'][at] as string, reference }));
      world.ci.ado.world.deleteBuild(await world.ci.build(images));
      const policy = 'keep: { helmRevisions: none, references: [], newerThan: 0s }';
      const steps: string[][] = [];
      for (let night = 0; night < 7; night += 1) {
        const options = { policy, clusters: { aks: night < 4 ? [`api@${api}`] : [] } };
        const approved = await approve(options);
        steps.push(approved.deletions.map(each => `${each.repository} ${each.step}`));
        const asleep = 2 * hour + (night * hour) / 4;
        world.ci.advance(asleep);
        await world.clean(options, { approved });
        world.ci.advance(day - asleep);
      }
      deepEqual(steps, [['web untag'], [], ['web delete'], [], ['api untag'], [], ['api delete']]);
      deepEqual([acr.world.manifests('web'), acr.world.manifests('api')], [[], []]);
    });

    it('claims no more what was deleted, where something else of the build lacks an approval', async () => {
      const { acr } = world.ci;
      const [web, api] = ['web', 'api'].map(name => ({ name, ...acr.world.putImage(name) }));
      ok(web && api);
      const images = [web, api].map(({ name, digest }) => ({ repository: name, reference: digest }));
      world.ci.ado.world.deleteBuild(await world.ci.build(images));
      await world.clean();
      nextDay();
      const approved = await approve();
      const bytes = acr.world.manifest('web', web.digest)?.bytes;
      ok(bytes);
      const deletions = approved.deletions.filter(each => each.digest === web.digest);
      deepEqual(told((await world.clean({}, { approved: { ...approved, deletions } })).report), [
        `ci api@${api.digest} kept`,
        `ci web@${web.digest} deleted`,
      ]);
      // Somebody pushes the same bytes, and has not tagged them yet.
      acr.world.putManifest('web', bytes);
      nextDay();
      await world.clean();
      deepEqual([acr.world.manifests('web'), acr.world.manifests('api')], [[web.digest], []]);
    });

    it('passes the brake, and counts', async () => {
      const policy = `${plain}\nbrake: { deleted: { images: 2, percent: 100 } }`;
      for (let at = 0; at < 3; at += 1) world.ci.ado.world.deleteBuild((await makeBuild('shop/web')).id);
      const approved = await approve({ policy });
      const { report } = await world.clean({ policy }, { approved });
      deepEqual([report.braked, told(report).length], [[], 3]);
      world.ci.ado.world.deleteBuild((await makeBuild('shop/web')).id);
      const { report: other } = await world.clean({ policy });
      match(other.braked.join(), /^ci: The brake holds: releasing build \d+ would make 4 images/);
      equal(Object.keys(world.ci.acr.world.tags('shop/web')).length, 1);
    });

    it('writes down that a build is absent, also where nothing is to go yet, so that the next plan may have it', async () => {
      const lost = await makeBuild('shop/web');
      world.ci.ado.world.addBuild({ definitionId: world.ci.definitionId });
      world.ci.ado.world.purgeBuild(lost.id);
      const empty = await approve();
      deepEqual(empty.deletions, []);
      await world.clean({}, { approved: empty });
      nextDay();
      const approved = await approve();
      deepEqual(
        approved.deletions.map(each => [each.digest, each.step]),
        [[lost.digest, 'untag']],
      );
      await world.clean({}, { approved });
      deepEqual(world.ci.acr.world.tags('shop/web'), {});
    });

    it('keeps what is needed by now, whoever approved it', async () => {
      const dead = await makeBuild('shop/web');
      world.ci.ado.world.deleteBuild(dead.id);
      const policy = 'keep: { references: [], newerThan: 0s }';
      const approved = await approve({ policy, clusters: { aks: [] } });
      const runs = { policy, clusters: { aks: [`shop/web:${dead.id}`] } };
      deepEqual(told((await world.clean(runs, { approved })).report), [`ci shop/web@${dead.digest} kept`]);
    });
  });

  it('lets copies of a stage go where the configuration says so, and one that runs keeps its original', async () => {
    const dead = await makeBuild('shop/web');
    await world.promote(dead.id);
    world.ci.ado.world.deleteBuild(dead.id);
    const policy = 'keep: { references: [], newerThan: 0s }';
    const prod = 'onBuildDeleted: delete';
    const runs = { policy, prod, clusters: { aks: [`${world.stage.host}/shop/web@${dead.digest}`] } };
    deepEqual(told((await world.clean(runs)).report), [
      `ci shop/web@${dead.digest} kept`,
      `prod shop/web@${dead.digest} kept`,
    ]);
    const idle = { ...runs, clusters: { aks: [] } };
    await world.clean(idle);
    nextDay();
    const { report } = await world.clean(idle);
    deepEqual(told(report), [`ci shop/web@${dead.digest} deleted`, `prod shop/web@${dead.digest} deleted`]);
  });

  it('goes on with the other registry where one fails, and says which', async () => {
    const dead = await makeBuild('shop/web');
    await leavePromotion(world.ci, dead.id, {
      copies: [{ repository: 'shop/web', digest: world.stage.world.putImage('shop/web').digest }],
      into: { acr: world.stage, registry: world.connect(world.stage) },
    });
    world.ci.ado.world.deleteBuild(dead.id);
    const look = await world.look({ prod: 'onBuildDeleted: delete' });
    world.ci.acr.faults.add(
      { repository: `image-lifecycle/builds/${world.ci.projectId}` },
      { kind: 'status', status: 403 },
    );
    const { report } = await world.carryOut(look, { prod: 'onBuildDeleted: delete' });
    match(report.failures.join(), /^ci: .*no permission for "repository:image-lifecycle\/builds/);
    deepEqual(told(report), [`prod shop/web:${dead.id} released`]);
  });

  it('begins nothing when its time is over, says so once for each registry, and goes on at the next run', async () => {
    const dead = await makeBuild('shop/web');
    world.ci.ado.world.deleteBuild(dead.id);
    const before = world.ci.acr.world.snapshot();
    const { report } = await world.clean({}, { until: () => true });
    deepEqual(world.ci.acr.world.snapshot(), before);
    deepEqual(report.stopped, [
      'ci: the time was over before all was begun. The next run does the rest.',
      'prod: the time was over before all was begun. The next run does the rest.',
    ]);
    deepEqual(told((await world.clean()).report), [`ci shop/web:${dead.id} released`]);
  });

  it('ends when it is told to', async () => {
    const dead = await makeBuild('shop/web');
    world.ci.ado.world.deleteBuild(dead.id);
    const controller = new AbortController();
    controller.abort(new Error('told to end'));
    const before = world.ci.acr.world.snapshot();
    await rejects(world.clean({}, { signal: controller.signal }), /told to end/);
    deepEqual(world.ci.acr.world.snapshot(), before);
  });
});

function told({ items }: CleanReport): string[] {
  return items.map(each => `${each.registry} ${each.subject} ${each.outcome}`).sort();
}
