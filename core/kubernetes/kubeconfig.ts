/**
 * A kubeconfig, read and signed in with by Kubernetes' own client, and the only file that knows its traps: it waits for a
 * plugin for ever, reads files that a text from elsewhere names, passes over `tokenFile` and the groups of an
 * impersonation, and quotes in its errors what it could not read. Its lists are not used: they take whatever a proxy
 * answers for an object, and have no bound. https://kubernetes.io/docs/reference/config-api/kubeconfig.v1/
 */
import type { RequestOptions } from 'node:https';
import { bufferFromFileOrString, KubeConfig, makeAbsolutePath } from '@kubernetes/client-node/dist/config.js';
import type { Cluster } from '@kubernetes/client-node/dist/config_types.js';
import { ExecAuth } from '@kubernetes/client-node/dist/exec_auth.js';
import { LineCounter, parseDocument } from 'yaml';
import * as z from 'zod';
import { AppError, errorMessage, inputError } from '../base/errors.ts';
import { findYamlFault } from '../base/yaml-fault.ts';
import type { KubernetesServer } from './api.ts';
import type { KubernetesProxy, SignIn } from './http.ts';

/**
 * Starts the program of an exec plugin, as `spawn` of Node does; it must end by itself.
 * https://kubernetes.io/docs/reference/access-authn-authz/authentication/#client-go-credential-plugins
 */
export type StartPlugin = (command: string, args: readonly string[] | undefined, options: object) => unknown;

/** How a kubeconfig is read. */
export interface KubeconfigOptions {
  /** As it stands in front of messages: `The kubeconfig of the service connection "prod"`. */
  readonly name: string;
  /** Where relative paths in it begin. Left out, files that it names are refused: they are of another machine. */
  readonly folder?: string | undefined;
  /** Left out, programs that it names are refused. */
  readonly startPlugin?: StartPlugin | undefined;
}

/** A kubeconfig that was read. */
export interface Kubeconfig {
  /** The context that is taken where none is named. */
  readonly current: string | undefined;
  /** Every context, with the URL of its cluster as it stands there; empty where it names no cluster. */
  readonly contexts: readonly { readonly name: string; readonly server: string }[];
  /** What a context leads to. Throws `INPUT_INVALID` for one that is not there, or that cannot be used here. */
  open(context?: string): KubernetesServer;
}

const text = z.string().min(1);
const user = z
  .looseObject({
    tokenFile: text.optional(),
    'as-uid': z.unknown().optional(),
    'as-groups': z.unknown().optional(),
    'as-user-extra': z.unknown().optional(),
    'auth-provider': z.looseObject({ name: text }).nullish(),
    exec: z.looseObject({ command: text, apiVersion: text, env: z.array(z.unknown()).nullish() }).nullish(),
  })
  .nullish();
const file = z.looseObject({
  'current-context': z.string().nullish(),
  clusters: z.array(z.looseObject({ name: text, cluster: z.looseObject({ server: text }) })),
  contexts: z.array(
    z.looseObject({ name: text, context: z.looseObject({ cluster: text, user: z.string().nullish() }) }),
  ),
  users: z.array(z.looseObject({ name: text, user })).nullish(),
});
type KubeconfigFile = z.infer<typeof file>;
type KubeconfigUser = z.infer<typeof user> | undefined;

/** Reads the text of a kubeconfig. Throws `INPUT_INVALID`; no message holds a value of it. */
export function readKubeconfig(text: string, options: KubeconfigOptions): Kubeconfig {
  const { name } = options;
  const read = file.safeParse(parseText(text, name), { error: explain });
  if (!read.success) throw inputError(`${name} is no kubeconfig: ${describeMisfit(read.error)}.`);
  const { clusters, contexts, 'current-context': current } = read.data;
  const serverOf = (cluster: string) => clusters.find(each => each.name === cluster)?.cluster.server ?? '';
  return {
    current: current || undefined,
    contexts: contexts.map(each => ({ name: each.name, server: serverOf(each.context.cluster) })),
    open: (context = current ?? '') => openContext(read.data, context, options),
  };
}

