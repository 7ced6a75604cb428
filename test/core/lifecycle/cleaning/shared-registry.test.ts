/** A registry that is shared with projects that the configuration does not name: what they recorded and released stays. */
import { deepEqual, equal, match, ok } from 'node:assert/strict';
import { writeRecord } from '../../../../core/lifecycle/build-record.ts';
import type { CleanReport } from '../../../../core/lifecycle/cleaning/clean-report.ts';
import { countKept, kindOfReason } from '../../../../core/lifecycle/cleaning/kept-because.ts';
import { listNotRead } from '../../../../core/lifecycle/cleaning/not-read.ts';
import { reconcile } from '../../../../core/lifecycle/reconcile.ts';
import { tombstoneRepository, tombstoneType } from '../../../../core/lifecycle/tombstone.ts';
import { putArtifact } from '../../../../core/oci/artifact.ts';
import type { LoggedRequest } from '../../../emulators/acr/request-log.ts';
import { day, hour, requestOf } from '../estate.ts';
import { type CleaningWorld, plain, startCleaning } from './cleaning-world.ts';

const policy = `${plain}\ndelete: { untagged: { olderThan: 24h } }`;

describe('a registry that is shared', () => {
  let world: CleaningWorld;
  let theirs: { readonly projectId: string; readonly definitionId: number };
  beforeEach(async () => {
    world = await startCleaning();
    const { id: projectId } = world.ci.ado.world.addProject();
    theirs = { projectId, definitionId: world.ci.ado.world.addDefinition({ projectId }).id };
  });
  afterEach(() => world.close());

  const images = () => world.ci.acr.world;
  const putOld = (repository: string) => images().putImage(repository, { at: world.ci.acr.clock.now() - 3 * day });
  /** A build of the other project that lives, without a tag on its image any more. */
  const buildTheirs = async (repository: string, digest: string): Promise<number> => {
    const id = await world.ci.build([{ repository, reference: digest }], { definitionId: theirs.definitionId });
    images().untag(repository, String(id));
    return id;
  };
  /** The other team's own handler. */
  const reconcileTheirs = (projectId = theirs.projectId) => {
    const { surroundings, rules } = world.ci;
    return reconcile(surroundings, { ...rules, projects: [{ projectId, repositories: ['*'] }] }, {});
  };

  it('keeps an image without a tag that a build of another project made', async () => {
    const { digest } = putOld('pay/api');
    const stray = putOld('pay/api');
    const id = await buildTheirs('pay/api', digest);
    world.ci.advance(2 * day);
    const { look, report } = await world.clean({ policy });
    deepEqual(told(report), [`pay/api@${stray.digest} deleted`]);
    deepEqual(images().manifests('pay/api'), [digest]);
    const planned = look.plan.images.find(each => each.digest === digest);
    ok(
      planned?.reasons.includes(
        `nothing is known of its build ${id} of ${theirs.projectId}: its project is not in the configuration`,
      ),
      planned?.reasons.join('\n'),
    );
    deepEqual([look.unseen, listNotRead(look)], [[], { everything: [], some: [] }]);
    deepEqual(countKept(look.plan.images), [{ because: 'the configuration or its record says so', images: 1 }]);
  });

  it('keeps what a build of ours that is gone recorded as well as one of theirs that lives', async () => {
    const { digest } = putOld('base');
    const id = await world.ci.build([{ repository: 'base', reference: digest }]);
    await buildTheirs('base', digest);
    world.ci.ado.world.deleteBuild(id);
    for (let run = 0; run < 2; run += 1) {
      await world.clean({ policy });
      world.ci.advance(day + hour);
    }
    deepEqual(Object.keys(images().tags('base')), [String(id)]);
    ok(images().has('base', digest));
  });

  it('keeps what another cleaner released, with its children, as long as its tombstone is there', async () => {
    const children = [putOld('pay/api'), putOld('pay/api')];
    const index = images().putIndex('pay/api', children, { at: world.ci.acr.clock.now() - 3 * day });
    const id = await world.ci.build([{ repository: 'pay/api', reference: index.digest }], theirs);
    world.ci.advance(2 * day);
    world.ci.ado.world.deleteBuild(id);
    await reconcileTheirs();
    deepEqual(images().tags('pay/api'), {});
    images().deleteManifest('pay/api', index.digest);
    for (const records of [`image-lifecycle/builds/${theirs.projectId}`]) {
      for (const digest of images().manifests(records)) images().deleteManifest(records, digest);
    }
    // Their grace may be longer than ours.
    world.ci.advance(2 * day);
    await world.clean({ policy });
    deepEqual(images().manifests('pay/api').sort(), children.map(each => each.digest).sort());
    const tombstones = `image-lifecycle/tombstones/${theirs.projectId}`;
    for (const digest of images().manifests(tombstones)) images().deleteManifest(tombstones, digest);
    await world.clean({ policy });
    deepEqual(images().manifests('pay/api'), []);
  });

  it('keeps what others recorded and released, where the list of repositories is cut before that', async () => {
    const [recorded, released] = [putOld('pay/api'), putOld('pay/web')];
    await buildTheirs('pay/api', recorded.digest);
    const { ado } = world.ci;
    const { id: projectId } = ado.world.addProject();
    const { id: definitionId } = ado.world.addDefinition({ projectId });
    ado.world.deleteBuild(
      await world.ci.build([{ repository: 'pay/web', reference: released.digest }], { definitionId }),
    );
    await reconcileTheirs(projectId);
    deepEqual(images().tags('pay/web'), {});
    const records = `image-lifecycle/builds/${projectId}`;
    for (const digest of images().manifests(records)) images().deleteManifest(records, digest);
    const names = [`image-lifecycle/builds/${theirs.projectId}`, `image-lifecycle/tombstones/${projectId}`];
    const fault = world.ci.acr.faults.add({ path: /_catalog\?n=/ }, { kind: 'hide', names });
    world.ci.advance(2 * day);
    const { look } = await world.clean({ policy });
    ok(fault.hits() > 0);
    deepEqual([look.unseen, look.plan.unread], [[], []]);
    deepEqual([images().has('pay/api', recorded.digest), images().has('pay/web', released.digest)], [true, true]);
  });

  it('keeps what a record names that is of another collection or contradicts its place, and says so', async () => {
    const moved = putOld('web');
    const misplaced = putOld('web');
    const { build } = requestOf(
      world.ci,
      world.ci.ado.world.addBuild({ definitionId: world.ci.definitionId }).id,
      [],
      {},
    );
    const { registry } = world.ci.surroundings;
    const collectionId = '11111111-2222-4333-8444-555555555555';
    await writeRecord(registry, { build: { ...build, collectionId }, ...record(moved.digest) });
    const { tag } = await writeRecord(registry, { build, ...record(misplaced.digest) });
    const records = `image-lifecycle/builds/${world.ci.projectId}`;
    const { digest } = images().manifest(records, tag)!;
    images().tag(records, tag.replace(/^\d+/, '99999'), digest);
    images().untag(records, tag);
    const { look } = await world.clean({ policy });
    equal(images().manifests('web').length, 2);
    deepEqual(
      look.unseen.map(each => each.replace(/^the record \S+ /, '')),
      [
        `is not acted on, and what it names stays: it is of the collection ${collectionId}`,
        `is not acted on, and what it names stays: it says build ${build.id} of definition ${build.definitionId} in project ${build.projectId}`,
      ],
    );
  });

  it('lets nothing go for want of a tag where it may not be read what others recorded, and says so', async () => {
    const { digest } = putOld('pay/api');
    await buildTheirs('pay/api', digest);
    const dead = putOld('shop/api');
    world.ci.ado.world.deleteBuild(await world.ci.build([{ repository: 'shop/api', reference: dead.digest }]));
    const where = { path: new RegExp(`(?:builds|tombstones)/${theirs.projectId}`) };
    const fault = world.ci.acr.faults.add(where, { kind: 'status', status: 403 });
    for (let run = 0; run < 2; run += 1) {
      const { look } = await world.clean({ policy });
      const reasons = look.plan.images.find(each => each.digest === digest)?.reasons ?? [];
      match(reasons.join(), /^no record that was read names it, and those of projects outside .* were not read$/);
      deepEqual(reasons.map(kindOfReason), ['something was not read']);
      equal(look.unseen.length, 1);
      match(
        look.unseen[0] ?? '',
        /^Not seen: what projects outside .* in ci, so nothing goes there for want of a tag \(/,
      );
      world.ci.advance(day + hour);
    }
    ok(fault.hits() > 0);
    ok(images().has('pay/api', digest));
    equal(images().has('shop/api', dead.digest), false, 'what is ours goes as ever');
    deepEqual((await world.look()).unseen, [], 'it matters to this rule alone');
  });

  it('is asked what is new no more than half of the time, and with one request for each list', async () => {
    const { acr, surroundings } = world.ci;
    const projects = Array.from({ length: 15 }, (_, at) => `00000000-0000-4000-8000-${String(at).padStart(12, '0')}`);
    const seen = { type: tombstoneType, json: {} };
    for (const id of projects)
      await putArtifact(tombstoneRepository(surroundings.registry, id), '1.1.seen-build.1.1', seen);
    for (let at = 0; at < 80; at += 1) putOld('shop');
    const generous = { policy: `${policy}\nbrake: { deleted: { percent: 100 } }` };
    const look = await world.look(generous);
    acr.requests.clear();
    acr.faults.intercept = (_, phase) => {
      if (phase === 'before') world.ci.advance(100);
      return 'proceed';
    };
    await world.carryOut(look, generous);
    deepEqual(images().manifests('shop'), []);
    const requests = acr.requests.all();
    const of = (repository: string): number => requests.filter(each => each.repository === repository).length;
    const asks = of(`image-lifecycle/builds/${projects[0]}`);
    ok(asks > 2, `asked ${asks} times`);
    equal(of(`image-lifecycle/tombstones/${projects[0]}`), asks + 2, 'a list between two counts, and then one request');
    const all = requests.filter(({ path }) => /_catalog|(?:builds|tombstones)\/0/.test(path)).length;
    ok(all - 2 * projects.length <= of('shop'), `${all} requests for ${of('shop')} of the deletions`);
  });

  it('keeps everything where what others recorded could not be read for any other reason', async () => {
    const { digest } = putOld('pay/api');
    await buildTheirs('pay/api', digest);
    const where = { path: new RegExp(`builds/${theirs.projectId}`) };
    world.ci.acr.faults.add(where, { kind: 'status', status: 500 });
    const { plan } = await world.look({ policy });
    match(plan.unread.join(), /the build records of ci were not read/);
  });
});

describe('an image that another run releases meanwhile', () => {
  let world: CleaningWorld;
  let digest: string;
  beforeEach(async () => {
    world = await startCleaning();
    const { acr } = world.ci;
    ({ digest } = acr.world.putImage('shop/web', { at: acr.clock.now() - 5 * day }));
  });
  afterEach(() => world.close());

  it('has its grace, where its tag comes off before its repository is looked at', async () => {
    const { acr, ado } = world.ci;
    const id = await world.ci.build([{ repository: 'shop/web', reference: digest }]);
    world.ci.advance(2 * day);
    ado.world.deleteBuild(id);
    let raced = false;
    acr.faults.intercept = async ({ repository }, phase) => {
      if (phase === 'before' && !raced && repository === 'shop/web') {
        raced = true;
        acr.faults.intercept = undefined;
        await world.clean();
        deepEqual(acr.world.tags('shop/web'), {});
      }
      return 'proceed' as const;
    };
    const { look } = await world.clean({ policy });
    deepEqual([raced, look.plan.images.map(each => each.cause)], [true, ['build']]);
    ok(acr.world.has('shop/web', digest));
    world.ci.advance(day + hour);
    await world.clean({ policy });
    equal(acr.world.has('shop/web', digest), false);
  });

  it('has its grace, where it was tagged and released between plan and deed', async () => {
    const { acr, ado } = world.ci;
    const look = await world.look({ policy });
    equal(look.plan.images[0]?.cause, 'untagged');
    ado.world.deleteBuild(await world.ci.build([{ repository: 'shop/web', reference: digest }]));
    await world.ci.reconcile();
    deepEqual(acr.world.tags('shop/web'), {});
    const { report } = await world.carryOut(look, { policy });
    deepEqual(told(report), [`shop/web@${digest} kept`]);
    equal(report.items[0]?.reason, 'it was released within the grace');
    ok(acr.world.has('shop/web', digest));
  });

  it('has its grace, where others released it and the list of repositories is cut before what they wrote down', async () => {
    const { acr, ado, surroundings, rules } = world.ci;
    const look = await world.look({ policy });
    const { id: projectId } = ado.world.addProject();
    const definitionId = ado.world.addDefinition({ projectId }).id;
    ado.world.deleteBuild(await world.ci.build([{ repository: 'shop/web', reference: digest }], { definitionId }));
    await reconcile(surroundings, { ...rules, projects: [{ projectId, repositories: ['*'] }] }, {});
    deepEqual(acr.world.tags('shop/web'), {});
    const names = ['builds', 'tombstones'].map(each => `image-lifecycle/${each}/${projectId}`);
    const fault = acr.faults.add({ path: /_catalog\?n=/ }, { kind: 'hide', names });
    const { report } = await world.carryOut(look, { policy });
    ok(fault.hits() > 0);
    deepEqual(told(report), [`shop/web@${digest} kept`]);
    equal(report.items[0]?.reason, 'it was released within the grace');
  });

  it('has its grace, where a project of another organization of ours released it that no list shows', async () => {
    const { acr, ado, surroundings, rules, projectId: own } = world.ci;
    const look = await world.look({ policy });
    const { id: theirs } = ado.world.addProject();
    const definitionId = ado.world.addDefinition({ projectId: theirs }).id;
    ado.world.deleteBuild(await world.ci.build([{ repository: 'shop/web', reference: digest }], { definitionId }));
    await reconcile(surroundings, { ...rules, projects: [{ projectId: theirs, repositories: ['*'] }] }, {});
    const names = ['builds', 'tombstones'].map(each => `image-lifecycle/${each}/${theirs}`);
    acr.faults.add({ operation: 'oci.catalog.list' }, { kind: 'hide', names });
    const organizations = [
      { url: ado.url, ids: [own] },
      { url: 'https://dev.azure.com/other', ids: [theirs] },
    ].map(({ url, ids }) => ({
      url,
      buildTagPrefix: '',
      alsoOwn: [],
      projects: ids.map(id => ({ id, name: id, repositories: ['*'] })),
    }));
    const { report } = await world.carryOut(look, { policy }, { organizations });
    deepEqual(told(report), [`shop/web@${digest} kept`]);
    equal(report.items[0]?.reason, 'it was released within the grace');
  });

  const moments: Readonly<Record<string, (request: LoggedRequest) => boolean>> = {
    'before its repository is read': ({ operation }) => operation === 'repository.get',
    'some time before the deletion': ({ query }) => query['orderby'] !== undefined,
  };
  for (const [when, isThen] of Object.entries(moments)) {
    it(`has its grace, where it is released in the middle of the deed, ${when}`, async () => {
      const { acr, ado, definitionId } = world.ci;
      const look = await world.look({ policy });
      // No record names it, so its tombstone alone can hold it.
      const now = acr.clock.now();
      const { id } = ado.world.addBuild({ definitionId, startTime: now - hour, finishTime: now + hour });
      acr.faults.intercept = async (request, phase): Promise<'proceed'> => {
        if (phase !== 'before' || request.repository !== 'shop/web' || !isThen(request)) return 'proceed';
        acr.faults.intercept = undefined;
        acr.world.tag('shop/web', String(id), digest);
        ado.world.deleteBuild(id);
        const withoutRecord = `withoutRecord: { tagsMatching: "/^[0-9]+$/", definitions: [${definitionId}] }`;
        await world.clean({ policy: `${plain}\ndelete: { ${withoutRecord} }` });
        deepEqual(acr.world.tags('shop/web'), {});
        world.ci.advance(3000);
        return 'proceed';
      };
      const { report } = await world.carryOut(look, { policy });
      equal(acr.faults.intercept, undefined, 'the moment came');
      deepEqual(told(report), [`shop/web@${digest} kept`]);
      equal(report.items[0]?.reason, 'it was released within the grace');
      ok(acr.world.has('shop/web', digest));
    });
  }
});

function told({ items }: CleanReport): string[] {
  return items.map(each => `${each.subject} ${each.outcome}`).sort();
}

/** A record that names one image of `web`, without its build. */
function record(digest: string) {
  return {
    images: [
      { repository: 'web', digest: digest as `sha256:${string}`, mediaType: '', size: 1, children: [], tags: [] },
    ],
    charts: [],
    onBuildDeleted: 'delete' as const,
    createdAt: new Date(0).toISOString(),
  };
}
