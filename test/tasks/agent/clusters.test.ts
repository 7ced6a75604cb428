/** The clusters that a job may ask: by service connections, and by a kubeconfig on the agent. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type KubernetesEmulator, startKubernetes } from '../../emulators/kubernetes/kubernetes.ts';
import { createTls, type TlsMaterial } from '../../emulators/tls.ts';
import { type AgentFolder, makeAgentFolder, makeEnvironment, type TestEndpoint } from '../../support/run-task.ts';
import type { ClustersJob, ClustersOutcome } from './clusters-process.ts';

const script = join(import.meta.dirname, 'clusters-process.ts');
const base64 = (text: string): string => Buffer.from(text).toString('base64');

/** Whether the agent was told to hide it. */
function isTold(lines: readonly string[], secret: string): boolean {
  return lines.includes(`##vso[task.setsecret]${secret}`);
}

describe('clusters, as a job reaches them', () => {
  let agent: AgentFolder;
  let tls: TlsMaterial;
  let emulator: KubernetesEmulator;
  beforeEach(async () => {
    agent = await makeAgentFolder();
    tls = await createTls();
    emulator = await startKubernetes({ tls });
    const spec = { containers: [{ name: 'web', image: 'ci.example/web:1' }] };
    emulator.add('pods', { metadata: { name: 'web', namespace: 'shop' }, spec });
  });
  afterEach(async () => {
    await emulator.close();
    await agent.remove();
  });

  const run = async (job: Partial<ClustersJob>, endpoints: Readonly<Record<string, TestEndpoint>> = {}) => {
    const inputs = { kubernetesConnections: Object.keys(endpoints).join(',') };
    const environment = makeEnvironment(agent, { task: 'CleanImages', inputs, endpoints });
    const whole = { connections: Object.keys(endpoints), kubeconfig: '', wanted: { name: 'prod' }, ...job };
    const args = ['--import', 'tsx', script, JSON.stringify(whole)];
    const { stdout } = await promisify(execFile)(process.execPath, args, {
      env: { PATH: process.env['PATH'] ?? '', ...environment },
    });
    const lines = stdout.trimEnd().split('\n');
    return { lines, outcome: JSON.parse(lines.at(-1) ?? '') as ClustersOutcome };
  };
  const writeKubeconfig = async (change: (text: string) => string = text => text): Promise<string> => {
    const path = join(agent.sources, 'kubeconfig');
    await writeFile(path, change(emulator.kubeconfig()));
    return path;
  };
  const serviceAccount = (kind = 'ServiceAccount'): TestEndpoint => ({
    url: emulator.url,
    parameters: { apiToken: base64(emulator.token), serviceAccountCertificate: base64(tls.ca) },
    data: { authorizationType: kind },
  });
  for (const kind of ['ServiceAccount', 'AzureSubscription']) {
    it(`are those of a connection by a service account (${kind}), found by their server, whose token is hidden`, async () => {
      const server = emulator.url.replace('localhost', 'LOCALHOST');
      const { lines, outcome } = await run({ wanted: { name: 'prod', server } }, { aks: serviceAccount(kind) });
      assert.deepEqual(outcome, { by: 'the service connection "aks"', images: ['ci.example/web:1'] });
      assert.ok(isTold(lines, emulator.token), lines.join('\n'));
    });
  }

  it('are those of a connection by a kubeconfig, in the context that the connection names', async () => {
    const kubeconfig = JSON.stringify({ ...JSON.parse(emulator.kubeconfig()), 'current-context': 'other' });
    const connection = {
      parameters: { kubeconfig, clusterContext: 'emulator' },
      data: { authorizationType: 'Kubeconfig' },
    };
    const { lines, outcome } = await run({}, { aks: connection });
    assert.deepEqual(outcome, {
      by: 'the context "emulator" of the service connection "aks"',
      images: ['ci.example/web:1'],
    });
    assert.ok(isTold(lines, emulator.token), lines.join('\n'));
  });

  it('are the contexts of a file, with what lies beside it, and a program that signs in', async () => {
    await writeFile(join(agent.sources, 'ca.pem'), tls.ca);
    const status = { token: emulator.token };
    const plugin = `process.stdout.write(JSON.stringify({ status: ${JSON.stringify(status)} }))`;
    const exec = { apiVersion: 'client.authentication.k8s.io/v1', command: process.execPath, args: ['-e', plugin] };
    const kubeconfig = await writeKubeconfig(text => {
      const read = JSON.parse(text) as { clusters: object[]; users: object[] };
      const clusters = [{ name: 'emulator', cluster: { server: emulator.url, 'certificate-authority': 'ca.pem' } }];
      return JSON.stringify({ ...read, clusters, users: [{ name: 'emulator', user: { exec } }] });
    });
    const { lines, outcome } = await run({ kubeconfig, wanted: { name: 'prod', context: 'emulator' } });
    assert.deepEqual(outcome.images, ['ci.example/web:1'], outcome.message);
    assert.ok(isTold(lines, emulator.token), lines.join('\n'));
  });

  it('that no one offers are an error, with what there is', async () => {
    const wanted = { name: 'prod', server: 'https://aks.example' };
    const { outcome } = await run({ wanted }, { aks: serviceAccount() });
    assert.equal(
      outcome.message,
      `The cluster prod of the configuration: no Kubernetes connection and no context of the kubeconfig has the server https://aks.example. There are: ${emulator.url} by the service connection "aks". Correct the configuration, or give what opens this cluster.`,
    );
    assert.match(
      (await run({})).outcome.message ?? '',
      /has it by default\. There are: none\. Correct the configuration, /,
    );
  });

  it('that could be one of two are an error, and two ways to one are none', async () => {
    const kubeconfig = await writeKubeconfig();
    const same = await run({ kubeconfig }, { aks: serviceAccount() });
    assert.equal(same.outcome.by, 'the service connection "aks"');
    const other = { ...serviceAccount(), url: 'https://aks.example' };
    const { outcome } = await run({ kubeconfig }, { aks: other });
    assert.match(
      outcome.message ?? '',
      /^The cluster prod .*: several have it by default: https:\/\/aks\.example, .* Name its server\.$/,
    );
  });

  it('are refused, and nothing is sent, where a connection has no token or names files of another machine', async () => {
    const bare = { url: emulator.url, data: { authorizationType: 'AzureSubscription' } };
    assert.match(
      (await run({}, { aks: bare })).outcome.message ?? '',
      /^The input kubernetesConnections: the service connection "aks" holds no token of a service account \(AzureSubscription\)/,
    );
    const kubeconfig = emulator.kubeconfig().replace('certificate-authority-data', 'certificate-authority');
    const files = { parameters: { kubeconfig }, data: { authorizationType: 'Kubeconfig' } };
    assert.match(
      (await run({}, { aks: files })).outcome.message ?? '',
      /^The kubeconfig of the service connection "aks", context "emulator" names files, which are on another machine/,
    );
    assert.match(
      (await run({ kubeconfig: 'nowhere' })).outcome.message ?? '',
      /^The input kubeconfig: the file "nowhere"/,
    );
    assert.deepEqual(emulator.requests.entries, []);
  });
});