const nouns: Readonly<Record<string, string>> = { object: 'a block of keys', array: 'a list', string: 'text' };

/** In our words: the library's are for who wrote the shape above. */
function explain({
  code,
  input,
  expected,
}: {
  readonly code?: string;
  readonly input?: unknown;
  readonly expected?: unknown;
}): string {
  if (code === 'too_small') return 'must not be empty';
  return input === undefined ? 'is missing' : `must be ${nouns[String(expected)] ?? 'something else'}`;
}

function describeMisfit({ issues: [first] }: z.ZodError): string {
  return `${first?.path.join('.') || 'it'} ${first?.message}`.slice(0, 300);
}

function parseText(text: string, name: string): unknown {
  const lines = new LineCounter();
  const document = parseDocument(text, { prettyErrors: false, lineCounter: lines });
  const fault = findYamlFault(document, lines);
  if (fault) throw inputError(`${name}, line ${fault.line}: ${fault.reason}. Mend it there.`);
  try {
    return document.toJS({ maxAliasCount: 100 });
  } catch {
    throw inputError(`${name} uses aliases that cannot be followed. Write the values in their place.`);
  }
}

function openContext(whole: KubeconfigFile, context: string, options: KubeconfigOptions): KubernetesServer {
  const found = whole.contexts.find(each => each.name === context)?.context;
  if (!found) {
    const known = whole.contexts
      .map(each => each.name)
      .join(', ')
      .slice(0, 300);
    throw inputError(`${options.name} has no context "${context}". It has: ${known || 'none'}.`);
  }
  const label = `${options.name}, context "${context}"`;
  const signer = (whole.users ?? []).find(each => each.name === found.user)?.user ?? undefined;
  refuseUser(signer, label);
  const config = new KubeConfig();
  try {
    // What our reader understood, and not what another one would.
    config.loadFromString(JSON.stringify({ ...whole, users: (whole.users ?? []).map(completeUser) }));
  } catch (thrown) {
    throw inputError(`${options.name} is no kubeconfig: ${errorMessage(thrown).slice(0, 200)}.`);
  }
  config.setCurrentContext(context);
  const cluster = config.getCurrentCluster();
  if (!cluster) throw inputError(`${label}: the cluster "${found.cluster.slice(0, 100)}" is not in it.`);
  placeFiles(config, label, options.folder);
  if (signer?.exec) startBy(config, label, options.startPlugin);
  return {
    url: cluster.server,
    ca: readAuthority(cluster, label),
    skipTlsVerify: cluster.skipTLSVerify,
    tlsServerName: cluster.tlsServerName,
    proxy: cluster.proxyUrl === undefined ? undefined : readProxy(cluster.proxyUrl, label),
    signIn: () => signIn(config, label),
  };
}

/** What the library would pass over, or start behind our back. */
function refuseUser(signer: KubeconfigUser, label: string): void {
  for (const key of ['as-uid', 'as-groups', 'as-user-extra'] as const) {
    if (signer?.[key] !== undefined) throw inputError(`${label}: "${key}" of its user is not followed. Take it out.`);
  }
  const provider = signer?.['auth-provider']?.name ?? 'oidc';
  if (provider === 'oidc') return;
  // https://kubernetes.io/blog/2022/05/03/kubernetes-1-24-release-announcement/, removed with 1.26
  throw inputError(
    `${label}: the auth-provider "${provider.slice(0, 50)}" is gone from Kubernetes. Use an exec plugin, as "kubelogin convert-kubeconfig" writes it, or a token.`,
  );
}

