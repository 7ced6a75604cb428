import assert from 'node:assert/strict';
import { connectAzureDevOps } from '../../../core/azure-devops/connection.ts';
import { silentLog } from '../../../core/base/log.ts';
import { reconcile } from '../../../core/lifecycle/reconcile.ts';
import { startAzureDevOps } from '../../emulators/azure-devops/azure-devops.ts';
import { day, type Estate, hastyClock, hour, startEstate } from './estate.ts';

describe('answers that are no evidence', () => {
  let estate: Estate;
  let digest: string;
  let id: number;
  beforeEach(async () => {
    estate = await startEstate();
    digest = estate.acr.world.putImage('app').digest;
    id = await estate.build([{ repository: 'app', reference: digest }]);
    estate.ado.world.addBuild({ definitionId: estate.definitionId });
  });
  afterEach(() => estate.close());

  /** Many runs over more than a month: whatever is wrong stays wrong, and nothing may change. */
  const assertNothingHappens = async (): Promise<string> => {
    const before = estate.acr.world.snapshot().repositories['app'];
    const reasons: string[] = [];
    for (let run = 0; run < 4; run += 1) {
      try {
        reasons.push(...(await estate.reconcile()).items.map(item => item.reason));
      } catch (thrown) {
        reasons.push((thrown as Error).message);
      }
      estate.advance(20 * day);
    }
    assert.deepEqual(estate.acr.world.snapshot().repositories['app'], before);
    return reasons.join('\n');
  };

  const builds = { operation: 'builds.get' } as const;
  const lists = { operation: 'builds.list' } as const;

  for (const status of [401, 403, 500, 502, 503, 429, 203, 302, 404]) {
    it(`${status} for the build`, async () => {
      estate.ado.world.deleteBuild(id);
      for (const match of [builds, lists]) estate.ado.faults.add({ ...match, effect: { kind: 'status', status } });
      assert.notEqual(await assertNothingHappens(), '');
    });
  }

  for (const effect of [
    { kind: 'cut', when: 'before' },
    { kind: 'cut', when: 'mid-body' },
    { kind: 'truncated' },
    { kind: 'html' },
    { kind: 'contentType', value: 'text/plain' },
    { kind: 'foreignBuild', projectId: '11111111-1111-4111-8111-111111111111' },
    { kind: 'foreignBuild', definitionId: 99 },
    { kind: 'foreignBuild', id: 99 },
  ] as const) {
    it(`a build's answer with ${JSON.stringify(effect)}`, async () => {
      estate.ado.world.deleteBuild(id);
      estate.ado.faults.add({ ...builds, effect });
      assert.notEqual(await assertNothingHappens(), '');
    });
  }

  it('a build that is missing from a batch', async () => {
    estate.ado.faults.add({ ...lists, effect: { kind: 'missingBuild', id } });
    await assertNothingHappens();
  });

  it('a batch that calls a living build deleted', async () => {
    estate.ado.faults.add({ ...lists, effect: { kind: 'edit', edit: json => markDeleted(json) } });
    await assertNothingHappens();
  });

  it('a project that is gone', async () => {
    estate.ado.world.deleteProject(estate.projectId);
    assert.match(await assertNothingHappens(), /does not exist, or you do not have permission/);
  });

  for (const how of ['notFound', 'unauthorized', 'forbidden'] as const) {
    it(`a project that may not be read (${how})`, async () => {
      estate.ado.world.purgeBuild(id);
      estate.ado.world.denyProject(estate.projectId, how);
      await assertNothingHappens();
    });
    it(`a pipeline whose builds may not be read (${how})`, async () => {
      estate.ado.world.denyDefinition(estate.definitionId, how);
      await assertNothingHappens();
    });
  }

  it('a 404 for the newest build, for which nothing shows that it could be read', async () => {
    const { digest: other } = estate.acr.world.putImage('app');
    const newest = await estate.build([{ repository: 'app', reference: other }]);
    estate.ado.world.purgeBuild(newest);
    assert.match(await assertNothingHappens(), /no newer build/);
  });

  it('another organization, which has a deleted build of that very id', async () => {
    const wrong = await startAzureDevOps({ clock: estate.acr.clock, organization: 'fabrikam' });
    try {
      const project = wrong.world.addProject();
      const definition = wrong.world.addDefinition({ projectId: project.id });
      wrong.world.addBuild({ id, definitionId: definition.id });
      wrong.world.deleteBuild(id);
      const azureDevOps = connectAzureDevOps({
        url: wrong.url,
        token: async () => ({ kind: 'bearer', value: wrong.token }),
        clock: hastyClock,
        log: silentLog,
      });
      const before = estate.acr.world.snapshot().repositories['app'];
      for (let run = 0; run < 3; run += 1) {
        const report = await reconcile({ ...estate.surroundings, azureDevOps }, estate.rules, {});
        assert.ok(report.items.every(item => item.outcome === 'kept' || item.outcome === 'failed'));
        estate.advance(40 * day);
      }
      assert.deepEqual(estate.acr.world.snapshot().repositories['app'], before);
    } finally {
      await wrong.close();
    }
  });
});

