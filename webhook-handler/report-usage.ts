/** One look at a cluster from the inside, or by a kubeconfig, and its report in a registry. */
import { spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { createEntraTokenSource } from '../core/acr/entra.ts';
import { createAcrCredentials } from '../core/acr/sign-in.ts';
import { systemClock } from '../core/base/clock.ts';
import { errorMessage, inputError } from '../core/base/errors.ts';
import type { Logger } from '../core/base/log.ts';
import { connectToServer, type KubernetesApi, type KubernetesSurroundings } from '../core/kubernetes/api.ts';
import { readClusterId } from '../core/kubernetes/cluster-id.ts';
import { connectInCluster, serviceAccountFolder } from '../core/kubernetes/in-cluster.ts';
import { readKubeconfig } from '../core/kubernetes/kubeconfig.ts';
import { readCluster } from '../core/kubernetes/read-cluster.ts';
import { type PushedReport, pushUsageReport } from '../core/lifecycle/facts/push-usage.ts';
import type { Credentials } from '../core/oci/credentials.ts';
import { createHttp, type Http } from '../core/oci/http.ts';
import { openRegistry } from '../core/oci/registry.ts';
import type { ReportUsageCommand } from './command-line.ts';
import { readSecret } from './secrets.ts';

/** What reporting needs of the process. */
export interface ReportUsageWorld {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The version of this program. */
  readonly version: string;
  readonly log: Logger;
  readonly signal: AbortSignal;
  /** How the registry is reached; as everything else unless told. */
  readonly http?: Http;
}

/** A program that a kubeconfig names for its sign-in may take so long, in milliseconds. */
const pluginTimeoutMs = 60_000;

/**
 * Looks at the cluster and pushes the report. Throws `INPUT_INVALID` for what is wrong on the command line, and like
 * `pushUsageReport`: then nothing was reported.
 */
export async function reportUsage(command: ReportUsageCommand, world: ReportUsageWorld): Promise<PushedReport> {
  const { log, signal, version } = world;
  const http = world.http ?? createHttp({ log });
  const credentials = await createCredentials(command, world, http);
  const registry = openRegistry({ address: command.registry, credentials, http });
  const api = await connectCluster(command, world.env, { log, signal });
  const { helm, customResources } = command;
  const cluster = {
    name: command.cluster,
    readId: () => readClusterId(api),
    read: () => readCluster(api, { customResources, helm }),
    reportsReleases: helm,
  };
  return pushUsageReport(registry, cluster, { tool: version, clock: systemClock, log });
}

/** What was reported, for people. */
export function formatPushedReport({ report, reference }: PushedReport): string {
  const { cluster, uses, releases, takenAt } = report;
  const helm = releases
    ? `${releases.length} Helm ${releases.length === 1 ? 'release' : 'releases'}`
    : 'no word of Helm';
  const images = new Set(uses.map(each => each.image)).size;
  return `Reported what ${cluster} runs as of ${new Date(takenAt).toISOString()}: ${images} ${images === 1 ? 'image' : 'images'}, ${helm}. ${reference}`;
}

async function createCredentials(
  { registry, signIn }: ReportUsageCommand,
  { env }: ReportUsageWorld,
  http: Http,
): Promise<Credentials> {
  if (signIn.kind === 'password') {
    const { username } = signIn;
    const password = await readSecret({ env: signIn.passwordEnv }, '--password-env', { env, folder: '.' });
    return { kind: 'password', username, password };
  }
  const { clientId, tenantId } = signIn;
  // The environment names the cloud as `@azure/identity` reads it; only an authority that we pass on may be private.
  const entraToken = createEntraTokenSource({ kind: 'default', clientId, authority: env['AZURE_AUTHORITY_HOST'] });
  return createAcrCredentials({ host: registry, tenantId, entraToken, http });
}

async function connectCluster(
  { kubeconfig, context }: ReportUsageCommand,
  env: ReportUsageWorld['env'],
  surroundings: KubernetesSurroundings,
): Promise<KubernetesApi> {
  if (kubeconfig === undefined) {
    const host = env['KUBERNETES_SERVICE_HOST'];
    const port = env['KUBERNETES_SERVICE_PORT'];
    return connectInCluster({ host, port, readFile: readOfPod }, surroundings);
  }
  const read = readKubeconfig(await readText(kubeconfig), {
    name: `The kubeconfig ${kubeconfig}`,
    folder: dirname(resolve(kubeconfig)),
    startPlugin: (program, args = [], options) => spawn(program, args, { ...options, timeout: pluginTimeoutMs }),
  });
  return connectToServer(read.open(context), surroundings);
}

function readOfPod(name: string): Promise<string> {
  return readFile(join(serviceAccountFolder, name), 'utf8');
}

async function readText(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (cause) {
    throw inputError(`The kubeconfig ${path} cannot be read: ${errorMessage(cause)}.`, cause);
  }
}
