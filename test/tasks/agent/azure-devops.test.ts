import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { type AddressInfo, connect as openConnection } from 'node:net';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import { promisify } from 'node:util';
import type { BuildChoice } from '../../../tasks/agent/source-build.ts';
import { type AzureDevOpsEmulator, startAzureDevOps } from '../../emulators/azure-devops/azure-devops.ts';
import { createTls } from '../../emulators/tls.ts';
import { type AgentFolder, makeAgentFolder, makeEnvironment, type TaskRun } from '../../support/run-task.ts';
import { artifactVariables, pipelineVariables, releaseVariables, resourceVariables } from './variables.ts';

/** What a part of the task gave: something of these, or an error. */
interface Part {
  readonly kind?: string;
  readonly reason?: string;
  readonly code?: string;
  readonly message?: string;
}
interface Outcome {
  readonly builds: Part & ReadonlyArray<{ readonly id: number; readonly number: string; readonly projectId: string }>;
  readonly promoter: Part & { readonly runId?: number };
  readonly projects: Part;
  readonly releases: Part;
}

const projectId = '6ce954b1-ce1f-45d1-b94d-e6bf2464ba2c';
const script = join(import.meta.dirname, 'job-process.ts');

describe('Azure DevOps, as a job reaches it', () => {
  let agent: AgentFolder;
  let emulator: AzureDevOpsEmulator;
  let token: string;
  beforeEach(async () => {
    agent = await makeAgentFolder();
    emulator = await startAzureDevOps();
    emulator.world.addProject({ id: projectId, name: 'Web Shop' });
    emulator.world.addDefinition({ projectId, id: 12 });
    emulator.world.addBuild({ definitionId: 12, id: 4711, number: '20261123.1' });
    token = emulator.startJob(projectId).accessToken;
  });
  afterEach(async () => {
    await emulator.close();
    await agent.remove();
  });

  /** Runs the task in an environment as the agent makes it. */
  const run = async (choice: Partial<BuildChoice>, job: Partial<TaskRun> & { token?: string | undefined }) => {
    const whole = { source: 'currentRun', pipelineResource: '', releaseArtifacts: [], ...choice };
    const system = { scheme: 'OAuth', parameters: { AccessToken: job.token ?? '' } };
    const environment = makeEnvironment(agent, {
      task: '',
      inputs: {},
      endpoints: { SYSTEMVSSCONNECTION: system },
      ...job,
    });
    const { stdout } = await promisify(execFile)(process.execPath, ['--import', 'tsx', script, JSON.stringify(whole)], {
      env: { PATH: process.env['PATH'] ?? '', ...environment },
    });
    const lines = stdout.trimEnd().split('\n');
    return { output: stdout, ...(JSON.parse(lines.at(-1) ?? '') as Outcome) };
  };
  const inRelease = () => ({
    ...releaseVariables,
    ...artifactVariables('_shop ci', { id: 4711, definitionId: 12 }),
    'System.CollectionUri': `${emulator.url}/`,
    'System.TeamFoundationCollectionUri': `${emulator.url}/`,
    'System.TeamFoundationServerUri': `${emulator.releaseUrl}/`,
  });

  it('is the collection with its builds in a pipeline, and a resource is found under its alias, dash and all', async () => {
    const outcome = await run(
      { source: 'pipelineResource', pipelineResource: 'my-shop' },
      {
        token,
        variables: {
          ...pipelineVariables,
          ...resourceVariables('my-shop', { id: 4711, definitionId: 12, projectId }),
          'System.CollectionUri': `${emulator.url}/`,
        },
      },
    );
    const [build] = outcome.builds;
    assert.deepEqual([build?.id, build?.projectId], [4711, projectId]);
    assert.equal(outcome.promoter.runId, 900);
    assert.equal(outcome.projects.kind, 'ok');
    assert.equal(outcome.releases.code, 'INPUT_INVALID');
    assert.deepEqual(
      emulator.requests.entries.map(entry => [entry.operation, entry.scheme]),
      [['projects.list', 'Bearer']],
    );
  });

  it('is the same collection in a classic release, whose artifacts are on another host', async () => {
    emulator.world.releases.add({ projectId, id: 392, artifacts: [{ alias: '_shop ci', buildId: 4711 }] });
    const outcome = await run(
      { source: 'releaseArtifact', releaseArtifacts: ['_shop CI'] },
      { token, variables: inRelease() },
    );
    const [build] = outcome.builds;
    assert.deepEqual([build?.id, build?.number], [4711, '20261123.1'], outcome.output);
    assert.equal(outcome.promoter.kind, 'release');
    assert.equal(outcome.projects.kind, 'ok');
    assert.equal(outcome.releases, emulator.releaseUrl);
  });

  it('says so where the agent has no token for it', async () => {
    const outcome = await run(
      { source: 'releaseArtifact', releaseArtifacts: ['_shop ci'] },
      { variables: inRelease() },
    );
    for (const { code, message } of [outcome.builds, outcome.projects, outcome.releases]) {
      assert.equal(code, 'SIGN_IN_FAILED', outcome.output);
      assert.match(message ?? '', /no access token \(SYSTEMVSSCONNECTION\)/);
    }
    assert.equal(emulator.requests.entries.length, 0);
  });

  it("is reached through the agent's proxy, but for what the proxy is not for, and no secret is shown", async () => {
    const tunnels: Array<{ target: string | undefined; authorization: string | undefined; socket: Duplex }> = [];
    const proxy = createServer().on('connect', (request, socket) => {
      tunnels.push({ target: request.url, authorization: request.headers['proxy-authorization'], socket });
      const onward = openConnection(Number(new URL(emulator.url).port), 'localhost', () => {
        socket.write('HTTP/1.1 200 Connection established\r\n\r\n');
        socket.pipe(onward).pipe(socket);
      });
      for (const end of [socket, onward]) end.on('error', () => end.destroy());
    });
    await new Promise<void>(done => proxy.listen(0, '127.0.0.1', done));
    const job = (host: string) => ({
      token,
      variables: {
        ...pipelineVariables,
        'System.CollectionUri': `http://${host}/contoso/`,
        'Agent.ProxyUrl': `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`,
        'Agent.ProxyUsername': 'agent',
        'Agent.ProxyBypassList': JSON.stringify(['internal\\.invalid']),
      },
      secretVariables: { 'Agent.ProxyPassword': 'pr@xy p%ss' },
    });
    try {
      const outcome = await run({}, job('devops.invalid'));
      assert.equal(outcome.projects.kind, 'ok', outcome.output);
      const direct = await run({}, job('internal.invalid'));
      assert.match(direct.projects.reason ?? '', /ENOTFOUND|EAI_AGAIN/);
      assert.deepEqual(
        tunnels.map(({ target, authorization }) => [target, authorization]),
        [['devops.invalid:80', `Basic ${Buffer.from('agent:pr@xy p%ss').toString('base64')}`]],
      );
      const shown = outcome.output.split('\n').filter(line => !line.startsWith('##vso[task.setsecret]'));
      assert.doesNotMatch(shown.join('\n'), new RegExp(`pr@xy|pr%40xy|${token}`));
    } finally {
      for (const { socket } of tunnels) socket.destroy();
      await new Promise(done => proxy.close(done));
    }
  });

  it("is trusted by the agent's certificate authority", async () => {
    const tls = await createTls();
    const server = await startAzureDevOps({ flavour: 'server', tls });
    try {
      const path = join(agent.path, 'ca.pem');
      await writeFile(path, tls.ca);
      const variables = { ...pipelineVariables, 'System.CollectionUri': server.url };
      const job = server.startJob(server.world.addProject().id);
      const trusting = { ...variables, 'Agent.CAInfo': path };
      assert.equal((await run({}, { token: job.accessToken, variables: trusting })).projects.kind, 'ok');
      const strange = await run({}, { token: job.accessToken, variables });
      assert.match(strange.projects.reason ?? '', /SELF_SIGNED/);
    } finally {
      await server.close();
    }
  });
});
