/** Everything that can go wrong between us and an API server: never is it "nothing runs". */
import assert from 'node:assert/strict';
import { readCluster } from '../../../core/kubernetes/read-cluster.ts';
import type { Effect } from '../../emulators/azure-devops/faults.ts';
import { createTls } from '../../emulators/tls.ts';
import { bearer, type Cluster, openCluster, podOf, templateOf } from './cluster.ts';

type Body = { kind: string; apiVersion: string; metadata: Record<string, unknown>; items: unknown[] };
const edit = (change: (body: Body) => unknown): Effect => ({ kind: 'edit', edit: json => change(json as Body) });

const emptyPage = { kind: 'PodList', apiVersion: 'v1', items: [] };

describe('a cluster that cannot be read', () => {
  let cluster: Cluster;
  beforeEach(async () => {
    cluster = await openCluster();
    const { emulator } = cluster;
    for (let at = 0; at < 1200; at += 1) emulator.add('pods', podOf(`web-${at}`, `ci.example/web:${at}`));
    emulator.add('replicasets', templateOf('web-old', 'ci.example/web:7'));
  });
  afterEach(() => cluster.close());

  /** Every one of these on the lists of pods, or on their second page. */
  const spoilt: readonly (readonly [title: string, effect: Effect, reason: RegExp])[] = [
    ['a sign-in that is not accepted', { kind: 'status', status: 401, json: {} }, /is not accepted \(401\)/],
    [
      'a right that is missing',
      { kind: 'status', status: 403, json: {} },
      /denied \(403\): give the identity a ClusterRole with the rule \{apiGroups: \[""\], resources: \["pods"\], verbs: \["list"\]\}/,
    ],
    ['a list that is not there', { kind: 'status', status: 404, json: {} }, /not there \(404\)/],
    ['too many requests', { kind: 'status', status: 429, json: {} }, /too many requests \(429\)/],
    ['a server that fails', { kind: 'status', status: 500, json: {} }, /failed \(500\)/],
    ['a gateway without a server', { kind: 'status', status: 503 }, /failed \(503\)/],
    [
      'a redirect',
      { kind: 'status', status: 302, headers: { location: 'https://other.example/' } },
      /redirected \(302\)/,
    ],
    ['a status that means nothing', { kind: 'status', status: 206, json: {} }, /answered 206/],
    ['a page of a proxy', { kind: 'html' }, /answered 200 with text\/html instead of JSON/],
    ['half a page', { kind: 'cut', when: 'mid-body' }, /broke off/],
    ['a connection that breaks', { kind: 'cut', when: 'before' }, /broke off/],
    ['JSON that ends too early', { kind: 'truncated' }, /JSON that does not parse/],
    ['another type of content', { kind: 'contentType', value: 'text/plain' }, /text\/plain instead of JSON/],
    ['no list', edit(() => ({ kind: 'Status', apiVersion: 'v1', metadata: {} })), /is no list: kind/],
    [
      'a list of something else',
      edit(body => ({ ...body, kind: 'NodeList' })),
      /pods .*: the answer is a NodeList of v1/,
    ],
    ['a list of another version', edit(body => ({ ...body, apiVersion: 'v2' })), /is a PodList of v2/],
    ['a list without items', edit(body => ({ ...body, items: undefined })), /is no list: items/],
    ['items that are null', edit(body => ({ ...body, items: null })), /is no list: items/],
    [
      'a pod without containers',
      edit(body => ({ ...body, items: [{ metadata: { name: 'a', namespace: 'b' }, spec: {} }] })),
      /one pod is not as expected: spec\.containers/,
    ],
    ['an image that is no text', edit(body => ({ ...body, items: [podOf('a', 7 as never)] })), /containers\.0\.image/],
    [
      'a token that leads in a circle',
      { kind: 'status', status: 200, json: { ...emptyPage, metadata: { resourceVersion: '1', continue: 'x' } } },
      /lead in a circle/,
    ],
    [
      'fewer than the server said there are',
      edit(body => ({ ...body, metadata: { ...body.metadata, continue: undefined } })),
      /said that there are 1200, and gave 500/,
    ],
  ];
  for (const [title, effect, reason] of spoilt) {
    it(`is unread, with why: ${title}`, async () => {
      cluster.emulator.faults.add({ operation: 'list pods', effect });
      const { uses, releases } = await readCluster(cluster.api);
      assert.ok(uses.kind === 'unread', 'it was read');
      assert.match(uses.reason, reason);
      assert.match(uses.reason, /^the pods \(v1\) of https:\/\/localhost:\d+: /);
      assert.deepEqual(releases, { kind: 'whole', items: [] });
    });
  }

  it('is unread where tokens lead in a wider circle', async () => {
    const turns = ['a', 'b', 'a', 'b'];
    for (const [at, token] of turns.entries()) {
      const json = { ...emptyPage, metadata: { resourceVersion: '1', continue: token } };
      cluster.emulator.faults.add({
        operation: 'list pods',
        nth: at + 1,
        count: 1,
        effect: { kind: 'status', status: 200, json },
      });
    }
    const { uses } = await readCluster(cluster.api);
    assert.match(uses.kind === 'unread' ? uses.reason : '', /lead in a circle/);
    assert.equal(countOf('list pods'), 3);
  });

  const countOf = (operation: string): number => cluster.emulator.requests.count(operation);
  const wholeWith = async (pods: number): Promise<void> => {
    const { uses } = await readCluster(cluster.api);
    assert.ok(uses.kind === 'whole', JSON.stringify(uses));
    assert.equal(uses.items.length, pods + 1);
  };

  it('is read page by page, in three of 500 at the most', async () => {
    await wholeWith(1200);
    assert.equal(countOf('list pods'), 3);
    assert.equal(cluster.emulator.requests.entries.length, 14);
  });

  it('is begun again where a list expired on its way, once', async () => {
    const { faults, expireLists } = cluster.emulator;
    let pages = 0;
    const expireAt = (...at: number[]) =>
      edit(body => {
        if (at.includes((pages += 1))) expireLists();
        return body;
      });
    faults.add({ operation: 'list pods', effect: expireAt(1) });
    await wholeWith(1200);
    // One page, its refused successor, and all three.
    assert.equal(countOf('list pods'), 5);

    pages = 0;
    faults.clear();
    faults.add({ operation: 'list pods', effect: expireAt(1, 3) });
    const { uses } = await readCluster(cluster.api);
    assert.match(uses.kind === 'unread' ? uses.reason : '', /expired while it was read \(410\): try again/);
  });

  it('is begun again where its pages are of different moments, and unread where they stay so', async () => {
    const { faults } = cluster.emulator;
    const moved = edit(body => ({ ...body, metadata: { ...body.metadata, resourceVersion: '9999' } }));
    faults.add({ operation: 'list pods', nth: 2, count: 1, effect: moved });
    await wholeWith(1200);
    assert.equal(countOf('list pods'), 5);
    faults.add({ operation: 'list pods', path: 'continue', effect: moved });
    const { uses } = await readCluster(cluster.api);
    assert.match(uses.kind === 'unread' ? uses.reason : '', /pages are of different moments/);
  });

  it('is unread where only its last page fails', async () => {
    cluster.emulator.faults.add({ operation: 'list pods', nth: 3, effect: { kind: 'status', status: 500 } });
    const { uses } = await readCluster(cluster.api);
    assert.match(uses.kind === 'unread' ? uses.reason : '', /the pods .* failed \(500\)/);
  });

  it('is asked again after a failure that passes, and signed in to again where the token has expired', async () => {
    const { emulator } = cluster;
    emulator.faults.add({ operation: 'list pods', count: 1, effect: { kind: 'status', status: 503 } });
    emulator.faults.add({ operation: 'list jobs', count: 1, effect: { kind: 'cut', when: 'mid-body' } });
    let signedIn = 0;
    const signIn = async () => bearer((signedIn += 1) === 1 ? 'expired' : emulator.token)();
    const { uses } = await readCluster(cluster.connect({ signIn }));
    assert.ok(uses.kind === 'whole', JSON.stringify(uses));
    assert.equal(countOf('list pods'), 4);
    assert.equal(countOf('list jobs'), 2);
    // One for each of the two lists that are read at a time, at the most.
    assert.ok(signedIn >= 2 && signedIn <= 3, `${signedIn}`);
  });

  it('is asked for smaller pages where large ones are too large, and unread where these are, too', async function () {
    this.timeout(60_000);
    const oversized: Effect = { kind: 'oversized', bytes: 65 * 1024 * 1024 };
    cluster.emulator.faults.add({ operation: 'list pods', count: 1, effect: oversized });
    await wholeWith(1200);
    assert.equal(countOf('list pods'), 1 + 1200 / 20);
    cluster.emulator.faults.add({ operation: 'list pods', effect: oversized });
    const { uses } = await readCluster(cluster.api);
    assert.match(uses.kind === 'unread' ? uses.reason : '', /larger than what is read/);
  });

  it('is unread where no answer comes in time', async () => {
    cluster.emulator.faults.add({ operation: 'list pods', effect: { kind: 'slow', ms: 1 } });
    const { uses } = await readCluster(cluster.connect({}, 500));
    assert.match(uses.kind === 'unread' ? uses.reason : '', /gave no whole answer within 500 ms/);
  });

  it('is unread to whoever has no sign-in, by the reason alone, and to whoever does not trust its certificate', async () => {
    const stranger = cluster.connect({ signIn: () => Promise.reject(new Error('its plugin failed')) });
    const { uses } = await readCluster(stranger);
    assert.match(uses.kind === 'unread' ? uses.reason : '', /there is no sign-in: its plugin failed$/);
    const { ca } = await createTls();
    const { releases } = await readCluster(cluster.connect({ ca }));
    assert.match(releases.kind === 'unread' ? releases.reason : '', /broke off \(\w*(CERT|SIGNATURE)\w*\)/);
    assert.equal(cluster.emulator.requests.entries.length, 0);
  });

  it('is unread where there is no way to it, and may report instead', async () => {
    const stopped = await openCluster();
    await stopped.close();
    const { uses } = await readCluster(stopped.api);
    assert.match(
      uses.kind === 'unread' ? uses.reason : '',
      /the API server cannot be reached from here \(ECONNREFUSED\); a cluster that .* can report what it runs instead$/,
    );
  });

  it('does not say the token, even where the server does', async () => {
    const { token, faults } = cluster.emulator;
    const json = { kind: 'Status', message: `who is ${token}?` };
    faults.add({ operation: 'list secrets', effect: { kind: 'status', status: 400, json } });
    const { releases } = await readCluster(cluster.api);
    assert.match(releases.kind === 'unread' ? releases.reason : '', /answered 400.*It said: who is \*\*\*\?$/);
  });

  it('is half read: what runs, where its Secrets may not be listed', async () => {
    const { access } = cluster.emulator;
    const rule = { apiGroups: ['', 'apps', 'batch'], verbs: ['list'] };
    const resources = 'pods podtemplates replicationcontrollers deployments replicasets statefulsets daemonsets';
    access.grant('half', 'half', [{ ...rule, resources: `${resources} controllerrevisions jobs cronjobs`.split(' ') }]);
    const { uses, releases } = await readCluster(cluster.connect({ signIn: bearer('half') }));
    assert.equal(uses.kind, 'whole');
    assert.match(
      releases.kind === 'unread' ? releases.reason : '',
      /^the secrets \(v1\) .*denied \(403\).*resources: \["secrets"\].*User "half" cannot list resource "secrets"/,
    );
  });
});
