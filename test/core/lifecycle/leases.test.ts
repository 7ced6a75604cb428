import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { Lease } from '../../../core/azure-devops/leases.ts';
import { chooseLeases, type LetGoRequest, letGoLeases } from '../../../core/lifecycle/let-go-leases.ts';
import { type LeaseDeps, type LeaseOwner, nameOwner, retainBuild } from '../../../core/lifecycle/retain-build.ts';
import { type AzureDevOpsEmulator, startAzureDevOps } from '../../emulators/azure-devops/azure-devops.ts';
import { connect } from '../azure-devops/connect.ts';

const day = 24 * 60 * 60_000;
const definitionId = 12;
const deployedBy = { kind: 'pipeline', projectId: '6ce954b1-ce1f-45d1-b94d-e6bf2464ba2c', definitionId: 7 } as const;
const production: LeaseOwner = { registry: 'prod.azurecr.io', stage: 'Production', deployedBy };

/** Owners that differ from {@link production} in one thing each. */
const others: readonly LeaseOwner[] = [
  { ...production, stage: 'Test' },
  { ...production, registry: 'eu.azurecr.io' },
  { ...production, registry: 'prod.azurecr.io:5000' },
  { ...production, deployedBy: { ...deployedBy, definitionId: 8 } },
  { ...production, deployedBy: { ...deployedBy, kind: 'release' } },
  { ...production, deployedBy: { ...deployedBy, projectId: '99999999-8888-4777-8666-555555555555' } },
];

