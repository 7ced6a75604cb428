/** What keeps an image, object by object, as docs/keep-policies.md has it: a plan with that object, and one without it. */
import assert from 'node:assert/strict';
import { readCluster } from '../../../core/kubernetes/read-cluster.ts';
import { type Cluster, coredns, openCluster, podOf, templateOf } from './cluster.ts';
import { planCluster } from './planned.ts';

const images = ['web:1', 'web:2', 'api:1'];
const image = 'ci.example/web:1';
const digest = `sha256:${'a'.repeat(64)}`;
const id = `sha256:${'b'.repeat(64)}`;
const container = (own: string): object => ({ name: 'main', image: own });
const statusOf = (imageID: string, own = image): object => ({
  containerStatuses: [{ name: 'main', image: own, imageID }],
});
const job = templateOf('import', image, { completions: 1 });

/** What is put there, and what stays for it; `web:2` has the digest above. */
const table: readonly (readonly [title: string, resource: string, object: object, kept: readonly string[]])[] = [
  ['a pod that runs', 'pods', podOf('a', image), ['web:1']],
  ['a pod that failed', 'pods', { ...podOf('a', image), status: { phase: 'Failed' } }, ['web:1']],
  ['a pod that has succeeded', 'pods', { ...podOf('a', image), status: { phase: 'Succeeded' } }, ['web:1']],
  ['an init container', 'pods', podOf('a', 'x:1', { initContainers: [container(image)] }), ['web:1']],
  ['an ephemeral container', 'pods', podOf('a', 'x:1', { ephemeralContainers: [container(image)] }), ['web:1']],
  ['a mounted image', 'pods', podOf('a', 'x:1', { volumes: [{ name: 'v', image: { reference: image } }] }), ['web:1']],
  ['a volume that is no image', 'pods', podOf('a', 'x:1', { volumes: [{ name: 'v', emptyDir: {} }] }), []],
  [
    'the digest that the node says it runs, where the tag has moved on',
    'pods',
    { ...podOf('a', image), status: statusOf(`ci.example/web@${digest}`) },
    ['web:1', 'web:2'],
  ],
  [
    'whatever an id alone may be',
    'pods',
    { ...podOf('a', image), status: statusOf(`docker://${id}`) },
    ['web:1', 'web:2'],
  ],
  [
    'what a node still runs where the pod was changed, by the name alone',
    'pods',
    { ...podOf('a', 'ci.example/api:1'), status: statusOf(id, image) },
    ['api:1', 'web:1', 'web:2'],
  ],
  ['a container that has not begun', 'pods', { ...podOf('a', image), status: statusOf('') }, ['web:1']],
  ['a deployment', 'deployments', templateOf('a', image), ['web:1']],
  ['a deployment with zero replicas', 'deployments', templateOf('a', image, { replicas: 0 }), ['web:1']],
  ['an old ReplicaSet', 'replicasets', templateOf('a', image, { replicas: 0 }), ['web:1']],
  ['a StatefulSet', 'statefulsets', templateOf('a', image), ['web:1']],
  ['a DaemonSet', 'daemonsets', templateOf('a', image), ['web:1']],
  [
    'a ControllerRevision',
    'controllerrevisions',
    { metadata: { name: 'a', namespace: 'shop' }, revision: 1, data: { spec: templateOf('a', image).spec } },
    ['web:1'],
  ],
  ['a ReplicationController', 'replicationcontrollers', templateOf('a', image), ['web:1']],
  ['a PodTemplate', 'podtemplates', { ...templateOf('a', image), ...templateOf('a', image).spec }, ['web:1']],
  ['a job', 'jobs', job, ['web:1']],
  [
    'a job that is complete',
    'jobs',
    { ...job, status: { succeeded: 1, conditions: [{ type: 'Complete' }] } },
    ['web:1'],
  ],
  ['a CronJob', 'cronjobs', templateOf('a', image, { jobTemplate: { spec: job.spec } }), ['web:1']],
  [
    'a CronJob that is suspended',
    'cronjobs',
    templateOf('a', image, { suspend: true, jobTemplate: { spec: job.spec } }),
    ['web:1'],
  ],
  ['a Secret that says so', 'secrets', { metadata: { name: 'a', namespace: 'shop' }, stringData: { image } }, []],
];

describe('an image of a build that is gone is kept', () => {
  let cluster: Cluster;
  beforeEach(async () => {
    cluster = await openCluster();
    cluster.emulator.add('pods', coredns);
  });
  afterEach(() => cluster.close());

  const plan = async () =>
    planCluster(await readCluster(cluster.api), { images, digests: { 'web:2': digest }, helmRevisions: 0 });

  for (const [title, resource, object, kept] of table) {
    it(`${kept.length > 0 ? 'by' : 'not by'} ${title}`, async () => {
      const { emulator } = cluster;
      const made = object as ReturnType<typeof podOf>;
      emulator.add(resource, made);
      assert.deepEqual(await plan(), {
        kept,
        gone: images.filter(each => !kept.includes(each)).sort(),
        unread: [],
      });
      const { name, namespace } = made.metadata;
      emulator.world.remove({ kind: emulator.world.kindOf(resource), namespace, name });
      assert.deepEqual((await plan()).kept, []);
    });
  }
});
