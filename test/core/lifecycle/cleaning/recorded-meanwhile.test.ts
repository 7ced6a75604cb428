/** Builds that record an image without a tag after the look at it, while such images are deleted. */
import { deepEqual, equal, match, ok } from 'node:assert/strict';
import { writeRecord } from '../../../../core/lifecycle/build-record.ts';
import type { Digest } from '../../../../core/oci/digest.ts';
import type { LoggedRequest } from '../../../emulators/acr/request-log.ts';
import { day, hour, requestOf } from '../estate.ts';
import { actAmongFive } from '../five-at-once.ts';
import { type CleaningWorld, plain, startCleaning } from './cleaning-world.ts';

const policy = `${plain}\ndelete: { untagged: { olderThan: 24h } }`;

describe('an image without a tag that a build records meanwhile', () => {
  let world: CleaningWorld;
  beforeEach(async () => {
    world = await startCleaning();
  });
  afterEach(() => world.close());

  const moments: Readonly<Record<string, { readonly isThen: (request: LoggedRequest) => boolean; reason?: string }>> = {
    'while its repository is looked at': { isThen: ({ operation }) => operation === 'manifests.list' },
    'before its repository is read again': {
      isThen: ({ operation }) => operation === 'repository.get',
      reason: 'a build has recorded it since it was planned',
    },
    'some time before the deletion': {
      isThen: ({ query }) => query['orderby'] !== undefined,
      reason: 'a build has recorded it since it was planned',
    },
  };
  for (const whose of ['of ours', 'of a project outside the configuration']) {
    for (const [when, { isThen, reason }] of Object.entries(moments)) {
      it(`stays, where that is a build ${whose}, ${when}, whose tag has moved on`, async () => {
        const { acr, ado, definitionId: own } = world.ci;
        const { digest } = acr.world.putImage('shop/web', { at: acr.clock.now() - 5 * day });
        const stray = acr.world.putImage('shop/web', { at: acr.clock.now() - 5 * day });
        const { id: projectId } = ado.world.addProject();
        const definitionId = whose === 'of ours' ? own : ado.world.addDefinition({ projectId }).id;
        const intercept = async (request: LoggedRequest, phase: string): Promise<'proceed'> => {
          if (phase !== 'before' || request.repository !== 'shop/web' || !isThen(request)) return 'proceed';
          acr.faults.intercept = undefined;
          const id = await world.ci.build([{ repository: 'shop/web', reference: digest }], { definitionId });
          acr.world.tag('shop/web', String(id), acr.world.putImage('shop/web').digest);
          world.ci.advance(3000);
          return 'proceed';
        };
        if (!reason) acr.faults.intercept = intercept;
        const look = await world.look({ policy });
        if (reason) acr.faults.intercept = intercept;
        const { report } = await world.carryOut(look, { policy });
        equal(acr.faults.intercept, undefined, 'the moment came');
        deepEqual([acr.world.has('shop/web', digest), acr.world.has('shop/web', stray.digest)], [true, false]);
        deepEqual(report.items.find(each => each.outcome === 'kept')?.reason, reason);
      });
    }
  }

  it('stays with all others of the record that are deleted beside it', async () => {
    const { acr } = world.ci;
    const old = Array.from({ length: 5 }, () => acr.world.putImage('shop/web', { at: acr.clock.now() - 5 * day }));
    const look = await world.look({ policy });
    const { id } = world.ci.ado.world.addBuild({ definitionId: world.ci.definitionId });
    const { build } = requestOf(world.ci, id, [], {});
    const images = old.map(({ mediaType, digest, size }) => {
      return { repository: 'shop/web', digest: digest as Digest, mediaType, size, children: [], tags: [] };
    });
    const record = {
      build,
      images,
      charts: [],
      onBuildDeleted: 'delete' as const,
      createdAt: new Date(0).toISOString(),
    };
    const moment = actAmongFive(world.ci, 'shop/web', () => writeRecord(world.ci.surroundings.registry, record));
    const { report } = await world.carryOut(look, { policy });
    ok(moment.came(), 'the moment came');
    equal(acr.world.manifests('shop/web').length, 5);
    deepEqual(
      report.items.map(each => each.reason),
      Array(5).fill('a build has recorded it since it was planned'),
    );
  });

  it('stays with all others where that could not be asked', async () => {
    const { acr } = world.ci;
    for (let at = 0; at < 12; at += 1) acr.world.putImage('shop/web', { at: acr.clock.now() - 5 * day });
    const look = await world.look({ policy });
    const moment = actAmongFive(world.ci, 'shop/web', () =>
      acr.faults.add({ path: /_catalog/, nth: 1 }, { kind: 'status', status: 400 }),
    );
    const { report } = await world.carryOut(look, { policy });
    ok(moment.came(), 'the moment came');
    equal(acr.world.manifests('shop/web').length, 12);
    deepEqual(
      report.items.map(each => `${each.subject} ${each.outcome}`),
      ['shop/web failed'],
    );
  });

  it('is asked for with one request for each project and repository where nothing is new', async () => {
    const { acr } = world.ci;
    const kept = acr.world.putImage('base');
    for (let at = 0; at < 3; at += 1) await world.ci.build([{ repository: 'base', reference: kept.digest }]);
    for (const name of ['api', 'web']) acr.world.putImage(name, { at: acr.clock.now() - 5 * day });
    const look = await world.look({ policy });
    acr.requests.clear();
    const records = `image-lifecycle/builds/${world.ci.projectId}`;
    await world.carryOut(look, { policy });
    const asked = acr.requests.all().filter(each => each.repository === records);
    // What comes before is the reconciliation's.
    const first = asked.findIndex(each => each.operation === 'manifests.list');
    deepEqual(
      asked.slice(first).map(each => each.operation),
      ['manifests.list', 'manifests.list'],
    );
    deepEqual([acr.world.manifests('api'), acr.world.manifests('web')], [[], []]);
  });
});

