/** Images that were tagged with a build's id by something else than us: from their tags to their end. */
import { deepEqual, equal, match, ok } from 'node:assert/strict';
import { makeCleanPlan } from '../../../../core/lifecycle/cleaning/clean-plan.ts';
import type { CleanReport } from '../../../../core/lifecycle/cleaning/clean-report.ts';
import { day, hour } from '../estate.ts';
import { type CleaningOptions, type CleaningWorld, plain, startCleaning } from './cleaning-world.ts';

describe('an image without a record', () => {
  let world: CleaningWorld;
  let options: CleaningOptions;
  let tombstones: string;
  beforeEach(async () => {
    world = await startCleaning();
    const { definitionId, projectId } = world.ci;
    tombstones = `image-lifecycle/tombstones/${projectId}`;
    options = {
      policy: `${plain}\ndelete: { withoutRecord: { tagsMatching: "/^(app-)?[0-9]+$/", definitions: [${definitionId}] } }`,
    };
  });
  afterEach(() => world.close());

  const nextDay = (): void => world.ci.advance(day + hour);
  /** A build of yesterday that is deleted, with an image that it tagged by itself. */
  const makeBuild = (
    repository = 'old',
    tagOf = (id: number): string => String(id),
  ): { id: number; digest: string } => {
    const { acr, ado, definitionId } = world.ci;
    const at = acr.clock.now() - day;
    const { id } = ado.world.addBuild({ definitionId, startTime: at - hour, finishTime: at + hour });
    const { digest } = acr.world.putImage(repository, { tags: [tagOf(id)], at });
    ado.world.deleteBuild(id);
    return { id, digest };
  };

  it('is released with a tombstone of its build, and collected when the grace is over', async () => {
    const { id, digest } = makeBuild();
    const { report } = await world.clean(options);
    deepEqual(told(report), [`old:${id} released`]);
    deepEqual([world.ci.acr.world.tags('old'), world.ci.acr.world.manifests('old')], [{}, [digest]]);
    ok(Object.keys(world.ci.acr.world.tags(tombstones)).some(tag => tag.startsWith(`${id}.`) && isOfOne(tag)));
    deepEqual(told((await world.clean(options)).report), [], 'it waits');
    nextDay();
    deepEqual(told((await world.clean(options)).report), [`old@${digest} deleted`]);
    nextDay();
    await world.clean(options);
    deepEqual(world.ci.acr.world.snapshot(), { repositories: {}, blobs: [] });
  });

  it('is collected by a reconciliation without a plan as well', async () => {
    makeBuild();
    await world.clean(options);
    await world.ci.settle();
    await world.ci.settle();
    deepEqual(world.ci.acr.world.snapshot(), { repositories: {}, blobs: [] });
  });

  it('goes with the children of its index', async () => {
    const { acr, ado, definitionId } = world.ci;
    const at = acr.clock.now() - day;
    const { id } = ado.world.addBuild({ definitionId, startTime: at - hour, finishTime: at + hour });
    const children = [acr.world.putImage('old', { at }), acr.world.putImage('old', { at })];
    acr.world.putIndex('old', children, { tags: [String(id)], at });
    ado.world.deleteBuild(id);
    for (let days = 0; days < 3; days += 1) {
      await world.clean(options);
      nextDay();
    }
    deepEqual(acr.world.snapshot(), { repositories: {}, blobs: [] });
  });

  it('gets its tag back when the build lives after all, whatever the plan says', async () => {
    const { id, digest } = makeBuild();
    await world.clean(options);
    delete world.ci.ado.world.builds.get(id)!.deleted;
    const { report } = await world.clean(options);
    deepEqual(told(report), [`old:${id} restored`]);
    deepEqual(world.ci.acr.world.tags('old'), { [id]: digest });
  });

  it('stays in the grace and after it, where its build is not known to be gone any more', async () => {
    const { id, digest } = makeBuild();
    await world.clean({ policy: `${options.policy}` });
    nextDay();
    const withUntagged = { policy: options.policy!.replace('delete: {', 'delete: { untagged: { olderThan: 1h },') };
    world.ci.ado.world.purgeBuild(id);
    const { look } = await world.clean(withUntagged);
    match(
      look.plan.images[0]?.reasons.join() ?? '',
      /its tags came off with build \d+ of \S+, which is not known to be gone/,
    );
    ok(world.ci.acr.world.has('old', digest));
  });

  it('stays when the rule is taken away within the grace', async () => {
    const { digest } = makeBuild();
    await world.clean(options);
    nextDay();
    await world.clean();
    ok(world.ci.acr.world.has('old', digest));
  });

  it('of two builds loses the tag of each with a tombstone of its own', async () => {
    const first = makeBuild();
    const second = makeBuild();
    const { acr, ado } = world.ci;
    acr.world.tag('old', String(second.id), first.digest, ado.world.builds.get(second.id)!.startTime! + 1);
    acr.world.deleteManifest('old', second.digest);
    const { report } = await world.clean({
      policy: `${options.policy}\nbrake: { deleted: { images: 1, percent: 100 } }`,
    });
    equal(report.braked.length, 1);
    equal(Object.keys(acr.world.tags('old')).length, 1, 'the tag of the other is not its to take off');
    await world.clean(options);
    deepEqual(acr.world.tags('old'), {});
    equal(Object.keys(acr.world.tags(tombstones)).filter(isOfOne).length, 2);
    nextDay();
    await world.clean(options);
    deepEqual(acr.world.manifests('old'), []);
  });

  const changes: Readonly<Record<string, [(id: number, digest: string) => void, RegExp]>> = {
    'its build lives again': [
      id => void delete world.ci.ado.world.builds.get(id)!.deleted,
      /which is not known to be deleted/,
    ],
    'its build cannot be asked for': [
      () => void world.ci.ado.faults.add({ operation: 'builds.get', effect: { kind: 'status', status: 503 } }),
      /which is not known to be deleted/,
    ],
    'its build is not found any more': [id => world.ci.ado.world.purgeBuild(id), /which is not known to be deleted/],
    'somebody tagged it': [
      (_id, digest) => world.ci.acr.world.tag('old', 'stable', digest),
      /its tag "stable" is not that of a build/,
    ],
    'its tag was set again since': [
      (id, digest) => world.ci.acr.world.tag('old', String(id), digest),
      /was not set while build \d+ of \S+ ran/,
    ],
    'it was locked': [
      (_id, digest) => world.ci.acr.world.setAttributes('old', digest, { deleteEnabled: false }),
      /it is locked/,
    ],
  };
  for (const [what, [change, why]] of Object.entries(changes)) {
    it(`stays where between plan and deed ${what}`, async () => {
      const { id, digest } = makeBuild();
      const look = await world.look(options);
      equal(look.plan.images[0]?.decision, 'delete');
      change(id, digest);
      const before = world.ci.acr.world.snapshot();
      const { report } = await world.carryOut(look, options);
      deepEqual(world.ci.acr.world.snapshot(), before);
      deepEqual(told(report), [`old@${digest} kept`]);
      match(reasons(report), why);
    });
  }

  it('waits for what its build recorded, which goes first', async () => {
    const { acr, ado, definitionId } = world.ci;
    const recorded = acr.world.putImage('new').digest;
    const id = await world.ci.build([{ repository: 'new', reference: recorded }]);
    const at = acr.clock.now();
    Object.assign(ado.world.builds.get(id)!, { startTime: at - hour, finishTime: at + hour, definitionId });
    acr.world.putImage('old', { tags: [`app-${id}`], at });
    ado.world.deleteBuild(id);
    const { report } = await world.clean(options);
    match(reasons(report), /build \d+ has records that do not name it: what they name goes first/);
    deepEqual([acr.world.tags('new'), Object.keys(acr.world.tags('old'))], [{}, [`app-${id}`]]);
    for (let days = 0; days < 4; days += 1) {
      nextDay();
      await world.clean(options);
    }
    deepEqual(acr.world.snapshot(), { repositories: {}, blobs: [] });
  });

  it('is counted by the brake, and passes it with approval', async () => {
    const policy = `${options.policy}\nbrake: { deleted: { images: 2, percent: 100 } }`;
    for (let at = 0; at < 3; at += 1) makeBuild();
    const { facts, plan } = await world.look({ policy });
    const approved = makeCleanPlan(facts, plan, { grace: day, registries: [] });
    const { report } = await world.clean({ policy });
    match(report.braked.join(), /^ci: The brake holds: releasing build \d+ would make 3 images of 3 builds/);
    equal(Object.keys(world.ci.acr.world.tags('old')).length, 1);
    const { report: other } = await world.clean({ policy }, { approved });
    deepEqual([other.braked, world.ci.acr.world.tags('old')], [[], {}]);
  });

  it('that nobody approved stays', async () => {
    const first = makeBuild();
    const { facts, plan } = await world.look(options);
    const approved = makeCleanPlan(facts, plan, { grace: day, registries: [] });
    const second = makeBuild();
    await world.clean(options, { approved });
    deepEqual(world.ci.acr.world.tags('old'), { [second.id]: second.digest });
    ok(world.ci.acr.world.has('old', first.digest));
  });

  it('asks one question of each build right before its release, and none of those that live', async () => {
    const { acr, ado, definitionId } = world.ci;
    makeBuild();
    const at = acr.clock.now() - day;
    for (let count = 0; count < 5; count += 1) {
      const { id } = ado.world.addBuild({ definitionId, startTime: at - hour, finishTime: at + hour });
      acr.world.putImage('old', { tags: [String(id)], at });
    }
    const look = await world.look(options);
    ado.requests.clear();
    await world.carryOut(look, options);
    equal(ado.requests.count('builds.get'), 1);
  });
});

/** Whether the tag is that of a tombstone of one image. */
function isOfOne(tag: string): boolean {
  return /\.1\.[0-9a-f]{16}$/.test(tag);
}

function told({ items }: CleanReport): string[] {
  return items.map(each => `${each.subject} ${each.outcome}`).sort();
}

function reasons({ items }: CleanReport): string {
  return items.map(each => each.reason).join('\n');
}
