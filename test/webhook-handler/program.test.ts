import { deepEqual, equal, match, ok } from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AppError } from '../../core/base/errors.ts';
import type { ReconcileRequest } from '../../core/lifecycle/reconcile.ts';
import type { Report } from '../../core/lifecycle/report.ts';
import type { Rules } from '../../core/lifecycle/rules.ts';
import { runProgram } from '../../webhook-handler/program.ts';
import { type AzureDevOpsEmulator, startAzureDevOps } from '../emulators/azure-devops/azure-devops.ts';
import { createReport, otherProjectId, projectId } from './world.ts';

const image = `team/app@sha256:${'a'.repeat(64)}`;

/** A configuration of two registries and one organization, which nothing is sent to unless a test says so. */
const configuration = (more = '', url = 'https://localhost:1/contoso'): string => `
registries:
  - url: dev.example
    signIn: { kind: password, username: u, password: { file: secret } }
  - url: prod.example
    onBuildDeleted: keep
    signIn: { kind: password, username: u, password: { env: PROD } }
organizations:
  - url: ${url}
    signIn: { kind: pat, token: { env: PAT } }
    projects: [{ id: ${projectId} }]
    ${more}
`;

describe('webhook-handler reconcile', () => {
  let folder: string;
  let config: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'reconcile-'));
    config = join(folder, 'lifecycle.yaml');
    await writeFile(config, configuration());
    await writeFile(join(folder, 'secret'), 'canary-one\n');
  });
  afterEach(() => rm(folder, { recursive: true }));

  type Call = { readonly host: string; readonly rules: Rules; readonly request: ReconcileRequest };
  async function run(args: readonly string[], answer: (host: string) => Report = () => createReport(), env = {}) {
    const calls: Call[] = [];
    const written = { out: '', err: '' };
    const code = await runProgram(args, {
      env: { PROD: 'canary-two', PAT: 'canary-three', ...env },
      out: text => void (written.out += text),
      err: text => void (written.err += text),
      signal: new AbortController().signal,
      version: '1.2.3',
      reconcile: async ({ registry }, rules, request) => {
        calls.push({ host: registry.host, rules, request });
        return answer(registry.host);
      },
    });
    ok(!/canary/.test(written.out + written.err), 'a secret was written');
    return { code, calls, ...written };
  }
  const reconcile = (...args: string[]): string[] => ['reconcile', '--config', config, ...args];

  it('reconciles each registry with its rules, and tells what became of each image', async () => {
    const { code, calls, out, err } = await run(reconcile(), host =>
      createReport(
        host === 'dev.example'
          ? [
              { buildId: 47, subject: 'team/app:v1', outcome: 'kept', reason: 'the tag "v1.0" \u001b[31mholds it' },
              { buildId: 471, subject: image, outcome: 'deleted', reason: 'build 471 is deleted' },
            ]
          : [],
      ),
    );
    equal(code, 0);
    equal(err, '');
    deepEqual(
      calls.map(({ host, rules, request }) => [host, rules.onBuildDeleted, request.only, request.dryRun]),
      [
        ['dev.example', 'delete', undefined, false],
        ['prod.example', 'keep', undefined, false],
      ],
    );
    const lines = out.split('\n');
    equal(lines[0], 'dev.example and https://localhost:1/contoso: 1 build with images on record');
    match(out, new RegExp(`^ {2}deleted +471 +${image} +build 471 is deleted$`, 'm'));
    match(out, /^ {2}kept +47 +team\/app:v1 +the tag "v1\.0" \\u001b\[31mholds it$/m);
    match(out, /^ {2}1 deleted, 1 kept\.$/m);
    match(out, /^prod\.example and [^]*Nothing to do\.$/m);
  });

  it('says what would be done in a dry run, and writes the plan that can be approved', async () => {
    const plan = join(folder, 'plan.json');
    const planned = { release: [{ projectId, buildId: 471, images: 1 }], collect: [image] };
    const dry = await run(reconcile('--dry-run', '--plan', plan), () => ({
      ...createReport([{ buildId: 471, subject: image, outcome: 'released' }], 'the limit is 1 image'),
      plan: planned,
    }));
    equal(dry.code, 3);
    equal(dry.calls[0]?.request.dryRun, true);
    match(dry.out, /would be released/);
    match(dry.out, /nothing was changed/);
    match(dry.err, new RegExp(`--config ${config} --approve ${plan}\n$`));
    ok(!dry.err.includes('--dry-run'), 'the plan is there already');
    const approved = await run(reconcile('--approve', plan));
    equal(approved.code, 0);
    deepEqual(
      approved.calls.map(call => call.request.approved),
      [planned, planned],
    );
    ok(!(await readFile(plan, 'utf8')).includes('canary'));
  });

  it('gives an approved plan to its own registry and organization alone', async () => {
    const plan = join(folder, 'plan.json');
    const one = { registry: 'dev.example', organization: 'https://localhost:1/contoso', release: [], collect: [image] };
    const foreign = { ...one, registry: 'prod.example', organization: 'https://localhost:1/fabrikam' };
    await writeFile(plan, JSON.stringify({ schema: 1, plans: [one, foreign] }));
    const { calls } = await run(reconcile('--approve', plan));
    deepEqual(
      calls.map(call => call.request.approved),
      [{ release: [], collect: [image] }, undefined],
    );
  });

  it('stops at the brake with 3 and the commands that go on', async () => {
    const { code, err, out } = await run(reconcile(), () =>
      createReport([{ outcome: 'failed' }], 'the limit is 500 images'),
    );
    equal(code, 3);
    match(out, /The brake stopped here: the limit is 500 images/);
    match(err, /--dry-run --plan plan\.json\n {2}webhook-handler reconcile --config \S+ --approve plan\.json\n$/);
  });

  it('ends with 1 where something failed, and goes on with the rest', async () => {
    const item = await run(reconcile(), () => createReport([{ outcome: 'failed', reason: 'refused' }]));
    equal(item.code, 1);
    match(item.out, /FAILED +1 +build 1 +refused/);
    const whole = await run(reconcile(), host => {
      if (host === 'dev.example') throw new AppError('no permission for "x"', { code: 'REGISTRY_DENIED' });
      return createReport();
    });
    equal(whole.code, 1);
    equal(whole.calls.length, 2);
    match(whole.out, /failed: no permission for "x"/);
  });

  it('prints JSON where that is wanted', async () => {
    const { code, out } = await run(reconcile('--json', '--dry-run'));
    equal(code, 0);
    const read = JSON.parse(out) as { dryRun: boolean; results: { registry: string; report: Report }[] };
    equal(read.dryRun, true);
    equal(read.results[1]?.registry, 'prod.example');
    equal(read.results[1]?.report.items.length, 0);
  });

  const usages: readonly (readonly [args: readonly string[], message: RegExp])[] = [
    [[], /Say serve, reconcile or report-usage/],
    [['clean'], /"clean" is not a command/],
    [['reconcile'], /--config is missing/],
    [['reconcile', '--config', 'x', 'y'], /"y" is one argument too many/],
    [['reconcile', '--config', 'x', '--force'], /--force/],
    [['serve', '--config', 'x', '--dry-run'], /--dry-run goes with reconcile alone/],
    [['reconcile', '--config', '/nowhere/x.yaml'], /\/nowhere\/x\.yaml cannot be read/],
    [['reconcile', '--config', 'x', '--plan', ''], /--plan needs a value/],
  ];
  it('ends with 2 and a clear word for wrong usage', async () => {
    for (const [args, message] of usages) {
      const { code, err, calls } = await run(args);
      equal(code, 2, args.join(' '));
      match(err, message);
      equal(calls.length, 0);
    }
  });

  it('ends with 2 for a configuration that is wrong, a secret that is missing, and a plan that is none', async () => {
    const missing = await run(reconcile(), undefined, { PROD: '' });
    match(missing.err, /registries\[1\]\.signIn\.password: the environment variable PROD is empty/);
    const token = await run(reconcile(), undefined, { PAT: undefined });
    match(token.err, /organizations\[0\]\.signIn\.token: the environment variable PAT is not set/);
    await writeFile(join(folder, 'plan.json'), '{"schema": 1, "plans": [{}]}');
    const plan = await run(reconcile('--approve', join(folder, 'plan.json')));
    match(plan.err, /plan\.json is not a plan/);
    await rm(join(folder, 'secret'));
    const file = await run(reconcile());
    match(file.err, /registries\[0\]\.signIn\.password: ENOENT/);
    await writeFile(config, configuration('surprise: 1'));
    const key = await run(reconcile());
    match(key.err, /lifecycle\.yaml:12:5: organizations\[0\]\.surprise is not a key/);
    const serve = await run(['serve', '--config', config]);
    for (const result of [missing, token, plan, file, key, serve]) {
      equal(result.code, 2);
      equal(result.calls.length, 0);
    }
  });

  it('ends with 2 where it is not told how to sign in, with each key and its place, before it asks for any secret', async () => {
    const { code, err, calls } = await run(reconcile(), undefined, { PROD: '', PAT: undefined });
    const signIns = /\n {4}signIn:.*/g;
    await writeFile(config, configuration().replace(signIns, ''));
    const missing = await run(reconcile(), undefined, { PROD: '', PAT: undefined });
    equal(
      missing.err.replaceAll(config, 'c'),
      `webhook-handler: c:3:5: registries[0].signIn is missing: the webhook handler signs in as the configuration says
c:4:5: registries[1].signIn is missing: the webhook handler signs in as the configuration says
c:7:5: organizations[0].signIn is missing: the webhook handler signs in as the configuration says
`,
    );
    await writeFile(
      config,
      configuration().replace(/organizations:[^]*/, 'organization: https://localhost:1\nprojects: [a]\n'),
    );
    const short = await run(reconcile());
    match(short.err, /:8:1: organization is the short form, which has no signIn: write organizations with url, signIn/);
    for (const result of [{ code, calls }, missing, short]) deepEqual([result.code, result.calls.length], [2, 0]);
    match(err, /PROD is empty/);
  });

  it('looks up a project that is written by its name, and ends with 2 where there is none', async () => {
    const emulator = await startAzureDevOps();
    try {
      const { id } = emulator.world.addProject({ name: 'Shop' });
      const named = (name: string) => configuration('', emulator.url).replace(`id: ${projectId}`, `name: ${name}`);
      await writeFile(config, named('shop'));
      const found = await run(reconcile(), undefined, { PAT: emulator.pat });
      deepEqual(
        found.calls.map(call => call.rules.projects),
        [[{ projectId: id, repositories: ['*'] }], [{ projectId: id, repositories: ['*'] }]],
      );
      await writeFile(config, named('store'));
      const { code, err, calls } = await run(reconcile(), undefined, { PAT: emulator.pat });
      deepEqual([code, calls.length], [2, 0]);
      match(err, /organizations\[0\]\.projects\[0\]: .* has no project store/);
    } finally {
      await emulator.close();
    }
  });

  it('says how it is used, and its version', async () => {
    const help = await run(['--help']);
    equal(help.code, 0);
    for (const word of ['serve', 'reconcile', '--approve', 'Exit codes']) ok(help.out.includes(word));
    equal((await run(['--version'])).out, '1.2.3\n');
  });

  describe('with a collection id in the configuration', () => {
    let azureDevOps: AzureDevOpsEmulator;
    before(async () => {
      azureDevOps = await startAzureDevOps();
    });
    after(() => azureDevOps.close());

    it('does nothing where the organization is another one, or does not say', async () => {
      const env = { PAT: azureDevOps.pat };
      await writeFile(config, configuration(`collectionId: ${otherProjectId}`, azureDevOps.url));
      const other = await run(reconcile(), undefined, env);
      equal(other.code, 1);
      equal(other.calls.length, 0);
      match(other.out, /is the collection .* and collectionId says/);
      const stranger = await run(reconcile(), undefined, { PAT: 'wrong' });
      equal(stranger.code, 1);
      equal(stranger.calls.length, 0);
      await writeFile(config, configuration(`collectionId: ${azureDevOps.collectionId}`, azureDevOps.url));
      const right = await run(reconcile(), undefined, env);
      equal(right.code, 0);
      equal(right.calls.length, 2);
    });
  });
});