describe('a released image that a build records meanwhile', () => {
  let world: CleaningWorld;
  let image: { digest: string };
  beforeEach(async () => {
    world = await startCleaning();
    const { acr, ado } = world.ci;
    image = acr.world.putImage('shop/web');
    ado.world.deleteBuild(await world.ci.build([{ repository: 'shop/web', reference: image.digest }]));
    await world.clean();
    world.ci.advance(day + hour);
  });
  afterEach(() => world.close());

  const laterGone = async (): Promise<void> => {
    for (let run = 0; run < 3; run += 1) {
      await world.clean();
      world.ci.advance(day + hour);
    }
    equal(world.ci.acr.world.has('shop/web', image.digest), false, 'gone when that build is gone');
  };

  for (const whose of ['of ours', 'of a project outside the configuration']) {
    it(`stays, where that is a build ${whose} whose tag has moved on since the look`, async () => {
      const { acr, ado, definitionId: own } = world.ci;
      const { id: projectId } = ado.world.addProject();
      const definitionId = whose === 'of ours' ? own : ado.world.addDefinition({ projectId }).id;
      const look = await world.look();
      const id = await world.ci.build([{ repository: 'shop/web', reference: image.digest }], { definitionId });
      acr.world.tag('shop/web', String(id), acr.world.putImage('shop/web').digest);
      const { report } = await world.carryOut(look);
      deepEqual(
        report.items.map(each => `${each.subject} ${each.outcome}: ${each.reason}`),
        [`shop/web@${image.digest} kept: a build has recorded it since it was planned`],
      );
      ok(acr.world.has('shop/web', image.digest));
      if (whose !== 'of ours') return;
      ado.world.deleteBuild(id);
      await laterGone();
    });
  }

  it('stays where that could not be asked, and goes where the records of others were not to be read at the look', async () => {
    const { acr, ado } = world.ci;
    const { id: projectId } = ado.world.addProject();
    const { id: definitionId } = ado.world.addDefinition({ projectId });
    const base = acr.world.putImage('base');
    await world.ci.build([{ repository: 'base', reference: base.digest }], { definitionId });
    const look = await world.look();
    const where = { path: new RegExp(`builds/${projectId}`) };
    const fault = acr.faults.add(where, { kind: 'status', status: 403 });
    const { report } = await world.carryOut(look);
    match(report.items.map(each => `${each.outcome} ${each.reason}`).join(), /^kept the collection broke off: /);
    ok(fault.hits() > 0);
    await laterGone();
  });

  it('is asked for with one request for each project, whatever the number of repositories', async () => {
    const { acr, ado } = world.ci;
    const { id: projectId } = ado.world.addProject();
    const { id: definitionId } = ado.world.addDefinition({ projectId });
    const base = acr.world.putImage('base');
    await world.ci.build([{ repository: 'base', reference: base.digest }], { definitionId });
    for (const repository of ['api', 'app']) {
      const { digest } = acr.world.putImage(repository);
      ado.world.deleteBuild(await world.ci.build([{ repository, reference: digest }]));
    }
    await world.clean();
    world.ci.advance(day + hour);
    const look = await world.look();
    acr.requests.clear();
    await world.carryOut(look);
    deepEqual([acr.world.manifests('api'), acr.world.manifests('app')], [[], []]);
    const records = `image-lifecycle/builds/${projectId}`;
    const asked = acr.requests.all().filter(each => each.repository === records);
    deepEqual(
      asked.map(each => each.operation),
      ['manifests.list'],
    );
  });
});
