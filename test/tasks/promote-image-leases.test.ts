import assert from 'node:assert/strict';
import type { LoggedRequest } from '../emulators/acr/request-log.ts';
import type { TaskOutcome } from '../support/run-task.ts';
import { definitionId, library, linesOf, readSummary, warningsOf } from './promotion.ts';
import { type AzureBench, adminOf, openAzure } from './promotion-azure.ts';
import { assertFailed, assertSucceeded, projectId } from './step.ts';

const hour = 60 * 60_000;
const deploying = 77;

describe('PromoteImage and the lease on the build', () => {
  let bench: AzureBench;
  before(async () => {
    bench = await openAzure();
    bench.devOps.world.addDefinition({ projectId, id: deploying });
  });
  after(() => bench.close());
  beforeEach(() => {
    bench.devOps.requests.clear();
    bench.stage.requests.clear();
  });
  afterEach(() => {
    bench.stage.faults.clear();
    bench.devOps.faults.clear();
  });

  const step = (buildId: number, inputs: Record<string, string> = {}, variables: Record<string, string> = {}) =>
    bench.step(
      buildId,
      {
        sourceConnectionType: 'dockerRegistry',
        sourceContainerRegistry: 'ci-connection',
        connectionType: 'dockerRegistry',
        containerRegistry: 'stage-connection',
        ...inputs,
      },
      { variables, endpoints: { 'ci-connection': adminOf(bench.ci), 'stage-connection': adminOf(bench.stage) } },
    );
  const leasesOf = (...builds: number[]) => builds.flatMap(id => bench.devOps.world.leases.ofBuild(id));
  const owner = (stage = 'Production', pipeline = definitionId) =>
    `ImageLifecycle:${bench.stage.host}:${stage}:${projectId}.pipeline.${pipeline}`;
  /** The stage's leases of earlier deployments, each of another day; the clock is past all of them then. */
  function holdEarlier(builds: readonly number[], ownerId = owner(), definition = definitionId): void {
    for (const runId of builds) {
      bench.addBuild({ id: runId, ...(definition === definitionId ? {} : library) });
      bench.devOps.world.leases.add({ ownerId, definitionId: definition, runId, daysValid: 36_500 });
      bench.devOps.clock.advance(25 * hour);
    }
  }

  it('is taken before anything is written into the stage, for this stage, registry and pipeline', async () => {
    await bench.record({ id: 600 }, 'order/app');
    const leasesAtWrites: number[] = [];
    bench.stage.faults.intercept = ({ operationClass }: LoggedRequest, phase) => {
      if (phase === 'before' && operationClass === 'Write') {
        leasesAtWrites.push(bench.devOps.requests.count('leases.create'));
      }
      return 'proceed';
    };
    assertSucceeded(await step(600));
    assert.ok(leasesAtWrites.length > 5, 'nothing was written');
    assert.deepEqual(new Set(leasesAtWrites), new Set([1]));
    const [lease, ...more] = leasesOf(600);
    assert.equal(more.length, 0);
    assert.deepEqual([lease?.ownerId, lease?.definitionId, lease?.protectPipeline], [owner(), definitionId, true]);
    assert.ok((lease?.validUntil ?? 0) > bench.devOps.clock.now() + 99 * 365 * 24 * hour, 'it does not run out');
  });

  it('is another one for another stage, and for another pipeline', async () => {
    await bench.record({ id: 605 }, 'owners/app');
    assertSucceeded(await step(605));
    assertSucceeded(await step(605, {}, { 'System.StageName': 'EU: Production' }));
    assert.deepEqual(
      leasesOf(605).map(({ ownerId }) => ownerId),
      [owner(), owner('EU%3A%20Production')],
    );
  });

  describe('that is not permitted', () => {
    before(() => {
      bench.devOps.world.projects.get(projectId)!.executeDenied = true;
    });
    after(() => {
      bench.devOps.world.projects.get(projectId)!.executeDenied = false;
    });

    it('is one warning that names the right, and the promotion goes on', async () => {
      const [put] = await bench.record({ id: 610 }, 'denied/app');
      const outcome = await step(610);
      assertSucceeded(outcome);
      assert.equal(bench.stage.world.digest('denied/app', '610'), put?.digest);
      const [warning, ...more] = warningsOf(outcome);
      assert.equal(more.length, 0);
      assert.match(warning ?? '', /^Build 610 could not be held: .*"Retain indefinitely" on that pipeline/);
      assert.match(warning ?? '', /Retention may delete it .* Set retainBuild to false to go without\.$/);
      assert.match(await readSummary(outcome), /The build is not held by this stage/);
      assert.deepEqual([leasesOf(610), outcome.taskVariables], [[], {}]);
    });

    it('is a failure before anything is written, where it is required', async () => {
      await bench.record({ id: 611 }, 'required/app');
      const before = bench.stage.world.snapshot();
      const outcome = await step(611, { retainBuild: 'required' });
      assertFailed(
        outcome,
        /^Build 611 could not be held: .*"Retain indefinitely".* because retainBuild is required\.$/,
      );
      assert.deepEqual(bench.stage.world.snapshot(), before);
      assert.equal(bench.stage.requests.count({ operationClass: 'Write' }), 0);
      assert.deepEqual([warningsOf(outcome), outcome.taskVariables], [[], {}]);
    });

    it('is not even tried where the user wants none', async () => {
      await bench.record({ id: 612 }, 'unheld/app');
      const outcome = await step(612, { retainBuild: 'false' });
      assertSucceeded(outcome);
      assert.deepEqual([warningsOf(outcome), outcome.taskVariables], [[], {}]);
      assert.equal(bench.devOps.requests.count('leases.create'), 0);
      assert.match(await readSummary(outcome), /The build is not held\\: retainBuild is false/);
    });
  });

  describe('at the end of the job', () => {
    const earlier = [621, 622, 623, 624];
    let promoted: TaskOutcome;
    before(async () => {
      holdEarlier(earlier, owner('End'));
      await bench.record({ id: 625 }, 'end/app');
      promoted = await step(625, { keepLeases: '2' }, { 'System.StageName': 'End' });
      assertSucceeded(promoted);
    });
    const held = () => leasesOf(...earlier, 625).map(({ runId }) => runId);

    for (const status of ['Failed', 'Canceled', 'SucceededWithIssues', 'Skipped', 'Abandoned', undefined]) {
      it(`stays, and older ones too, where the job's status is ${status}`, async () => {
        const ended = await bench.endJob(promoted, status);
        assertSucceeded(ended);
        assert.deepEqual(held(), [...earlier, 625]);
        assert.deepEqual(bench.devOps.requests.entries, []);
        assert.ok(
          linesOf(ended).includes(
            `The job's status is ${status ?? 'unknown'}, so older builds of this stage stay held, too.`,
          ),
          ended.output,
        );
      });
    }

    it('stays, with a warning, where older ones may not be let go', async () => {
      bench.devOps.world.projects.get(projectId)!.executeDenied = true;
      const ended = await bench.endJob(promoted, 'Succeeded');
      bench.devOps.world.projects.get(projectId)!.executeDenied = false;
      assertSucceeded(ended);
      assert.deepEqual(held(), [...earlier, 625]);
      assert.match(warningsOf(ended).join('\n'), /^Older builds of this stage stay held: .*"Retain indefinitely"/);
    });

    it('lets older ones of exactly this stage go when the job succeeded, but for the newest', async () => {
      holdEarlier([631, 632], owner('Staging'));
      holdEarlier([633], owner('End', deploying));
      holdEarlier([634], owner('End').replace(bench.stage.host, 'other.azurecr.io'));
      holdEarlier([635], owner('End'), library.definitionId);
      const others = [631, 632, 633, 634, 635];
      const ended = await bench.endJob(promoted, 'Succeeded');
      assertSucceeded(ended);
      assert.deepEqual(held(), [624, 625]);
      assert.deepEqual(
        leasesOf(...others).map(({ runId }) => runId),
        others,
      );
      assert.ok(linesOf(ended).includes('Let 3 older leases of this stage go, and kept 2.'), ended.output);
      assert.equal(linesOf(ended).filter(line => line.startsWith('Freed the lease ')).length, 3);
      assert.deepEqual(warningsOf(ended), []);
      // The agent may run it once more.
      assertSucceeded(await bench.endJob(promoted, 'Succeeded'));
      assert.deepEqual(held(), [624, 625]);
    });

    it('lets nothing go where what was left cannot be read', async () => {
      const taskVariables = { imageLifecycleLetGo: '[{"owner":{"registry":"x"}}]' };
      const ended = await bench.endJob({ ...promoted, taskVariables }, 'Succeeded');
      assertFailed(ended, /^What this task left for the end of the job cannot be read\. No lease was let go/);
      assert.deepEqual(held(), [624, 625]);
    });
  });

  it('stays where the promotion failed, and the end of the job lets nothing go', async () => {
    holdEarlier([641, 642]);
    await bench.record({ id: 643 }, 'failed/app');
    bench.stage.faults.add({ operation: 'manifest.put', repository: 'failed/app' }, { kind: 'status', status: 403 });
    const outcome = await step(643, { keepLeases: '1' });
    assertFailed(outcome, /failed\/app/);
    assert.deepEqual(outcome.taskVariables, {});
    const held = leasesOf(641, 642, 643).map(({ runId }) => runId);
    const ended = await bench.endJob(outcome, 'Succeeded');
    assertSucceeded(ended);
    assert.deepEqual(held, [641, 642, 643]);
    assert.deepEqual(
      leasesOf(641, 642, 643).map(({ runId }) => runId),
      held,
    );
    assert.match(ended.output, /^This step held no build, or did not succeed, so it leaves nothing to let go\./m);
  });
});
