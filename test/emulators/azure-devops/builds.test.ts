import assert from 'node:assert/strict';
import { ask } from './ask.ts';
import { type AzureDevOpsEmulator, startAzureDevOps } from './azure-devops.ts';

const hour = 60 * 60 * 1000;
const day = 24 * hour;

describe('the emulated builds', () => {
  let emulator: AzureDevOpsEmulator;
  let projectId: string;
  let definitionId: number;
  let list: (query: string) => ReturnType<typeof ask>;
  beforeEach(async () => {
    emulator = await startAzureDevOps();
    projectId = emulator.world.addProject({ name: 'Shop' }).id;
    definitionId = emulator.world.addDefinition({ projectId, name: 'ci' }).id;
    list = query => ask(emulator, `${projectId}/_apis/build/builds?api-version=7.1&${query}`);
  });
  afterEach(() => emulator.close());

  const get = (id: number, project = projectId) => ask(emulator, `${project}/_apis/build/builds/${id}?api-version=7.1`);
  const ids = async (query: string): Promise<number[]> =>
    ((await list(query)).json.value as Array<{ id: number }>).map(build => build.id);

  it('have the shape that REST 7.1 documents', async () => {
    emulator.world.addBuild({ definitionId, id: 4711, number: '20261123.1' });
    const { json: build, headers } = await get(4711);
    assert.match(headers.get('content-type') ?? '', /^application\/json; charset=utf-8/);
    const texts = ['buildNumber', 'sourceBranch', 'sourceVersion', 'uri', 'url'];
    assert.deepEqual(
      texts.filter(name => typeof build[name] !== 'string'),
      [],
    );
    for (const name of ['queueTime', 'startTime', 'finishTime'])
      assert.match(build[name], /^\d{4}-\d\d-\d\dT[\d:.]+Z$/);
    assert.deepEqual(
      [build.id, build.status, build.result, build.priority],
      [4711, 'completed', 'succeeded', 'normal'],
    );
    assert.deepEqual(
      [build.project.id, build.project.state, build.project.visibility],
      [projectId, 'wellFormed', 'private'],
    );
    assert.deepEqual(
      [build.definition.id, build.definition.type, build.definition.queueStatus],
      [definitionId, 'build', 'enabled'],
    );
    assert.equal(build.retainedByRelease, false);
    assert.deepEqual(
      ['deleted', 'deletedDate', 'deletedBy', 'deletedReason'].filter(name => name in build),
      [],
    );
  });

  it('say that they are deleted for a while, and are then not found with the error of Azure DevOps', async () => {
    emulator.world.addBuild({ definitionId, id: 4711 });
    emulator.world.deleteBuild(4711, 'by hand');
    const { json } = await get(4711);
    assert.equal(json.deleted, true);
    assert.equal(json.deletedReason, 'by hand');
    assert.equal(typeof json.deletedBy.displayName, 'string');
    assert.ok(Math.abs(Date.parse(json.deletedDate) - emulator.clock.now()) < hour);
    emulator.world.behaviour.deletedReadableMs = 10 * day;
    emulator.clock.advance(11 * day);
    const gone = await get(4711);
    assert.equal(gone.status, 404);
    assert.deepEqual(gone.json, {
      $id: '1',
      innerException: null,
      message: 'The requested build 4711 could not be found.',
      typeName: 'Microsoft.TeamFoundation.Build.WebApi.BuildNotFoundException, Microsoft.TeamFoundation.Build.WebApi',
      typeKey: 'BuildNotFoundException',
      errorCode: 0,
      eventId: 3000,
    });
  });

  it('are found by the name of their project, and not through another project', async () => {
    emulator.world.addBuild({ definitionId, id: 1 });
    const other = emulator.world.addProject({ name: 'Other' });
    assert.equal((await get(1, 'shop')).status, 200);
    assert.equal((await get(1, other.id)).json.typeKey, 'BuildNotFoundException');
    assert.equal((await get(1, 'nowhere')).json.typeKey, 'ProjectDoesNotExistWithNameException');
  });

  it('are listed without the deleted ones, with them, or those alone, in words and in numbers', async () => {
    for (let id = 1; id <= 3; id += 1) emulator.world.addBuild({ definitionId, id });
    emulator.world.deleteBuild(2);
    assert.deepEqual(await ids('queryOrder=queueTimeAscending'), [1, 3]);
    for (const only of ['onlyDeleted', 'OnlyDeleted', '2']) assert.deepEqual(await ids(`deletedFilter=${only}`), [2]);
    for (const both of ['includeDeleted', '1']) {
      assert.deepEqual(await ids(`deletedFilter=${both}&queryOrder=5`), [1, 2, 3]);
    }
    assert.equal((await list('deletedFilter=perhaps')).status, 400);
  });

  it('are filtered and ordered', async () => {
    const now = emulator.clock.now();
    const other = emulator.world.addDefinition({ projectId }).id;
    emulator.world.addBuild({ definitionId, id: 1, finishTime: now - 3 * day, tags: ['a', 'b'] });
    emulator.world.addBuild({
      definitionId,
      id: 2,
      finishTime: now - 2 * day,
      result: 'failed',
      sourceBranch: 'refs/heads/x',
    });
    emulator.world.addBuild({ definitionId: other, id: 3, finishTime: now - day, number: 'rel-7' });
    emulator.world.addBuild({ definitionId, id: 4, status: 'inProgress', result: undefined, finishTime: undefined });
    assert.deepEqual(await ids('statusFilter=completed'), [3, 2, 1]);
    assert.deepEqual(await ids('statusFilter=2&queryOrder=finishTimeAscending'), [1, 2, 3]);
    assert.deepEqual(await ids('statusFilter=1'), [4]);
    assert.deepEqual(await ids(`definitions=${other}`), [3]);
    assert.deepEqual(await ids('resultFilter=failed'), [2]);
    assert.deepEqual(await ids('tagFilters=a,b'), [1]);
    assert.deepEqual(await ids('branchName=refs/heads/x'), [2]);
    assert.deepEqual(await ids('buildNumber=rel-*'), [3]);
    assert.deepEqual(await ids(`statusFilter=2&minTime=${new Date(now - 2.5 * day).toISOString()}`), [3, 2]);
    assert.deepEqual(await ids(`statusFilter=2&maxTime=${new Date(now - 1.5 * day).toISOString()}`), [2, 1]);
    assert.deepEqual(await ids('statusFilter=2&maxBuildsPerDefinition=1'), [3, 2]);
    assert.equal((await list('requestedFor=somebody')).status, 400);
  });

  it('come by ids, and two readings of what else may be said are both at hand', async () => {
    for (let id = 1; id <= 3; id += 1) emulator.world.addBuild({ definitionId, id });
    emulator.world.deleteBuild(2);
    assert.deepEqual(await ids('buildIds=1,2,99'), [1]);
    assert.deepEqual(await ids('buildIds=1,2&deletedFilter=includeDeleted'), [1, 2]);
    for (const more of ['deletedFilter=onlyDeleted', 'statusFilter=completed', '$top=5']) {
      assert.equal((await list(`buildIds=1,2&${more}`)).status, 400, more);
    }
    emulator.world.behaviour.combinedFilters = 'ignored';
    assert.deepEqual(await ids('buildIds=1,2&deletedFilter=onlyDeleted&statusFilter=inProgress'), [1]);
    emulator.world.behaviour.bareBuildIdsGiveDeleted = true;
    assert.deepEqual(await ids('buildIds=1,2'), [1, 2]);
  });

  it('come in pages only where they are completed, each build once', async () => {
    const now = emulator.clock.now();
    for (let id = 1; id <= 25; id += 1) emulator.world.addBuild({ definitionId, id, finishTime: now + id * 1000 });
    const seen: number[] = [];
    let token: string | null = '';
    let pages = 0;
    while (token !== null) {
      const page = await list(
        `statusFilter=completed&queryOrder=finishTimeAscending&$top=10&continuationToken=${token}`,
      );
      if (token === '') assert.equal(page.status, 400, 'an empty token is no time');
      const first: Awaited<ReturnType<typeof ask>> =
        token === '' ? await list('statusFilter=completed&queryOrder=finishTimeAscending&$top=10') : page;
      seen.push(...first.json.value.map((build: { id: number }) => build.id));
      token = first.headers.get('x-ms-continuationtoken');
      pages += 1;
    }
    assert.equal(pages, 3);
    assert.deepEqual(
      seen,
      Array.from({ length: 25 }, (_, index) => index + 1),
    );
    for (const query of [
      '$top=10',
      'statusFilter=completed&$top=10&maxBuildsPerDefinition=20',
      'statusFilter=all&$top=10',
    ]) {
      assert.equal((await list(query)).headers.get('x-ms-continuationtoken'), null, query);
    }
    const wrong = await ids(
      `$top=10&queryOrder=finishTimeAscending&continuationToken=${new Date(now + 11_000).toISOString()}`,
    );
    assert.equal(wrong[0], 1, 'a token with the wrong filter starts again');
  });

  it('come 1000 at a time unless told, 5000 at most', async () => {
    for (let index = 0; index < 10_000; index += 1) emulator.world.addBuild({ definitionId });
    assert.equal((await list('')).json.count, 1000);
    assert.equal((await list('$top=5000')).json.count, 5000);
    for (const top of [0, 5001, -1]) assert.equal((await list(`$top=${top}`)).status, 400);
  });

  it('need no version, and refuse one that is too new, and a released one where there is only a preview', async () => {
    emulator.world.addBuild({ definitionId, id: 1 });
    const at = (version: string) => ask(emulator, `${projectId}/_apis/build/builds/1${version}`);
    assert.equal((await at('')).status, 200);
    assert.equal((await at('?api-version=7.2-preview.7')).status, 200);
    assert.equal((await at('?api-version=9.0')).json.typeKey, 'VssVersionOutOfRangeException');
    const connection = (version: string) => ask(emulator, `_apis/connectionData?api-version=${version}`);
    assert.equal((await connection('7.1')).json.typeKey, 'VssInvalidPreviewVersionException');
    assert.equal((await connection('7.1-preview.1')).json.instanceId, emulator.collectionId);
  });

  it('live in projects and definitions that can be read, denied and deleted', async () => {
    emulator.world.addBuild({ definitionId, id: 1 });
    const project = () => ask(emulator, `_apis/projects/${projectId}?api-version=7.1`);
    const definition = () => ask(emulator, `${projectId}/_apis/build/definitions/${definitionId}?api-version=7.1`);
    assert.deepEqual([(await project()).json.name, (await definition()).json.name], ['Shop', 'ci']);
    emulator.world.denyDefinition(definitionId);
    assert.equal((await definition()).json.typeKey, 'DefinitionNotFoundException');
    assert.equal((await get(1)).json.typeKey, 'BuildNotFoundException', 'a build one may not see looks like none');
    assert.deepEqual(await ids(''), []);
    emulator.world.definitions.get(definitionId)!.denied = undefined;
    emulator.world.deleteDefinition(definitionId);
    assert.equal((await definition()).json.typeKey, 'DefinitionNotFoundException');
    assert.equal((await get(1)).json.deleted, true);
    for (const [how, status] of [
      ['notFound', 404],
      ['unauthorized', 401],
      ['forbidden', 403],
    ] as const) {
      emulator.world.denyProject(projectId, how);
      assert.deepEqual([(await project()).status, (await get(1)).status], [status, status]);
    }
    emulator.world.allowProject(projectId);
    assert.equal((await project()).status, 200);
    emulator.world.deleteProject(projectId);
    const gone = await project();
    assert.equal(gone.json.typeKey, 'ProjectDoesNotExistException');
    assert.match(gone.json.message, /^VS800075: The project with id 'vstfs:\/\/\/Classification\/TeamProject\//);
    assert.equal((await ask(emulator, '_apis/projects')).json.count, 0);
  });

  it('carry the time of the emulated world', async () => {
    emulator.clock.advance(400 * day);
    const { headers } = await list('');
    assert.ok(Math.abs(Date.parse(headers.get('date') ?? '') - emulator.clock.now()) < hour);
  });
});
