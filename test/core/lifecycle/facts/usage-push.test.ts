import assert from 'node:assert/strict';
import type { HelmReleaseFact, UseFact } from '../../../../core/kubernetes/usage.ts';
import { readUsageReport } from '../../../../core/lifecycle/facts/read-usage.ts';
import { usageReportType } from '../../../../core/lifecycle/facts/usage-report.ts';
import { openRegistry } from '../../../../core/oci/registry.ts';
import { account, type DockerRegistry, startDockerRegistry } from '../../../support/docker-registry.ts';
import { inspectDigest, skopeo } from '../../../support/skopeo.ts';
import { type AcrWorld, admin, createClient, fails, startAcrWorld } from '../../oci/world.ts';
import { clusterOf, digest, release, report, reporterOf, use } from './usage-world.ts';

const repository = 'image-lifecycle/usage/aks-1';
const minute = 60_000;

/** As somebody of the registry. */
const signIn = (name: string) => ({ kind: 'password', username: name, password: `${name}-password` }) as const;

/** So many containers, and releases of ten revisions each, as long as such names get. */
function largeCluster(containers: number, releases: number) {
  const uses = Array.from({ length: containers }, (_, at): UseFact => {
    const image = `contosoprod.azurecr.io/payments/services/service-${at % 500}`;
    const where = `pod payments-production-${at % 40}/service-${at}-6d4cf56db6-x7k2p, container service-${at}`;
    return { image: `${image}@${digest}`, imageId: `${image}@${digest}`, where };
  });
  const stored = Array.from({ length: releases }, (_, at): HelmReleaseFact => {
    const images = Array.from(
      { length: 5 },
      (_, which) => `contosoprod.azurecr.io/payments/service-${which}@${digest}`,
    );
    const revisions = Array.from({ length: 10 }, (_, revision) => ({
      revision: revision + 1,
      status: 'superseded',
      images,
    }));
    return { namespace: 'payments', name: `service-${at}`, oldestInUse: 10, revisions };
  });
  return clusterOf('aks-1', {
    read: async () => ({ uses: { kind: 'whole', items: uses }, releases: { kind: 'whole', items: stored } }),
  });
}