describe('the name of who holds builds', () => {
  it('is for people to read', () => {
    assert.equal(
      nameOwner({ ...production, registry: 'Prod.azurecr.io:5000', stage: 'EU: Production' }),
      'ImageLifecycle:prod.azurecr.io:5000:EU%3A%20Production:6ce954b1-ce1f-45d1-b94d-e6bf2464ba2c.pipeline.7',
    );
    const long = nameOwner({ ...production, stage: 'é'.repeat(250) });
    assert.match(long, /^ImageLifecycle:prod\.azurecr\.io:(%C3%A9){50,}[^#]*#[0-9a-f]{64}$/);
  });

  it('is another one for another stage, registry or pipeline, whatever they are called, and never too long', () => {
    const owner = fc.record({
      registry: fc.constantFrom('a.io', 'a.io:5000', 'b.io', `${'long.'.repeat(50)}io`),
      stage: fc.oneof(
        fc.constantFrom(
          'a',
          'b',
          'a:b',
          'a%3Ab',
          '5000:a',
          '#',
          'é',
          'A',
          `${'é'.repeat(250)}a`,
          `${'é'.repeat(250)}b`,
        ),
        fc.string({ maxLength: 256 }),
      ),
      deployedBy: fc.record({
        kind: fc.constantFrom('pipeline', 'release'),
        projectId: fc.constantFrom(deployedBy.projectId, '99999999-8888-4777-8666-555555555555'),
        definitionId: fc.constantFrom(1, 2, 2_147_483_647),
      }),
    });
    fc.assert(
      fc.property(owner, owner, (one, other) => {
        const [name, otherName] = [nameOwner(one), nameOwner(other)];
        assert.equal(name === otherName, JSON.stringify(one) === JSON.stringify(other));
        assert.ok(name.length <= 400 && name.startsWith('ImageLifecycle:'));
        assert.doesNotMatch(name, /[^!-~]/, 'it stands in a URL and in a log');
      }),
      { numRuns: 1000 },
    );
  });
});

describe('retaining builds', () => {
  let emulator: AzureDevOpsEmulator;
  let deps: LeaseDeps;
  let said: string[];
  let projectId: string;
  beforeEach(async () => {
    emulator = await startAzureDevOps();
    said = [];
    const note = (message: string): void => void said.push(message);
    deps = { azureDevOps: connect(emulator).ado, log: { debug: () => {}, info: note, warn: note } };
    projectId = emulator.world.addProject({ name: 'Shop' }).id;
    for (const id of [definitionId, 13]) emulator.world.addDefinition({ projectId, id });
    for (let id = 1; id <= 9; id += 1) emulator.world.addBuild({ definitionId, id });
  });
  afterEach(() => emulator.close());

  const retain = async (buildId: number, owner = production, of = definitionId): Promise<number> => {
    const result = await retainBuild(deps, { owner, projectId, definitionId: of, buildId });
    assert.ok(result.kind === 'added', JSON.stringify(result));
    return result.lease.leaseId;
  };
  /** Takes a lease on each, a month apart. */
  const deploy = async (...builds: readonly number[]): Promise<void> => {
    for (const buildId of builds) {
      emulator.clock.advance(30 * day);
      await retain(buildId);
    }
  };
  const letGo = (request: Partial<LetGoRequest> = {}) =>
    letGoLeases(deps, { owner: production, projectId, definitionId, currentBuilds: [], keepLeases: 3, ...request });
  /** Builds that are held, in the order of their leases. */
  const held = () => emulator.world.leases.all().map(lease => lease.runId);
  const deletions = () => emulator.requests.count('leases.delete');

  it('keeps the build through retention, from people too, until it is let go', async () => {
    await deploy(1, 2);
    emulator.world.projects.get(projectId)!.retention = { days: 1, minimumRuns: 0 };
    assert.deepEqual(
      emulator.world.runRetention(projectId).sort((a, b) => a - b),
      [3, 4, 5, 6, 7, 8, 9],
    );
    const result = await letGo({ currentBuilds: [2], keepLeases: 1 });
    assert.deepEqual(
      result.freed.map(lease => lease.runId),
      [1],
    );
    assert.deepEqual(emulator.world.runRetention(projectId), [1]);
    assert.match(
      said[0]!,
      /^Retained build 1 of project [0-9a-f-]+ by the lease 1 of ImageLifecycle:prod\.azurecr\.io:/,
    );
    assert.match(said[2]!, /^Freed the lease 1 of \d{4}-.*Z on build 1 of project [0-9a-f-]+\.$/);
  });

  it('keeps the newest builds and frees the rest one by one, oldest first', async () => {
    await deploy(1, 2, 3, 4, 5);
    const result = await letGo({ currentBuilds: [5] });
    assert.deepEqual(held(), [3, 4, 5]);
    assert.deepEqual(
      [result.freed.map(lease => lease.runId), result.kept.map(lease => lease.runId), result.problem],
      [[1, 2], [3, 4, 5], undefined],
    );
    const ids = emulator.requests.entries.filter(entry => entry.method === 'DELETE').map(entry => entry.query['ids']);
    assert.deepEqual(ids, ['1', '2']);
  });

  it('makes a build that is deployed again the newest, however old it is', async () => {
    await deploy(1, 2, 3);
    await deploy(1);
    await letGo({ currentBuilds: [1], keepLeases: 2 });
    assert.deepEqual(held(), [1, 3, 1]);
    await deploy(4);
    await letGo({ currentBuilds: [4], keepLeases: 2 });
    assert.deepEqual(held(), [1, 1, 4], 'the build before the newest is the one that came back');
  });

  it('counts builds, so that reruns push nothing out', async () => {
    await deploy(1, 2, 3, 3, 3);
    await letGo({ currentBuilds: [3] });
    assert.deepEqual(held(), [1, 2, 3, 3, 3]);
    await deploy(4, 5);
    await letGo({ currentBuilds: [5], keepLeases: 2 });
    assert.deepEqual(held(), [4, 5], 'all leases of a build go together');
  });

  it('keeps what the stage runs, even with nothing else to keep', async () => {
    await deploy(1, 2, 3);
    emulator.clock.advance(30 * day);
    await letGo({ currentBuilds: [1, 2], keepLeases: 0 });
    assert.deepEqual(held(), [1, 2]);
  });

  for (const [index, owner] of others.entries()) {
    it(`touches nothing of ${nameOwner(owner)}`, async () => {
      await deploy(1, 2, 3);
      await retain(4, owner);
      await retain(5, owner);
      emulator.clock.advance(30 * day);
      if (index % 2 === 0) ignoreFilters(emulator);
      await letGo({ currentBuilds: [3], keepLeases: 0 });
      assert.deepEqual(held(), [3, 4, 5]);
      await letGo({ owner, currentBuilds: [4], keepLeases: 0 });
      assert.deepEqual(held(), [3, 4]);
    });
  }

  it('touches nothing of another pipeline, and no lease of a person or of Azure DevOps', async () => {
    emulator.world.addBuild({ definitionId: 13, id: 20 });
    await retain(20, production, 13);
    for (const ownerId of ['User:me', 'RM:7', 'Branch:main', 'ImageLifecycle', `${nameOwner(production)}8`]) {
      emulator.world.leases.add({ ownerId, runId: 9, definitionId, daysValid: 1000 });
    }
    await deploy(1, 2);
    ignoreFilters(emulator);
    await letGo({ currentBuilds: [2], keepLeases: 0 });
    assert.deepEqual(held(), [20, 9, 9, 9, 9, 9, 2]);
  });

  it('spares a lease of the last day: another promotion may be about to deploy that build', async () => {
    await deploy(1, 2);
    emulator.clock.advance(day / 2);
    await retain(3);
    await retain(4);
    await letGo({ currentBuilds: [4], keepLeases: 0 });
    assert.deepEqual(held(), [2, 3, 4], 'by the clock of Azure DevOps, whatever this machine has');
    emulator.clock.advance(day + 60_000);
    await letGo({ currentBuilds: [3], keepLeases: 0 });
    assert.deepEqual(held(), [3]);
  });

  it('does not free the lease that a promotion takes on the same build meanwhile', async () => {
    await deploy(1, 2);
    emulator.faults.intercept = (request, phase) => {
      if (request.operation === 'leases.delete' && phase === 'before') {
        emulator.world.leases.add({ ownerId: nameOwner(production), runId: 1, definitionId, daysValid: 36_500 });
      }
      return 'proceed';
    };
    await letGo({ currentBuilds: [2], keepLeases: 0 });
    assert.deepEqual(held(), [2, 1]);
  });

  it('takes the lease of what the stage runs again where it is gone, and frees nothing then', async () => {
    await deploy(1, 2);
    emulator.world.behaviour.secondLease = 'same';
    await deploy(1);
    await letGo({ currentBuilds: [2], keepLeases: 0 });
    assert.deepEqual(held(), [2], 'the one lease of build 1 was an old one');
    const result = await letGo({ currentBuilds: [1], keepLeases: 0 });
    assert.deepEqual(held(), [2, 1]);
    assert.match(
      result.problem ?? '',
      /^the lease on build 1 was not there any more and was taken again; nothing was let go$/,
    );
    emulator.world.leases.remove(emulator.world.leases.all()[1]!.leaseId);
    emulator.world.deleteBuild(1);
    assert.match(
      (await letGo({ currentBuilds: [1] })).problem ?? '',
      /could not be taken again \(there is no such build/,
    );
    assert.equal(deletions(), 1);
  });

  const unreadable = {
    'a list that cannot be read': { kind: 'status', status: 500 },
    'a sign-in page': { kind: 'status', status: 203 },
    'half a list': { kind: 'truncated' },
    'an entry that is not understood': {
      kind: 'edit',
      edit: (json: unknown) => {
        const { count, value } = json as { count: number; value: object[] };
        return { count, value: [{ ...value[0], createdOn: 'never' }, ...value.slice(1)] };
      },
    },
    'an empty list': { kind: 'edit', edit: () => ({ count: 0, value: [] }) },
    'a list that lacks the current one': {
      kind: 'edit',
      edit: (json: unknown) => {
        const { count, value } = json as { count: number; value: object[] };
        return { count: count - 1, value: value.slice(0, -1) };
      },
    },
  } as const;
  for (const [name, effect] of Object.entries(unreadable)) {
    it(`frees nothing after ${name}, and says why`, async () => {
      await deploy(1, 2, 3);
      emulator.faults.add({ operation: 'leases.list', effect });
      const result = await letGo({ currentBuilds: [3], keepLeases: 0 });
      assert.deepEqual([result.freed, deletions()], [[], 0]);
      assert.ok((result.problem ?? '').length > 20);
    });
  }

  it('frees nothing where nobody tells the time', async () => {
    await deploy(1, 2);
    const timeless = { ...deps.azureDevOps, time: () => undefined };
    const result = await letGoLeases(
      { ...deps, azureDevOps: timeless },
      { owner: production, projectId, definitionId, currentBuilds: [2], keepLeases: 0 },
    );
    assert.match(result.problem ?? '', /sends no Date/);
    assert.deepEqual(held(), [1, 2]);
  });

  it('stops at the first lease that it cannot free, and says which are left', async () => {
    await deploy(1, 2, 3, 4);
    emulator.faults.add({ operation: 'leases.delete', nth: 2, effect: { kind: 'cut', when: 'before' } });
    const result = await letGo({ currentBuilds: [4], keepLeases: 0 });
    assert.deepEqual(
      [result.freed.map(lease => lease.runId), result.kept.map(lease => lease.runId), deletions()],
      [[1], [2, 3, 4], 2],
    );
    assert.match(result.problem ?? '', /^the retention lease 2 of project .* broke off/);
    emulator.faults.clear();
    emulator.world.projects.get(projectId)!.executeDenied = true;
    const denied = await letGo({ currentBuilds: [4], keepLeases: 0 });
    assert.match(denied.problem ?? '', /"Update build information" or "Retain indefinitely"/);
    assert.deepEqual(held(), [2, 3, 4]);
  });

  it('goes on past a lease that somebody else freed', async () => {
    await deploy(1, 2, 3);
    const json = { typeKey: 'RetentionLeaseNotFoundException', message: 'gone' };
    emulator.faults.add({ operation: 'leases.delete', count: 1, effect: { kind: 'status', status: 404, json } });
    assert.equal((await letGo({ currentBuilds: [3], keepLeases: 0 })).problem, undefined);
    assert.deepEqual(held(), [1, 3]);
    assert.match(said.join('\n'), /Found freed the lease 1 .*\nFreed the lease 2 /);
  });

  it('takes no nonsense for the number of builds to keep', async () => {
    await deploy(1, 2);
    for (const keepLeases of [Number.NaN, -1, 1.5, Number.POSITIVE_INFINITY]) {
      await assert.rejects(letGo({ currentBuilds: [2], keepLeases }), { code: 'INPUT_INVALID' });
    }
    assert.equal(emulator.requests.count('leases.list'), 0);
  });
});

describe('choosing leases to free', () => {
  const lease = fc.record({
    leaseId: fc.integer({ min: 1, max: 1000 }),
    runId: fc.integer({ min: 1, max: 8 }),
    age: fc.integer({ min: -2, max: 60 }),
  });
  const now = Date.parse('2026-11-22T12:00:00Z');
  const toLeases = (made: readonly { leaseId: number; runId: number; age: number }[]): Lease[] =>
    made.map(({ age, ...ids }) => ({
      ...ids,
      definitionId,
      ownerId: 'me',
      createdOn: new Date(now - (age * day) / 10).toISOString(),
    }));

  it('never takes a current, a young, or one of the newest builds, nor only a part of a build', () => {
    const leases = fc.uniqueArray(lease, { selector: each => each.leaseId, maxLength: 15 }).map(toLeases);
    const currentBuilds = fc.uniqueArray(fc.integer({ min: 1, max: 8 }), { maxLength: 2 });
    fc.assert(
      fc.property(leases, currentBuilds, fc.integer({ min: 0, max: 5 }), (leases, currentBuilds, keepLeases) => {
        const freed = chooseLeases(leases, { currentBuilds, keepLeases, now });
        const freedBuilds = new Set(freed.map(each => each.runId));
        const newest = (runId: number): number =>
          Math.max(...leases.filter(each => each.runId === runId).map(each => Date.parse(each.createdOn)));
        const keptBuilds = new Set(leases.map(each => each.runId).filter(runId => !freedBuilds.has(runId)));
        for (const runId of freedBuilds) {
          assert.ok(!currentBuilds.includes(runId) && now - newest(runId) >= day);
          const newer = [...keptBuilds].filter(other => newest(other) >= newest(runId));
          assert.ok(newer.length >= keepLeases, 'as many newer builds stay as were asked for');
        }
        for (const runId of keptBuilds) assert.ok(!freed.some(each => each.runId === runId));
        assert.equal(freed.length, leases.filter(each => freedBuilds.has(each.runId)).length);
        const old = [...keptBuilds].filter(runId => !currentBuilds.includes(runId) && now - newest(runId) >= day);
        assert.ok(old.length <= keepLeases, 'and no more');
      }),
      { numRuns: 1000 },
    );
  });

  it('settles a tie by the order in which Azure DevOps made them', () => {
    const leases = toLeases([
      { leaseId: 3, runId: 5, age: 50 },
      { leaseId: 1, runId: 7, age: 50 },
      { leaseId: 2, runId: 6, age: 50 },
    ]);
    const freed = chooseLeases(leases, { currentBuilds: [], keepLeases: 1, now });
    assert.deepEqual(
      freed.map(each => each.runId),
      [7, 6],
    );
  });
});

/** From now on the server answers with every lease that it has. */
function ignoreFilters(emulator: AzureDevOpsEmulator): void {
  const everything = (): unknown => {
    const value = emulator.world.leases.all().map(lease => ({
      ...lease,
      createdOn: new Date(lease.createdOn).toISOString(),
      validUntil: new Date(lease.validUntil).toISOString(),
    }));
    return { count: value.length, value };
  };
  emulator.faults.add({ operation: 'leases.list', effect: { kind: 'edit', edit: everything } });
}
