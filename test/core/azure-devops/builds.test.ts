import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import {
  getBuild,
  getBuildsByIds,
  getCollectionId,
  getDefinition,
  getProject,
  getProjectByName,
  newestBuild,
} from '../../../core/azure-devops/builds.ts';
import type { AzureDevOps } from '../../../core/azure-devops/connection.ts';
import { type AzureDevOpsEmulator, startAzureDevOps } from '../../emulators/azure-devops/azure-devops.ts';
import type { Effect } from '../../emulators/azure-devops/faults.ts';
import { broken } from './broken-answers.ts';
import { connect } from './connect.ts';

const stranger = '99999999-8888-4777-8666-555555555555';
describe('asking Azure DevOps about builds', () => {
  let emulator: AzureDevOpsEmulator;
  let ado: AzureDevOps;
  let projectId: string;
  let definitionId: number;
  beforeEach(async () => {
    emulator = await startAzureDevOps();
    ado = connect(emulator).ado;
    projectId = emulator.world.addProject({ name: 'Shop' }).id;
    definitionId = emulator.world.addDefinition({ projectId, id: 12 }).id;
  });
  afterEach(() => emulator.close());

  const addBuilds = (count: number): number[] =>
    Array.from({ length: count }, () => emulator.world.addBuild({ definitionId }).id);
  const spoil = (effect: Effect): void => void emulator.faults.add({ effect });

  describe('by id', () => {
    it('tells an alive build with its facts', async () => {
      const made = emulator.world.addBuild({
        definitionId,
        id: 4711,
        number: '20261123.1',
        sourceBranch: 'refs/heads/x',
      });
      const answer = await getBuild(ado, projectId.toUpperCase(), 4711);
      assert.ok(answer.kind === 'alive');
      const { build } = answer;
      assert.deepEqual(
        [build.id, build.number, build.projectId, build.definitionId, build.sourceBranch, build.status],
        [4711, '20261123.1', projectId, definitionId, 'refs/heads/x', 'completed'],
      );
      assert.equal(Date.parse(build.startTime ?? ''), made.startTime);
      assert.equal(Date.parse(build.finishTime ?? ''), made.finishTime);
      assert.equal(build.deletedDate, undefined);
    });

    it('tells a deleted build with the time of its end', async () => {
      emulator.world.addBuild({ definitionId, id: 4711 });
      const { deleted } = emulator.world.deleteBuild(4711);
      const answer = await getBuild(ado, projectId, 4711);
      assert.ok(answer.kind === 'deleted');
      assert.equal(Date.parse(answer.build.deletedDate ?? ''), deleted?.at);
    });

    it('tells what is not found from what is not known', async () => {
      emulator.world.addBuild({ definitionId, id: 4711 });
      emulator.world.purgeBuild(4711);
      assert.deepEqual(await getBuild(ado, projectId, 4711), { kind: 'notFound' });
      emulator.world.denyProject(projectId);
      const denied = await getBuild(ado, projectId, 4711);
      assert.equal(denied.kind, 'unknown');
      assert.match(JSON.stringify(denied), /build 4711 of project .*ProjectDoesNotExistException: VS800075/);
    });

    for (const [name, effect] of Object.entries(broken)) {
      it(`knows nothing after ${name}, of a build that is deleted`, async () => {
        emulator.world.addBuild({ definitionId, id: 4711 });
        emulator.world.deleteBuild(4711);
        spoil(effect);
        assert.equal((await getBuild(ado, projectId, 4711)).kind, 'unknown');
      });
    }

    it("knows nothing from another build's answer", async () => {
      emulator.world.addBuild({ definitionId, id: 4711 });
      emulator.world.deleteBuild(4711);
      for (const effect of [{ id: 471 }, { projectId: stranger }] as const) {
        emulator.faults.clear();
        spoil({ kind: 'foreignBuild', ...effect });
        const answer = await getBuild(ado, projectId, 4711);
        assert.equal(answer.kind, 'unknown');
        assert.match(JSON.stringify(answer), /not what was asked/);
      }
    });

    it('takes deleted for nothing but true itself', async () => {
      emulator.world.addBuild({ definitionId, id: 4711 });
      for (const [value, kind] of [
        ['true', 'unknown'],
        [1, 'unknown'],
        [null, 'unknown'],
        [false, 'alive'],
      ] as const) {
        emulator.faults.clear();
        spoil({ kind: 'edit', edit: json => ({ ...(json as object), deleted: value }) });
        assert.equal((await getBuild(ado, projectId, 4711)).kind, kind, String(value));
      }
    });

    it('sends no id that is none', async () => {
      for (const [project, id] of [
        ['..', 1],
        [projectId, 0],
        [projectId, -1],
        [projectId, 1.5],
        [projectId, Number.NaN],
      ] as const) {
        assert.equal((await getBuild(ado, project, id)).kind, 'unknown');
      }
      assert.equal(emulator.requests.entries.length, 0);
    });
  });

  describe('by many ids', () => {
    it('asks 200 at a time, by ids and nothing else', async () => {
      const ids = addBuilds(450);
      const { found, unknown } = await getBuildsByIds(ado, projectId, [...ids, ...ids]);
      assert.equal(unknown, undefined);
      assert.deepEqual(
        [...found.keys()].sort((a, b) => a - b),
        ids,
      );
      const queries = emulator.requests.entries.map(entry => entry.query);
      assert.deepEqual(
        queries.map(query => query['buildIds']?.split(',').length),
        [200, 200, 50],
      );
      assert.ok(queries.every(query => Object.keys(query).sort().join(' ') === 'api-version buildIds'));
    });

    for (const reading of ['refused', 'ignored'] as const) {
      it(`is understood where other filters are ${reading}`, async () => {
        emulator.world.behaviour.combinedFilters = reading;
        const [alive = 0, gone = 0] = addBuilds(2);
        emulator.world.deleteBuild(gone);
        const bare = await getBuildsByIds(ado, projectId, [alive, gone, 999]);
        assert.deepEqual([...bare.found.keys()], [alive]);
        emulator.world.behaviour.bareBuildIdsGiveDeleted = true;
        const both = await getBuildsByIds(ado, projectId, [alive, gone, 999]);
        assert.deepEqual(
          [...both.found].map(([id, build]) => [id, build.deleted]),
          [
            [alive, false],
            [gone, true],
          ],
        );
      });
    }

    it('takes a build that is missing for nothing at all', async () => {
      const [first = 0, second = 0] = addBuilds(2);
      spoil({ kind: 'missingBuild', id: second });
      const { found, unknown } = await getBuildsByIds(ado, projectId, [first, second]);
      assert.deepEqual([...found.keys()], [first]);
      assert.equal(unknown, undefined);
    });

    const suspicious: Readonly<Record<string, Effect>> = {
      'a build twice': { kind: 'doubled' },
      "another project's builds": { kind: 'foreignBuild', projectId: stranger },
      'a build nobody asked for': { kind: 'foreignBuild', id: 31_337 },
      'a wrong count': { kind: 'edit', edit: json => ({ ...(json as object), count: 7 }) },
      'one build that cannot be read': {
        kind: 'edit',
        edit: json => ({ count: 2, value: [...(json as { value: object[] }).value.slice(0, 1), { id: 'x' }] }),
      },
    };
    for (const [name, effect] of Object.entries({ ...broken, ...suspicious })) {
      it(`takes nothing from an answer that is or holds ${name}`, async () => {
        const ids = addBuilds(2);
        spoil(effect);
        const { found, unknown } = await getBuildsByIds(ado, projectId, ids);
        assert.equal(found.size, 0);
        assert.equal(typeof unknown, 'string');
      });
    }

    it('keeps what it has and stops asking when an answer fails', async () => {
      const ids = addBuilds(600);
      emulator.faults.add({ operation: 'builds.list', nth: 2, effect: { kind: 'status', status: 403 } });
      const { found, unknown } = await getBuildsByIds(ado, projectId, ids);
      assert.equal(found.size, 200);
      assert.match(unknown ?? '', /403/);
      assert.equal(emulator.requests.entries.length, 2);
    });

    it('asks nothing about nothing', async () => {
      assert.equal((await getBuildsByIds(ado, projectId, [])).found.size, 0);
      assert.equal(emulator.requests.entries.length, 0);
    });
  });

  describe('for the newest', () => {
    it('tells the build that was queued last, of the project or of a definition, deleted or not', async () => {
      const now = emulator.clock.now();
      const other = emulator.world.addDefinition({ projectId }).id;
      emulator.world.addBuild({ definitionId, id: 1, queueTime: now - 3000 });
      emulator.world.addBuild({ definitionId, id: 2, queueTime: now - 2000 });
      emulator.world.addBuild({ definitionId: other, id: 3, queueTime: now - 1000 });
      emulator.world.deleteBuild(2);
      const ofProject = await newestBuild(ado, projectId);
      const ofDefinition = await newestBuild(ado, projectId, definitionId);
      assert.equal(ofProject.kind === 'found' && ofProject.build.id, 3);
      assert.equal(ofDefinition.kind === 'found' && ofDefinition.build.id, 2);
    });

    it('tells when there is none', async () => {
      assert.deepEqual(await newestBuild(ado, projectId, definitionId), { kind: 'none' });
    });

    const suspicious: Readonly<Record<string, Effect>> = {
      'two builds': { kind: 'doubled' },
      "another project's build": { kind: 'foreignBuild', projectId: stranger },
      "another definition's build": { kind: 'foreignBuild', definitionId: 999 },
    };
    for (const [name, effect] of Object.entries({ ...broken, ...suspicious })) {
      it(`knows nothing after ${name}`, async () => {
        emulator.world.addBuild({ definitionId });
        spoil(effect);
        assert.equal((await newestBuild(ado, projectId, definitionId)).kind, 'unknown');
      });
    }
  });

  describe('for the scope', () => {
    it('tells a readable project and definition from those that are not there', async () => {
      assert.deepEqual(await getProject(ado, projectId), { kind: 'readable', id: projectId, name: 'Shop' });
      assert.deepEqual(await getProject(ado, randomUUID()), { kind: 'notFound' });
      assert.deepEqual(await getDefinition(ado, projectId, definitionId), { kind: 'readable' });
      assert.deepEqual(await getDefinition(ado, projectId, 999), { kind: 'notFound' });
      emulator.world.deleteDefinition(definitionId);
      assert.deepEqual(await getDefinition(ado, projectId, definitionId), { kind: 'notFound' });
    });

    it('finds a project by its name, in letters of either case, spaces among them', async () => {
      const { id } = emulator.world.addProject({ name: 'Über Shop & Söhne' });
      assert.deepEqual(await getProjectByName(ado, 'shop'), { kind: 'readable', id: projectId, name: 'Shop' });
      assert.deepEqual(await getProjectByName(ado, 'über shop & söhne'), {
        kind: 'readable',
        id,
        name: 'Über Shop & Söhne',
      });
      assert.deepEqual(await getProjectByName(ado, 'Shop2'), { kind: 'notFound' });
    });

    it('does not take a project that answers to an old name for the one that is meant, and says what it is called', async () => {
      spoil({ kind: 'edit', edit: json => ({ ...(json as object), name: 'Store' }) });
      const answer = await getProjectByName(ado, 'Shop');
      assert.ok(answer.kind === 'unknown' && answer.reason.includes(`answered with Store; write that name, or the id`));
    });

    it('does not take a project that is being deleted for a readable one', async () => {
      emulator.world.projects.get(projectId)!.state = 'deleting';
      assert.equal((await getProject(ado, projectId)).kind, 'unknown');
    });

    it('never takes a denial of access for an absence of the definition', async () => {
      for (const how of ['unauthorized', 'forbidden'] as const) {
        emulator.world.denyProject(projectId, how);
        assert.equal((await getDefinition(ado, projectId, definitionId)).kind, 'unknown');
        assert.equal((await getProject(ado, projectId)).kind, 'unknown');
      }
      emulator.world.denyProject(projectId, 'notFound');
      assert.equal((await getDefinition(ado, projectId, definitionId)).kind, 'unknown');
      assert.equal((await getProject(ado, projectId)).kind, 'notFound');
    });

    for (const [name, effect] of Object.entries(broken)) {
      it(`knows nothing of project, definition and collection after ${name}`, async () => {
        spoil(effect);
        assert.equal((await getProject(ado, projectId)).kind, 'unknown');
        assert.equal((await getProjectByName(ado, 'Shop')).kind, 'unknown');
        assert.equal((await getDefinition(ado, projectId, definitionId)).kind, 'unknown');
        assert.equal((await getCollectionId(ado)).kind, 'unknown');
      });
    }

    it("knows nothing from another project's or definition's answer", async () => {
      spoil({ kind: 'edit', edit: json => ({ ...(json as object), id: stranger }) });
      assert.equal((await getProject(ado, projectId)).kind, 'unknown');
      emulator.faults.clear();
      spoil({ kind: 'edit', edit: json => ({ ...(json as object), id: 13 }) });
      assert.equal((await getDefinition(ado, projectId, definitionId)).kind, 'unknown');
    });

    it('tells the id of the collection, as a job knows it', async () => {
      assert.deepEqual(await getCollectionId(ado), { kind: 'found', id: emulator.collectionId });
    });
  });
});