describe('a usage report, pushed to Azure Container Registry', () => {
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
        reporterOf('aks-1', 'pull', 'push'),
        reporterOf('aks-2', 'pull', 'push', 'delete', 'metadata_read'),
      ],
    });
  });
  after(() => world.close());
  afterEach(() => {
    world.acr.faults.clear();
    for (const name of world.acr.world.repositories()) world.acr.world.deleteRepository(name);
  });
  const writes = () =>
    ['PUT', 'POST', 'PATCH', 'DELETE'].flatMap(method =>
      world.acr.requests.all({ method }).filter(each => !each.path.startsWith('/oauth2/')),
    );

  it("reads back as what the cluster runs, of the time before it was looked at, by the registry's clock", async () => {
    world.acr.clock.advance(minute);
    const before = Math.floor(world.acr.clock.now() / 1000) * 1000;
    let looked = 0;
    const read = async () => {
      looked = world.acr.clock.now();
      world.acr.clock.advance(10 * minute);
      return clusterOf('aks-1').read();
    };
    const ahead = () => world.acr.clock.now() + 30 * minute;
    const pushed = await report(world.connect(), clusterOf('aks-1', { read }), ahead);
    const found = await readUsageReport(world.connect(), 'aks-1');
    assert.deepEqual(found, pushed.report);
    assert.deepEqual(found?.uses, [use, { image: 'contoso.azurecr.io/api:1', where: 'deployment shop/api' }]);
    assert.deepEqual(found?.releases, [release]);
    assert.ok(
      found.takenAt >= before && found.takenAt <= looked,
      `${found.takenAt} is not from ${before} to ${looked}`,
    );
    assert.deepEqual([found.cluster, found.clusterId, found.tool], ['aks-1', 'uid of aks-1', '1.2.3']);
    assert.deepEqual(world.acr.world.repositories(), [repository]);
    assert.equal(world.acr.world.manifest(repository, 'latest')?.document.artifactType, usageReportType);
  });

  it('is one tag however often it is pushed: the earlier one goes, where the right to delete is there', async () => {
    const registry = world.connect(signIn('aks-2'));
    const first = await report(registry, clusterOf('aks-2'));
    world.acr.clock.advance(15 * minute);
    const second = await report(registry, clusterOf('aks-2'));
    assert.notEqual(second.reference, first.reference);
    const [, left] = second.reference.split('@');
    assert.deepEqual(world.acr.world.manifests('image-lifecycle/usage/aks-2'), [left]);
    assert.deepEqual(world.acr.world.tags('image-lifecycle/usage/aks-2'), { latest: left });
  });

  it('is pushed also where the right to delete is missing, and what stays is named', async () => {
    const registry = world.connect(signIn('aks-1'));
    const first = await report(registry, clusterOf('aks-1'));
    world.acr.clock.advance(15 * minute);
    const second = await report(registry, clusterOf('aks-1'));
    assert.equal(world.acr.world.manifests(repository).length, 2);
    assert.equal(`${world.acr.host}/${repository}@${world.acr.world.digest(repository, 'latest')}`, second.reference);
    assert.match(second.said.join('\n'), new RegExp(`The earlier report ${first.reference} stays: .*no permission`));
  });

  it('leaves an earlier one alone that somebody gave a tag', async () => {
    const registry = world.connect();
    const { reference } = await report(registry, clusterOf('aks-1'));
    const [, earlier = ''] = reference.split('@');
    world.acr.world.tag(repository, 'of-the-incident', earlier);
    world.acr.clock.advance(15 * minute);
    const { said } = await report(registry, clusterOf('aks-1'));
    assert.equal(world.acr.world.digest(repository, 'of-the-incident'), earlier);
    assert.match(said.join('\n'), /stays: the tag "of-the-incident" is on it/);
  });

  for (const part of ['uses', 'releases'] as const) {
    it(`is not pushed where ${part} were not read, and the earlier one stays as it was`, async () => {
      const registry = world.connect();
      await report(registry, clusterOf('aks-1'));
      const before = world.acr.world.snapshot();
      world.acr.requests.clear();
      const whole = await clusterOf('aks-1').read();
      const unread = { kind: 'unread', reason: 'the pods of https://10.0.0.1: denied (403)' } as const;
      const cluster = clusterOf('aks-1', { read: async () => ({ ...whole, [part]: unread }) });
      const { message } = await fails(report(registry, cluster), 'CLUSTER_UNREAD');
      assert.match(message, /aks-1 .*was not read whole, so nothing was reported: the pods of .* denied \(403\)\.$/);
      assert.deepEqual(world.acr.world.snapshot(), before);
      assert.deepEqual(writes(), []);
    });
  }

  it('is not pushed where the cluster runs nothing at all, not even what makes it one', async () => {
    const nothing = { kind: 'whole', items: [] } as const;
    const cluster = clusterOf('aks-1', { read: async () => ({ uses: nothing, releases: nothing }) });
    assert.match((await fails(report(world.connect(), cluster), 'CLUSTER_UNREAD')).message, /runs nothing at all/);
    assert.deepEqual(world.acr.world.repositories(), []);
  });

  it('says nothing of Helm where it is not to, whatever was read of it', async () => {
    await report(world.connect(), clusterOf('aks-1', { reportsReleases: false }));
    assert.equal((await readUsageReport(world.connect(), 'aks-1'))?.releases, undefined);
  });

  it("never takes the place of another cluster's", async () => {
    const registry = world.connect();
    await report(registry, clusterOf('aks-1'));
    const before = world.acr.world.snapshot();
    const other = clusterOf('aks-1', { readId: async () => 'uid of a copy' });
    const { message } = await fails(report(registry, other), 'INPUT_INVALID');
    assert.match(message, /is uid of aks-1, here it is uid of a copy\)\. Give each cluster a name of its own/);
    assert.deepEqual(world.acr.world.snapshot(), before);
  });

  it('never takes the place of one that nobody can read: it may be that of another cluster, of a later version', async () => {
    const { acr } = world;
    acr.world.putArtifact(repository, { artifactType: usageReportType, content: '{"schema":2}', tags: ['latest'] });
    const before = acr.world.snapshot();
    const { message } = await fails(report(world.connect(), clusterOf('aks-1')), 'RECORD_UNREADABLE');
    const digest = acr.world.digest(repository, 'latest');
    assert.match(message, /is no usage report that this version can read: .* Nobody can say whose it is/);
    assert.ok(message.includes(`where it is this cluster's, delete ${world.acr.host}/${repository}@${digest} first.`));
    assert.deepEqual(acr.world.snapshot(), before);
    acr.world.deleteRepository(repository);
    await report(world.connect(), clusterOf('aks-1'));
    assert.deepEqual((await readUsageReport(world.connect(), 'aks-1'))?.releases, [release]);
  });

  /** Something happens while the cluster is looked at. */
  const meanwhile = (happen: () => Promise<unknown>) =>
    clusterOf('aks-1', {
      read: async () => {
        world.acr.clock.advance(10 * minute);
        await happen();
        return clusterOf('aks-1').read();
      },
    });

  it("never takes the place of another cluster's that was the first to report meanwhile", async () => {
    const registry = world.connect();
    const other = clusterOf('aks-1', { readId: async () => 'uid of a copy' });
    const slow = meanwhile(() => report(world.connect(), other));
    assert.match(
      (await fails(report(registry, slow), 'INPUT_INVALID')).message,
      /of another cluster \(.* is uid of a copy/,
    );
    assert.equal((await readUsageReport(registry, 'aks-1'))?.clusterId, 'uid of a copy');
  });

  it('never takes the place of a later look at the same cluster', async () => {
    const registry = world.connect();
    const later: number[] = [];
    const slow = meanwhile(async () => {
      // The clock is that of an answer, so one has to come.
      await readUsageReport(registry, 'aks-1');
      later.push((await report(registry, clusterOf('aks-1'))).report.takenAt);
    });
    const { message } = await fails(report(registry, slow), 'CLUSTER_UNREAD');
    assert.match(message, /holds a report of \S+, and this look began at \S+, before it\. Nothing was reported/);
    assert.deepEqual([(await readUsageReport(registry, 'aks-1'))?.takenAt], later);
    assert.equal(world.acr.world.manifests(repository).length, 1);
  });

  it('takes the place of one of a time to come, which says nothing of when it was', async () => {
    const registry = world.connect();
    await report(registry, clusterOf('aks-1'));
    world.acr.clock.advance(-3 * 60 * minute);
    const { report: pushed } = await report(world.connect(), clusterOf('aks-1'));
    world.acr.clock.advance(3 * 60 * minute);
    assert.equal((await readUsageReport(registry, 'aks-1'))?.takenAt, pushed.takenAt);
    assert.equal(world.acr.world.manifests(repository).length, 1);
  });

  it('is not pushed where the earlier one was not read for a reason that may pass', async () => {
    const registry = world.connect();
    await report(registry, clusterOf('aks-1'));
    const before = world.acr.world.snapshot();
    world.acr.faults.add({ repository, method: 'GET' }, { kind: 'status', status: 503 });
    await fails(report(registry, clusterOf('aks-1')), 'REGISTRY_UNAVAILABLE');
    assert.deepEqual(world.acr.world.snapshot(), before);
  });

  it('is not pushed where the registry and the cluster do not agree on the time, or the registry tells none', async () => {
    const registry = world.connect();
    const early = () => world.acr.clock.now() - 61 * minute;
    assert.match(
      (await fails(report(registry, clusterOf('aks-1'), early), 'REGISTRY_UNEXPECTED')).message,
      /one of them is wrong/,
    );
    const silent = { ...registry, time: () => undefined };
    assert.match((await fails(report(silent, clusterOf('aks-1')), 'REGISTRY_UNEXPECTED')).message, /sends no Date/);
    assert.deepEqual(world.acr.world.repositories(), []);
  });

  it('holds nothing but what it is for, whatever the reader gives beside it', async () => {
    const secret = 'canary';
    const items = [{ ...use, env: secret, labels: { secret } }];
    const revisions = [{ revision: 1, status: 'deployed', images: [], values: secret }];
    const releases = [{ ...release, chart: secret, revisions }];
    const read = async () =>
      ({ uses: { kind: 'whole', items }, releases: { kind: 'whole', items: releases } }) as const;
    await report(world.connect(), clusterOf('aks-1', { read }));
    const { blobs } = world.acr.world;
    const stored = blobs.digests().map(each => String(blobs.read(each)));
    assert.ok(stored.some(each => each.includes('pod shop/web-1')));
    assert.deepEqual(
      stored.filter(each => each.includes(secret)),
      [],
    );
  });

  it('holds 5,000 containers and 2,000 revisions of Helm in less than half of what it may have', async () => {
    const { report: pushed } = await report(world.connect(), largeCluster(5000, 200));
    const found = await readUsageReport(world.connect(), 'aks-1');
    assert.equal(found?.uses.length, 5000);
    assert.deepEqual(found, pushed);
    const [layer] = world.acr.world.manifest(repository, 'latest')?.document.layers ?? [];
    const { size = 0 } = layer ?? {};
    assert.ok(size > 1024 * 1024 && size < 8 * 1024 * 1024, `it has ${size} bytes`);
  });

  it('is never cut: one that is too large is not pushed', async () => {
    const { message } = await fails(report(world.connect(), largeCluster(60_000, 0)), 'TOO_LARGE');
    assert.match(message, /a report of \d+ bytes, and 16777216 are the most/);
    assert.deepEqual(world.acr.world.repositories(), []);
  });

  it("needs no right on anything but its own repository, and may not write another one's", async () => {
    await report(world.connect(signIn('aks-1')), clusterOf('aks-1'));
    await fails(report(world.connect(signIn('aks-1')), clusterOf('aks-2')), 'REGISTRY_DENIED');
    assert.deepEqual(world.acr.world.repositories(), [repository]);
  });

  it('reads by skopeo as the digest that was told', async () => {
    const { reference } = await report(world.connect(), clusterOf('aks-1'));
    const target = {
      host: world.acr.host,
      username: admin.kind === 'password' ? admin.username : '',
      password: 'admin-password',
    };
    assert.equal(`${world.acr.host}/${repository}@${await inspectDigest(target, `${repository}:latest`)}`, reference);
  });
});

