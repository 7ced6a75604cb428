import assert from 'node:assert/strict';
import type { AzureDevOps } from '../../../core/azure-devops/connection.ts';
import { addLease, deleteLease, listLeases } from '../../../core/azure-devops/leases.ts';
import { type AzureDevOpsEmulator, startAzureDevOps } from '../../emulators/azure-devops/azure-devops.ts';
import type { Effect } from '../../emulators/azure-devops/faults.ts';
import { connect } from './connect.ts';

const definitionId = 12;
const ownerId = 'ImageLifecycle:prod.example.com:Production:p.pipeline.7';
/** Answers to a write that leave open whether it was done. */
const lost: Readonly<Record<string, Effect>> = {
  'a connection cut after the work': { kind: 'cut', when: 'after' },
  'a cut body': { kind: 'cut', when: 'mid-body' },
  'half a JSON': { kind: 'truncated' },
  'a page': { kind: 'html' },
  'an empty object': { kind: 'edit', edit: () => ({}) },
  'an empty list': { kind: 'edit', edit: () => ({ count: 0, value: [] }) },
  "another build's lease": { kind: 'edit', edit: json => changeLeases(json, { runId: 99 }) },
  "another owner's lease": { kind: 'edit', edit: json => changeLeases(json, { ownerId: 'me' }) },
};
const undone: Readonly<Record<string, Effect>> = {
  'a connection cut before the work': { kind: 'cut', when: 'before' },
  'a 429': { kind: 'status', status: 429, headers: { 'retry-after': '7' } },
  'a 503': { kind: 'status', status: 503 },
};

function changeLeases(json: unknown, change: object, ofLast = (lease: object): unknown => lease): unknown {
  const { count, value } = json as { count: number; value: object[] };
  const changed = value.map(lease => ({ ...lease, ...change }));
  return { count, value: changed.map((lease, index) => (index === count - 1 ? ofLast(lease) : lease)) };
}

