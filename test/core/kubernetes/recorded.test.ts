/** What a real API server answered, read: nothing in it was made up. See recorded/README.md. */
import assert from 'node:assert/strict';
import { judgeAnswer } from '../../../core/kubernetes/answer.ts';
import { type ClusterUsage, readCluster } from '../../../core/kubernetes/read-cluster.ts';
import type { UseFact } from '../../../core/kubernetes/usage.ts';
import { planCluster } from './planned.ts';
import { openRecorded, readRecorded } from './recorded-api.ts';

const shop = 'contoso.azurecr.io/shop/';
const digest = (digit: string): string => `sha256:${digit.repeat(64)}`;
const rollouts = { group: 'example.com', version: 'v1', resource: 'rollouts', images: ['.spec.steps[*].runtime'] };

/** Everything that has a place in the cluster, with its images, and behind a blank what the node says. */
const expected: Readonly<Record<string, readonly string[]>> = {
  'rollouts.example.com shop/canary': ['canary:8'],
  // It is suspended.
  'cronjob shop/nightly': ['nightly:17'],
  'podtemplate shop/runner': ['runner:3'],
  'deployment shop/api': ['api:2'],
  'deployment shop/old': ['api:7'],
  'deployment shop/web': [`web@${digest('3')}`, 'migrate:4713'],
  'statefulset shop/queue': ['queue:2'],
  'daemonset shop/agent': ['agent:2'],
  // What the StatefulSet and the DaemonSet were before, and are.
  'controllerrevision shop/agent-5b9bd74': ['agent:2'],
  'controllerrevision shop/agent-6c58ccb59c': ['agent:1'],
  'controllerrevision shop/queue-674fb6cccd': ['queue:1'],
  'controllerrevision shop/queue-7ccbc646f9': ['queue:2'],
  // All but one of each deployment have zero replicas.
  'replicaset shop/api-74789cb6d5': ['api:2'],
  'replicaset shop/api-7965f8bb46': ['api:1'],
  'replicaset shop/api-7d44c5f5c9': ['api:4'],
  'replicaset shop/api-bbc7bcb68': ['api:3'],
  'replicaset shop/old-c88cdcd88': ['api:7'],
  'replicaset shop/web-59fd95795': ['web:4711', 'migrate:4711'],
  'replicaset shop/web-6884859875': [`web@${digest('3')}`, 'migrate:4713'],
  'replicaset shop/web-69dc66f456': ['web:4712', 'migrate:4711'],
  'replicationcontroller shop/legacy': ['legacy:1'],
  // It is complete.
  'job shop/import': ['import:9'],
  // It failed, and mounts an image.
  'pod shop/crashed': [`crashed:5 ${shop}crashed@${digest('5')}`, 'model:2'],
  'pod shop/import-scqbl': [`import:9 docker-pullable://${shop}import@${digest('9')}`],
  'pod shop/queue-0': ['queue:1'],
  // Of the init container the node knows an id only; the ephemeral one has not begun.
  'pod shop/web-6884859875-r5s78': [
    `web@${digest('3')} ${shop}web@${digest('3')}`,
    `migrate:4713 ${digest('f')}`,
    'mcr.microsoft.com/busybox:1',
  ],
};

const say = ({ image, imageId }: UseFact): string =>
  `${image.replace(shop, '')}${imageId === undefined ? '' : ` ${imageId}`}`;

const of = (release: number, revision: number, status: string) => ({
  revision,
  status,
  images: [`${shop}api-migrate:${release}`, `${shop}api:${release}`],
});

