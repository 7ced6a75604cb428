/** The clusters that the handler may ask: the one that it runs in, and those of a kubeconfig. */
import { spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { delimiter, dirname, join, resolve } from 'node:path';
import type { Clock } from '../core/base/clock.ts';
import { inputError } from '../core/base/errors.ts';
import { connectToServer, type KubernetesApi, type KubernetesSurroundings } from '../core/kubernetes/api.ts';
import { connectInCluster, serviceAccountFolder } from '../core/kubernetes/in-cluster.ts';
import { type Kubeconfig, readKubeconfig } from '../core/kubernetes/kubeconfig.ts';
import {
  type OfferedCluster,
  offerContexts,
  pickCluster,
  type WantedCluster,
} from '../core/kubernetes/offered-cluster.ts';
import type { Configuration } from '../core/lifecycle/configuration/configuration.ts';
import { configuredCluster } from '../core/lifecycle/facts/configured-cluster.ts';
import type { EstateCluster } from '../core/lifecycle/facts/estate.ts';
import { readTextFile } from './files.ts';

type Env = Readonly<Record<string, string | undefined>>;

/** What clusters are reached with. */
export interface ClusterWorld extends KubernetesSurroundings {
  readonly env: Env;
  readonly clock: Clock;
}

/** A program that a kubeconfig names for its sign-in may take so long, in milliseconds. */
const pluginTimeoutMs = 60_000;
/** A kubeconfig of many clusters has some 100 KB. */
const maxKubeconfigBytes = 1024 * 1024;

/**
 * The clusters of the configuration, as facts are read from them. Each is connected anew for each reading, because what a
 * kubeconfig holds may have been renewed; one that cannot be connected is unread then.
 */
export function openClusters(
  { clusters, keep }: Pick<Configuration, 'clusters' | 'keep'>,
  world: ClusterWorld,
): EstateCluster[] {
  return clusters.map(wanted =>
    configuredCluster(wanted, { keep, connect: () => connectConfigured(wanted, world), clock: world.clock }),
  );
}

/** One without server and context is the cluster that this runs in; all others are in the kubeconfig. */
async function connectConfigured(
  wanted: WantedCluster,
  { env, ...surroundings }: ClusterWorld,
): Promise<KubernetesApi> {
  if (wanted.server === undefined && wanted.context === undefined) return connectOwnCluster(env, surroundings);
  const paths = (env['KUBECONFIG'] ?? '').split(delimiter).filter(path => path !== '');
  if (paths.length === 0) {
    throw inputError(
      `The cluster ${wanted.name} of the configuration is in no kubeconfig: the environment variable KUBECONFIG is not set. Have it name the file.`,
    );
  }
  const offers = await Promise.all(paths.map(path => offerFile(path, surroundings)));
  return pickCluster(offers.flat(), wanted, 'add this cluster to the kubeconfig that KUBECONFIG names').connect();
}

async function offerFile(path: string, surroundings: KubernetesSurroundings): Promise<OfferedCluster[]> {
  return offerContexts(await readKubeconfigFile(path), {
    by: `the kubeconfig "${path}"`,
    connectorOf: open => () => connectToServer(open(), surroundings),
  });
}

/** Connects to the cluster that this program runs in. Throws `INPUT_INVALID` where it is no pod. */
export function connectOwnCluster(env: Env, surroundings: KubernetesSurroundings): Promise<KubernetesApi> {
  const host = env['KUBERNETES_SERVICE_HOST'];
  const port = env['KUBERNETES_SERVICE_PORT'];
  return connectInCluster({ host, port, readFile: readOfPod }, surroundings);
}

/** Reads a kubeconfig, with what lies beside it, and the programs that it names. Throws `INPUT_INVALID`, naming the path. */
export async function readKubeconfigFile(path: string): Promise<Kubeconfig> {
  return readKubeconfig(await readTextFile(path, 'kubeconfig', maxKubeconfigBytes), {
    name: `The kubeconfig ${path}`,
    folder: dirname(resolve(path)),
    startPlugin: (program, args = [], options) => spawn(program, args, { ...options, timeout: pluginTimeoutMs }),
  });
}

function readOfPod(name: string): Promise<string> {
  return readFile(join(serviceAccountFolder, name), 'utf8');
}
