import assert from 'node:assert/strict';
import type { LoggedRequest } from '../emulators/acr/request-log.ts';
import { resourceVariables } from './agent/variables.ts';
import { definitionId, warningsOf } from './promotion.ts';
import { type AzureBench, adminOf, openAzure } from './promotion-azure.ts';
import { assertFailed, assertSucceeded, projectId } from './step.ts';

/** The run that deploys. */
const deploying = { id: 790, definitionId: 77 };

describe('PromoteImage and a build that is deleted', () => {
  let bench: AzureBench;
  before(async () => {
    bench = await openAzure();
    bench.devOps.world.addDefinition({ projectId, id: deploying.definitionId });
    bench.addBuild(deploying);
  });
  after(() => bench.close());
  afterEach(() => {
    bench.stage.faults.clear();
    bench.devOps.faults.clear();
  });

  const promote = (id: number, inputs: Record<string, string> = {}) =>
    bench.step(
      deploying.id,
      {
        source: 'pipelineResource',
        pipelineResource: 'shop',
        sourceConnectionType: 'dockerRegistry',
        sourceContainerRegistry: 'ci-connection',
        connectionType: 'dockerRegistry',
        containerRegistry: 'stage-connection',
        ...inputs,
      },
      {
        variables: {
          ...resourceVariables('shop', { id, definitionId, projectId }),
          'System.DefinitionId': String(deploying.definitionId),
        },
        endpoints: { 'ci-connection': adminOf(bench.ci), 'stage-connection': adminOf(bench.stage) },
      },
    );

  const ways: [how: string, remove: (id: number) => void][] = [
    ['was deleted', id => void bench.devOps.world.deleteBuild(id)],
    ['is past all reading', id => bench.devOps.world.purgeBuild(id)],
  ];
  for (const [at, [how, remove]] of ways.entries()) {
    for (const retainBuild of ['true', 'false']) {
      it(`brings nothing of one that ${how} before, where retainBuild is ${retainBuild}`, async () => {
        const id = 700 + 2 * at + Number(retainBuild === 'true');
        await bench.record({ id }, `before/app${id}`);
        remove(id);
        const before = bench.stage.world.snapshot();
        const outcome = await promote(id, { retainBuild });
        assertFailed(
          outcome,
          new RegExp(`^Build ${id} (?:was deleted|does not exist).* Promote another build, or run `),
        );
        assert.deepEqual(bench.stage.world.snapshot(), before);
        assert.deepEqual([outcome.variables, outcome.taskVariables], [{}, {}]);
      });
    }
  }

  it('tags nothing of one that is deleted while its images arrive', async () => {
    await bench.record({ id: 710 }, 'while/one', 'while/two');
    bench.stage.faults.intercept = ({ operation, repository }: LoggedRequest, phase) => {
      const arrives = phase === 'after' && operation === 'manifest.put' && repository?.startsWith('while/');
      if (arrives) bench.devOps.world.deleteBuild(710);
      return 'proceed';
    };
    const outcome = await promote(710, { tags: 'edge' });
    assertFailed(
      outcome,
      /^Build 710 was deleted, so its images are on their way out and were not tagged here\. Promote/,
    );
    const { world } = bench.stage;
    assert.ok(world.manifests('while/one').length > 0, 'it was on its way');
    for (const repository of ['while/one', 'while/two']) assert.deepEqual(world.tags(repository), {});
    assert.deepEqual([outcome.variables, outcome.taskVariables], [{}, {}]);
  });

  it('goes on where Azure DevOps does not say, with one warning: an error is no deletion', async () => {
    const [put] = await bench.record({ id: 720 }, 'unknown/app');
    bench.devOps.faults.add({ operation: 'builds.get', effect: { kind: 'html' } });
    const outcome = await promote(720);
    assertSucceeded(outcome);
    assert.equal(bench.stage.world.digest('unknown/app', '720'), put?.digest);
    const [warning, ...more] = warningsOf(outcome);
    assert.deepEqual(more, []);
    assert.match(warning ?? '', /^Whether build 720 still exists could not be seen: build 720 of project /);
  });
});
