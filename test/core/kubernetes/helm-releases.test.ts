/** Helm's releases, stored by Helm's own code: three helms install, upgrade and roll back against the emulator. */
import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ClusterUsage, readCluster } from '../../../core/kubernetes/read-cluster.ts';
import { writeChart } from '../../support/charts.ts';
import { type Helm, helms, runHelm } from '../../support/helm.ts';
import { type Cluster, coredns, openCluster } from './cluster.ts';
import { planCluster } from './planned.ts';

const podOf = (image: string): string =>
  `spec: { template: { metadata: { labels: { app: a } }, spec: { restartPolicy: Never, containers: [{ name: a, image: "ci.example/${image}:{{ .Values.tag }}" }] } }`;
const chart = {
  'Chart.yaml': 'apiVersion: v2\nname: web\nversion: 1.0.0\n',
  'values.yaml': 'tag: "1"\n',
  'templates/web.yaml': `apiVersion: apps/v1\nkind: Deployment\nmetadata: { name: "{{ .Release.Name }}" }\n${podOf('web')}, selector: { matchLabels: { app: a } } }\n`,
  'templates/undo.yaml': `apiVersion: batch/v1\nkind: Job\nmetadata: { name: undo, annotations: { helm.sh/hook: post-rollback } }\n${podOf('undo')} }\n`,
};
const all = [1, 2, 3, 4, 5].flatMap(each => [`web:${each}`, `undo:${each}`]);
const of = (tag: number, revision: number, status: string) => ({
  revision,
  status,
  images: [`ci.example/undo:${tag}`, `ci.example/web:${tag}`],
});
const imagesOf = (...tags: number[]): string[] => [
  ...tags.map(each => `undo:${each}`),
  ...tags.map(each => `web:${each}`),
];

function releasesOf({ releases }: ClusterUsage) {
  assert.ok(releases.kind === 'whole', JSON.stringify(releases));
  return releases.items;
}

function usedBy({ uses }: ClusterUsage) {
  assert.ok(uses.kind === 'whole', JSON.stringify(uses));
  return uses.items.map(each => each.image);
}

