import { deepEqual, equal, match, ok } from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { parseAllDocuments } from 'yaml';
import { readUsageReport } from '../../core/lifecycle/facts/read-usage.ts';
import { usageRepository } from '../../core/lifecycle/facts/usage-report.ts';
import { openRegistry } from '../../core/oci/registry.ts';
import { runProgram } from '../../webhook-handler/program.ts';
import { type AcrWorld, admin, createClient, startAcrWorld } from '../core/oci/world.ts';
import { startEntra } from '../emulators/entra/entra.ts';
import { type KubernetesEmulator, startKubernetes } from '../emulators/kubernetes/kubernetes.ts';
import { createTls } from '../emulators/tls.ts';
import { issueToken } from '../emulators/tokens.ts';
import { account, type DockerRegistry, startDockerRegistry } from '../support/docker-registry.ts';
import { inspectDigest } from '../support/skopeo.ts';

const digest = `sha256:${'a'.repeat(64)}`;
const canary = 'canary-of-a-secret';
const image = 'contosoprod.azurecr.io/web:4711';

/** A cluster with one pod, one Deployment that sleeps, and one Helm release of two revisions. */
function fill({ add }: KubernetesEmulator): void {
  const container = { name: 'web', image, env: [{ name: 'PASSWORD', value: canary }] };
  const of = (name: string, more: object = {}) => ({
    metadata: { name, namespace: 'shop', annotations: { canary }, ...more },
  });
  const status = { containerStatuses: [{ name: 'web', image, imageID: `contosoprod.azurecr.io/web@${digest}` }] };
  add('pods', { ...of('web-1'), spec: { containers: [container] }, status });
  const sleeping = { containers: [{ name: 'api', image: 'contosoprod.azurecr.io/api:7' }] };
  add('deployments', { ...of('api'), spec: { replicas: 0, template: { spec: sleeping } } });
  for (const [revision, status] of [
    [1, 'superseded'],
    [2, 'deployed'],
  ] as const) {
    const manifest = `kind: Pod\nspec: { containers: [{ name: web, image: contosoprod.azurecr.io/web:${revision} }] }\n`;
    const release = {
      name: 'web',
      namespace: 'shop',
      version: revision,
      info: { status },
      manifest,
      config: { canary },
    };
    const stored = gzipSync(JSON.stringify(release)).toString('base64');
    const data = { release: Buffer.from(stored).toString('base64') };
    const labels = { owner: 'helm', name: 'web', status, version: `${revision}` };
    add('secrets', { ...of(`sh.helm.release.v1.web.v${revision}`, { labels }), type: 'helm.sh/release.v1', data });
  }
  add('secrets', { ...of('database'), type: 'Opaque', data: { password: Buffer.from(canary).toString('base64') } });
}

/** The rules that the manifest gives. */
async function rulesOf(...roles: readonly string[]) {
  const path = fileURLToPath(new URL('../../docs/kubernetes/usage-report.yaml', import.meta.url));
  type Role = {
    kind: string;
    metadata: { name: string };
    rules: { apiGroups: string[]; resources: string[]; verbs: string[] }[];
  };
  const documents = parseAllDocuments(await readFile(path, 'utf8')).map(each => each.toJS() as Role);
  return documents
    .filter(each => each.kind === 'ClusterRole' && roles.includes(each.metadata.name))
    .flatMap(each => each.rules);
}
const ownRole = 'image-lifecycle-report-usage';
const helmRole = `${ownRole}-helm`;

