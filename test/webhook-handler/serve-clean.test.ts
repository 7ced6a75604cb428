import { deepEqual, equal, match, ok } from 'node:assert/strict';
import { type CleanWorld, day, hour, openCleanWorld, type Running } from './clean-world.ts';
import { createNotification, projectId, settle } from './world.ts';

const usage = 'usage: { report: required, maxAge: 24h }';
const policy = 'keep: { references: [], newerThan: 0s, helmRevisions: none }\nreconcile: { minimumInterval: 0s }';
const authorization = `Basic ${Buffer.from('azure-devops:admin-password').toString('base64')}`;

const hintOf = (buildId: number) => ({ resource: { projectId, definitionId: 12, buildIds: [buildId] } });

describe('webhook-handler serve, under a policy', () => {
  let world: CleanWorld;
  let web: string;
  let api: string;
  let served: Running | undefined;
  beforeEach(async () => {
    served = undefined;
    world = await openCleanWorld();
    await world.configure(policy, usage);
    [web, api] = [await world.build(101, 'shop/web'), await world.build(102, 'shop/api')];
    world.clock.advance(2 * day);
    await world.report();
  });
  afterEach(async () => {
    served?.stop();
    await served?.ended;
    await world.close();
  });

  type Line = Readonly<Record<string, unknown>>;
  const lines = (): Line[] =>
    (served?.written.out ?? '')
      .split('\n')
      .filter(line => line !== '')
      .map(line => JSON.parse(line) as Line);
  const saying = (message: string): Line[] => lines().filter(line => line['message'] === message);

  /** Waits for the n-th line of this message, as long as the service runs; gives it. */
  async function said(message: string, times = 1): Promise<Line> {
    while (saying(message).length < times) {
      ok(served?.isRunning(), `the service ended without ${message}`);
      await settle();
      await new Promise(resolve => setTimeout(resolve, 5));
    }
    return saying(message)[times - 1] ?? {};
  }
  async function start(): Promise<void> {
    served = world.start(['serve', '--config', world.path('lifecycle.yaml')]);
    await said('listening');
  }
  async function notify(event: Readonly<Record<string, unknown>>): Promise<void> {
    const answer = await fetch(`http://127.0.0.1:${String(saying('listening')[0]?.['port'])}/`, {
      method: 'POST',
      headers: { authorization, 'content-type': 'application/json' },
      body: JSON.stringify(createNotification(event)),
    });
    equal(answer.status, 202);
  }
  const metrics = async (): Promise<string> =>
    (await fetch(`http://127.0.0.1:${String(saying('listening')[0]?.['port'])}/metrics`)).text();

  it('looks at all registries as one, and again at everything when one build is named', async () => {
    await start();
    await said('reconciliation ended');
    world.devOps.world.deleteBuild(102);
    await notify(hintOf(101));
    const { pairing, kind, released } = await said('reconciliation ended', 2);
    deepEqual([pairing, kind, released], ['all registries', 'whole', 1]);
    deepEqual(world.ci.world.tags('shop/api'), {});
    deepEqual(world.ci.world.tags('shop/web'), { '101': web });
    equal(saying('reconciliation began').length, 2);
    match(await metrics(), /runs_total\{result="done"\} 2\n[^]*items_total\{outcome="released"\} 1\n/);
  });

  it('lets nothing go by what an earlier look saw', async () => {
    world.devOps.world.deleteBuild(102);
    await start();
    equal((await said('reconciliation ended'))['released'], 1);
    world.clock.advance(25 * hour);
    await world.report(`shop/api@${api}`);
    await notify(hintOf(102));
    const { deleted, kept } = await said('reconciliation ended', 2);
    deepEqual([deleted, kept], [undefined, 1]);
    deepEqual(world.ci.world.manifests('shop/api'), [api]);
    // What was held has its grace anew.
    world.clock.advance(25 * hour);
    await world.report();
    await notify(hintOf(102));
    equal((await said('reconciliation ended', 3))['deleted'], 1);
    deepEqual(world.ci.world.manifests('shop/api'), []);
  });

  it('deletes nothing after a look that failed, and says so in log and counts', async () => {
    world.devOps.world.deleteBuild(102);
    world.prod.faults.add({ path: /_catalog/ }, { kind: 'status', status: 403 });
    await start();
    await said('reconciliation ended');
    const reasons = saying('failed').map(line => String(line['reason']));
    ok(
      reasons.some(each => each.startsWith('everything stays, because the repositories of prod were not read: ')),
      reasons.join(),
    );
    deepEqual(world.ci.world.tags('shop/api'), { '102': api });
    match(await metrics(), /runs_total\{result="incomplete"\} 1\n/);
    world.prod.faults.clear();
    world.devOps.faults.add({ operation: 'connectionData', effect: { kind: 'status', status: 403 } });
    await notify(hintOf(102));
    await said('reconciliation failed');
    deepEqual(world.ci.world.tags('shop/api'), { '102': api });
  });

  it('stops while it looks, and changes nothing more', async () => {
    world.devOps.world.deleteBuild(102);
    const fault = world.ci.faults.add({ operation: 'manifests.list' }, { kind: 'slow', ms: 60_000 });
    await start();
    while (fault.hits() === 0 && served?.isRunning()) await settle();
    served?.stop();
    equal((await served?.ended)?.code, 0);
    deepEqual([saying('reconciliation was stopped').length, saying('stopped').length], [1, 1]);
    deepEqual(world.ci.world.tags('shop/api'), { '102': api });
  });
});
