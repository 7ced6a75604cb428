/** A small cluster on the emulator, and whoever asks it. */
import { connectToServer, type KubernetesApi, type KubernetesServer } from '../../../core/kubernetes/api.ts';
import type { SignIn } from '../../../core/kubernetes/http.ts';
import { type KubernetesEmulator, startKubernetes } from '../../emulators/kubernetes/kubernetes.ts';
import { createTls, type TlsMaterial } from '../../emulators/tls.ts';

/** The emulator, and a client of it that may do everything. */
export interface Cluster {
  readonly emulator: KubernetesEmulator;
  readonly tls: TlsMaterial;
  readonly api: KubernetesApi;
  /** Another client; what is not given is as above. Pauses take no time. */
  connect(server?: Partial<KubernetesServer>, requestTimeoutMs?: number): KubernetesApi;
  close(): Promise<void>;
}

/** Signs in by a token. */
export function bearer(token: string): () => Promise<SignIn> {
  return async () => ({ headers: { authorization: `Bearer ${token}` } });
}

/** Starts one that holds nothing. */
export async function openCluster(): Promise<Cluster> {
  const tls = await createTls();
  const emulator = await startKubernetes({ tls });
  const usual = { url: emulator.url, ca: tls.ca, signIn: bearer(emulator.token) };
  const clock = { now: () => Date.now(), sleep: async () => {} };
  const retryPolicy = { attempts: 3, firstPauseMs: 1, maxWaitMs: 10_000 };
  const connect: Cluster['connect'] = (server = {}, requestTimeoutMs = 5000) =>
    connectToServer({ ...usual, ...server }, { clock, retryPolicy, requestTimeoutMs });
  return { emulator, tls, api: connect(), connect, close: () => emulator.close() };
}

/** A pod of one container, as it is sent. */
export function podOf(name: string, image: string, more: object = {}) {
  return { metadata: { name, namespace: 'shop' }, spec: { containers: [{ name: 'main', image }], ...more } };
}

/** Every cluster runs something: one that shows nothing at all is unread. */
export const coredns = podOf('coredns', 'registry.k8s.io/coredns:1');

/** Whatever has a template of such a pod, as it is sent. */
export function templateOf(name: string, image: string, more: object = {}) {
  return { metadata: { name, namespace: 'shop' }, spec: { template: { spec: podOf(name, image).spec }, ...more } };
}