describe('a usage report, pushed to a docker-registry', () => {
  let registry: DockerRegistry;
  before(async () => {
    registry = await startDockerRegistry({ password: true });
  });
  after(() => registry.stop());

  it('reads by skopeo as the digest that was told, and each newer one takes its place', async () => {
    const { http } = createClient();
    const opened = openRegistry({
      address: `http://${registry.host}`,
      credentials: { kind: 'password', ...account },
      http,
    });
    const first = await report(opened, clusterOf('aks-1'));
    assert.equal(
      `${registry.host}/${repository}@${await inspectDigest(registry, `${repository}:latest`)}`,
      first.reference,
    );
    const second = await report(opened, largeCluster(1000, 10));
    assert.equal(
      `${registry.host}/${repository}@${await inspectDigest(registry, `${repository}:latest`)}`,
      second.reference,
    );
    assert.deepEqual(await readUsageReport(opened, 'aks-1'), second.report);
    const credentials = `${account.username}:${account.password}`;
    const flags = ['--raw', '--tls-verify=false', '--creds', credentials];
    const raw = JSON.parse(
      await skopeo('inspect', ...flags, `docker://${registry.host}/${repository}:latest`),
    ) as object;
    assert.equal((raw as { artifactType?: string }).artifactType, usageReportType);
    await http.close();
  });
});