describe('absence', () => {
  let estate: Estate;
  let id: number;
  beforeEach(async () => {
    estate = await startEstate();
    id = await estate.build([{ repository: 'app', reference: estate.acr.world.putImage('app').digest }]);
    estate.ado.world.addBuild({ definitionId: estate.definitionId });
  });
  afterEach(() => estate.close());

  const tags = (): string[] => Object.keys(estate.acr.world.tags('app'));

  it('counts when it is seen again after 24 hours', async () => {
    estate.ado.world.purgeBuild(id);
    await estate.reconcile();
    estate.advance(day - hour);
    await estate.reconcile();
    assert.deepEqual(tags(), [String(id)]);
    estate.advance(2 * hour);
    await estate.reconcile();
    assert.deepEqual(tags(), []);
    estate.advance(2 * day);
    await estate.reconcile();
    assert.deepEqual(estate.acr.world.repositories(), []);
  });

  it('is forgotten when the build is seen alive in between', async () => {
    const build = estate.ado.world.builds.get(id)!;
    estate.ado.world.purgeBuild(id);
    await estate.reconcile();
    estate.ado.world.builds.set(id, build);
    estate.advance(20 * hour);
    await estate.reconcile();
    estate.ado.world.purgeBuild(id);
    estate.advance(10 * hour);
    await estate.reconcile();
    assert.deepEqual(tags(), [String(id)], 'the day begins anew');
  });

  it('with the pipeline gone too takes 30 days', async () => {
    estate.ado.world.addBuild({ definitionId: estate.ado.world.addDefinition({ projectId: estate.projectId }).id });
    estate.ado.world.deleteDefinition(estate.definitionId);
    estate.ado.world.purgeBuild(id);
    await estate.reconcile();
    estate.advance(29 * day);
    await estate.reconcile();
    assert.deepEqual(tags(), [String(id)]);
    estate.advance(2 * day);
    await estate.reconcile();
    assert.deepEqual(tags(), []);
  });

  it('of a pipeline is never believed where none of its builds can be read: so looks a right that is missing', async () => {
    const other = estate.ado.world.addDefinition({ projectId: estate.projectId });
    estate.ado.world.addBuild({ definitionId: other.id });
    estate.ado.world.denyDefinition(estate.definitionId, 'notFound');
    for (let months = 0; months < 4; months += 1) {
      const report = await estate.reconcile();
      assert.match(report.items.map(item => item.reason).join(), /how a missing right looks/);
      estate.advance(31 * day);
    }
    assert.deepEqual(tags(), [String(id)]);
  });

  it('gives way to the build saying so itself', async () => {
    const build = estate.ado.world.builds.get(id)!;
    estate.ado.world.purgeBuild(id);
    await estate.reconcile();
    estate.ado.world.builds.set(id, build);
    estate.ado.world.deleteBuild(id);
    await estate.reconcile();
    assert.deepEqual(tags(), []);
    estate.advance(2 * day);
    await estate.reconcile();
    assert.deepEqual(estate.acr.world.repositories(), []);
  });
});

function markDeleted(json: unknown): unknown {
  const list = json as { value: object[] };
  return { ...list, value: list.value.map(build => ({ ...build, deleted: true })) };
}
