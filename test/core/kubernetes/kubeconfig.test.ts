/** kubeconfigs as people have them: what is signed in with, and what is refused before anything is sent. */
import assert from 'node:assert/strict';
import { type SpawnOptions, spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { readServerUrl } from '../../../core/kubernetes/api.ts';
import { connectInCluster } from '../../../core/kubernetes/in-cluster.ts';
import { type KubeconfigOptions, readKubeconfig } from '../../../core/kubernetes/kubeconfig.ts';
import { readCluster } from '../../../core/kubernetes/read-cluster.ts';
import { type Cluster, coredns, openCluster } from './cluster.ts';

const secret = 'abcdefgh-secret-token';
const name = 'The kubeconfig of "prod"';
const startPlugin = (command: string, args: readonly string[] | undefined, options: object) =>
  spawn(command, args ?? [], options as SpawnOptions);

/** One cluster, one user, one context. */
const kubeconfigOf = (user: object, cluster: object = {}): object => ({
  apiVersion: 'v1',
  kind: 'Config',
  clusters: [{ name: 'aks', cluster: { server: 'https://aks.example:443', ...cluster } }],
  users: [{ name: 'me', user }],
  contexts: [{ name: 'prod', context: { cluster: 'aks', user: 'me', namespace: 'shop' } }],
  'current-context': 'prod',
});
const open = (user: object, options: Partial<KubeconfigOptions> = {}, cluster: object = {}) =>
  readKubeconfig(stringify(kubeconfigOf(user, cluster)), { name, ...options }).open();
/** A plugin that says this. */
const pluginOf = (script: string) => ({
  exec: { apiVersion: 'client.authentication.k8s.io/v1', command: process.execPath, args: ['-e', script] },
});
const credential = (status: object): string =>
  `process.stdout.write(JSON.stringify({ apiVersion: JSON.parse(process.env.KUBERNETES_EXEC_INFO).apiVersion, status: ${JSON.stringify(status)} }))`;

describe('a kubeconfig', () => {
  let folder: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'image-lifecycle-kubeconfig-'));
    await writeFile(join(folder, 'token'), `${secret}\n`);
    await writeFile(join(folder, 'ca.crt'), 'PEM');
  });
  after(() => rm(folder, { recursive: true }));

  it('says its contexts, and leads to their clusters', () => {
    const read = readKubeconfig(stringify(kubeconfigOf({ token: secret })), { name });
    assert.deepEqual(read.contexts, [{ name: 'prod', server: 'https://aks.example:443' }]);
    assert.equal(read.current, 'prod');
    const server = read.open('prod');
    assert.equal(readServerUrl(server.url), 'https://aks.example');
    assert.equal(readServerUrl('https://AKS.example/'), 'https://aks.example');
    assert.throws(() => read.open('qa'), /has no context "qa"\. It has: prod\.$/);
  });

  /** What a cluster trusts. */
  const trust = (cluster: object) => {
    const { ca, skipTlsVerify, tlsServerName, proxy } = open({ token: 'x' }, { folder }, cluster);
    return { ca, skipTlsVerify, tlsServerName, proxy };
  };

  const signIns: readonly (readonly [title: string, user: object, headers: object])[] = [
    ['a token', { token: secret }, { authorization: `Bearer ${secret}` }],
    ['a file of a token', { tokenFile: 'token' }, { authorization: `Bearer ${secret}` }],
    ['a password', { username: 'me', password: 'x' }, { authorization: 'Basic bWU6eA==' }],
    ['a plugin', pluginOf(credential({ token: secret })), { authorization: `Bearer ${secret}` }],
    ['nothing', {}, {}],
    ['an impersonation', { token: 'x', as: 'you' }, { authorization: 'Bearer x', 'impersonate-user': 'you' }],
  ];
  for (const [title, user, headers] of signIns) {
    it(`signs in by ${title}`, async () => {
      const { signIn } = open(user, { folder, startPlugin });
      assert.deepEqual({ ...(await signIn()).headers }, headers);
    });
  }

  it('signs in by a certificate, its own or of a plugin', async () => {
    const [cert, key] = ['CERT', 'KEY'].map(each => Buffer.from(each).toString('base64'));
    const own = await open({ 'client-certificate-data': cert, 'client-key-data': key }).signIn();
    assert.deepEqual(own.certificate, { cert: 'CERT', key: 'KEY' });
    const plugin = pluginOf(credential({ clientCertificateData: 'CERT', clientKeyData: 'KEY' }));
    assert.deepEqual((await open(plugin, { startPlugin }).signIn()).certificate, { cert: 'CERT', key: 'KEY' });
  });

  it('names what is trusted: text, a file beside it, a name, anything', () => {
    const none = { ca: undefined, skipTlsVerify: false, tlsServerName: undefined, proxy: undefined };
    assert.deepEqual(trust({}), none);
    assert.deepEqual(trust({ 'certificate-authority-data': 'UEVN' }), { ...none, ca: 'PEM' });
    assert.deepEqual(trust({ 'certificate-authority': 'ca.crt' }), { ...none, ca: 'PEM' });
    assert.deepEqual(trust({ 'insecure-skip-tls-verify': true }), { ...none, skipTlsVerify: true });
    assert.deepEqual(trust({ 'tls-server-name': 'other' }), { ...none, tlsServerName: 'other' });
    const proxy = { url: 'http://proxy.example:8080', username: 'me', password: 'p@' };
    assert.deepEqual(trust({ 'proxy-url': 'http://me:p%40@proxy.example:8080' }), { ...none, proxy });
  });

  const refused: readonly (readonly [title: string, refuse: () => unknown, why: RegExp])[] = [
    ['text that is none', () => readKubeconfig('a: [', { name }), /The kubeconfig of "prod", line 1: /],
    [
      'another document',
      () => readKubeconfig('a: 1', { name }),
      /The kubeconfig of "prod" is no kubeconfig: clusters is missing\.$/,
    ],
    ['text alone', () => readKubeconfig('hello', { name }), /is no kubeconfig: it must be a block of keys\.$/],
    [
      'one cluster in place of a list',
      () => readKubeconfig(stringify({ ...kubeconfigOf({}), clusters: { name: 'aks' } }), { name }),
      /is no kubeconfig: clusters must be a list\.$/,
    ],
    [
      'a cluster without an address',
      () => readKubeconfig(stringify(kubeconfigOf({}, { server: '' })), { name }),
      /is no kubeconfig: clusters\.0\.cluster\.server must not be empty\.$/,
    ],
    [
      'a context without a cluster',
      () => readKubeconfig(stringify({ ...kubeconfigOf({}), clusters: [] }), { name }).open(),
      /the cluster "aks" is not in it/,
    ],
    [
      'no context',
      () => readKubeconfig(stringify({ ...kubeconfigOf({}), 'current-context': '' }), { name }).open(),
      /has no context ""/,
    ],
    ['files of another machine', () => open({ tokenFile: '/token' }), /names files, which are on another machine/],
    ['an authority of another machine', () => open({}, {}, { 'certificate-authority': '/ca' }), /names files/],
    ['an authority that is not there', () => open({}, { folder }, { 'certificate-authority': 'x' }), /cannot be read/],
    ['a plugin, where none is started', () => open(pluginOf('')), /runs a program to sign in, which is not done here/],
    ['a provider that is gone', () => open({ 'auth-provider': { name: 'azure' } }), /"azure" is gone from Kubernetes/],
    ['groups that would be passed over', () => open({ as: 'x', 'as-groups': ['y'] }), /"as-groups" of its user is not/],
    ['a proxy of another kind', () => open({}, {}, { 'proxy-url': 'socks5://x:1' }), /proxy-url is not one of http/],
  ];
  for (const [title, refuse, why] of refused) {
    it(`is refused with ${title}`, () => {
      assert.throws(refuse, why);
    });
  }

  const failing: readonly (readonly [title: string, script: string, why: RegExp])[] = [
    [
      'fails',
      'console.error("AADSTS700016:\\n no such app"); process.exit(1)',
      /context "prod": AADSTS700016: no such app$/,
    ],
    ['fails and says nothing', 'process.exit(1)', /its plugin gave no credential that can be read$/],
    ['says what is no JSON', `console.log("token: ${secret}")`, /its plugin gave no credential that can be read$/],
    ['says something else', 'console.log("{}")', /its plugin gave no credential that can be read$/],
  ];
  for (const [title, script, why] of failing) {
    it(`gives no sign-in, and quotes nothing, where its plugin ${title}`, async () => {
      const { signIn } = open(pluginOf(script), { startPlugin });
      await assert.rejects(signIn(), (error: Error) => {
        assert.match(error.message, why);
        assert.ok(!`${error.message} ${String(error.cause)}`.includes(secret));
        return true;
      });
    });
  }

  it('gives no sign-in where its plugin is not there', async () => {
    const exec = { apiVersion: 'client.authentication.k8s.io/v1', command: 'no-such-kubelogin' };
    await assert.rejects(open({ exec }, { startPlugin }).signIn(), /ENOENT|no-such-kubelogin/);
  });
});

