/** Builds that share a chart, to their end: the bundles make it, and what reconciles takes it away. */
import { deepEqual, equal, match, notEqual, ok } from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Digest } from '../../core/oci/digest.ts';
import { type Estate, startEstate } from '../core/lifecycle/estate.ts';
import { type AgentFolder, makeAgentFolder, runTask, type TaskOutcome } from '../support/run-task.ts';
import { chartOf, writeFiles } from './packaging.ts';
import { adminOf } from './promotion-azure.ts';
import { assertSucceeded } from './step.ts';

describe('A chart that builds push', () => {
  const repository = 'charts/web';
  let estate: Estate;
  let agent: AgentFolder;
  beforeEach(async () => {
    [estate, agent] = await Promise.all([startEstate(), makeAgentFolder()]);
    await writeFile(join(agent.path, 'ca.pem'), estate.acr.ca);
    await writeFiles(join(agent.sources, 'web'), chartOf('web', 'shop/web'));
  });
  afterEach(() => Promise.all([estate.close(), agent.remove()]));

  const newBuild = (): number => estate.ado.world.addBuild({ definitionId: estate.definitionId }).id;
  const putImage = (content: string): Digest =>
    estate.acr.world.putImage('shop/web', { tags: [content], annotations: { content } }).digest as Digest;
  const tags = (): Record<string, string> => estate.acr.world.tags(repository);
  const sent = (): string[] =>
    estate.acr.requests.all({ operationClass: 'Write', repository }).map(({ operation }) => operation);
  const isThere = (digest: string): boolean => estate.acr.world.has(repository, digest);

  /** TagImage, then PackageChart, as one job of the build runs them. */
  async function run(build: number, image: string, inputs: Record<string, string> = {}, attempt = '1') {
    const step = async (task: string, own: Record<string, string>): Promise<TaskOutcome> => {
      const outcome = await runTask(agent, {
        task,
        inputs: { connectionType: 'dockerRegistry', containerRegistry: 'acr', ...own },
        endpoints: { acr: adminOf(estate.acr) },
        environment: { NODE_EXTRA_CA_CERTS: join(agent.path, 'ca.pem') },
        variables: {
          'Build.BuildId': `${build}`,
          'System.CollectionId': estate.ado.collectionId,
          'System.DefinitionId': `${estate.definitionId}`,
          'System.JobAttempt': attempt,
          'System.TeamProjectId': estate.projectId,
        },
      });
      assertSucceeded(outcome);
      return outcome;
    };
    const overwrite = attempt === '1' ? 'false' : 'true';
    await step('TagImage', { images: `shop/web@${image}`, tags: '$(Build.BuildId)', overwrite });
    const { variables, output } = await step('PackageChart', { charts: 'web', push: 'true', helm: 'never', ...inputs });
    const { chartdigest: digest = '', chartversion: version = '' } = variables;
    return { digest, tag: version.replace('+', '_'), output };
  }

  /** Deletes the build, and lets the grace pass. */
  async function end(build: number): Promise<void> {
    estate.ado.world.deleteBuild(build);
    for (const { items } of await estate.settle()) {
      deepEqual(
        items.filter(({ outcome }) => outcome === 'failed'),
        [],
      );
    }
  }

  it('is one where chart and images are the same, is sent once, and goes with the last of them', async () => {
    const image = putImage('one');
    const [first, second] = [newBuild(), newBuild()];
    const { digest, tag } = await run(first, image);
    deepEqual(tags(), { [tag]: digest, [first]: digest });
    ok(sent().includes('upload.finish'));
    estate.acr.requests.clear();
    const again = await run(second, image);
    deepEqual([again.digest, again.tag], [digest, tag]);
    deepEqual(tags(), { [tag]: digest, [first]: digest, [second]: digest });
    // Manifests name it anew, and no byte of the archive goes again.
    deepEqual([...new Set(sent())], ['manifest.put']);

    await end(first);
    deepEqual(tags(), { [tag]: digest, [second]: digest });
    deepEqual(estate.acr.world.tags('shop/web'), { one: image, [second]: image });

    estate.acr.world.untag('shop/web', 'one');
    await end(second);
    deepEqual(tags(), {});
    equal(isThere(digest), false);
    equal(estate.acr.world.has('shop/web', image), false);
  });

  it('is another one where the image is, and each goes with its own build', async () => {
    const [first, second] = [newBuild(), newBuild()];
    const one = await run(first, putImage('one'));
    const two = await run(second, putImage('two'));
    notEqual(one.tag, two.tag);
    await end(first);
    deepEqual(tags(), { [two.tag]: two.digest, [second]: two.digest });
    deepEqual([isThere(one.digest), isThere(two.digest)], [false, true]);
  });

  it('stays where the build says so, and where its version is one that somebody chose', async () => {
    const [kept, released] = [newBuild(), newBuild()];
    const one = await run(kept, putImage('one'), { onBuildDeleted: 'keep' });
    const two = await run(released, putImage('two'), { version: 'exact', exactVersion: '2.0.0' });
    await end(kept);
    await end(released);
    deepEqual(tags(), { [one.tag]: one.digest, [kept]: one.digest, '2.0.0': two.digest });
    ok(isThere(one.digest) && isThere(two.digest));
  });

  it('is moved by a rerun that makes another image, where its version names the build; both go with that', async () => {
    const build = newBuild();
    const version = { version: 'build' };
    const one = await run(build, putImage('one'), version);
    equal(one.tag, `1.4.0_build.${build}`);
    const two = await run(build, putImage('two'), version, '2');
    notEqual(one.digest, two.digest);
    deepEqual(tags(), { [two.tag]: two.digest, [build]: two.digest });
    match(two.output, /^Pushed the chart \S+, version 1\.4\.0\+build\.\d+, and tagged it with \d+\.$/m);
    await end(build);
    deepEqual(tags(), {});
    deepEqual([isThere(one.digest), isThere(two.digest)], [false, false]);
  });
});
