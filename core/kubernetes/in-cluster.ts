/** The cluster that a pod runs in. https://kubernetes.io/docs/tasks/run-application/access-api-from-pod/#directly-accessing-the-rest-api */
import { inputError } from '../base/errors.ts';
import { connectToServer, type KubernetesApi, type KubernetesSurroundings } from './api.ts';

/** The folder in which Kubernetes puts the files `token` and `ca.crt`. */
export const serviceAccountFolder = '/var/run/secrets/kubernetes.io/serviceaccount';

/** What Kubernetes gives a pod. */
export interface InCluster {
  /** Of the environment: `KUBERNETES_SERVICE_HOST`. */
  readonly host: string | undefined;
  /** Of the environment: `KUBERNETES_SERVICE_PORT`. */
  readonly port: string | undefined;
  /** The text of a file of {@link serviceAccountFolder}. The token is read again and again, because it is renewed there. */
  readonly readFile: (name: 'token' | 'ca.crt') => Promise<string>;
}

/** Connects to it; sends nothing yet. Throws `INPUT_INVALID` outside a pod, or where the pod has no service account. */
export async function connectInCluster(
  { host, port, readFile }: InCluster,
  surroundings: KubernetesSurroundings = {},
): Promise<KubernetesApi> {
  if (!host || !port || !/^\d+$/.test(port)) {
    throw inputError(
      'This runs in no pod of Kubernetes: KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT are not set.',
    );
  }
  const read = (name: 'token' | 'ca.crt'): Promise<string> =>
    readFile(name).catch(cause => {
      throw inputError(
        `The file "${name}" of the pod's service account cannot be read. Give the pod one, with automountServiceAccountToken.`,
        cause,
      );
    });
  const ca = await read('ca.crt');
  const signIn = async () => ({ headers: { authorization: `Bearer ${(await read('token')).trim()}` } });
  return connectToServer(
    { url: `https://${host.includes(':') ? `[${host}]` : host}:${port}`, ca, signIn },
    surroundings,
  );
}
