import assert from 'node:assert/strict';
import type { AzureDevOps } from '../../../core/azure-devops/connection.ts';
import { listDeletedBuilds } from '../../../core/azure-devops/deleted-builds.ts';
import { hasReleasePipelines, listHoldingReleases } from '../../../core/azure-devops/held-builds.ts';
import { type AzureDevOpsEmulator, startAzureDevOps } from '../../emulators/azure-devops/azure-devops.ts';
import { broken, brokenLists } from './broken-answers.ts';
import { connect } from './connect.ts';

describe('asking which classic releases hold a build', () => {
  let emulator: AzureDevOpsEmulator;
  let ado: AzureDevOps;
  let projectId: string;
  const build = () => ({ projectId, definitionId: 12, buildId: 4711 });
  beforeEach(async () => {
    emulator = await startAzureDevOps();
    ado = connect(emulator, { url: emulator.releaseUrl }).ado;
    projectId = emulator.world.addProject({ name: 'Shop' }).id;
    emulator.world.addDefinition({ projectId, id: 12 });
    for (const id of [4711, 4712]) emulator.world.addBuild({ definitionId: 12, id });
  });
  afterEach(() => emulator.close());

  const release = (name: string, buildId = 4711) =>
    emulator.world.releases.add({ projectId, name, artifacts: [{ alias: '_src' }, { alias: '_ci', buildId }] });

  const askWith = (artifacts: unknown) => {
    emulator.faults.clear();
    const edit = (json: unknown) => {
      const { count, value } = json as { count: number; value: object[] };
      return { count, value: value.map(each => ({ ...each, artifacts })) };
    };
    emulator.faults.add({ effect: { kind: 'edit', edit } });
    return listHoldingReleases(ado, build());
  };

  it('tells a project that has no classic release pipeline from one that has', async () => {
    assert.deepEqual(await hasReleasePipelines(ado, projectId), { kind: 'none' });
    release('Release-1');
    assert.deepEqual(await hasReleasePipelines(ado, projectId), { kind: 'some' });
    const other = emulator.world.addProject().id;
    assert.deepEqual(await hasReleasePipelines(ado, other), { kind: 'none' });
  });

  it('names those that take the build and are neither abandoned nor deleted, page by page', async () => {
    for (let index = 1; index <= 5; index += 1) release(`Release-${index}`);
    release('of another build', 4712);
    release('abandoned').status = 'abandoned';
    release('deleted').deleted = true;
    emulator.world.behaviour.largestPage = 2;
    const answer = await listHoldingReleases(ado, { ...build(), projectId: projectId.toUpperCase() });
    assert.ok(answer.kind === 'found', JSON.stringify(answer));
    assert.deepEqual(
      [...answer.names].sort(),
      [1, 2, 3, 4, 5].map(index => `Release-${index}`),
    );
    assert.equal(emulator.requests.count('releases.list'), 3);
  });

  it('lets one hold that does not tell its artifacts, or says them in a way that is not understood', async () => {
    release('Release-1');
    for (const artifacts of [null, [], [{ type: 'Build' }], [{ type: 'Build', definitionReference: 'x' }]]) {
      assert.deepEqual(await askWith(artifacts), { kind: 'found', names: ['Release-1'] });
    }
  });

  it('learns nothing from a server that ignores for which build it was asked', async () => {
    const { id } = release('Release-1', 4712);
    const whole = await fetchReleases(emulator, projectId);
    emulator.faults.add({ operation: 'releases.list', effect: { kind: 'edit', edit: () => whole } });
    const answer = await listHoldingReleases(ado, build());
    assert.ok(answer.kind === 'unknown');
    assert.match(answer.reason, new RegExp(`the answer held release ${id}, which takes another build`));
  });

  it('says which rights are missing, and that a host which knows no releases is no absence of them', async () => {
    emulator.access.tokens.set('build-reader', { value: 'build-reader', rights: ['read'] });
    const reader = connect(emulator, { url: emulator.releaseUrl, token: readerToken }).ado;
    for (const answer of [await hasReleasePipelines(reader, projectId), await listHoldingReleases(reader, build())]) {
      assert.ok(answer.kind === 'unknown');
      assert.match(
        answer.reason,
        /\(403\): give the identity "View releases" and "View release pipeline".*vso\.release/,
      );
    }
    const elsewhere = connect(emulator).ado;
    for (const answer of [
      await hasReleasePipelines(elsewhere, projectId),
      await listHoldingReleases(elsewhere, build()),
    ]) {
      assert.ok(answer.kind === 'unknown' && /HttpControllerNotFoundException/.test(answer.reason));
    }
  });

  it('sends nothing for ids that are none', async () => {
    assert.equal((await hasReleasePipelines(ado, 'Shop')).kind, 'unknown');
    assert.equal((await listHoldingReleases(ado, { ...build(), buildId: 0 })).kind, 'unknown');
    assert.equal(emulator.requests.entries.length, 0);
  });

  for (const [name, effect] of Object.entries({ ...broken, ...brokenLists })) {
    it(`learns nothing from ${name}`, async () => {
      release('Release-1');
      emulator.faults.add({ effect });
      assert.equal((await hasReleasePipelines(ado, projectId)).kind, 'unknown');
      assert.equal((await listHoldingReleases(ado, build())).kind, 'unknown');
    });
  }

  it('learns nothing where the second page fails, or does not come', async () => {
    for (let index = 1; index <= 3; index += 1) release(`Release-${index}`);
    emulator.world.behaviour.largestPage = 2;
    emulator.faults.add({ nth: 2, effect: { kind: 'status', status: 500 } });
    assert.equal((await listHoldingReleases(ado, build())).kind, 'unknown');
    emulator.faults.clear();
    emulator.faults.add({ nth: 2, effect: { kind: 'slow', ms: 400 } });
    const hasty = connect(emulator, { url: emulator.releaseUrl, requestTimeoutMs: 50 }).ado;
    assert.equal((await listHoldingReleases(hasty, build())).kind, 'unknown');
  });
});

