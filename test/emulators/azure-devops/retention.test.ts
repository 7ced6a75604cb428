import assert from 'node:assert/strict';
import { ask } from './ask.ts';
import { type AzureDevOpsEmulator, startAzureDevOps } from './azure-devops.ts';

const day = 24 * 60 * 60 * 1000;

describe('the emulated retention', () => {
  let emulator: AzureDevOpsEmulator;
  let projectId: string;
  let definitionId: number;
  beforeEach(async () => {
    emulator = await startAzureDevOps();
    projectId = emulator.world.addProject({ name: 'Shop' }).id;
    definitionId = emulator.world.addDefinition({ projectId }).id;
  });
  afterEach(() => emulator.close());

  const leases = (path = '', init?: RequestInit) =>
    ask(emulator, `${projectId}/_apis/build/retention/leases${path}`, init);
  const post = (body: unknown) => leases('?api-version=7.1', { method: 'POST', body: JSON.stringify(body) });

  it('deletes old builds, but not the last, the kept, the retained, the leased and the running ones', async () => {
    for (let id = 1; id <= 8; id += 1)
      emulator.world.addBuild({ definitionId, id, queueTime: emulator.clock.now() + id });
    emulator.world.builds.get(2)!.keepForever = true;
    emulator.world.builds.get(3)!.retainedByRelease = true;
    emulator.world.builds.get(4)!.status = 'inProgress';
    await post([{ runId: 5, definitionId, ownerId: 'me', daysValid: 90, protectPipeline: false }]);
    assert.deepEqual(emulator.world.runRetention(), [], 'nothing is old yet');
    emulator.clock.advance(31 * day);
    assert.deepEqual(emulator.world.runRetention(), [1]);
    emulator.clock.advance(60 * day);
    assert.deepEqual(emulator.world.runRetention(), [5], 'the lease ran out');
    emulator.world.projects.get(projectId)!.retention = { days: 1, minimumRuns: 1 };
    assert.deepEqual(emulator.world.runRetention(), [7, 6]);
    assert.deepEqual(emulator.world.runRetention('another-project'), []);
  });

  it('takes, tells, changes and gives back leases', async () => {
    emulator.world.addBuild({ definitionId, id: 1 });
    const made = await post([{ runId: 1, definitionId, ownerId: 'me', daysValid: 10, protectPipeline: true }]);
    const [lease] = made.json.value;
    assert.deepEqual(Object.keys(lease).sort(), [
      'createdOn',
      'definitionId',
      'leaseId',
      'ownerId',
      'protectPipeline',
      'runId',
      'validUntil',
    ]);
    assert.equal(Date.parse(lease.validUntil) - Date.parse(lease.createdOn), 10 * day);
    const counts = async () => [
      (await leases('?ownerId=me')).json.count,
      (await leases('?ownerId=you')).json.count,
      (await leases(`?ownerId=me&runId=1&definitionId=${definitionId}`)).json.count,
      (await leases(`?leasesToFetch=${encodeURIComponent(JSON.stringify({ ownerId: 'me', definitionId, runId: 1 }))}`))
        .json.count,
      (await ask(emulator, `${projectId}/_apis/build/builds/1/leases`)).json.count,
    ];
    assert.deepEqual(await counts(), [1, 0, 1, 1, 1]);
    const changed = await leases(`/${lease.leaseId}`, { method: 'PATCH', body: JSON.stringify({ daysValid: 50 }) });
    assert.ok(Date.parse(changed.json.validUntil) > Date.parse(lease.validUntil));
    assert.equal((await leases(`/${lease.leaseId}`)).json.ownerId, 'me');
    assert.equal((await leases(`?ids=${lease.leaseId}`, { method: 'DELETE' })).status, 204);
    assert.deepEqual(await counts(), [0, 0, 0, 0, 0]);
    assert.equal((await leases(`/${lease.leaseId}`)).status, 404);
  });

  it('finds the leases of a user, and refuses a question that its specification does not know', async () => {
    emulator.world.addBuild({ definitionId, id: 1 });
    const user = '11111111-2222-4333-8444-555555555555';
    await post([{ runId: 1, definitionId, ownerId: `User:${user}`, daysValid: 10 }]);
    assert.equal((await leases(`?userOwnerId=${user}`)).json.count, 1);
    for (const query of ['?userOwnerId=me', '?ownerId=me&runId=1']) assert.equal((await leases(query)).status, 400);
    for (const query of ['', '?ids=', '?ids=x,1']) {
      assert.equal((await leases(query, { method: 'DELETE' })).status, 400, query);
    }
  });

  it('frees no lease of another project', async () => {
    const other = emulator.world.addProject({ name: 'Other' });
    const elsewhere = emulator.world.addDefinition({ projectId: other.id });
    emulator.world.addBuild({ definitionId: elsewhere.id, id: 1 });
    const lease = emulator.world.leases.add({ runId: 1, definitionId: elsewhere.id, ownerId: 'me', daysValid: 1 });
    assert.equal((await leases(`?ids=${lease.leaseId}`, { method: 'DELETE' })).status, 204);
    assert.equal((await leases(`/${lease.leaseId}`, { method: 'PATCH', body: '{"daysValid":9}' })).status, 404);
    assert.deepEqual(emulator.world.leases.all(), [lease]);
  });

  it('gives an owner a second lease on one build, or the same again, as told', async () => {
    emulator.world.addBuild({ definitionId, id: 1 });
    const lease = { runId: 1, definitionId, ownerId: 'me', daysValid: 10 };
    const [first, second] = [await post([lease]), await post([lease])].map(answer => answer.json.value[0].leaseId);
    assert.notEqual(first, second);
    emulator.world.behaviour.secondLease = 'same';
    assert.equal((await post([{ ...lease, daysValid: 20 }])).json.value[0].leaseId, first);
    assert.equal(emulator.world.leases.all().length, 2);
  });

  it('lets nobody delete a build by hand while something holds it', async () => {
    emulator.world.addBuild({ definitionId, id: 1 });
    const remove = () => ask(emulator, `${projectId}/_apis/build/builds/1`, { method: 'DELETE' });
    const lease = emulator.world.leases.add({ runId: 1, definitionId, ownerId: 'me', daysValid: 1 });
    const refused = await remove();
    assert.deepEqual([refused.status, refused.json.typeKey], [400, 'CannotDeleteRetainedBuildException']);
    emulator.world.leases.remove(lease.leaseId);
    assert.equal((await remove()).status, 204);
    assert.ok(emulator.world.builds.get(1)?.deleted);
  });

  it('says 403 to every change of leases in a project where nobody may change builds', async () => {
    emulator.world.addBuild({ definitionId, id: 1 });
    const { leaseId } = emulator.world.leases.add({ runId: 1, definitionId, ownerId: 'me', daysValid: 1 });
    emulator.world.projects.get(projectId)!.executeDenied = true;
    const changes = [
      await post([{ runId: 1, definitionId, ownerId: 'me', daysValid: 1 }]),
      await leases(`?ids=${leaseId}`, { method: 'DELETE' }),
      await leases(`/${leaseId}`, { method: 'PATCH', body: '{"daysValid":9}' }),
    ];
    assert.deepEqual(
      changes.map(each => [each.status, each.json.typeKey]),
      changes.map(() => [403, 'AccessDeniedException']),
    );
    assert.equal((await leases('?ownerId=me')).json.count, 1);
  });

  it('refuses a lease on nothing, on a deleted build, for no time and for nobody', async () => {
    emulator.world.addBuild({ definitionId, id: 1 });
    emulator.world.addBuild({ definitionId, id: 2 });
    emulator.world.deleteBuild(2);
    const good = { runId: 1, definitionId, ownerId: 'me', daysValid: 1 };
    for (const [bad, status] of [
      [{ runId: 99 }, 404],
      [{ runId: 2 }, 404],
      [{ daysValid: 0 }, 400],
      [{ ownerId: '' }, 400],
      [{ definitionId: 99 }, 400],
    ] as const) {
      assert.equal((await post([{ ...good, ...bad }])).status, status, JSON.stringify(bad));
    }
    assert.equal((await post([])).status, 400);
    assert.equal(emulator.world.leases.all().length, 0);
  });
});
