import assert from 'node:assert/strict';
import { silentLog } from '../../../../core/base/log.ts';
import type { Estate, EstateRegistry } from '../../../../core/lifecycle/facts/estate.ts';
import { readUsage } from '../../../../core/lifecycle/facts/read-usage.ts';
import { usageReportType } from '../../../../core/lifecycle/facts/usage-report.ts';
import { planImages } from '../../../../core/lifecycle/keep-policy/keep-plan.ts';
import type { UsageFacts } from '../../../../core/lifecycle/keep-policy/policy-facts.ts';
import type { Credentials } from '../../../../core/oci/credentials.ts';
import { type AcrWorld, admin, startAcrWorld } from '../../oci/world.ts';
import { digestOf, factsOf, rulesOf, type Scenario } from '../keep-policy/policy-world.ts';
import { clusterOf, release, report, use } from './usage-world.ts';

const minute = 60_000;
const hour = 60 * minute;
const aks1 = 'image-lifecycle/usage/aks-1';
const aks2 = 'image-lifecycle/usage/aks-2';

/** Two images of builds that are gone, of which aks-1 runs `a`. */
const scenario: Scenario = {
  title: '',
  policy: 'keep: { deployed: true, helmRevisions: 0 }',
  builds: { 1: 'main 9d', 2: 'main 9d' },
  images: { 'ci/web a': { builds: [1] }, 'ci/web b': { builds: [2] } },
};
const running = clusterOf('aks-1', {
  read: async () => ({
    uses: { kind: 'whole', items: [{ image: `prod.example/web@${digestOf('a')}`, where: 'pod shop/web-1' }] },
    releases: { kind: 'whole', items: [] },
  }),
});
const idle = clusterOf('aks-2', {
  read: async () => ({
    uses: { kind: 'whole', items: [{ image: 'registry.k8s.io/pause:3.10', where: 'pod kube-system/pause' }] },
    releases: { kind: 'whole', items: [] },
  }),
});

