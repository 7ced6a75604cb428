import assert from 'node:assert/strict';
import { readBuildFacts } from '../../../../core/lifecycle/facts/read-builds.ts';
import type { Effect } from '../../../emulators/azure-devops/faults.ts';
import { broken, brokenLists } from '../../azure-devops/broken-answers.ts';
import { day } from '../estate.ts';
import { type AzureFacts, absenceOf, contoso, goneOf, recordOf, startAzureFacts } from './azure-facts.ts';

const stranger = '99999999-8888-4777-8666-555555555555';

const named = (text: string) => ({ id: text, name: text });

describe('reading builds where answers are none', () => {
  let azure: AzureFacts;
  let now: number;
  /** Build 1 is there, 2 is deleted, 3 is absent for two days; 4 is there and newer. */
  beforeEach(async () => {
    azure = await startAzureFacts();
    now = azure.emulator.clock.now();
    const { world } = azure.emulator;
    for (const id of [1, 2, 4]) world.addBuild({ definitionId: 12, id });
    world.deleteBuild(2);
    for (const id of [2, 3]) {
      const reference = { project: named(azure.shop.id), definition: named('12'), version: named(String(id)) };
      const artifacts = [{ alias: '_ci', type: 'Build', reference }];
      world.releases.add({ projectId: azure.shop.id, artifacts }).status = 'abandoned';
    }
  });
  afterEach(() => azure.close());

  const told = {
    records: [1, 2, 3].map(id => recordOf(id)),
    absences: [] as ReturnType<typeof absenceOf>[],
  };
  const read = (options?: Parameters<AzureFacts['organization']>[1]) =>
    readBuildFacts([azure.organization([azure.shop], options)], {
      ...told,
      absences: [absenceOf(3, 'build', now - 2 * day)],
    });

  it('finds two builds that are gone, where every answer is whole', async () => {
    const { builds, organizations, unseen } = await read();
    assert.deepEqual(goneOf(builds, now), [2, 3]);
    assert.deepEqual([organizations, unseen], [[{ name: contoso }], []]);
  });

  /** What each question may still let be known to be gone when its answers are none. */
  const questions: Readonly<Record<string, readonly number[]>> = {
    'builds.list': [],
    'builds.get': [],
    'projects.get': [2],
    'definitions.get': [2],
    'releaseDefinitions.list': [],
    'releases.list': [],
  };
  const foreign: Readonly<Record<string, Effect>> = {
    "another project's build": { kind: 'foreignBuild', projectId: stranger },
    'another build': { kind: 'foreignBuild', id: 99 },
  };
  for (const [operation, left] of Object.entries(questions)) {
    const isList = operation.endsWith('.list');
    const effects = { ...broken, ...(isList && brokenLists), ...(operation.startsWith('builds') && foreign) };
    for (const [name, effect] of Object.entries(effects)) {
      it(`takes no build for gone because of ${name} for ${operation}`, async () => {
        azure.emulator.faults.add({ operation, effect });
        const { builds, unseen } = await read();
        assert.deepEqual(goneOf(builds, now), left);
        assert.equal(builds.length, 3);
        assert.ok(builds.every(each => each.state.kind !== 'unknown' || each.state.reason.length > 10));
        const isRelease = operation.startsWith('release');
        if (isRelease) assert.match(unseen.join('\n'), /^Not seen: the classic releases of the project Shop/);
      });
    }
    it(`takes no build for gone because no answer comes for ${operation}`, async () => {
      azure.emulator.faults.add({ operation, effect: { kind: 'slow', ms: 400 } });
      assert.deepEqual(goneOf((await read({ requestTimeoutMs: 60 })).builds, now), left);
    });
  }

  it('asks for no single build where the list of builds fails, and says once why', async () => {
    azure.emulator.faults.add({ operation: 'builds.list', effect: { kind: 'status', status: 403 } });
    const { builds, organizations, unseen } = await read();
    assert.ok(builds.every(each => each.state.kind === 'unknown'));
    assert.equal(azure.emulator.requests.count('builds.get'), 0);
    assert.match(organizations[0]?.unread ?? '', /^3 builds of project .*denied it \(403\)/);
    assert.equal(unseen.length, 1);
    assert.match(unseen[0] ?? '', /^Not seen: the builds of the project Shop .*azureDevOpsConnection/);
  });

  it('asks for no further release where one question fails', async () => {
    const { world, faults, requests } = azure.emulator;
    for (let id = 100; id < 150; id += 1) {
      world.addBuild({ definitionId: 12, id });
      world.deleteBuild(id);
    }
    faults.add({ operation: 'releases.list', effect: { kind: 'status', status: 403 } });
    const records = Array.from({ length: 50 }, (_, index) => recordOf(100 + index));
    const { builds } = await readBuildFacts([azure.organization([azure.shop])], { records, absences: [] });
    assert.deepEqual(goneOf(builds, now), []);
    assert.ok(builds.every(each => each.state.kind === 'deleted' && each.retainedBy.kind === 'unread'));
    assert.ok(requests.count('releases.list') <= 8, 'only those that were under way');
  });

  it('says what a sign-in that sees its own project only could not see, once for each other project', async () => {
    const { world } = azure.emulator;
    world.addBuild({ definitionId: 13, id: 20 });
    world.deleteBuild(20);
    world.denyProject(azure.bank.id);
    const records = [recordOf(2), ...[20, 21, 22].map(id => recordOf(id, { project: 'Bank', definition: 13 }))];
    const candidates = new Map([[contoso, [30, 31]]]);
    const { builds, unseen } = await readBuildFacts([azure.organization()], { records, absences: [], candidates });
    assert.deepEqual(goneOf(builds, now), [2]);
    assert.equal(unseen.length, 1, unseen.join('\n'));
    assert.match(
      unseen[0] ?? '',
      new RegExp(`^Not seen: the builds of the project Bank in ${contoso}; .*VS800075.*azureDevOpsConnection names`),
    );
  });

  it('takes an absence for nothing where another of our projects cannot be asked for the id', async () => {
    const absences = [absenceOf(3, 'build', now - 2 * day)];
    const asked = { records: [recordOf(3)], absences };
    assert.deepEqual(goneOf((await readBuildFacts([azure.organization()], asked)).builds, now), [3]);
    azure.emulator.world.denyProject(azure.bank.id);
    assert.deepEqual(goneOf((await readBuildFacts([azure.organization()], asked)).builds, now), []);
  });

  it('takes an absence for nothing where a newer build of its pipeline cannot be read', async () => {
    azure.emulator.world.denyDefinition(12, 'notFound');
    const { builds } = await read();
    assert.deepEqual(goneOf(builds, now), []);
  });
});

