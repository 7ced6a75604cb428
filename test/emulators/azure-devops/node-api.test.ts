import assert from 'node:assert/strict';
import { getBearerHandler, getPersonalAccessTokenHandler, WebApi } from 'azure-devops-node-api';
import type { IBuildApi } from 'azure-devops-node-api/BuildApi.js';
import { BuildQueryOrder, BuildStatus, QueryDeletedOption } from 'azure-devops-node-api/interfaces/BuildInterfaces.js';
import { type AzureDevOpsEmulator, startAzureDevOps } from './azure-devops.ts';

for (const flavour of ['services', 'server'] as const) {
  describe(`azure-devops-node-api on the emulated ${flavour}`, () => {
    let emulator: AzureDevOpsEmulator;
    let web: WebApi;
    let builds: IBuildApi;
    let projectId: string;
    let definitionId: number;
    beforeEach(async () => {
      emulator = await startAzureDevOps({ flavour });
      projectId = emulator.world.addProject({ name: 'Shop' }).id;
      definitionId = emulator.world.addDefinition({ projectId, name: 'ci' }).id;
      for (let id = 1; id <= 5; id += 1) emulator.world.addBuild({ definitionId, id });
      web = new WebApi(emulator.url, getPersonalAccessTokenHandler(emulator.pat));
      builds = await web.getBuildApi();
    });
    afterEach(() => emulator.close());

    it('connects, with either kind of token', async () => {
      assert.equal((await web.connect()).instanceId, emulator.collectionId);
      const bearer = new WebApi(emulator.url, getBearerHandler(emulator.token));
      assert.equal((await bearer.connect()).instanceId, emulator.collectionId);
    });

    it('reads a build, a deleted build, and null for none', async () => {
      emulator.world.deleteBuild(2);
      const alive = await builds.getBuild(projectId, 1);
      assert.deepEqual([alive.id, alive.status, alive.definition?.name], [1, BuildStatus.Completed, 'ci']);
      assert.ok(alive.finishTime instanceof Date);
      const deleted = await builds.getBuild('Shop', 2);
      assert.ok(deleted.deleted === true && deleted.deletedDate instanceof Date);
      assert.equal(await builds.getBuild(projectId, 99), null);
    });

    it('lists builds with the integers that it sends for words', async () => {
      emulator.world.deleteBuild(2);
      emulator.world.deleteBuild(4);
      type Args = Parameters<IBuildApi['getBuilds']>;
      const list = (deleted: QueryDeletedOption, order: BuildQueryOrder) => {
        const args: Args = [projectId, [definitionId]];
        // By position: statusFilter, $top, deletedFilter, queryOrder.
        [args[8], args[12], args[15], args[16]] = [BuildStatus.Completed, 100, deleted, order];
        return builds.getBuilds(...args);
      };
      const ids = async (...args: Parameters<typeof list>) => (await list(...args)).map(build => build.id);
      assert.deepEqual(await ids(QueryDeletedOption.OnlyDeleted, BuildQueryOrder.FinishTimeAscending), [2, 4]);
      assert.deepEqual(await ids(QueryDeletedOption.ExcludeDeleted, BuildQueryOrder.FinishTimeDescending), [5, 3, 1]);
      assert.equal(emulator.requests.entries.at(-1)?.query['deletedFilter'], '0');
    });

    it('takes and gives back retention leases', async () => {
      const lease = { runId: 1, definitionId, ownerId: 'me', daysValid: 3, protectPipeline: false };
      const [made] = await builds.addRetentionLeases([lease], projectId);
      assert.ok(made?.validUntil instanceof Date);
      assert.equal((await builds.getRetentionLeasesForBuild(projectId, 1)).length, 1);
      assert.equal((await builds.getRetentionLease(projectId, made.leaseId ?? 0)).ownerId, 'me');
      const longer = await builds.updateRetentionLease({ daysValid: 9 }, projectId, made.leaseId ?? 0);
      assert.ok((longer.validUntil ?? 0) > made.validUntil);
      assert.equal((await builds.getRetentionLeasesByOwnerId(projectId, 'me')).length, 1);
      await builds.deleteRetentionLeasesById(projectId, [made.leaseId ?? 0]);
      assert.equal((await builds.getRetentionLeasesForBuild(projectId, 1)).length, 0);
    });

    it('reads a project and a definition', async () => {
      assert.equal((await (await web.getCoreApi()).getProject('Shop')).id, projectId);
      assert.equal((await builds.getDefinition(projectId, definitionId)).name, 'ci');
    });
  });
}