describe('webhook-handler report-usage', () => {
  let cluster: KubernetesEmulator;
  let registry: DockerRegistry;
  let folder: string;
  before(async () => {
    cluster = await startKubernetes({ tls: await createTls() });
    fill(cluster);
    cluster.access.grant('whole-token', 'report-usage', await rulesOf(ownRole, helmRole));
    cluster.access.grant('small-token', 'report-usage', await rulesOf(ownRole));
    registry = await startDockerRegistry({ password: true });
    folder = await mkdtemp(join(tmpdir(), 'report-usage-'));
    for (const of of ['whole', 'small', 'none']) await writeFile(join(folder, of), cluster.kubeconfig(`${of}-token`));
  });
  after(async () => {
    await Promise.all([cluster.close(), registry.stop(), rm(folder, { recursive: true })]);
  });
  afterEach(async () => {
    cluster.faults.clear();
    cluster.requests.clear();
    await registry.clear();
  });

  interface Call {
    /** Whose kubeconfig; none where it is empty. */
    readonly of?: string | undefined;
    readonly password?: string;
  }
  async function run(more: readonly string[] = [], { of = 'whole', password = account.password }: Call = {}) {
    const written = { out: '', err: '' };
    const where = ['--registry', `http://${registry.host}`, '--cluster', 'aks-1'];
    const signIn = ['--username', account.username, '--password-env', 'PASSWORD'];
    const whom = of === '' ? [] : ['--kubeconfig', join(folder, of)];
    const code = await runProgram(['report-usage', ...where, ...signIn, ...whom, ...more], {
      env: { PASSWORD: password },
      out: text => void (written.out += text),
      err: text => void (written.err += text),
      signal: new AbortController().signal,
      version: '1.2.3',
      reconcile: () => Promise.reject(new Error('nothing is reconciled')),
    });
    for (const secret of [account.password, canary, 'whole-token', 'small-token']) {
      ok(!`${written.out}${written.err}`.includes(secret), 'a secret was written');
    }
    return { code, ...written };
  }
  async function readBack() {
    const { http } = createClient();
    const credentials = { kind: 'password', ...account } as const;
    const found = await readUsageReport(
      openRegistry({ address: `http://${registry.host}`, credentials, http }),
      'aks-1',
    );
    await http.close();
    return found;
  }
  const tag = `${usageRepository('aks-1')}:latest`;

  it('reports what runs, what could be started, and what Helm stores, with the rights of its manifest', async () => {
    const { code, out, err } = await run();
    equal(code, 0, err);
    const [, told] =
      /^Reported what aks-1 runs as of \S+Z: 2 images, 1 Helm release\. \S+\/aks-1@(\S+)\n$/.exec(out) ?? [];
    equal(told, await inspectDigest(registry, tag));
    const found = await readBack();
    deepEqual(
      found?.uses.toSorted((one, other) => one.where.localeCompare(other.where)),
      [
        { image: 'contosoprod.azurecr.io/api:7', where: 'deployment shop/api' },
        { image, imageId: `contosoprod.azurecr.io/web@${digest}`, where: 'pod shop/web-1' },
      ],
    );
    const revisions = [2, 1].map(revision => ({
      revision,
      status: revision === 2 ? 'deployed' : 'superseded',
      images: [`contosoprod.azurecr.io/web:${revision}`],
    }));
    deepEqual(
      found?.releases?.map(each => ({
        ...each,
        revisions: each.revisions.toSorted((one, other) => other.revision - one.revision),
      })),
      [{ namespace: 'shop', name: 'web', oldestInUse: 2, revisions }],
    );
    equal(found?.tool, '1.2.3');
    ok(!JSON.stringify(found).includes(canary));
  });

  it('reads no Secret and no ConfigMap with --no-helm, and needs no right to', async () => {
    const { code, out, err } = await run(['--no-helm'], { of: 'small' });
    equal(code, 0, err);
    match(out, /2 images, no word of Helm\./);
    equal((await readBack())?.releases, undefined);
    const asked = new Set(cluster.requests.entries.map(each => each.operation));
    ok(!asked.has('list secrets') && !asked.has('list configmaps') && asked.has('list pods'));
  });

  it('looks where other kinds have their images', async () => {
    const kind = { group: 'argoproj.io', version: 'v1alpha1', kind: 'Rollout', resource: 'rollouts', namespaced: true };
    cluster.world.addKind(kind);
    cluster.access.grant('rollout-token', 'report-usage', [
      ...(await rulesOf(ownRole, helmRole)),
      { apiGroups: ['argoproj.io'], resources: ['rollouts'], verbs: ['list'] },
    ]);
    await writeFile(join(folder, 'rollout'), cluster.kubeconfig('rollout-token'));
    cluster.add('rollouts', {
      metadata: { name: 'web', namespace: 'shop' },
      spec: { image: 'contosoprod.azurecr.io/web:blue' },
    });
    const { code, err } = await run(['--custom-resource', 'rollouts.v1alpha1.argoproj.io={.spec.image}'], {
      of: 'rollout',
    });
    equal(code, 0, err);
    ok((await readBack())?.uses.some(each => each.image === 'contosoprod.azurecr.io/web:blue'));
  });

  type Wreck = () => unknown;
  const wrecks: readonly (readonly [title: string, message: RegExp, wreck: Wreck, of?: string])[] = [
    [
      'Secrets may not be listed',
      /What Helm stores in aks-1 was not read whole, so nothing was reported: .*resources: \["secrets"\]/,
      () => {},
      'small',
    ],
    ['the token is not known', /sign-in is not accepted/, () => {}, 'none'],
    [
      'a page stands in front of the pods',
      /What aks-1 runs was not read whole.*pods/,
      () => cluster.faults.add({ operation: 'list pods', effect: { kind: 'html' } }),
    ],
    [
      'half of the jobs came',
      /What aks-1 runs was not read whole.*jobs/,
      () => cluster.faults.add({ operation: 'list jobs', effect: { kind: 'truncated' } }),
    ],
    [
      'a kind is not there',
      /What aks-1 runs was not read whole.*daemonsets/,
      () => cluster.faults.add({ operation: 'list daemonsets', effect: { kind: 'status', status: 404 } }),
    ],
    [
      'nobody says which cluster it is',
      /Which cluster this is was not read/,
      () => cluster.faults.add({ operation: 'get namespaces', effect: { kind: 'status', status: 403 } }),
    ],
  ];
  for (const [title, message, wreck, of] of wrecks) {
    it(`ends with 1 where ${title}, and the report before is as it was`, async () => {
      equal((await run()).code, 0);
      const before = await registry.fingerprint();
      wreck();
      const { code, out, err } = await run([], { of });
      deepEqual([code, out], [1, '']);
      match(err, message);
      equal(await registry.fingerprint(), before);
    });
  }

  it('ends with 1 where the registry does not know it, before the cluster is asked for anything', async () => {
    const { code, err } = await run([], { password: 'wrong' });
    equal(code, 1);
    match(err, /localhost:\d+: no permission for "repository:image-lifecycle\/usage\/aks-1:pull,push"/);
    equal(cluster.requests.entries.length, 0);
  });

  it('ends with 2 where another cluster reports by the same name', async () => {
    equal((await run()).code, 0);
    const before = await registry.fingerprint();
    const other = await startKubernetes({ tls: await createTls() });
    fill(other);
    await writeFile(join(folder, 'other'), other.kubeconfig());
    const { code, err } = await run([], { of: 'other' });
    await other.close();
    equal(code, 2);
    match(err, /holds the report of another cluster/);
    equal(await registry.fingerprint(), before);
  });

  it('ends with 2 for a password that is missing, a kubeconfig that is none, and outside a pod without one', async () => {
    const missing = await run([], { password: '' });
    const none = await run(['--kubeconfig', join(folder, 'nowhere')]);
    await writeFile(join(folder, 'page'), '<html>');
    const page = await run(['--kubeconfig', join(folder, 'page')]);
    const outside = await run([], { of: '' });
    deepEqual([missing.code, none.code, page.code, outside.code], [2, 2, 2, 2]);
    match(missing.err, /--password-env: the environment variable PASSWORD is empty/);
    match(none.err, /The kubeconfig \S+nowhere cannot be read/);
    match(page.err, /The kubeconfig \S+page/);
    match(outside.err, /This runs in no pod of Kubernetes/);
  });
});

