import assert from 'node:assert/strict';
import { getPersonalAccessTokenHandler, WebApi } from 'azure-devops-node-api';
import type { IGitApi } from 'azure-devops-node-api/GitApi.js';
import { PullRequestStatus } from 'azure-devops-node-api/interfaces/GitInterfaces.js';
import { type AzureDevOpsEmulator, startAzureDevOps } from './azure-devops.ts';
import type { GitRepository } from './git.ts';

const hour = 60 * 60_000;

for (const flavour of ['services', 'server'] as const) {
  describe(`azure-devops-node-api and the git of the emulated ${flavour}`, () => {
    let emulator: AzureDevOpsEmulator;
    let web: WebApi;
    let git: IGitApi;
    let projectId: string;
    let repository: GitRepository;
    beforeEach(async () => {
      emulator = await startAzureDevOps({ flavour });
      projectId = emulator.world.addProject({ name: 'Shop' }).id;
      repository = emulator.world.git.addRepository({ projectId, name: 'web' });
      web = new WebApi(emulator.url, getPersonalAccessTokenHandler(emulator.pat));
      git = await web.getGitApi();
    });
    afterEach(() => emulator.close());

    it('reads a repository by its name and its id, and null for none', async () => {
      const found = await git.getRepository('WEB', 'shop');
      assert.deepEqual(
        [found.id, found.name, found.project?.id, found.webUrl],
        [repository.id, 'web', projectId, `${emulator.url}/Shop/_git/web`],
      );
      assert.equal((await git.getRepository(repository.id, projectId)).name, 'web');
      assert.equal(await git.getRepository('api', projectId), null);
    });

    it('lists branches and tags, and what annotated tags are on', async () => {
      const head = emulator.world.git.push(repository, 'main');
      emulator.world.git.push(repository, 'release/1.0');
      emulator.world.git.tag(repository, 'v1', head);
      const at = emulator.clock.now() - hour;
      const object = emulator.world.git.tag(repository, 'v2', head, { at });
      const names = async (filter: string) =>
        (await git.getRefs(repository.id, projectId, filter)).map(({ name, objectId }) => [name, objectId]);
      assert.deepEqual(await names('heads/m'), [['refs/heads/main', head]]);
      assert.equal((await names('heads/')).length, 2);
      const tags = await git.getRefs('web', 'Shop', 'tags/', undefined, undefined, undefined, undefined, true);
      assert.deepEqual(
        tags.map(({ name, objectId, peeledObjectId }) => [name, objectId, peeledObjectId]),
        [
          ['refs/tags/v1', head, undefined],
          ['refs/tags/v2', object, head],
        ],
      );
      const annotation = await git.getAnnotatedTag('Shop', repository.id, object);
      assert.deepEqual([annotation.name, annotation.taggedObject?.objectId], ['v2', head]);
      assert.equal(annotation.taggedBy?.date?.getTime(), at);
      assert.equal(await git.getAnnotatedTag('Shop', repository.id, head), null);
    });

    it('tells when commits were made, and leaves out what is none', async () => {
      const at = emulator.clock.now() - 5 * hour;
      const one = emulator.world.git.commit(repository, { at });
      const ids = [one, 'f'.repeat(40)];
      const found = await git.getCommitsBatch({ ids }, repository.id, projectId, undefined, 2);
      assert.deepEqual(
        found.map(({ commitId, committer }) => [commitId, committer?.date?.getTime()]),
        [[one, at]],
      );
    });

    it('lists pull requests by their state, newest first, page by page', async () => {
      for (const source of ['a', 'b', 'c']) emulator.world.git.openPullRequest(repository, { source });
      repository.pullRequests.get(2)!.status = 'completed';
      const list = async (status: PullRequestStatus, skip?: number, top?: number) =>
        (await git.getPullRequests(repository.id, { status }, projectId, undefined, skip, top)).map(
          each => each.pullRequestId,
        );
      assert.deepEqual(await list(PullRequestStatus.Active), [3, 1]);
      assert.deepEqual(await list(PullRequestStatus.Completed), [2]);
      assert.deepEqual(await list(PullRequestStatus.All, 1, 1), [2]);
      const [open] = await git.getPullRequests(repository.id, {}, projectId);
      assert.deepEqual([open?.sourceRefName, open?.status], ['refs/heads/c', PullRequestStatus.Active]);
      assert.equal(open?.lastMergeSourceCommit?.commitId, repository.pullRequests.get(3)?.commit);
    });

    it('lists the pipelines of classic releases', async () => {
      const releases = await web.getReleaseApi();
      assert.deepEqual(await releases.getReleaseDefinitions(projectId), []);
      emulator.world.releases.add({ projectId, definitionId: 7, artifacts: [] });
      assert.deepEqual(
        (await releases.getReleaseDefinitions('Shop')).map(each => [each.id, each.name]),
        [[7, 'release-7']],
      );
    });

    it('tells of a build what it was made from, and by which pull request', async () => {
      const { id: definitionId } = emulator.world.addDefinition({ projectId });
      emulator.world.addBuild({ definitionId, id: 1, repository: { id: repository.id }, pullRequest: 12 });
      const { repository: source, triggerInfo } = await (await web.getBuildApi()).getBuild(projectId, 1);
      assert.deepEqual(
        [source?.type, source?.id, source?.name, source?.url],
        ['TfsGit', repository.id, 'web', `${emulator.url}/Shop/_git/web`],
      );
      assert.deepEqual(triggerInfo, { 'pr.number': '12' });
    });
  });
}