describe('usage, read from reports', () => {
  let world: AcrWorld;
  before(async () => {
    world = await startAcrWorld({
      identities: [
        {
          name: 'admin',
          password: 'admin-password',
          rights: [
            { repository: '*', actions: ['pull', 'push', 'delete', 'metadata_read', 'metadata_write', 'catalog'] },
          ],
        },
        { name: 'blind', password: 'blind-password', rights: [{ repository: 'image-lifecycle/*', actions: ['pull'] }] },
        {
          name: 'lister',
          password: 'lister-password',
          rights: [{ repository: 'team/*', actions: ['pull', 'catalog'] }],
        },
      ],
    });
  });
  after(() => world.close());
  beforeEach(async () => {
    await report(world.connect(), running);
    await report(world.connect(), idle);
  });
  afterEach(() => {
    world.acr.faults.clear();
    for (const name of world.acr.world.repositories()) world.acr.world.deleteRepository(name);
  });

  function registryOf(more: Partial<EstateRegistry> = {}, credentials: Credentials = admin): EstateRegistry {
    return { name: 'prod', registry: world.connect(credentials), repositories: ['*'], reportsUsage: true, ...more };
  }
  function read(registries: readonly EstateRegistry[], clusters: Estate['clusters'] = []): Promise<UsageFacts[]> {
    return readUsage({ registries, organizations: [], clusters, clock: world.clock, log: silentLog });
  }
  /** What goes, and what was not read, at a time after now. */
  function plan(usage: readonly UsageFacts[], afterMs = 0, maxAge = 24 * hour) {
    const facts = { ...factsOf(scenario), now: world.acr.clock.now() + afterMs, usage };
    const { images, unread } = planImages({ ...rulesOf(scenario), usage: [{ name: 'prod', maxAge }] }, facts);
    const gone = new Set(images.filter(each => each.decision === 'delete').map(each => each.digest));
    const going = ['a', 'b'].filter(name => gone.has(digestOf(name)));
    return { going, unread, images };
  }
  async function why(from: EstateRegistry = registryOf()): Promise<string> {
    const usage = await read([from]);
    const { going, unread } = plan(usage);
    assert.deepEqual(going, [], 'something would go');
    assert.ok(unread.length > 0);
    return unread.join('\n');
  }

  it('lets go what no cluster runs, and keeps what one runs, by the name of its report', async () => {
    const usage = await read([registryOf()]);
    assert.deepEqual(
      usage.map(({ name, label, uses, releases }) => [name, label, uses.kind, releases.kind]),
      [
        ['prod', 'prod/aks-1', 'whole', 'whole'],
        ['prod', 'prod/aks-2', 'whole', 'whole'],
      ],
    );
    const { going, unread, images } = plan(usage);
    assert.deepEqual([going, unread], [['b'], []]);
    const kept = images.find(each => each.digest === digestOf('a'));
    assert.deepEqual(kept?.reasons, ['it is used by pod shop/web-1 (prod/aks-1)']);
  });

  it('is asked of registries that clusters report into alone, and of the clusters that are asked directly', async () => {
    world.acr.requests.clear();
    const whole = { ...(await running.read()), takenAt: 7 };
    const clusters: Estate['clusters'] = [
      { name: 'direct', read: async () => whole },
      { name: 'broken', read: () => Promise.reject(new Error('no route to host.')) },
    ];
    const usage = await read([registryOf({ reportsUsage: false })], clusters);
    const unread = { kind: 'unread', reason: 'no route to host' } as const;
    assert.deepEqual(usage, [
      { name: 'direct', ...whole },
      { name: 'broken', takenAt: undefined, uses: unread, releases: unread },
    ]);
    assert.equal(world.acr.requests.count(), 0);
  });

  it('reads a small report by one request, and a large one by two, beside the catalog', async () => {
    const items = Array.from({ length: 2000 }, (_, at) => ({ ...use, where: `pod shop/web-${at}` }));
    const large = { uses: { kind: 'whole', items }, releases: { kind: 'whole', items: [release] } } as const;
    await report(world.connect(), clusterOf('aks-2', { read: async () => large }));
    world.acr.requests.clear();
    const usage = await read([registryOf()]);
    assert.deepEqual([usage[1]?.uses, usage[1]?.releases], [large.uses, large.releases]);
    const count = (operation: string) => world.acr.requests.all().filter(each => each.path.includes(operation)).length;
    // The catalog asks for a sign-in first, and then for what lies behind the folder; a blob is fetched from another host.
    assert.deepEqual([count('_catalog'), count('/manifests/'), count('/blobs/')], [3, 2, 2]);
  });

  it('counts one that is as old as it may be, and no older one, and none of a time to come', async () => {
    const usage = await read([registryOf()]);
    const age = world.acr.clock.now() - (usage[0]?.takenAt ?? 0);
    assert.deepEqual(plan(usage, 24 * hour - age - minute).going, ['b']);
    const late = plan(usage, 24 * hour + minute);
    assert.deepEqual(late.going, []);
    assert.match(late.unread.join('\n'), /^what prod\/aks-1 runs was not read: its report is of \S+, and too old$/m);
    world.acr.clock.advance(-2 * hour);
    const early = plan(await read([registryOf()]));
    world.acr.clock.advance(2 * hour);
    assert.deepEqual(early.going, []);
    assert.match(early.unread.join('\n'), /what prod\/aks-2 runs was not read: its report is of \S+, which is to come/);
  });

  it('is as old as its own registry says, however slow the clock of another is', async () => {
    world.acr.clock.advance(24 * hour + 30 * minute);
    const usage = await read([registryOf()]);
    const { going, unread } = plan(usage, -55 * minute);
    assert.deepEqual(going, []);
    assert.match(unread.join('\n'), /^what prod\/aks-1 runs was not read: its report is of \S+, and too old$/m);
  });

  it('of a cluster that ceased to report keeps everything, however fresh the others are, until its report is deleted', async () => {
    world.acr.clock.advance(25 * hour);
    await report(world.connect(), running);
    assert.match(await why(), /^what prod\/aks-2 runs was not read: its report is of \S+, and too old$/);
    world.acr.world.deleteRepository(aks2);
    assert.deepEqual(plan(await read([registryOf()])).going, ['b']);
  });

  it('names what is to be set up where no cluster reports', async () => {
    for (const name of [aks1, aks2]) world.acr.world.deleteRepository(name);
    assert.match(
      await why(),
      /^what prod runs was not read: \S+ has no report under image-lifecycle\/usage\/; set up/m,
    );
  });

  it('misses a cluster that must report, also where the catalog does not show it', async () => {
    world.acr.faults.add({ path: /_catalog/ }, { kind: 'hide', names: [aks1] });
    assert.deepEqual(plan(await read([registryOf()])).going, ['a', 'b'], 'nobody can know of it');
    const named = await read([registryOf({ usageClusters: ['aks-1'] })]);
    assert.deepEqual(plan(named).going, ['b']);
    const missing = await why(registryOf({ usageClusters: ['aks-3'] }));
    assert.match(
      missing,
      /what prod\/aks-3 runs was not read: there is no report at \S+\/image-lifecycle\/usage\/aks-3:latest/,
    );
  });

  it('is found where the whole catalog is cut before it', async () => {
    for (let at = 0; at < 1001; at += 1) world.acr.world.putImage(`app-${at}`);
    world.acr.faults.add({ path: /_catalog/ }, { kind: 'truncated' });
    const usage = await read([registryOf()]);
    assert.deepEqual(
      usage.map(({ label, uses }) => [label, uses.kind]),
      [
        ['prod/aks-1', 'whole'],
        ['prod/aks-2', 'whole'],
      ],
    );
  });

  it('is unread where a catalog cannot be begun behind a name', async () => {
    world.acr.world.putImage('app');
    world.acr.faults.add({ path: /_catalog/ }, { kind: 'repeated' });
    assert.match(
      await why(),
      /^what prod runs was not read: .* was to go on behind image-lifecycle\/usage, .* names app /m,
    );
  });

  it('is unread where the cluster does not report its Helm releases', async () => {
    await report(world.connect(), { ...running, reportsReleases: false });
    assert.match(await why(), /^the Helm releases of prod\/aks-1 were not read: it reports with --no-helm/);
  });

  it('reads the newer report where it takes the place of the earlier one in that moment', async () => {
    const items = Array.from({ length: 2000 }, (_, at) => ({ ...use, where: `pod shop/web-${at}` }));
    const large = { uses: { kind: 'whole', items }, releases: { kind: 'whole', items: [] } } as const;
    const busy = clusterOf('aks-2', { read: async () => large });
    await report(world.connect(), busy);
    let moved = 0;
    const reader = registryOf({ usageClusters: ['aks-2'] });
    world.acr.faults.intercept = async (request, phase) => {
      if (moved === 0 && phase === 'after' && request.path === `/v2/${aks2}/manifests/latest`) {
        moved = 1;
        world.acr.clock.advance(15 * minute);
        await report(world.connect(), idle);
        moved = 2;
      }
      return 'proceed' as const;
    };
    const usage = await read([reader]);
    assert.equal(moved, 2);
    assert.deepEqual(usage.find(each => each.label === 'prod/aks-2')?.uses, (await idle.read()).uses);
  });

  const blind: Credentials = { kind: 'password', username: 'blind', password: 'blind-password' };
  const lister: Credentials = { kind: 'password', username: 'lister', password: 'lister-password' };
  it('is unread where the catalog or a report may not be read, and says which right is missing', async () => {
    assert.match(
      await why(registryOf({}, blind)),
      /what prod runs was not read: which clusters report .*registry:catalog:\*"\. Give the identity AcrPull, or with ABAC/,
    );
    assert.match(
      await why(registryOf({}, lister)),
      /what prod\/aks-1 runs was not read: .*image-lifecycle\/usage\/aks-1/,
    );
  });

  const wrecks: readonly (readonly [title: string, reason: RegExp, wreck: () => unknown])[] = [
    [
      'the catalog is not there',
      /answered 404/,
      () => world.acr.faults.add({ path: /_catalog/ }, { kind: 'status', status: 404 }),
    ],
    [
      'the catalog fails',
      /status 503/,
      () => world.acr.faults.add({ path: /_catalog/ }, { kind: 'status', status: 503 }),
    ],
    [
      'the catalog breaks off',
      /_catalog failed/,
      () => world.acr.faults.add({ path: /_catalog/ }, { kind: 'cut', when: 'body' }),
    ],
    [
      'a report is refused',
      /status 500/,
      () => world.acr.faults.add({ repository: aks1 }, { kind: 'status', status: 500 }),
    ],
    ['a report breaks off', /failed/, () => world.acr.faults.add({ repository: aks1 }, { kind: 'cut', when: 'body' })],
    ['one byte of it is another', /digest/, () => world.acr.faults.add({ repository: aks1 }, { kind: 'corrupt' })],
    [
      'a proxy says that it is not there',
      /there is no report/,
      () => world.acr.faults.add({ repository: aks1 }, { kind: 'status', status: 404 }),
    ],
    ['its tag is gone', /there is no report/, () => world.acr.world.untag(aks1, 'latest')],
    [
      'an image lies there',
      /is not an artifact of the type/,
      () => world.acr.world.putImage(aks1, { tags: ['latest'] }),
    ],
    ['another artifact lies there', /is not an artifact of the type/, () => put('{}', 'application/x')],
    ['it is no JSON', /is not JSON/, () => put('{"schema":1')],
    [
      'it is of a later version',
      /is no usage report that this version can read: schema/,
      () => put(content({ schema: 2 })),
    ],
    ['it says more than we know', /no usage report/, () => put(content({ more: true }))],
    ['it says of no time', /no usage report.*takenAt/, () => put(content({ takenAt: 'yesterday' }))],
    ['it has no uses', /no usage report.*uses/, () => put(content({ uses: undefined }))],
    [
      'one of its uses is none',
      /no usage report.*uses\.0/,
      () => put(content({ uses: [{ where: 'pod shop/web-1' }] })),
    ],
    [
      'nothing runs at all',
      /what prod\/aks-1 runs was not read: it says that it runs nothing/,
      () => put(content({ uses: [] })),
    ],
    ['nothing is said of Helm', /no usage report.*releases/, () => put(content({ releases: undefined }))],
    ['it is of another cluster', /is the report of "aks-9"/, () => put(content({ cluster: 'aks-9' }))],
    [
      'it is larger than one may be',
      /answered more than 16777216 bytes/,
      () => put(content({ tool: 'x'.repeat(17 * 1024 * 1024) })),
    ],
  ];
  function content(changes: object): string {
    const takenAt = new Date(world.acr.clock.now()).toISOString();
    return JSON.stringify({
      schema: 1,
      cluster: 'aks-1',
      clusterId: 'x',
      takenAt,
      tool: '1',
      uses: [{ image: 'registry.k8s.io/pause:3.10', where: 'pod kube-system/pause' }],
      releases: [],
      ...changes,
    });
  }
  function put(text: string, artifactType = usageReportType): unknown {
    const { world: seeds } = world.acr;
    const layer = { mediaType: artifactType, digest: seeds.putBlob(aks1, text), size: Buffer.byteLength(text) };
    const config = { mediaType: 'application/vnd.oci.empty.v1+json', digest: seeds.putBlob(aks1, '{}'), size: 2 };
    const mediaType = 'application/vnd.oci.image.manifest.v1+json';
    return seeds.putManifest(
      aks1,
      { schemaVersion: 2, mediaType, artifactType, config, layers: [layer] },
      { tags: ['latest'] },
    );
  }
  for (const [title, reason, wreck] of wrecks) {
    it(`is unread and keeps everything where ${title}`, async () => {
      wreck();
      assert.match(await why(), reason);
    });
  }

  it('reads what a test writes, so that the damaged ones above are damaged in one place alone', async () => {
    put(content({}));
    assert.deepEqual(plan(await read([registryOf()])).going, ['a', 'b']);
  });
});
