import assert from 'node:assert/strict';
import { getBearerHandler, getPersonalAccessTokenHandler, WebApi } from 'azure-devops-node-api';
import type { IBuildApi } from 'azure-devops-node-api/BuildApi.js';
import { BuildQueryOrder, BuildStatus, QueryDeletedOption } from 'azure-devops-node-api/interfaces/BuildInterfaces.js';
import { ReleaseExpands, ReleaseStatus } from 'azure-devops-node-api/interfaces/ReleaseInterfaces.js';
import type { IReleaseApi } from 'azure-devops-node-api/ReleaseApi.js';
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
      assert.equal((await builds.getRetentionLeasesByOwnerId(projectId, 'me', definitionId, 1)).length, 1);
      await assert.rejects(builds.deleteBuild(projectId, 1), { statusCode: 400, message: /TF900561/ });
      await builds.deleteRetentionLeasesById(projectId, [made.leaseId ?? 0]);
      assert.equal((await builds.getRetentionLeasesForBuild(projectId, 1)).length, 0);
      await builds.deleteBuild(projectId, 1);
      assert.equal((await builds.getBuild(projectId, 1)).deleted, true);
    });

    it('reads a classic release and finds those that take a build', async () => {
      const other = emulator.world.addProject({ name: 'Library' });
      const lib = emulator.world.addDefinition({ projectId: other.id, id: 9, name: 'lib-ci' });
      emulator.world.addBuild({ definitionId: lib.id, id: 70, number: '1.2.3' });
      const artifacts = [{ alias: '_ci', buildId: 3 }, { alias: '_lib', buildId: 70 }, { alias: '_src' }];
      const { id } = emulator.world.releases.add({ projectId, definitionId: 4, artifacts });
      emulator.world.releases.add({ projectId, artifacts: [{ alias: '_ci', buildId: 4 }] });
      const releases = await web.getReleaseApi();
      const release = await releases.getRelease(projectId, id);
      assert.deepEqual(
        release.artifacts?.map(
          ({ alias, type, isPrimary, definitionReference: { project, definition, version } = {} }) => [
            alias,
            type,
            isPrimary,
            project?.id,
            definition?.id,
            version?.id,
          ],
        ),
        [
          ['_ci', 'Build', true, projectId, String(definitionId), '3'],
          ['_lib', 'Build', false, other.id, '9', '70'],
          ['_src', 'Git', false, undefined, undefined, undefined],
        ],
      );
      assert.ok(release.status === ReleaseStatus.Active && release.createdOn instanceof Date);
      assert.equal(release.artifacts?.[1]?.definitionReference?.['version']?.name, '1.2.3');
      assert.equal(await releases.getRelease(projectId, 99), null);
      type Args = Parameters<IReleaseApi['getReleases']>;
      const taking = async (sourceId: string, buildId: string, expand: ReleaseExpands) => {
        const args: Args = [projectId];
        // By position: $expand, artifactTypeId, sourceId, artifactVersionId.
        [args[12], args[13], args[14], args[15]] = [expand, 'Build', sourceId, buildId];
        return (await releases.getReleases(...args)).map(found => [found.id, found.artifacts?.length]);
      };
      assert.deepEqual(await taking(`${other.id}:9`, '70', ReleaseExpands.Artifacts), [[id, 3]]);
      assert.deepEqual(await taking(`${projectId}:${definitionId}`, '70', ReleaseExpands.None), []);
      assert.deepEqual(await taking(`${projectId}:${definitionId}`, '3', ReleaseExpands.None), [[id, 0]]);
      assert.equal(emulator.requests.entries.at(-1)?.operation, 'releases.list');
    });

    it('reads a project and a definition', async () => {
      assert.equal((await (await web.getCoreApi()).getProject('Shop')).id, projectId);
      assert.equal((await builds.getDefinition(projectId, definitionId)).name, 'ci');
    });
  });
}