describe('Helm releases that helm wrote', () => {
  let cluster: Cluster;
  let folder: string;
  beforeEach(async () => {
    cluster = await openCluster();
    cluster.emulator.add('pods', coredns);
    folder = await mkdtemp(join(tmpdir(), 'image-lifecycle-helm-'));
    await writeChart(join(folder, 'web'), chart);
    await writeFile(join(folder, 'kubeconfig'), cluster.emulator.kubeconfig(), { mode: 0o600 });
  });
  afterEach(async () => {
    await cluster.close();
    await rm(folder, { recursive: true });
  });

  const run = (helm: Helm, line: string, more: Readonly<Record<string, string>> = {}): Promise<string> =>
    runHelm(helm, line.split(' '), folder, { KUBECONFIG: join(folder, 'kubeconfig'), ...more });
  const upgrade = (helm: Helm, tag: number, more: Readonly<Record<string, string>> = {}): Promise<string> =>
    run(helm, `upgrade --install web web --set-string tag=${tag} --disable-openapi-validation`, more);
  for (const helm of helms) {
    it(`are read as helm ${helm.version} stores them, and a plan keeps exactly what a rollback could start`, async () => {
      for (const tag of [1, 2, 3, 4]) await upgrade(helm, tag);
      await run(helm, 'rollback web 2 --no-hooks');
      const read = await readCluster(cluster.api);
      const superseded = [1, 2, 3, 4].map(each => of(each, each, 'superseded'));
      assert.deepEqual(releasesOf(read), [
        { namespace: 'default', name: 'web', oldestInUse: 5, revisions: [...superseded, of(2, 5, 'deployed')] },
      ]);

      // The deployment runs 2, as the rollback made it.
      assert.deepEqual(usedBy(read), ['ci.example/web:2', 'registry.k8s.io/coredns:1']);
      const keeps = (helmRevisions: number): string[] => planCluster(read, { images: all, helmRevisions }).kept;
      assert.deepEqual(keeps(0), imagesOf(2));
      assert.deepEqual(keeps(1), imagesOf(2, 4));
      assert.deepEqual(keeps(2), imagesOf(2, 3, 4));
      assert.deepEqual(keeps(-1), imagesOf(1, 2, 3, 4));
      assert.deepEqual(planCluster(read, { images: all, helmRevisions: 1 }).gone, imagesOf(1, 3, 5));
    });
  }

  const [first, ...newer] = helms as [Helm, ...Helm[]];
  const last = newer.at(-1) ?? first;

  it('are read from ConfigMaps, too, and a release that moved has both of its histories', async () => {
    await upgrade(first, 1, { HELM_DRIVER: 'configmap' });
    await upgrade(first, 2);
    assert.deepEqual(releasesOf(await readCluster(cluster.api)), [
      { namespace: 'default', name: 'web', oldestInUse: 1, revisions: [of(2, 1, 'deployed')] },
      { namespace: 'default', name: 'web', oldestInUse: 1, revisions: [of(1, 1, 'deployed')] },
    ]);
  });

  it('of which the newest failed keep what is deployed, and what failed, for parts of it may run', async () => {
    await upgrade(last, 1);
    await upgrade(last, 2);
    cluster.emulator.faults.add({ operation: 'patch deployments', effect: { kind: 'status', status: 403, json: {} } });
    await assert.rejects(upgrade(last, 3));
    const read = await readCluster(cluster.api);
    const [release] = releasesOf(read);
    assert.deepEqual(release, {
      namespace: 'default',
      name: 'web',
      oldestInUse: 2,
      revisions: [of(1, 1, 'superseded'), of(2, 2, 'deployed'), of(3, 3, 'failed')],
    });
    assert.deepEqual(planCluster(read, { images: all, helmRevisions: 0 }).kept, imagesOf(2, 3));
  });

  it('that were uninstalled with their history kept could come back whole', async () => {
    for (const tag of [1, 2, 3]) await upgrade(last, tag);
    await run(last, 'uninstall web --keep-history --no-hooks');
    const read = await readCluster(cluster.api);
    const [release] = releasesOf(read);
    assert.deepEqual(release?.oldestInUse, undefined);
    assert.deepEqual(release?.revisions.at(-1), of(3, 3, 'uninstalled'));
    assert.deepEqual(planCluster(read, { images: all, helmRevisions: 0 }).kept, imagesOf(1, 2, 3));
  });

  it('that were uninstalled keep nothing', async () => {
    await upgrade(last, 1);
    await run(last, 'uninstall web --no-hooks');
    const read = await readCluster(cluster.api);
    assert.deepEqual(releasesOf(read), []);
    assert.deepEqual(usedBy(read), ['registry.k8s.io/coredns:1']);
    assert.deepEqual(planCluster(read, { images: all, helmRevisions: -1 }).gone, imagesOf(1, 2, 3, 4, 5));
  });

  it('are unread with one that is damaged, and then nothing goes at all', async () => {
    for (const tag of [1, 2]) await upgrade(last, tag);
    const { world } = cluster.emulator;
    const place = { kind: world.kindOf('secrets'), namespace: 'default', name: 'sh.helm.release.v1.web.v1' };
    const { data, ...rest } = world.get(place) as unknown as { data: { release: string }; metadata: { name: string } };
    const half = Buffer.from(data.release, 'base64').toString().slice(0, 800);
    world.replace(place, { ...rest, data: { release: Buffer.from(half).toString('base64') } });
    const read = await readCluster(cluster.api);
    assert.match(
      read.releases.kind === 'unread' ? read.releases.reason : '',
      /^the secrets .*the Helm revision default\/sh\.helm\.release\.v1\.web\.v1 cannot be read: .*If not, delete that revision$/,
    );
    assert.equal(read.uses.kind, 'whole');
    const planned = planCluster(read, { images: all, helmRevisions: 0 });
    assert.deepEqual(planned.gone, []);
    assert.match(planned.unread.join(), /^the Helm releases of prod were not read: the secrets/);
  });
});