describe('retention leases', () => {
  let emulator: AzureDevOpsEmulator;
  let ado: AzureDevOps;
  let waits: number[];
  let projectId: string;
  beforeEach(async () => {
    emulator = await startAzureDevOps();
    ({ ado, waits } = connect(emulator));
    projectId = emulator.world.addProject({ name: 'Shop' }).id;
    emulator.world.addDefinition({ projectId, id: definitionId });
    emulator.world.addBuild({ definitionId, id: 4711 });
  });
  afterEach(() => emulator.close());

  const wanted = () => ({ projectId, definitionId, buildId: 4711, ownerId, daysValid: 36_500 });
  const add = () => addLease(ado, wanted());
  const list = () => listLeases(ado, { projectId, definitionId, ownerId });
  const hold = (runId: number, change: { ownerId?: string; definitionId?: number } = {}) =>
    emulator.world.leases.add({ runId, definitionId, ownerId, daysValid: 1, ...change }).leaseId;
  const ids = async () => {
    const listed = await list();
    return listed.kind === 'found' ? listed.leases.map(lease => lease.leaseId) : listed.reason;
  };
  const posts = () => emulator.requests.count('leases.create');
  const spoilPost = (effect: Effect, count = 1) =>
    void emulator.faults.add({ operation: 'leases.create', count, effect });

  describe('taking one', () => {
    it('holds the build and its pipeline for as long as wanted, with one request', async () => {
      const result = await add();
      assert.ok(result.kind === 'added');
      const [made, ...more] = emulator.world.leases.all();
      assert.deepEqual([more.length, made?.leaseId, made?.runId], [0, result.lease.leaseId, 4711]);
      assert.deepEqual([made?.ownerId, made?.definitionId, made?.protectPipeline], [ownerId, definitionId, true]);
      assert.equal((made!.validUntil - made!.createdOn) / (24 * 60 * 60_000), 36_500);
      assert.deepEqual(
        emulator.requests.entries.map(entry => entry.operation),
        ['leases.create'],
      );
      assert.deepEqual(result.lease, {
        leaseId: made?.leaseId,
        runId: 4711,
        definitionId,
        ownerId,
        createdOn: new Date(made!.createdOn).toISOString(),
      });
    });

    it('says which right is missing, whose, and that nothing was done', async () => {
      emulator.world.projects.get(projectId)!.executeDenied = true;
      const result = await add();
      assert.ok(result.kind === 'denied');
      assert.match(result.reason, /^a retention lease on build 4711 of pipeline 12 in project [0-9a-f-]+: .*\(403\)/);
      assert.match(result.reason, /"Update build information" or "Retain indefinitely".*vso\.build_execute/);
      assert.match(result.reason, /It said: TF215106: .*Shop Build Service \(emulated\) needs Retain indefinitely/);
      assert.deepEqual([posts(), emulator.requests.entries.length], [1, 1]);
    });

    it('takes a token that is not let in, and a project that may not be seen, for a missing right', async () => {
      emulator.world.behaviour.signIn = 'unauthorized';
      const stranger = connect(emulator, { token: async () => ({ kind: 'pat', value: 'nobody-knows-me' }) });
      const refused = await addLease(stranger.ado, wanted());
      assert.ok(refused.kind === 'denied' && /\(401\)/.test(refused.reason));
      emulator.world.denyProject(projectId, 'unauthorized');
      const denied = await add();
      assert.ok(denied.kind === 'denied' && /It said: TF400813/.test(denied.reason));
      emulator.world.denyProject(projectId);
      const unseen = await add();
      assert.ok(
        unseen.kind === 'denied' && /limited to its own project sees no other\. Give the identity/.test(unseen.reason),
      );
    });

    it('knows that a build is gone by what Azure DevOps itself says, and by nothing else', async () => {
      emulator.world.deleteBuild(4711);
      assert.deepEqual(await add(), { kind: 'buildGone' });
      for (const [status, typeKey] of [
        [404, 'HttpControllerNotFoundException'],
        [400, 'BuildNotFoundException'],
        [409, 'SomeException'],
      ] as const) {
        emulator.faults.clear();
        spoilPost({ kind: 'status', status, json: { typeKey, message: 'no' } });
        const result = await add();
        assert.ok(result.kind === 'unknown' && result.reason.includes(typeKey), JSON.stringify(result));
      }
    });

    for (const [name, effect] of Object.entries(lost)) {
      it(`finds its lease after ${name}, and takes no second one`, async () => {
        spoilPost(effect);
        const result = await add();
        assert.ok(result.kind === 'added', JSON.stringify(result));
        assert.deepEqual([result.lease.runId, result.lease.ownerId], [4711, ownerId]);
        assert.deepEqual(
          emulator.world.leases.all().map(lease => lease.leaseId),
          [result.lease.leaseId],
        );
        assert.equal(posts(), 1);
      });
    }

    for (const [name, effect] of Object.entries(undone)) {
      it(`asks once more after ${name}, having seen that there is no lease`, async () => {
        spoilPost(effect);
        assert.equal((await add()).kind, 'added');
        assert.deepEqual(
          emulator.requests.entries.map(entry => entry.operation),
          ['leases.create', 'leases.list', 'leases.create'],
        );
        assert.equal(emulator.world.leases.all().length, 1);
        assert.equal(waits.length, name === 'a 429' ? 1 : 0);
      });
      it(`asks no third time after ${name}`, async () => {
        spoilPost(effect, 9);
        assert.equal((await add()).kind, 'unknown');
        assert.equal(posts(), 2);
      });
    }

    it('does not take an old lease on the build for the one that may be lost', async () => {
      const old = await add();
      emulator.clock.advance(24 * 60 * 60_000);
      spoilPost({ kind: 'cut', when: 'before' });
      const result = await add();
      assert.ok(old.kind === 'added' && result.kind === 'added');
      assert.ok(result.lease.leaseId > old.lease.leaseId);
      assert.ok(result.lease.createdOn > old.lease.createdOn);
    });

    it('knows nothing when the list cannot be read either, and does not ask again', async () => {
      spoilPost({ kind: 'cut', when: 'after' });
      emulator.faults.add({ operation: 'leases.list', effect: { kind: 'status', status: 500 } });
      const result = await add();
      assert.ok(result.kind === 'unknown' && /broke off/.test(result.reason));
      assert.equal(posts(), 1);
    });

    it('sends nothing for ids that are none', async () => {
      assert.equal((await addLease(ado, { ...wanted(), projectId: '../other' })).kind, 'unknown');
      assert.equal((await addLease(ado, { ...wanted(), buildId: Number.NaN })).kind, 'unknown');
      assert.equal((await listLeases(ado, { projectId, definitionId: 0, ownerId })).kind, 'unknown');
      assert.equal((await deleteLease(ado, projectId, -1)).kind, 'unknown');
      assert.equal(emulator.requests.entries.length, 0);
    });
  });

  describe('listing them', () => {
    it('gives those of the owner on the pipeline, and asks for no others', async () => {
      const ours = hold(4711);
      hold(4711, { ownerId: 'User:me' });
      hold(4711, { definitionId: 13 });
      assert.deepEqual(await ids(), [ours]);
      const { ownerId: asked, definitionId: of } = emulator.requests.entries[0]!.query;
      assert.deepEqual([asked, of], [ownerId, '12']);
    });

    it('leaves out what a server gives that ignores the filters', async () => {
      const ours = hold(4711);
      const others = [
        hold(4711, { ownerId: ownerId.toUpperCase() }),
        hold(4711, { ownerId: `${ownerId}8` }),
        hold(4711, { definitionId: 13 }),
      ];
      const everything = [ours, ...others].map(id => emulator.world.leases.get(id)!);
      const value = everything.map(lease => ({
        ...lease,
        createdOn: new Date(lease.createdOn).toISOString(),
        validUntil: new Date(lease.validUntil).toISOString(),
      }));
      emulator.faults.add({ effect: { kind: 'edit', edit: () => ({ count: value.length, value }) } });
      assert.deepEqual(await ids(), [ours]);
    });

    const unreadable: Readonly<Record<string, (lease: object) => unknown>> = {
      'has no id': lease => ({ ...lease, leaseId: undefined }),
      'has a text for an id': lease => ({ ...lease, leaseId: '1' }),
      'says no build': lease => ({ ...lease, runId: 0 }),
      'says no owner': lease => ({ ...lease, ownerId: null }),
      'was taken at no time': lease => ({ ...lease, createdOn: 'yesterday' }),
      'was taken at a time of no place': lease => ({ ...lease, createdOn: '2026-01-02T03:04:05' }),
      'is none': () => null,
    };
    for (const [name, spoil] of Object.entries(unreadable)) {
      it(`knows nothing where one of them ${name}`, async () => {
        hold(4711);
        hold(4711);
        emulator.faults.add({ effect: { kind: 'edit', edit: json => changeLeases(json, {}, spoil) } });
        assert.equal((await list()).kind, 'unknown');
      });
    }

    it('knows nothing where the count is another, and after anything but an answer', async () => {
      hold(4711);
      const effects: Effect[] = [
        { kind: 'edit', edit: json => ({ ...(json as object), count: 2 }) },
        { kind: 'status', status: 403 },
        { kind: 'status', status: 404, json: { typeKey: 'BuildNotFoundException', message: '' } },
        { kind: 'status', status: 500 },
        { kind: 'status', status: 204 },
        { kind: 'html' },
      ];
      for (const effect of effects) {
        emulator.faults.clear();
        emulator.faults.add({ effect });
        assert.equal((await list()).kind, 'unknown', JSON.stringify(effect));
      }
    });

    it('reads times as Azure DevOps writes them, seven digits and all', async () => {
      hold(4711);
      const createdOn = '2026-11-22T10:11:12.1234567Z';
      emulator.faults.add({ effect: { kind: 'edit', edit: json => changeLeases(json, { createdOn }) } });
      const listed = await list();
      assert.ok(listed.kind === 'found' && listed.leases[0]?.createdOn === createdOn);
    });
  });

  describe('freeing one', () => {
    it('frees that one alone', async () => {
      const [first, second] = [hold(4711), hold(4711)];
      assert.deepEqual(await deleteLease(ado, projectId, first), { kind: 'freed' });
      assert.deepEqual(
        emulator.world.leases.all().map(lease => lease.leaseId),
        [second],
      );
    });

    it('says what is gone already, what it has no right to, and what it does not know', async () => {
      const id = hold(4711);
      const gone = { typeKey: 'RetentionLeaseNotFoundException', message: 'gone' };
      emulator.faults.add({ count: 1, effect: { kind: 'status', status: 404, json: gone } });
      assert.deepEqual(await deleteLease(ado, projectId, id), { kind: 'alreadyGone' });
      emulator.world.projects.get(projectId)!.executeDenied = true;
      const denied = await deleteLease(ado, projectId, id);
      assert.ok(denied.kind === 'denied' && /"Retain indefinitely"/.test(denied.reason));
      emulator.world.denyProject(projectId);
      assert.equal((await deleteLease(ado, projectId, id)).kind, 'unknown');
      emulator.world.allowProject(projectId);
      emulator.faults.add({ effect: { kind: 'cut', when: 'before' } });
      emulator.requests.clear();
      assert.equal((await deleteLease(ado, projectId, id)).kind, 'unknown');
      assert.equal(emulator.requests.entries.length, 1, 'a deletion is not sent twice');
      assert.equal(emulator.world.leases.all().length, 1);
    });
  });
});
