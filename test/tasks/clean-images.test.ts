import assert from 'node:assert/strict';
import { stat } from 'node:fs/promises';
import { parseCleanPlan } from '../../core/lifecycle/cleaning/clean-plan.ts';
import type { TaskOutcome } from '../support/run-task.ts';
import { type Cleaning, day, hour, openCleaning, readOutput, writeSource } from './cleaning.ts';
import { linesOf, readSummary, warningsOf } from './promotion.ts';
import { assertFailed, assertSucceeded } from './step.ts';

/** Nothing runs and nobody works on anything, so that builds alone decide. */
const policy = 'keep: { deployed: false, references: [] }';

/** The last line that people read. */
function lastLine(outcome: TaskOutcome): string {
  return linesOf(outcome).at(-1) ?? '';
}

describe('CleanImages in its modes', () => {
  let cleaning: Cleaning;
  /** Of build 100, which is deleted, and of 101, which is not. */
  let gone: string[];
  let living: string;
  beforeEach(async () => {
    cleaning = await openCleaning();
    const { clock, devOps } = cleaning;
    await cleaning.configure(policy);
    gone = await cleaning.build({ id: 100, repositories: ['shop/web', 'shop/api'] });
    [living = ''] = await cleaning.build({ id: 101, repositories: ['shop/web'] });
    clock.advance(2 * day);
    devOps.world.deleteBuild(100);
    for (const { requests } of [cleaning.ci, cleaning.prod]) requests.clear();
  });
  afterEach(() => cleaning.close());

  const planOf = async () => parseCleanPlan(await readOutput(cleaning, 'plan.json'), 'plan.json');
  const snapshots = () => [cleaning.ci.world.snapshot(), cleaning.prod.world.snapshot()];

  it('plans, by default, and changes nothing', async () => {
    const before = snapshots();
    const outcome = await cleaning.clean({ mode: '' });
    assertSucceeded(outcome);
    assert.deepEqual(snapshots(), before);
    assert.deepEqual(cleaning.changes(), []);
    const plan = await planOf();
    const where = plan.deletions.map(({ registry, repository, digest, step }) => [registry, repository, digest, step]);
    assert.deepEqual(where, [
      ['ci', 'shop/api', gone[1], 'untag'],
      ['ci', 'shop/web', gone[0], 'untag'],
    ]);
    assert.equal(plan.kept.images, 1);
    const { planhash, planfile, reportfile, deletions, unread } = outcome.variables;
    assert.deepEqual([planhash, deletions, unread], [plan.hash, '2', '0']);
    assert.deepEqual([planfile, reportfile], [`${cleaning.output}/plan.json`, `${cleaning.output}/report.html`]);
    assert.ok((await stat(reportfile ?? '')).size > 0);
    assert.match(
      lastLine(outcome),
      /^The plan [0-9a-f]{12}: 2 images to untag, 0 to delete \(0 bytes at most\), 0 waiting .*, 1 staying\.$/,
    );
  });

  it('publishes the plan and its report as an artifact of a pipeline', async () => {
    const named = await cleaning.clean({ artifactName: 'plans' });
    const uploads = named.commands.filter(each => each.name === 'artifact.upload');
    assert.deepEqual(
      uploads.map(({ properties, data }) => [properties['artifactname'], data]),
      [['plans', cleaning.output]],
    );
    const unwanted = await cleaning.clean({ publishArtifact: 'false' });
    const release = await cleaning.clean({}, { variables: { 'System.HostType': 'release' } });
    for (const outcome of [unwanted, release]) {
      assertSucceeded(outcome);
      assert.ok(outcome.commands.every(each => each.name !== 'artifact.upload'));
    }
  });

  it('makes the same plan, byte for byte but for its time, of the same registries', async () => {
    const texts: string[] = [];
    for (let round = 0; round < 2; round += 1) {
      assertSucceeded(await cleaning.clean());
      texts.push((await readOutput(cleaning, 'plan.json')).replace(/"madeAt": "[^"]*"/, ''));
    }
    assert.equal(texts[0], texts[1]);
  });

  it('plans and applies in two steps with the grace between them, and leaves nothing of a build that is gone', async () => {
    const first = await cleaning.clean({ mode: 'plan-and-apply' });
    assertSucceeded(first);
    assert.equal(first.variables['deletions'], '2');
    assert.match(lastLine(first), /^Took 2 tags off 2 images and deleted 0 images\.$/);
    assert.deepEqual(cleaning.ci.world.tags('shop/web'), { '101': living });
    const shown = first.commands.filter(each => each.name === 'task.setprogress').map(each => each.properties['value']);
    assert.deepEqual(
      shown.map(Number),
      shown.map(Number).sort((one, other) => one - other),
    );
    assert.equal(shown.at(-1), '100');
    const waiting = await cleaning.clean();
    assert.match(
      lastLine(waiting),
      /: 0 images to untag, 0 to delete \(0 bytes at most\), 2 waiting for the grace, 1 staying\.$/,
    );
    cleaning.clock.advance(25 * hour);
    const second = await cleaning.clean({ mode: 'plan-and-apply' });
    assertSucceeded(second);
    assert.match(await readOutput(cleaning, 'report.html'), />was: 100</);
    assert.match(lastLine(second), /^Took 0 tags off and deleted 2 images \(1\.1 kB at most\)\.$/);
    assert.deepEqual(cleaning.ci.world.manifests('shop/web'), [living]);
    assert.equal(cleaning.ci.world.repository('shop/api')?.manifests.size ?? 0, 0);
    const third = await cleaning.clean({ mode: 'plan-and-apply' });
    assertSucceeded(third);
    assert.match(await readOutput(cleaning, 'report.html'), />Nothing is to go\.</);
    assert.match(lastLine(third), /^Took 0 tags off and deleted 0 images\.$/);
  });

  it('applies what was approved', async () => {
    const planned = await cleaning.clean();
    await writeSource(cleaning.agent, 'approved/plan.json', await readOutput(cleaning, 'plan.json'));
    const apply = { mode: 'apply', planFile: 'approved/plan.json', planHash: planned.variables['planhash'] ?? '' };
    const outcome = await cleaning.clean(apply);
    assertSucceeded(outcome);
    assert.ok(linesOf(outcome).includes('All 2 approved steps are done.'), outcome.output);
    assert.deepEqual(cleaning.ci.world.tags('shop/web'), { '101': living });
    assert.match(await readSummary(outcome), /^### Cleaned by the approved plan/);
    assert.equal(outcome.variables['planhash'], undefined);
    const again = await cleaning.clean(apply);
    assertSucceeded(again);
    assert.match(lastLine(again), /^Took 0 tags off and deleted 0 images/);
  });

  it('applies nothing that came into use since it was approved, and nothing that nobody approved', async () => {
    await cleaning.clean();
    await writeSource(cleaning.agent, 'plan.json', await readOutput(cleaning, 'plan.json'));
    cleaning.ci.world.tag('shop/web', 'v1', gone[0] ?? '');
    const [later = ''] = await cleaning.build({ id: 102, repositories: ['shop/web'] });
    cleaning.clock.advance(2 * day);
    cleaning.devOps.world.deleteBuild(102);
    const outcome = await cleaning.clean({ mode: 'apply', planFile: 'plan.json' });
    assertSucceeded(outcome);
    const said =
      '1 of the 2 approved steps is done; 1 is not, because a fresh plan no longer has it. 1 more of the fresh plan was not approved and stays.';
    assert.ok(linesOf(outcome).includes(said), outcome.output);
    assert.deepEqual(cleaning.ci.world.tags('shop/web'), { '100': gone[0], v1: gone[0], '101': living, '102': later });
    assert.deepEqual(cleaning.ci.world.tags('shop/api'), {});
    assert.match(warningsOf(outcome).join('\n'), /input planHash is empty, so nothing shows that [0-9a-f]{64} is the/);
  });

  it('applies the step that was approved, and not the next one', async () => {
    await cleaning.clean();
    await writeSource(cleaning.agent, 'plan.json', await readOutput(cleaning, 'plan.json'));
    for (const wait of [0, 25 * hour]) {
      cleaning.clock.advance(wait);
      assertSucceeded(await cleaning.clean({ mode: 'apply', planFile: 'plan.json' }));
    }
    assert.ok(cleaning.ci.world.has('shop/web', gone[0] ?? ''));
    assert.ok(cleaning.ci.world.has('shop/api', gone[1] ?? ''));
  });

  it('keeps in CI what another registry has a kept tag on', async () => {
    await cleaning.configure('keep: { deployed: false, references: [], tags: ["v*"] }');
    const bytes = cleaning.ci.world.manifest('shop/web', gone[0] ?? '')?.bytes ?? Buffer.alloc(0);
    cleaning.prod.world.putManifest('prod/web', bytes, { tags: ['v1'] });
    assertSucceeded(await cleaning.clean({ mode: 'plan-and-apply' }));
    assert.deepEqual(cleaning.ci.world.tags('shop/web'), { '100': gone[0], '101': living });
    assert.deepEqual(cleaning.ci.world.tags('shop/api'), {});
  });

  it('keeps what the cluster runs, and lets it go when that ended', async () => {
    await cleaning.configure(
      `clusters: [{ name: aks, server: "${cleaning.cluster.url}" }]\nkeep: { references: [], helmRevisions: 0 }`,
    );
    const pod = { metadata: { name: 'web-1', namespace: 'shop' }, spec: { containers: [{ name: 'c', image: 'x' }] } };
    const image = `${cleaning.prod.host}/mirror/shop/web@${gone[0]}`;
    cleaning.cluster.add('pods', { ...pod, spec: { containers: [{ name: 'web', image }] } });
    const run = () =>
      cleaning.clean(
        { mode: 'plan-and-apply', kubernetesConnections: 'aks' },
        { endpoints: { aks: cleaning.clusterConnection() } },
      );
    assertSucceeded(await run());
    assert.deepEqual(cleaning.ci.world.tags('shop/web'), { '100': gone[0], '101': living });
    assert.deepEqual(cleaning.ci.world.tags('shop/api'), {});
    const { world } = cleaning.cluster;
    world.remove({ kind: world.kindOf('pods'), namespace: 'shop', name: 'web-1' });
    // What was kept is looked at again when the grace of the others is over.
    cleaning.clock.advance(25 * hour);
    assertSucceeded(await run());
    assert.deepEqual(cleaning.ci.world.tags('shop/web'), { '101': living });
  });

  it('stops at the brake, fails, and says how to go on; an approved plan passes it', async () => {
    await cleaning.configure(`${policy}\nbrake: { deleted: { images: 1, percent: 0 } }`);
    const before = cleaning.ci.world.tags('shop/web');
    const outcome = await cleaning.clean({ mode: 'plan-and-apply' });
    assertFailed(
      outcome,
      /^The brake stopped it: .*brake\.deleted\.percent says\)\. Look at the plan: .*approved by a step of mode apply.*raise brake in the configuration/s,
    );
    assert.deepEqual(cleaning.ci.world.tags('shop/web'), before);
    await writeSource(cleaning.agent, 'plan.json', await readOutput(cleaning, 'plan.json'));
    const planHash = outcome.variables['planhash'] ?? '';
    assertSucceeded(await cleaning.clean({ mode: 'apply', planFile: 'plan.json', planHash }));
    assert.deepEqual(cleaning.ci.world.tags('shop/web'), { '101': living });
  });

  it('begins nothing new when its minutes are over, and the next run goes on', async () => {
    // The machine's clock jumps as soon as the first tag came off.
    const jump = `${cleaning.agent.path}/jump`;
    cleaning.ci.faults.intercept = async (request, phase): Promise<'proceed'> => {
      if (phase === 'after' && request.method === 'DELETE') await writeSource(cleaning.agent, '../jump', 'now');
      return 'proceed';
    };
    const source = `import { existsSync } from "node:fs"; const now = Date.now; Date.now = () => now() + (existsSync("${jump}") ? 600000 : 0);`;
    const hook = `--import=data:text/javascript,${encodeURIComponent(source)}`;
    const outcome = await cleaning.clean(
      { mode: 'plan-and-apply', maxMinutes: '5' },
      { environment: { NODE_OPTIONS: hook } },
    );
    assert.equal(outcome.result, 'SucceededWithIssues', outcome.output);
    assert.match(outcome.message, /^The time was over: .*The next run goes on\.$/);
    assertSucceeded(await cleaning.clean({ mode: 'plan-and-apply' }));
    assert.deepEqual(cleaning.ci.world.tags('shop/web'), { '101': living });
    assert.deepEqual(cleaning.ci.world.tags('shop/api'), {});
  });

  it('fails where looking alone took the minutes, and changes nothing', async () => {
    const source = 'const now = Date.now; let calls = 0; Date.now = () => now() + 3000 * (calls += 1);';
    const hook = `--import=data:text/javascript,${encodeURIComponent(source)}`;
    const outcome = await cleaning.clean(
      { mode: 'plan-and-apply', maxMinutes: '1' },
      { environment: { NODE_OPTIONS: hook } },
    );
    assertFailed(outcome, /^Looking took all of the 1 minute of maxMinutes, so nothing was done\. Raise it/);
    assert.deepEqual(cleaning.changes(), []);
  });

  it('runs on the Node 24 of an agent', async () => {
    const { node24 } = await import('../support/run-task.ts');
    assertSucceeded(await cleaning.clean({ mode: 'plan-and-apply' }, { node: node24 }));
    assert.deepEqual(cleaning.ci.world.tags('shop/web'), { '101': living });
  });
});