/** The library knows files of tokens by another name, and does not tell a plugin which version is spoken. */
function completeUser({ name, user }: { readonly name: string; readonly user?: KubeconfigUser | null }): object {
  const { tokenFile, exec } = user ?? {};
  if (tokenFile !== undefined) {
    return { name, user: { ...user, 'auth-provider': { name: 'tokenFile', config: { tokenFile } } } };
  }
  if (!exec) return { name, user };
  const { apiVersion, env } = exec;
  const value = JSON.stringify({ apiVersion, kind: 'ExecCredential', spec: { interactive: false } });
  return { name, user: { ...user, exec: { ...exec, env: [...(env ?? []), { name: 'KUBERNETES_EXEC_INFO', value }] } } };
}

function placeFiles(config: KubeConfig, label: string, folder: string | undefined): void {
  const [cluster, signer] = [config.getCurrentCluster(), config.getCurrentUser()];
  const tokens = (signer?.authProvider as { config?: { tokenFile?: string } } | undefined)?.config;
  const files = [cluster?.caFile, signer?.certFile, signer?.keyFile, tokens?.tokenFile].filter(
    each => each !== undefined && each !== null,
  );
  if (files.length === 0) return;
  if (folder === undefined) {
    throw inputError(
      `${label} names files, which are on another machine. Put what they hold into it: "kubectl config view --flatten" does.`,
    );
  }
  config.makePathsAbsolute(folder);
  if (tokens?.tokenFile !== undefined) tokens.tokenFile = makeAbsolutePath(folder, tokens.tokenFile);
}

/** The library starts programs itself, and has no bound for them. */
function startBy(config: KubeConfig, label: string, start: StartPlugin | undefined): void {
  if (!start) throw inputError(`${label} runs a program to sign in, which is not done here. Give it a token.`);
  const { authenticators } = config as unknown as { authenticators: readonly unknown[] };
  const plugin = authenticators.find(each => each instanceof ExecAuth);
  if (!plugin) throw new AppError('The client of Kubernetes has no exec plugins.', { code: 'DEFECT' });
  Object.assign(plugin, { execFn: start });
}

function readAuthority({ caFile, caData }: Pick<Cluster, 'caFile' | 'caData'>, label: string): string | undefined {
  try {
    return bufferFromFileOrString(caFile, caData)?.toString();
  } catch (cause) {
    throw inputError(`${label}: the file of its certificate authority cannot be read.`, cause);
  }
}

function readProxy(address: string, label: string): KubernetesProxy {
  const url = URL.canParse(address) ? new URL(address) : undefined;
  if (url?.protocol !== 'http:' && url?.protocol !== 'https:') {
    throw inputError(`${label}: its proxy-url is not one of http or https, which are the only ones that are used.`);
  }
  const { origin, username, password } = url;
  if (!username) return { url: origin };
  return { url: origin, username: decodeURIComponent(username), password: decodeURIComponent(password) };
}

/** Rejects with words of our own: a plugin's answer that cannot be read is quoted by the parser, token and all. */
async function signIn(config: KubeConfig, label: string): Promise<SignIn> {
  const options: RequestOptions = {};
  try {
    await config.applyToHTTPSOptions(options);
  } catch (thrown) {
    const isTold = thrown instanceof Error && thrown.constructor === Error;
    const said = isTold ? errorMessage(thrown).replace(/\s+/g, ' ').trim().slice(0, 300) : '';
    const why = said || 'its plugin gave no credential that can be read';
    throw new AppError(`${label}: ${why}`, { code: 'SIGN_IN_FAILED', cause: isTold ? thrown : undefined });
  }
  const given = Object.entries((options.headers ?? {}) as Record<string, string>);
  const headers = Object.fromEntries(given.map(([name, value]) => [name.toLowerCase(), value.trim()]));
  if (options.auth) headers['authorization'] = `Basic ${Buffer.from(options.auth).toString('base64')}`;
  const { cert, key } = options as { readonly cert?: Buffer | string; readonly key?: Buffer | string };
  return cert && key ? { headers, certificate: { cert: cert.toString(), key: key.toString() } } : { headers };
}
