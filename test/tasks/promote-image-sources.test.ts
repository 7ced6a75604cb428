import assert from 'node:assert/strict';
import { join } from 'node:path';
import { packFolder, writeDockerArchive } from '../support/archives.ts';
import { makeImage, makeIndex, writeLayout } from '../support/images.ts';
import type { TaskOutcome, TaskRun } from '../support/run-task.ts';
import { inspectDigest, skopeo } from '../support/skopeo.ts';
import { resourceVariables } from './agent/variables.ts';
import { type Bench, definitionId, library, openBench } from './promotion.ts';
import { assertFailed, assertSucceeded, projectId, readRecords } from './step.ts';

const deploying = 77;
/** A run of another pipeline, which deploys what these builds made. */
const deploys = (
  ...builds: readonly { alias: string; id: number; definitionId?: number; projectId?: string }[]
): Partial<TaskRun> => ({
  variables: {
    'System.DefinitionId': String(deploying),
    'Build.BuildNumber': 'the deploying one',
    'Build.SourceBranch': 'refs/heads/deploying',
    ...Object.assign(
      {},
      ...builds.map(({ alias, ...build }) => resourceVariables(alias, { definitionId, projectId, ...build })),
    ),
  },
});

function assertNothingAsked({ output }: TaskOutcome): void {
  assert.doesNotMatch(output, /#\d+ (?:GET|HEAD|PUT|POST) /);
}

describe('PromoteImage and where the images come from', () => {
  let bench: Bench;
  before(async () => {
    bench = await openBench();
    for (const id of [deploying, 78]) bench.devOps.world.addDefinition({ projectId, id });
  });
  after(() => bench.close());
  const digestOf = (reference: string) => inspectDigest(bench.stage, reference);

  describe('a pipeline resource', () => {
    const inputs = { source: 'pipelineResource', pipelineResource: 'shop' };

    it('is the build that it names, although the run that deploys has an id and records of its own', async () => {
      const [built, other] = [makeImage('built'), makeImage('other')];
      await bench.record({ id: 200 }, { 'trap/app': built });
      await bench.record({ id: 290, definitionId: deploying }, { 'trap/app': other, 'trap/tool': other });
      const tags = '{buildNumber}\n{branch}\n{commit}';
      const outcome = await bench.step(290, { ...inputs, tags }, deploys({ alias: 'shop', id: 200 }));
      assertSucceeded(outcome);
      for (const tag of ['200', '20261123.200', 'release-1.4', 'c'.repeat(40)]) {
        assert.equal(await digestOf(`trap/app:${tag}`), built.digest, tag);
      }
      assert.equal(await digestOf('trap/app:290'), undefined);
      assert.equal(await digestOf('trap/tool:290'), undefined);
      const [record] = await readRecords(bench.stage, 200);
      assert.deepEqual([record?.build.id, record?.build.definitionId], [200, definitionId]);
      assert.deepEqual([record?.promotedBy?.definitionId, record?.promotedBy?.runId], [deploying, 290]);
      const [lease, ...more] = bench.devOps.world.leases.ofBuild(200);
      assert.equal(more.length, 0);
      const owner = `ImageLifecycle:${bench.stage.host}:Production:${projectId}.pipeline.${deploying}`;
      assert.deepEqual([lease?.ownerId, lease?.definitionId], [owner, definitionId]);
      assert.deepEqual(bench.devOps.world.leases.ofBuild(290), []);
    });

    it('is not guessed: this run has no records, and the message says what it would take', async () => {
      bench.addBuild({ id: 291, definitionId: 78 });
      const run = { variables: { 'System.DefinitionId': '78' } };
      const outcome = await bench.step(291, {}, run);
      assertFailed(outcome, /has no record of build 291 of pipeline 78, .*It has records of no build of pipeline 78/);
      assert.match(
        outcome.message,
        /source is currentRun, which is this run\. Set it to pipelineResource where another pipeline built/,
      );
    });

    it('lists the builds that are recorded where that one is not', async () => {
      for (const id of [201, 202]) await bench.record({ id }, { 'listed/app': makeImage(`listed ${id}`) });
      bench.addBuild({ id: 203 });
      const outcome = await bench.step(290, inputs, deploys({ alias: 'shop', id: 203 }));
      assertFailed(outcome, /has no record of build 203 of pipeline 12, .* records of are 202, 201, 200\./);
      assert.doesNotMatch(outcome.message, /currentRun/);
    });

    it('lists the aliases where there is none of that name, before anything is asked', async () => {
      const aliases = deploys({ alias: 'shop', id: 200 }, { alias: 'my-lib', id: 201 });
      const outcome = await bench.step(290, { ...inputs, pipelineResource: 'web' }, aliases);
      assertFailed(outcome, /no pipeline resource "web"\. Its pipeline resources: "shop", "my-lib"\./);
      assertNothingAsked(outcome);
    });

    it('may be of another project, whose build is held there', async () => {
      const image = makeImage('library');
      await bench.record({ id: 210, ...library }, { 'lib/core': image });
      const outcome = await bench.step(290, inputs, deploys({ alias: 'shop', id: 210, ...library }));
      assertSucceeded(outcome);
      assert.equal(await digestOf('lib/core:210'), image.digest);
      assert.equal(bench.devOps.world.leases.ofBuild(210).length, 1);
      const place = new RegExp(
        `^Recorded build 210 in ${bench.stage.host}/image-lifecycle/builds/${library.projectId}:210\\.`,
        'm',
      );
      assert.match(outcome.output, place);
    });
  });

  describe('a list of images', () => {
    it('brings each by its digest, and keeps them when the build goes: nothing says that it made them', async () => {
      const [one, two] = [makeImage('one'), makeIndex('two')];
      await bench.push(bench.ci, 'named/one:v1', one);
      await bench.push(bench.ci, 'named/two:v2', two);
      bench.addBuild({ id: 220 });
      const images = `named/one:v1\n${bench.ci.host}/named/two@${two.digest}`;
      assertSucceeded(await bench.step(220, { source: 'images', images }));
      assert.equal(await digestOf('named/one:220'), one.digest);
      assert.equal(await digestOf('named/two:220'), two.digest);
      const [record] = await readRecords(bench.stage, 220);
      assert.equal(record?.onBuildDeleted, 'keep');
      assert.deepEqual(
        record?.images.map(({ repository, digest, tags }) => [repository, digest, ...tags]),
        [
          ['named/one', one.digest, '220'],
          ['named/two', two.digest, '220'],
        ],
      );
    });

    it('belongs to the build that an alias names', async () => {
      const image = makeImage('belongs');
      await bench.push(bench.ci, 'named/belongs:v1', image);
      bench.addBuild({ id: 221 });
      const inputs = { source: 'images', images: 'named/belongs:v1', pipelineResource: 'shop' };
      assertSucceeded(await bench.step(290, inputs, deploys({ alias: 'shop', id: 221 })));
      assert.equal(await digestOf('named/belongs:221'), image.digest);
    });

    it('is refused where an image is not there, or two are to be one', async () => {
      await bench.push(bench.ci, 'named/twice:v1', makeImage('first'));
      await bench.push(bench.ci, 'named/twice:v2', makeImage('second'));
      bench.addBuild({ id: 222 });
      const before = await bench.stage.fingerprint();
      const run = (images: string) => bench.step(222, { source: 'images', images });
      assertFailed(
        await run('named/gone:v1'),
        new RegExp(`input images: "named/gone:v1" is not in ${bench.ci.host}\\. Was it pushed there`),
      );
      assertFailed(
        await run('named/twice:v1\nnamed/twice:v2'),
        /input images: named\/twice is named twice, on sha256:\w+ and on sha256:\w+\. Leave one out/,
      );
      assert.equal(await bench.stage.fingerprint(), before);
    });
  });

  describe('archives', () => {
    const inputs = { source: 'archive', sourceConnectionType: 'azureResourceManager', sourceContainerRegistry: '' };

    it('are a layout, a tar of one, and a tar of docker save, with no source connection at all', async () => {
      const [folder, packed, saved] = [makeIndex('folder'), makeImage('packed'), makeImage('saved')];
      const { sources } = bench.agent;
      await writeLayout(join(sources, 'images/folder'), { image: folder });
      await packFolder(
        await writeLayout(join(sources, 'unpacked'), { image: packed }),
        join(sources, 'images/packed.tar'),
      );
      await writeDockerArchive(join(sources, 'images/saved.tar'), saved, 'archived/saved:1');
      bench.addBuild({ id: 230 });
      const archives = [
        'archived/folder=images/folder',
        `archived/packed=${sources}/images/packed.tar`,
        'archived/saved=images/saved.tar#archived/saved:1',
      ].join('\n');
      const outcome = await bench.step(230, { ...inputs, archives }, { endpoints: {} });
      assertSucceeded(outcome);
      assert.doesNotMatch(outcome.output, new RegExp(bench.ci.host));
      assert.equal(await digestOf('archived/folder:230'), folder.digest);
      assert.equal(await digestOf('archived/packed:230'), packed.digest);
      const images = JSON.parse(outcome.variables['images'] ?? '') as { repository: string; digest: string }[];
      const digest = images.find(({ repository }) => repository === 'archived/saved')?.digest;
      assert.equal(await digestOf('archived/saved:230'), digest);
      const creds = `${bench.stage.username}:${bench.stage.password}`;
      const place = `docker://${bench.stage.host}/archived/saved:230`;
      const config = JSON.parse(await skopeo('inspect', '--config', '--tls-verify=false', '--creds', creds, place));
      assert.equal((config as { config: { Labels: { seed: string } } }).config.Labels.seed, 'saved');
      const [record] = await readRecords(bench.stage, 230);
      assert.deepEqual([record?.onBuildDeleted, record?.promotedFrom], ['delete', 'archive']);
    });

    const wrong: [what: string, archives: string, message: RegExp][] = [
      ['no file', 'a/b=images/none.tar', /input archives: .*images\/none\.tar cannot be read/],
      [
        'a registry',
        'contoso.azurecr.io/a/b=images/folder',
        /input archives: .*names the registry contoso\.azurecr\.io/,
      ],
      ['no repository', 'images/folder', /input archives: "images\/folder" is not of the form repository=path/],
      ['a folder with nothing in it', 'a/b=empty', /input archives: .*empty/],
      ['two for one repository', 'a/b=images/folder\na/b=images/packed.tar', /input archives: two .* go to a\/b/],
    ];
    for (const [what, archives, message] of wrong) {
      it(`are refused with ${what}, before anything is asked`, async () => {
        const outcome = await bench.step(231, { ...inputs, archives });
        assertFailed(outcome, message);
        assertNothingAsked(outcome);
      });
    }
  });
});
