import assert from 'node:assert/strict';
import { readBuildFacts } from '../../../../core/lifecycle/facts/read-builds.ts';
import type { BuildFact } from '../../../../core/lifecycle/keep-policy/policy-facts.ts';
import { day, hour } from '../estate.ts';
import { type AzureFacts, absenceOf, contoso, goneOf, recordOf, startAzureFacts } from './azure-facts.ts';

const reasonOf = (fact: BuildFact | undefined) => (fact?.state.kind === 'unknown' ? fact.state.reason : fact?.state);

describe('the facts of builds that records name', () => {
  let azure: AzureFacts;
  let now: number;
  beforeEach(async () => {
    azure = await startAzureFacts();
    now = azure.emulator.clock.now();
  });
  afterEach(() => azure.close());

  const count = (operation: string) => azure.emulator.requests.count(operation);
  const read = async (...asked: Parameters<typeof recordOf>[]) => {
    const records = asked.map(each => recordOf(...each));
    return (await readBuildFacts([azure.organization()], { records, absences: [] })).builds;
  };

  const readAbsent = async (...absences: Parameters<typeof absenceOf>[]) => {
    const told = { records: [recordOf(7)], absences: absences.map(each => absenceOf(...each)) };
    const { builds } = await readBuildFacts([azure.organization()], told);
    return builds[0]?.state;
  };

  it('are what Azure DevOps says of a build that is there, whatever the record says', async () => {
    const { world, url } = azure.emulator;
    const web = world.git.addRepository({ projectId: azure.bank.id, name: 'web app' });
    const made = world.addBuild({
      definitionId: 12,
      id: 4711,
      number: '20261123.1',
      sourceBranch: 'refs/heads/main',
      repository: { id: web.id },
    });
    assert.deepEqual(await read([4711], [4711]), [
      {
        build: { organization: contoso, project: 'Shop', id: 4711 },
        definition: 12,
        number: '20261123.1',
        queuedAt: made.queueTime,
        startedAt: made.startTime,
        finishedAt: made.finishTime,
        source: `${url}/Bank/_git/web%20app`,
        ref: 'refs/heads/main',
        commit: made.sourceVersion,
        pullRequest: undefined,
        state: { kind: 'alive' },
        retainedBy: { kind: 'whole', items: [] },
      } satisfies BuildFact,
    ]);
  });

  it('cost one request for 200 that are there, and no question about what holds them', async () => {
    const records = [];
    for (let id = 1; id <= 20_000; id += 1) {
      azure.emulator.world.addBuild({ definitionId: 12, id });
      records.push(recordOf(id));
    }
    const { builds } = await readBuildFacts([azure.organization()], { records, absences: [] });
    assert.equal(builds.length, 20_000);
    assert.ok(builds.every(each => each.state.kind === 'alive'));
    assert.equal(azure.emulator.requests.entries.length, 100);
  }).timeout(60_000);

  it('cost, for each that is gone, one request for its evidence and one for its releases', async () => {
    const { world } = azure.emulator;
    for (let id = 1; id <= 6; id += 1) world.addBuild({ definitionId: 12, id });
    for (const id of [1, 2, 3]) world.deleteBuild(id);
    assert.deepEqual(goneOf(await read([1], [2], [3], [4], [5]), now), [1, 2, 3]);
    assert.deepEqual([count('builds.list'), count('builds.get'), count('releaseDefinitions.list')], [1, 3, 1]);
    assert.equal(count('releases.list'), 0, 'where there is no classic release pipeline, nothing can hold');
    world.releases.add({ projectId: azure.shop.id, artifacts: [] });
    await read([1], [2], [3], [4], [5]);
    assert.equal(count('releases.list'), 3);
  });

  it('take the word of a bulk answer that a build is deleted, where it gives them', async () => {
    const { world } = azure.emulator;
    world.behaviour.bareBuildIdsGiveDeleted = true;
    for (let id = 1; id <= 2; id += 1) world.addBuild({ definitionId: 12, id });
    world.deleteBuild(1);
    assert.deepEqual(goneOf(await read([1], [2]), now), [1]);
    assert.equal(count('builds.get'), 0);
  });

  it('tell the pull request of a build by its branch, and by what triggered it', async () => {
    const { world } = azure.emulator;
    world.addBuild({ definitionId: 12, id: 1, sourceBranch: 'refs/pull/77/merge' });
    world.addBuild({ definitionId: 12, id: 2, sourceBranch: 'refs/heads/x', pullRequest: 78 });
    world.addBuild({ definitionId: 12, id: 3, sourceBranch: 'refs/pull/7x/merge' });
    assert.deepEqual(
      (await read([1], [2], [3])).map(each => each.pullRequest),
      [77, 78, undefined],
    );
  });

  it('name a repository of another host by its URL, without whoever may be in it', async () => {
    const { world } = azure.emulator;
    const repositories = [
      { type: 'GitHub', id: 'contoso/web' },
      { type: 'GitHub', id: 'contoso/web', url: 'https://bot:secret@GitHub.com/contoso/web.git?x=1' },
      { type: 'TfsGit', id: 'x', url: 'https://ada@contoso.visualstudio.com/DefaultCollection/Shop/_git/web' },
      { type: 'Git', id: 'x', url: 'git@example.org:web.git' },
      { type: 'Bitbucket', id: 'contoso/web' },
    ];
    for (const [index, repository] of repositories.entries()) {
      world.addBuild({ definitionId: 12, id: index + 1, repository });
    }
    assert.deepEqual(
      (await read([1], [2], [3], [4], [5])).map(each => each.source),
      [
        'https://github.com/contoso/web',
        'https://github.com/contoso/web',
        'https://dev.azure.com/contoso/Shop/_git/web',
        '',
        '',
      ],
    );
  });

  describe('that are absent', () => {
    beforeEach(() => {
      azure.emulator.world.addBuild({ definitionId: 12, id: 50 });
    });

    it('say since when, by the tombstones, the latest of several', async () => {
      assert.deepEqual(await readAbsent(), { kind: 'absent', scope: 'build', since: undefined });
      const seen = await readAbsent([7, 'build', now - 3 * day], [7, 'build', now - 2 * day], [8, 'build', now - day]);
      assert.deepEqual(seen, { kind: 'absent', scope: 'build', since: now - 2 * day });
    });

    it('take no sighting of another scope or pipeline for theirs', async () => {
      assert.deepEqual(await readAbsent([7, 'definition', now - 40 * day]), {
        kind: 'absent',
        scope: 'build',
        since: undefined,
      });
      const other = { ...absenceOf(7, 'build', now - 40 * day), definition: 13 };
      const { builds } = await readBuildFacts([azure.organization()], { records: [recordOf(7)], absences: [other] });
      assert.deepEqual(builds[0]?.state, { kind: 'absent', scope: 'build', since: undefined });
      assert.deepEqual(goneOf(builds, now), []);
    });

    it('have waited long enough where their images were let go once', async () => {
      assert.deepEqual(await readAbsent([7, 'released', now - hour]), {
        kind: 'absent',
        scope: 'build',
        since: now - hour - day,
      });
    });

    it('were made from what the record says; the repository is that of the pipeline with its name', async () => {
      const web = azure.emulator.world.git.addRepository({ projectId: azure.shop.id, name: 'web' });
      azure.emulator.world.addBuild({ definitionId: 12, id: 51, repository: { id: web.id } });
      const told = [
        recordOf(7, { repository: 'web', branch: 'refs/heads/x', commit: 'd'.repeat(40) }),
        recordOf(8, { repository: 'api' }),
        recordOf(9, { repository: 'https://GITHUB.com/contoso/api.git' }),
        recordOf(51),
      ];
      const { builds } = await readBuildFacts([azure.organization()], { records: told, absences: [] });
      assert.deepEqual(builds.map(({ source, ref, commit, number }) => [source, ref, commit, number]).slice(0, 3), [
        [`${azure.emulator.url}/Shop/_git/web`, 'refs/heads/x', 'd'.repeat(40), 'record 7'],
        ['', 'refs/heads/recorded', 'c'.repeat(40), 'record 8'],
        ['https://github.com/contoso/api', 'refs/heads/recorded', 'c'.repeat(40), 'record 9'],
      ]);
    });

    it('were made from nobody knows what where the name is that of two repositories, or of another pipeline', async () => {
      const { world } = azure.emulator;
      for (const project of [azure.shop, azure.bank]) {
        const { id } = world.git.addRepository({ projectId: project.id, name: 'web' });
        world.addBuild({ definitionId: 12, id: project === azure.shop ? 51 : 52, repository: { id } });
      }
      world.addDefinition({ projectId: azure.shop.id, id: 14 });
      world.addBuild({ definitionId: 14, id: 53, repository: { type: 'GitHub', id: 'contoso/api' } });
      const told = [
        recordOf(7, { repository: 'web' }),
        recordOf(8, { repository: 'contoso/api' }),
        ...[51, 52].map(id => recordOf(id)),
        recordOf(53, { definition: 14 }),
      ];
      const { builds } = await readBuildFacts([azure.organization()], { records: told, absences: [] });
      assert.deepEqual([builds[0]?.source, builds[1]?.source], ['', '']);
    });

    it('have one fact for each thing that their records say', async () => {
      const told = [recordOf(7), recordOf(7, { branch: 'refs/heads/forged' }), recordOf(7)];
      const { builds } = await readBuildFacts([azure.organization()], { records: told, absences: [] });
      assert.deepEqual(
        builds.map(each => each.ref),
        ['refs/heads/recorded', 'refs/heads/forged'],
      );
    });
  });

  it('are held by a classic release that takes a build which is gone', async () => {
    const { world } = azure.emulator;
    for (const id of [1, 2, 3, 50]) world.addBuild({ definitionId: 12, id });
    world.releases.add({ projectId: azure.shop.id, name: 'Release-9', artifacts: [{ alias: '_ci', buildId: 1 }] });
    world.releases.add({ projectId: azure.shop.id, artifacts: [{ alias: '_ci', buildId: 2 }] }).status = 'abandoned';
    for (const id of [1, 2]) world.deleteBuild(id);
    const builds = await read([1], [2], [3]);
    assert.deepEqual(goneOf(builds, now), [2]);
    assert.deepEqual(builds[0]?.retainedBy, { kind: 'whole', items: ['the classic release Release-9'] });
  });

  it('say why Azure DevOps keeps a build that is there', async () => {
    azure.emulator.world.addBuild({ definitionId: 12, id: 1, keepForever: true, retainedByRelease: true });
    const [fact] = await read([1]);
    assert.deepEqual(fact?.retainedBy, { kind: 'whole', items: ['a person who keeps it', 'a classic release'] });
  });

  describe('of which nobody can say what they are', () => {
    it('are unknown where records of two projects claim one id, whichever it is', async () => {
      azure.emulator.world.addBuild({ definitionId: 12, id: 1 });
      azure.emulator.world.deleteBuild(1);
      const builds = await read([1], [1, { project: 'Bank', definition: 13 }]);
      assert.deepEqual(builds.map(reasonOf), Array(2).fill('records of several projects name a build with its id'));
      assert.equal(azure.emulator.requests.entries.length, 0);
    });

    it('are unknown where the record names another pipeline than Azure DevOps', async () => {
      const { world } = azure.emulator;
      for (const id of [1, 2]) world.addBuild({ definitionId: 12, id });
      world.deleteBuild(2);
      const builds = await read([1, { definition: 99 }], [2, { definition: 99 }]);
      assert.deepEqual(builds.map(reasonOf), Array(2).fill('the record names definition 99, Azure DevOps 12'));
      world.behaviour.bareBuildIdsGiveDeleted = true;
      assert.deepEqual(goneOf(await read([2, { definition: 99 }]), now), []);
    });

    it('are told with each pipeline that records name, so that no plan lets them go', async () => {
      azure.emulator.world.addBuild({ definitionId: 12, id: 1 });
      azure.emulator.world.deleteBuild(1);
      const builds = await read([1], [1, { definition: 99 }]);
      assert.deepEqual(
        builds.map(each => [each.definition, each.state.kind]),
        [
          [12, 'deleted'],
          [99, 'unknown'],
        ],
      );
      assert.deepEqual(goneOf(builds, now), []);
    });

    it('are unknown in a project or an organization that nobody is asked about', async () => {
      const strange = {
        ...recordOf(2),
        build: { organization: 'https://dev.azure.com/fabrikam', project: 'Shop', id: 2 },
      };
      const records = [recordOf(1, { project: 'Elsewhere' }), strange];
      const { builds } = await readBuildFacts([azure.organization()], { records, absences: [] });
      assert.deepEqual(builds.map(reasonOf), Array(2).fill('its project is not in the configuration'));
    });
  });

  it('ask nothing more once the run is ended', async () => {
    azure.emulator.world.addBuild({ definitionId: 12, id: 1 });
    const told = { records: [recordOf(1)], absences: [] };
    const signal = AbortSignal.abort(new Error('the time is over'));
    await assert.rejects(readBuildFacts([azure.organization()], told, { signal }), /the time is over/);
    assert.equal(azure.emulator.requests.entries.length, 0);
  });
});