describe('a cluster as a real API server tells of it', () => {
  let read: ClusterUsage;
  let asked: string[];
  before(async () => {
    const recorded = openRecorded();
    read = await readCluster(recorded.api, { customResources: [rollouts] });
    asked = recorded.asked;
  });

  it('tells every image of every kind, where it is, and what nodes say of it', () => {
    assert.ok(read.uses.kind === 'whole', JSON.stringify(read.uses));
    const found: Record<string, string[]> = {};
    for (const use of read.uses.items) found[use.where] = [...(found[use.where] ?? []), say(use)];
    assert.deepEqual(found, expected);
  });

  it('asks for lists alone: each once, and on with the token that it was given, pods last', () => {
    const lists = asked.filter(path => !path.includes('owner%3Dhelm')).map(path => path.replace(/&continue=.*/, '&…'));
    assert.deepEqual(lists, [
      '/apis/example.com/v1/rollouts?limit=500',
      '/apis/batch/v1/cronjobs?limit=500',
      '/api/v1/podtemplates?limit=500',
      ...['deployments', 'statefulsets', 'daemonsets', 'controllerrevisions', 'replicasets'].map(
        each => `/apis/apps/v1/${each}?limit=500`,
      ),
      '/api/v1/replicationcontrollers?limit=500',
      '/apis/batch/v1/jobs?limit=500',
      '/api/v1/pods?limit=500',
      '/api/v1/pods?limit=500&…',
    ]);
    assert.deepEqual(
      asked.filter(path => path.includes('owner%3Dhelm')),
      ['secrets', 'configmaps'].map(each => `/api/v1/${each}?limit=25&labelSelector=owner%3Dhelm`),
    );
  });

  it('tells the revisions that helm 4 stored in Secrets, hooks among their images, and helm 3 in ConfigMaps', () => {
    const superseded = [1, 2, 3, 4].map(each => of(each, each, 'superseded'));
    assert.deepEqual(read.releases, {
      kind: 'whole',
      items: [
        { namespace: 'shop', name: 'api', oldestInUse: 5, revisions: [...superseded, of(2, 5, 'deployed')] },
        { namespace: 'shop', name: 'old', oldestInUse: 1, revisions: [of(7, 1, 'deployed')] },
      ],
    });
  });

  it('has a plan keep exactly what the cluster runs and could start, and let the rest go', () => {
    const workloads =
      'canary:8 nightly:17 runner:3 queue:1 queue:2 agent:1 agent:2 legacy:1 import:9 crashed:5 model:2 web:4711 web:4712 web:4713 migrate:4711 migrate:4713 api:1 api:2 api:3 api:4 api:7';
    // Hooks run at a rollback, and no ReplicaSet names them: the revision in use, and one before it.
    const helms = 'api-migrate:2 api-migrate:4 api-migrate:7';
    const started = `${workloads} ${helms}`.split(' ').map(each => `shop/${each}`);
    const rest = ['canary:7', 'nightly:16', 'queue:3', 'web:4710', 'web:4714', 'crashed:4', 'api:5', 'api-migrate:1'];
    const images = [...started, ...rest.map(each => `shop/${each}`)];
    const digests = { 'shop/web:4713': digest('3'), 'shop/crashed:5': digest('5'), 'shop/import:9': digest('9') };
    const planned = planCluster(read, { images, digests, helmRevisions: 1 });
    assert.deepEqual(planned.unread, []);
    assert.deepEqual(planned.kept, [...started].sort());
    assert.deepEqual(planned.gone, rest.map(each => `shop/${each}`).sort());
  });
});

describe('a real API server that refuses', () => {
  const question = {
    what: 'the deployments (apps/v1) of https://prod',
    rule: '{apiGroups: ["apps"], resources: ["deployments"], verbs: ["list"]}',
    absent: 'does the cluster serve them?',
  };
  const table: readonly (readonly [what: string, kind: string, reason: RegExp])[] = [
    [
      'a token that is not known',
      'unknown',
      /^the deployments .*: the sign-in is not accepted \(401\).*: Unauthorized$/,
    ],
    [
      'an identity without the right',
      'unknown',
      /denied \(403\): give the identity a ClusterRole with the rule \{apiGroups: \["apps"\].*User "limited" cannot list/,
    ],
    ['a resource that is not there', 'unknown', /not there \(404\): does the cluster serve them\?$/],
    ['a group that is not there', 'unknown', /not there \(404\)/],
    ['an expired token', 'expired', /expired while it was read \(410\).*too old to display a consistent list/],
  ];
  for (const [what, kind, reason] of table) {
    it(`is unread, and never empty: ${what}`, async () => {
      type Refusal = { what: string; status: number; contentType: string; body: unknown };
      const refusals = (await readRecorded('refusals')) as readonly Refusal[];
      const { status, contentType, body } = refusals.find(each => each.what === what) as Refusal;
      const bytes = Buffer.from(typeof body === 'string' ? body : JSON.stringify(body));
      const answer = judgeAnswer(question, { kind: 'answered', status, contentType, retryAfter: undefined, bytes });
      assert.equal(answer.kind, kind);
      assert.match('reason' in answer ? answer.reason : '', reason);
    });
  }
});