describe('reading builds that only tags name', () => {
  let azure: AzureFacts;
  beforeEach(async () => {
    azure = await startAzureFacts();
    const { world } = azure.emulator;
    for (const id of [1, 2]) world.addBuild({ definitionId: 12, id });
    for (const id of [3, 4]) world.addBuild({ definitionId: 13, id });
    for (const id of [2, 4]) world.deleteBuild(id);
  });
  afterEach(() => azure.close());

  const read = (ids: readonly number[], records: readonly number[] = []) =>
    readBuildFacts([azure.organization()], {
      records: records.map(id => recordOf(id)),
      absences: [],
      candidates: new Map([
        [contoso, ids],
        ['https://dev.azure.com/fabrikam', [1]],
      ]),
    });
  const count = (operation: string) => azure.emulator.requests.count(operation);

  it('finds each in the project that has it, with when it ran; what is nowhere is left out', async () => {
    const { builds, organizations } = await read([1, 2, 3, 4, 5]);
    assert.deepEqual(
      builds.map(({ build, definition, state }) => [build.id, build.project, definition, state.kind]),
      [
        [1, 'Shop', 12, 'alive'],
        [3, 'Bank', 13, 'alive'],
        [2, 'Shop', 12, 'deleted'],
        [4, 'Bank', 13, 'deleted'],
      ],
    );
    const { startTime, finishTime } = azure.emulator.world.builds.get(4)!;
    assert.deepEqual([builds[3]?.startedAt, builds[3]?.finishedAt], [startTime, finishTime]);
    assert.deepEqual(organizations, [{ name: contoso }]);
    assert.deepEqual([count('builds.list'), count('builds.get')], [4, 0]);
  });

  it('costs two requests for each project, however many ids there are below 200', async () => {
    await read(Array.from({ length: 180 }, (_, index) => index + 1));
    assert.equal(count('builds.list'), 4);
  });

  it('asks for no number that is no id, and for no build that a record names', async () => {
    const { builds } = await read([20261123, 202611231, 4_000_000_000, 0, 1.5, 2], [2]);
    assert.deepEqual(
      builds.map(({ build }) => build.id),
      [2],
    );
    const asked = azure.emulator.requests.entries.map(each => each.query['buildIds']).filter(ids => ids !== undefined);
    assert.deepEqual(asked, ['2', '20261123,202611231', '20261123,202611231']);
  });

  it('holds a deleted one by the classic release that takes it', async () => {
    azure.emulator.world.releases.add({ projectId: azure.shop.id, artifacts: [{ alias: '_ci', buildId: 2 }] });
    const { builds } = await read([2]);
    assert.deepEqual(builds[0]?.retainedBy, { kind: 'whole', items: ['the classic release Release-1'] });
  });

  it('leaves the organization unread where one project alone denies one of its two questions', async () => {
    for (const nth of [1, 2, 3, 4]) {
      azure.emulator.faults.clear();
      azure.emulator.faults.add({ operation: 'builds.list', nth, count: 1, effect: { kind: 'status', status: 403 } });
      const { organizations, unseen } = await read([1, 2, 3, 4, 5]);
      assert.match(organizations[0]?.unread ?? '', /\(403\)/, `question ${nth}`);
      assert.equal(unseen.length, 1);
    }
  });

  for (const [name, effect] of Object.entries({ ...broken, ...brokenLists })) {
    it(`leaves the organization unread after ${name}, in the bulk or in the list of the deleted`, async () => {
      for (const nth of [1, 2, 3, 4]) {
        azure.emulator.faults.clear();
        azure.emulator.faults.add({ operation: 'builds.list', nth, effect });
        const { organizations, unseen } = await read([1, 2, 3, 4, 5]);
        assert.notEqual(organizations[0]?.unread, undefined, `request ${nth}`);
        assert.notEqual(unseen.length, 0);
      }
    });
  }
});