describe('webhook-handler report-usage, signed in by workload identity', () => {
  const federation = {
    issuer: 'https://oidc.example/aks',
    subject: 'system:serviceaccount:image-lifecycle:report-usage',
    audience: 'api://AzureADTokenExchange',
  };
  const objectId = '7b0c1a57-6c54-4a53-8f0d-3a8b7d8f3f11';
  let acr: AcrWorld;
  let stop: () => Promise<unknown>;
  let run: () => Promise<{ code: number; out: string; err: string }>;
  before(async () => {
    const tls = await createTls();
    const rights = [{ repository: usageRepository('aks-1'), actions: ['pull', 'push'] }] as const;
    const everything = [{ repository: '*', actions: ['pull', 'push', 'catalog', 'metadata_read'] }] as const;
    acr = await startAcrWorld({
      tls,
      abac: true,
      identities: [
        { name: 'admin', password: 'admin-password', rights: everything },
        { name: 'aks-1', objectId, rights },
      ],
    });
    const entra = await startEntra({ tls, clock: acr.acr.clock });
    const application = entra.directory.addApplication({ objectId, federated: [federation] });
    const cluster = await startKubernetes({ tls });
    fill(cluster);
    const folder = await mkdtemp(join(tmpdir(), 'report-usage-'));
    const at = (name: string): string => join(folder, name);
    const expires = Math.floor(Date.now() / 1000) + 3600;
    const { issuer: iss, subject: sub, audience: aud } = federation;
    await writeFile(at('token'), issueToken({ iss, sub, aud, exp: expires }));
    await writeFile(at('ca.pem'), tls.ca);
    await writeFile(at('kubeconfig'), cluster.kubeconfig());
    const main = fileURLToPath(new URL('../../webhook-handler/main.ts', import.meta.url));
    run = async () => {
      const args = ['report-usage', '--registry', acr.acr.host, '--cluster', 'aks-1', '--kubeconfig', at('kubeconfig')];
      const child = spawn(process.execPath, ['--import', 'tsx', main, ...args], {
        // What the webhook of workload identity puts into a pod, and nothing else of Azure.
        env: {
          PATH: process.env['PATH'],
          NODE_EXTRA_CA_CERTS: at('ca.pem'),
          AZURE_AUTHORITY_HOST: entra.url,
          AZURE_CLIENT_ID: application.clientId,
          AZURE_TENANT_ID: application.tenantId,
          AZURE_FEDERATED_TOKEN_FILE: at('token'),
        },
        stdio: ['ignore', 'pipe', 'pipe'],
      });
      const written = { out: '', err: '' };
      child.stdout.on('data', part => (written.out += String(part)));
      child.stderr.on('data', part => (written.err += String(part)));
      const [code] = (await once(child, 'close')) as [number];
      return { code, ...written };
    };
    stop = () => Promise.all([acr.close(), entra.close(), cluster.close(), rm(folder, { recursive: true })]);
  });
  after(() => stop());

  it('reports with the right on its own repository alone', async () => {
    const { code, out, err } = await run();
    equal(code, 0, err);
    const found = acr.acr.world.digest(usageRepository('aks-1'), 'latest');
    ok(found !== undefined && out.endsWith(`${acr.acr.host}/${usageRepository('aks-1')}@${found}\n`), out);
    equal((await readUsageReport(acr.connect(admin), 'aks-1'))?.uses.length, 2);
  });
});
