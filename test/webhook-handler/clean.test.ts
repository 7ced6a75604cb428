import { deepEqual, equal, match, ok } from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { parseCleanPlan } from '../../core/lifecycle/cleaning/clean-plan.ts';
import { type CleanWorld, day, hour, openCleanWorld } from './clean-world.ts';

const usage = 'usage: { report: required, maxAge: 24h }';
const policy = 'keep: { references: [], newerThan: 0s, helmRevisions: none }';

describe('webhook-handler reconcile, under a policy', () => {
  let world: CleanWorld;
  /** Of the builds 101 and 102, which are gone, and of 103, which is not. */
  let web: string;
  let api: string;
  let living: string;
  beforeEach(async () => {
    world = await openCleanWorld();
    await world.configure(policy, usage);
    [web, api] = [await world.build(101, 'shop/web'), await world.build(102, 'shop/api')];
    living = await world.build(103, 'shop/web');
    world.clock.advance(2 * day);
    for (const id of [101, 102]) world.devOps.world.deleteBuild(id);
    for (const { requests } of [world.ci, world.prod]) requests.clear();
  });
  afterEach(() => world.close());

  const tags = () => ['shop/web', 'shop/api'].map(each => world.ci.world.tags(each));
  const runs = () => world.report(`${world.prod.host}/shop/web@${web}`);
  const kubeconfig = () => ({ KUBECONFIG: world.path('kubeconfig') });
  const untouched = () => [{ '101': web, '103': living }, { '102': api }];

  it('keeps what a cluster reports that it runs, and deletes what nothing holds, in two runs with the grace between', async () => {
    await runs();
    const first = await world.reconcile();
    equal(first.code, 0, first.err + first.out);
    deepEqual(tags(), [{ '101': web, '103': living }, {}]);
    match(first.out, new RegExp(`^ {2}released +102 +ci: shop/api:102 +`, 'm'));
    match(first.out, new RegExp(`^ {2}kept +101 +ci: .*it is used by .*prod/aks`, 'm'));
    const waiting = await world.reconcile(['--dry-run']);
    match(waiting.out, new RegExp(`^ {2}waits until \\d{4}-[^ ]* +ci: shop/api@${api} +`, 'm'));
    world.clock.advance(25 * hour);
    await runs();
    const second = await world.reconcile();
    equal(second.code, 0, second.err + second.out);
    match(second.out, new RegExp(`^ {2}deleted +102 +ci: shop/api@${api} +`, 'm'));
    match(second.out, /^ {2}1 deleted, .* \(0\.0 MB at most\)\.$/m);
    deepEqual(world.ci.world.manifests('shop/api'), []);
    deepEqual(world.ci.world.manifests('shop/web').sort(), [web, living].sort());
    const third = await world.reconcile();
    equal(third.code, 0);
    deepEqual(tags(), [{ '101': web, '103': living }, {}]);
  });

  it('keeps everything while nothing tells what runs, ends with 1, and says which source that is', async () => {
    for (const args of [[], ['--dry-run']]) {
      const { code, out } = await world.reconcile(args);
      equal(code, 1);
      match(
        out,
        /Everything stays, because not everything was read:\n {4}what prod runs was not read: .* has no report/,
      );
    }
    await runs();
    world.clock.advance(25 * hour);
    const old = await world.reconcile();
    equal(old.code, 1);
    match(old.out, /what prod\/aks runs was not read: its report is of .*, and too old/);
    deepEqual(tags(), untouched());
    ok(
      world.changes().every(each => each.includes('image-lifecycle/usage/')),
      world.changes().join(),
    );
  });

  it('changes nothing in a dry run, tells what would go, and writes the plan', async () => {
    await runs();
    for (const { requests } of [world.ci, world.prod]) requests.clear();
    const { code, out } = await world.reconcile(['--dry-run', '--plan', world.path('plan.json')]);
    equal(code, 0, out);
    deepEqual(world.changes(), []);
    const plan = parseCleanPlan(await world.read('plan.json'), 'plan.json');
    deepEqual(
      plan.deletions.map(({ registry, repository, digest, step }) => [registry, repository, digest, step]),
      [['ci', 'shop/api', api, 'untag']],
    );
    const lines = out.split('\n');
    equal(lines[0], `ci, prod with ${world.devOps.url}: plan ${plan.hash.slice(0, 12)}; nothing was changed`);
    match(out, new RegExp(`^ {2}would be released +ci: shop/api@${api} +102 +its build 102 of Shop is deleted$`, 'm'));
    match(out, /^ {2}1 image would be released, 0 would be deleted, 0 released and waiting\.$/m);
    match(out, /^ {2}By the plan 2 images stay, for these reasons: .*its build is there \(1\).*it runs \(1\)/m);
  });

  it('does what stands in the approved plan and in a fresh one, and nothing else', async () => {
    await world.report();
    const plan = ['--plan', world.path('plan.json')];
    equal((await world.reconcile(['--dry-run', ...plan])).code, 0);
    await runs();
    world.devOps.world.deleteBuild(103);
    const { code, out } = await world.reconcile(['--approve', world.path('plan.json')]);
    equal(code, 0, out);
    match(out, /^ {2}1 of 2 approved steps is in a fresh plan as well; 1 of the fresh plan nobody approved\.$/m);
    deepEqual(tags(), [{ '101': web, '103': living }, {}]);
    match(out, new RegExp(`^ {2}kept +103 +ci: .*the approved plan does not take its tags off`, 'm'));
  });

  it('stops at the brake with 3 and the commands that go on, and does what was approved', async () => {
    await world.configure(`${policy}\nbrake: { deleted: { images: 1, percent: 0 } }`, usage);
    await world.report();
    const braked = await world.reconcile();
    equal(braked.code, 3, braked.out);
    match(braked.out, /^ {2}The brake stopped here:\n {4}ci: .*1 image/m);
    match(
      braked.err,
      /--dry-run --plan plan\.json\n {2}webhook-handler reconcile --config \S+ --approve plan\.json\n$/,
    );
    equal(tags().flatMap(each => Object.keys(each)).length, 2);
    equal((await world.reconcile(['--dry-run', '--plan', world.path('plan.json')])).code, 0);
    const approved = await world.reconcile(['--approve', world.path('plan.json')]);
    equal(approved.code, 0, approved.out);
    deepEqual(tags(), [{ '103': living }, {}]);
  });

  it('does the same as a process, and says nothing beside its report, however many requests are under way', async () => {
    for (let id = 110; id < 140; id += 1) await world.build(id, `shop/part-${id}`);
    await world.report();
    const { code, out, err } = await world.reconcileAsProcess();
    equal(err, '');
    equal(code, 0);
    match(out, /^ {2}2 released\.$/m);
    deepEqual(tags(), [{ '103': living }, {}]);
  });

  it('prints the plan, what was not read and the report as JSON where that is wanted', async () => {
    await world.report();
    type Printed = {
      dryRun: boolean;
      plan: { hash: string };
      notRead: { some: string[] };
      report?: { items: unknown[] };
    };
    const dry = JSON.parse((await world.reconcile(['--json', '--dry-run'])).out) as Printed;
    deepEqual([dry.dryRun, dry.report, dry.notRead.some], [true, undefined, []]);
    const done = JSON.parse((await world.reconcile(['--json'])).out) as Printed;
    equal(done.plan.hash, dry.plan.hash);
    equal(done.report?.items.length, 2);
  });

  it('ends with 1 where builds alone could not be asked for what holds them, and keeps those', async () => {
    await world.report();
    world.devOps.faults.add({ operation: 'releaseDefinitions.list', effect: { kind: 'status', status: 403 } });
    const { code, out } = await world.reconcile();
    equal(code, 1, out);
    match(out, /Some images stay, because not everything was read:\n {4}of 2 builds in project Shop of .*, what holds/);
    deepEqual(tags(), untouched());
  });

  it('changes nothing where a look cannot even begin', async () => {
    await world.report();
    for (const { requests } of [world.ci, world.prod]) requests.clear();
    const elsewhere = (await world.read('lifecycle.yaml')).replace(
      'projects: [Shop]',
      'collectionId: 99999999-2222-4333-8444-555555555555, projects: [Shop]',
    );
    await writeFile(world.path('lifecycle.yaml'), elsewhere);
    const { code, err } = await world.reconcile();
    equal(code, 2);
    match(err, /is the collection .*, and collectionId says 9{8}-.*; nothing was changed\.\n$/);
    deepEqual(world.changes(), []);
  });

  const plans: readonly (readonly [what: string, text: (world: CleanWorld) => string, message: RegExp])[] = [
    ['of registry by registry', () => '{"schema": 1, "plans": []}', /plan\.json is not a plan of this version/],
    ['that was cut off', () => '{"schema": 1', /plan\.json is not JSON, or was cut off/],
  ];
  for (const [what, text, message] of plans) {
    it(`refuses a plan ${what} before it asks anything of a registry`, async () => {
      await writeFile(world.path('plan.json'), text(world));
      const { code, err } = await world.reconcile(['--approve', world.path('plan.json')]);
      equal(code, 2);
      match(err, message);
      equal(world.ci.requests.count(), 0);
    });
  }

  it('refuses a plan of other registries', async () => {
    await world.report();
    equal((await world.reconcile(['--dry-run', '--plan', world.path('plan.json')])).code, 0);
    const text = await world.read('lifecycle.yaml');
    await writeFile(world.path('lifecycle.yaml'), text.replace('name: ci', 'name: qa'));
    const { code, err } = await world.reconcile(['--approve', world.path('plan.json')]);
    equal(code, 2);
    match(
      err,
      /plan\.json is a plan of the registries ci \(\S+\), prod \(\S+\), and the configuration names prod \(\S+\), qa \(\S+\)\./,
    );
    deepEqual(tags(), untouched());
  });

  it('looks at the repositories of the configuration alone, and then follows the policy that holds where nothing is said', async () => {
    await world.configure('', 'repositories: ["shop/*"]');
    const { code, out } = await world.reconcile();
    equal(code, 1);
    match(out, /nothing is given that tells what runs/);
    deepEqual(tags(), untouched());
  });

  describe('that names clusters', () => {
    beforeEach(async () => {
      await writeFile(world.path('kubeconfig'), world.cluster.kubeconfig());
      const container = { name: 'web', image: `mirror.example/shop/web@${web}` };
      world.cluster.add('pods', { metadata: { name: 'web-1', namespace: 'shop' }, spec: { containers: [container] } });
    });

    for (const how of ['context', 'server'] as const) {
      it(`keeps what runs in one of the kubeconfig, found by its ${how}`, async () => {
        const value = how === 'context' ? 'emulator' : `"${world.cluster.url}"`;
        await world.configure(`${policy}\nclusters: [{ name: aks, ${how}: ${value} }]`);
        const { code, out } = await world.reconcile([], kubeconfig());
        equal(code, 0, out);
        match(out, /^ {2}kept +101 +ci: .*it is used by .*pod shop\/web-1/m);
        deepEqual(tags(), [{ '101': web, '103': living }, {}]);
        equal(world.cluster.requests.count('list secrets'), 0);
      });
    }

    const unread: readonly (readonly [
      why: string,
      cluster: string,
      env: () => Record<string, string>,
      told: RegExp,
    ])[] = [
      ['no kubeconfig is given', 'context: emulator', () => ({}), /KUBECONFIG is not set\. Have it name the file/],
      [
        'the kubeconfig is not there',
        'context: emulator',
        () => ({ KUBECONFIG: world.path('nowhere') }),
        /The kubeconfig \S+nowhere cannot be read: ENOENT/,
      ],
      ['the kubeconfig has no such context', 'context: other', kubeconfig, /has the context "other"\. There are: /],
      [
        'the kubeconfig has no such server',
        'server: "https://aks.example"',
        kubeconfig,
        /has the server https:\/\/aks\.example\. There are: https:\/\/localhost:/,
      ],
      ['it is the one around the handler, which runs in none', '', kubeconfig, /This runs in no pod of Kubernetes/],
    ];
    for (const [why, cluster, env, told] of unread) {
      it(`keeps everything where a cluster cannot be connected because ${why}`, async () => {
        await world.configure(`${policy}\nclusters: [{ name: aks${cluster && `, ${cluster}`} }]`);
        const { code, out } = await world.reconcile([], env());
        equal(code, 1);
        match(out, /Everything stays, because not everything was read:\n {4}what aks runs was not read: /);
        match(out, told);
        deepEqual(tags(), untouched());
      });
    }
  });
});
