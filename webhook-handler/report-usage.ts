/** One look at a cluster from the inside, or by a kubeconfig, and its report in a registry. */
import { createEntraTokenSource } from '../core/acr/entra.ts';
import { createAcrCredentials } from '../core/acr/sign-in.ts';
import { systemClock } from '../core/base/clock.ts';
import type { Logger } from '../core/base/log.ts';
import { connectToServer, type KubernetesApi, type KubernetesSurroundings } from '../core/kubernetes/api.ts';
import { readClusterId } from '../core/kubernetes/cluster-id.ts';
import { readCluster } from '../core/kubernetes/read-cluster.ts';
import { type PushedReport, pushUsageReport } from '../core/lifecycle/facts/push-usage.ts';
import type { Credentials } from '../core/oci/credentials.ts';
import { createHttp, type Http } from '../core/oci/http.ts';
import { openRegistry } from '../core/oci/registry.ts';
import { connectOwnCluster, readKubeconfigFile } from './clusters.ts';
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
  if (kubeconfig === undefined) return connectOwnCluster(env, surroundings);
  return connectToServer((await readKubeconfigFile(kubeconfig)).open(context), surroundings);
}
