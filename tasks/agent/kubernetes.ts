/** The clusters that this job may ask: by Kubernetes service connections, and by the contexts of a kubeconfig. */
import { type SpawnOptions, spawn } from 'node:child_process';
import { dirname, resolve } from 'node:path';
import { inputError } from '../../core/base/errors.ts';
import { connectToServer, type KubernetesServer, readServerUrl } from '../../core/kubernetes/api.ts';
import type { Kubeconfig, KubeconfigOptions } from '../../core/kubernetes/kubeconfig.ts';
import { type OfferedCluster, offerContexts } from '../../core/kubernetes/offered-cluster.ts';
import { type Endpoint, openEndpoint } from './endpoint.ts';
import { readTextFile } from './files.ts';
import { agentLog } from './log.ts';
import { readAuthorities, readProxyTo } from './proxy.ts';
import { keepSecret } from './secrets.ts';

/** Where clusters come from. */
export interface KubernetesInputs {
  /** Ids of service connections, and the input that names them. */
  readonly connections: { readonly input: string; readonly ids: readonly string[] };
  /** The path of a file, and the input that names it; empty where there is none. */
  readonly kubeconfig: { readonly input: string; readonly path: string };
}

/** A kubeconfig of many clusters has some 100 KB. */
const maxKubeconfigBytes = 1024 * 1024;
/** A plugin that waits for somebody to sign in would wait for ever. */
const pluginMs = 60_000;

/** Lists them; nothing is sent. Throws `INPUT_INVALID`, naming the input, for a connection or a file that cannot be read. */
export async function listClusters({ connections, kubeconfig }: KubernetesInputs): Promise<OfferedCluster[]> {
  const offers: OfferedCluster[] = [];
  for (const id of connections.ids) offers.push(...(await offerConnection(id, connections.input)));
  if (kubeconfig.path !== '') offers.push(...(await offerFile(kubeconfig.path, kubeconfig.input)));
  return offers;
}

/** https://learn.microsoft.com/azure/devops/pipelines/library/service-endpoints#kubernetes-service-connection */
async function offerConnection(id: string, input: string): Promise<OfferedCluster[]> {
  const endpoint = openEndpoint(id, input);
  const by = `the service connection "${id}"`;
  const kind = endpoint.data('authorizationType') ?? 'Kubeconfig';
  if (kind === 'Kubeconfig') {
    const text = endpoint.parameter('kubeconfig');
    if (text === undefined) throw inputError(`The input ${input}: ${by} holds no kubeconfig.`);
    const kubeconfig = await read(text, { name: `The kubeconfig of ${by}`, startPlugin });
    return offerContexts(kubeconfig, { by, chosen: endpoint.parameter('clusterContext'), connectorOf });
  }
  const server = readServiceAccount(endpoint, input, by);
  return [
    { by, context: undefined, isDefault: true, server: readServerUrl(server.url), connect: connectorOf(() => server) },
  ];
}

/** A service account, made by whoever made the connection, or by Azure DevOps for one of an Azure subscription. */
function readServiceAccount(endpoint: Endpoint, input: string, by: string): KubernetesServer {
  const token = endpoint.secret('apiToken');
  const authority = endpoint.parameter('serviceAccountCertificate');
  if (token === undefined || endpoint.url === undefined) {
    throw inputError(
      `The input ${input}: ${by} holds no token of a service account (${endpoint.data('authorizationType')}). Make one of the kind "Service account" or "Kubeconfig".`,
    );
  }
  const authorization = `Bearer ${keepSecret(decode(token))}`;
  const ca = authority === undefined ? undefined : decode(authority);
  return { url: endpoint.url, ca, signIn: async () => ({ headers: { authorization } }) };
}

function decode(text: string): string {
  return Buffer.from(text, 'base64').toString('utf8').trim();
}

async function offerFile(path: string, input: string): Promise<OfferedCluster[]> {
  const text = await readTextFile(path, input, maxKubeconfigBytes);
  const by = `the kubeconfig "${path}"`;
  const name = `The input ${input}: ${by}`;
  const kubeconfig = await read(text, { name, startPlugin, folder: dirname(resolve(path)) });
  return offerContexts(kubeconfig, { by, connectorOf });
}

/** The client is loaded when there is something to read. */
async function read(text: string, options: KubeconfigOptions): Promise<Kubeconfig> {
  const { readKubeconfig } = await import('../../core/kubernetes/kubeconfig.ts');
  return readKubeconfig(text, options);
}

function connectorOf(open: () => KubernetesServer): OfferedCluster['connect'] {
  return signal => {
    const server = open();
    const told = new Set<string>();
    const signIn = async () => {
      const signedIn = await server.signIn();
      const [, secret] = /^\S+ (.+)$/.exec(signedIn.headers['authorization'] ?? '') ?? [];
      if (secret !== undefined && !told.has(secret)) told.add(keepSecret(secret));
      return signedIn;
    };
    const { ca = readAuthorities(), proxy = readProxyTo(server.url) } = server;
    return connectToServer({ ...server, ca, proxy, signIn }, { log: agentLog, signal });
  };
}

/** Nobody answers its questions, and it is ended after a minute. */
function startPlugin(command: string, args: readonly string[] | undefined, options: object): unknown {
  const bounds: SpawnOptions = { stdio: ['ignore', 'pipe', 'pipe'], timeout: pluginMs, windowsHide: true };
  return spawn(command, [...(args ?? [])], { ...options, ...bounds });
}