const readFile = () => Promise.reject(new Error('ENOENT'));

describe('a pod', () => {
  let cluster: Cluster;
  beforeEach(async () => {
    cluster = await openCluster();
  });
  afterEach(() => cluster.close());

  it('reads its own cluster by its service account, whose token is renewed in its file', async () => {
    const { emulator, tls } = cluster;
    const files: Record<string, string> = { 'ca.crt': tls.ca, token: 'expired' };
    const { hostname: host, port } = new URL(emulator.url);
    emulator.add('pods', coredns);
    const api = await connectInCluster({ host, port, readFile: async file => files[file] ?? '' });
    assert.match(JSON.stringify(await readCluster(api)), /not accepted \(401\)/);
    files['token'] = `${emulator.token}\n`;
    assert.equal((await readCluster(api)).uses.kind, 'whole');
  });

  it('is told where it has no service account, and where it is no pod', async () => {
    await assert.rejects(connectInCluster({ host: '10.0.0.1', port: '443', readFile }), /automountServiceAccountToken/);
    await assert.rejects(connectInCluster({ host: undefined, port: undefined, readFile }), /runs in no pod/);
  });
});

describe('the URL of an API server', () => {
  for (const url of [
    'http://10.0.0.1',
    'ftp://x',
    'aks.example',
    'https://me:x@aks.example',
    'https://aks.example/?a=b',
  ]) {
    it(`is not ${url}`, () => {
      assert.throws(() => readServerUrl(url), /must look like https:/);
    });
  }
  it('may have a path, and needs no TLS on this machine', () => {
    assert.equal(
      readServerUrl('https://rancher.example/k8s/clusters/c-1/'),
      'https://rancher.example/k8s/clusters/c-1',
    );
    assert.equal(readServerUrl('http://127.0.0.1:8001'), 'http://127.0.0.1:8001');
  });
});
