/** The emulator, judged by Kubernetes' own client: what we read from it, others read too. Three helms judge it elsewhere. */
import assert from 'node:assert/strict';
import {
  type ApiException,
  AppsV1Api,
  CoreV1Api,
  KubeConfig,
  type V1PodList,
  type V1Status,
} from '@kubernetes/client-node';
import { createTls } from '../tls.ts';
import { type KubernetesEmulator, startKubernetes } from './kubernetes.ts';

describe('the Kubernetes emulator, to a client that is not ours', () => {
  let emulator: KubernetesEmulator;
  beforeEach(async () => {
    emulator = await startKubernetes({ tls: await createTls() });
  });
  afterEach(() => emulator.close());

  const clientOf = (token?: string): CoreV1Api => configOf(token).makeApiClient(CoreV1Api);
  const configOf = (token?: string): KubeConfig => {
    const config = new KubeConfig();
    config.loadFromString(emulator.kubeconfig(token));
    return config;
  };
  const addPods = (count: number): void => {
    for (let at = 0; at < count; at += 1) {
      const metadata = { name: `web-${at}`, namespace: 'shop', labels: { parity: at % 2 ? 'odd' : 'even' } };
      emulator.add('pods', { metadata, spec: { containers: [{ name: 'web', image: `web:${at}` }] } });
    }
  };

  it('lists in chunks, of one moment, and says how many are left', async () => {
    addPods(5);
    const first = await clientOf().listPodForAllNamespaces({ limit: 3 });
    assert.equal(first.metadata?.remainingItemCount, 2);
    emulator.add('pods', { metadata: { name: 'later', namespace: 'shop' }, spec: { containers: [] } });
    const rest = await clientOf().listPodForAllNamespaces({ limit: 3, _continue: tokenOf(first) });
    assert.deepEqual(
      [...first.items, ...rest.items].map(each => each.spec?.containers[0]?.image),
      [0, 1, 2, 3, 4].map(at => `web:${at}`),
    );
    assert.equal(rest.metadata?.resourceVersion, first.metadata?.resourceVersion);
    assert.equal(tokenOf(rest), '');
    assert.equal(rest.metadata?.remainingItemCount, undefined);
  });

  it('selects by labels and fields, and does not say how many are left then', async () => {
    addPods(5);
    const even = await clientOf().listPodForAllNamespaces({ labelSelector: 'parity=even', limit: 1 });
    assert.deepEqual([even.items.length, even.metadata?.remainingItemCount], [1, undefined]);
    const one = await clientOf().listNamespacedPod({ namespace: 'shop', fieldSelector: 'metadata.name=web-3' });
    assert.deepEqual(
      one.items.map(each => each.metadata?.name),
      ['web-3'],
    );
    assert.deepEqual((await clientOf().listNamespacedPod({ namespace: 'default' })).items, []);
  });

  it('creates, replaces and removes, and refuses to replace what has changed meanwhile', async () => {
    const api = clientOf();
    const metadata = { name: 'settings' };
    const made = await api.createNamespacedConfigMap({ namespace: 'shop', body: { metadata, data: { a: '1' } } });
    const stale = {
      metadata: { name: 'settings', resourceVersion: made.metadata?.resourceVersion ?? '' },
      data: { a: '2' },
    };
    const replaced = await api.replaceNamespacedConfigMap({ namespace: 'shop', name: 'settings', body: stale });
    assert.equal(replaced.metadata?.uid, made.metadata?.uid);
    await assert.rejects(
      api.replaceNamespacedConfigMap({ namespace: 'shop', name: 'settings', body: stale }),
      isA(409),
    );
    await assert.rejects(api.createNamespacedConfigMap({ namespace: 'shop', body: { metadata } }), isA(409));
    await api.deleteNamespacedConfigMap({ namespace: 'shop', name: 'settings' });
    await assert.rejects(api.readNamespacedConfigMap({ namespace: 'shop', name: 'settings' }), isA(404));
  });

  it('refuses strangers, and whoever has no right, by name', async () => {
    await assert.rejects(clientOf('stranger').listNamespace(), isA(401));
    emulator.access.grant('half', 'half', [{ apiGroups: ['apps'], resources: ['deployments'], verbs: ['list'] }]);
    const deployments = await configOf('half').makeApiClient(AppsV1Api).listDeploymentForAllNamespaces();
    assert.deepEqual(deployments.items, []);
    await assert.rejects(clientOf('half').listNamespace(), (error: ApiException<string>) => {
      const status = JSON.parse(error.body) as V1Status;
      assert.match(status.message ?? '', /^namespaces is forbidden: User "half" cannot list resource "namespaces"/);
      return error.code === 403;
    });
  });

  it('lets tokens of lists expire', async () => {
    addPods(3);
    const first = await clientOf().listPodForAllNamespaces({ limit: 1 });
    emulator.expireLists();
    const rest = clientOf().listPodForAllNamespaces({ limit: 1, _continue: tokenOf(first) });
    await assert.rejects(rest, isA(410));
  });
});

function isA(code: number): (error: ApiException<unknown>) => boolean {
  return error => {
    assert.equal(error.code, code);
    return true;
  };
}

/** Empty on the last page. */
function tokenOf({ metadata }: V1PodList): string {
  return metadata?.['_continue'] ?? '';
}