describe('asking for the deleted builds of a project', () => {
  let emulator: AzureDevOpsEmulator;
  let ado: AzureDevOps;
  let projectId: string;
  beforeEach(async () => {
    emulator = await startAzureDevOps();
    ado = connect(emulator).ado;
    projectId = emulator.world.addProject({ name: 'Shop' }).id;
    emulator.world.addDefinition({ projectId, id: 12 });
    const other = emulator.world.addProject().id;
    emulator.world.addDefinition({ projectId: other, id: 13 });
    const now = emulator.clock.now();
    for (let id = 1; id <= 30; id += 1) emulator.world.addBuild({ definitionId: 12, id, finishTime: now - id * 1000 });
    emulator.world.addBuild({ definitionId: 13, id: 9000 });
    emulator.world.behaviour.largestPage = 10;
    for (const id of [...Array.from({ length: 22 }, (_, index) => index + 1), 9000]) emulator.world.deleteBuild(id);
  });
  afterEach(() => emulator.close());

  it('lists all of them, page by page, and none that lives', async () => {
    const answer = await listDeletedBuilds(ado, projectId);
    assert.ok(answer.kind === 'found', JSON.stringify(answer));
    assert.equal(new Set(answer.items.map(each => each.id)).size, 22);
    assert.ok(answer.items.every(each => each.id <= 22));
    assert.equal(emulator.requests.count('builds.list'), 3);
  });

  it('learns nothing from a list that holds a living build, or one of another project', async () => {
    emulator.faults.add({ count: 1, effect: { kind: 'edit', edit: revive } });
    const alive = await listDeletedBuilds(ado, projectId);
    assert.ok(alive.kind === 'unknown' && /the answer held build 22, which is none/.test(alive.reason));
    emulator.faults.add({ effect: { kind: 'foreignBuild', projectId: '99999999-8888-4777-8666-555555555555' } });
    assert.equal((await listDeletedBuilds(ado, projectId)).kind, 'unknown');
  });

  for (const [name, effect] of Object.entries({ ...broken, ...brokenLists })) {
    it(`learns nothing from ${name}, on the first page or a later one`, async () => {
      for (const nth of [1, 2]) {
        emulator.faults.clear();
        emulator.faults.add({ nth, effect });
        assert.equal((await listDeletedBuilds(ado, projectId)).kind, 'unknown');
      }
    });
  }
});

/** What a server would say that takes no notice of a filter. */
async function fetchReleases(emulator: AzureDevOpsEmulator, projectId: string): Promise<unknown> {
  const { ado } = connect(emulator, { url: emulator.releaseUrl });
  const path = [projectId, '_apis', 'release', 'releases'];
  const answer = await ado.ask({ what: 'all releases', path, query: { $expand: 'artifacts' } });
  assert.ok(answer.kind === 'ok');
  return answer.body;
}

/** A token that reads builds and no releases. */
async function readerToken(): Promise<{ kind: 'bearer'; value: string }> {
  return { kind: 'bearer', value: 'build-reader' };
}

function revive(json: unknown): unknown {
  return JSON.parse(JSON.stringify(json).replace('"deleted":true', '"deleted":false'));
}
