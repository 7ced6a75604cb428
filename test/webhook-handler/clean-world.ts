/** Two registries, an organization, a cluster, and the handler between them under a policy; all by one clock. */
import { ok } from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { systemClock } from '../../core/base/clock.ts';
import { silentLog } from '../../core/base/log.ts';
import { pushUsageReport } from '../../core/lifecycle/facts/push-usage.ts';
import { createHttp } from '../../core/oci/http.ts';
import { openRegistry } from '../../core/oci/registry.ts';
import { runProgram } from '../../webhook-handler/program.ts';
import { type AcrEmulator, startAcr } from '../emulators/acr/acr.ts';
import { type AzureDevOpsEmulator, startAzureDevOps } from '../emulators/azure-devops/azure-devops.ts';
import { type KubernetesEmulator, startKubernetes } from '../emulators/kubernetes/kubernetes.ts';
import { createClock, type SettableClock } from '../emulators/settable-clock.ts';
import { createTls } from '../emulators/tls.ts';
import { recordImages } from '../tasks/promotion.ts';
import { projectId } from './world.ts';

export const hour = 60 * 60_000;
export const day = 24 * hour;
const definitionId = 12;
const adminPassword = 'admin-password';

/** What a run of the program gave. */
export interface Ran {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** A run that is not over. */
export interface Running {
  readonly written: { out: string; err: string };
  readonly ended: Promise<Ran>;
  isRunning(): boolean;
  /** As SIGTERM does. */
  stop(): void;
}

/** What a test of the handler under a policy works with. */
export interface CleanWorld {
  readonly clock: SettableClock;
  readonly devOps: AzureDevOpsEmulator;
  readonly ci: AcrEmulator;
  readonly prod: AcrEmulator;
  readonly cluster: KubernetesEmulator;
  /** A file below a folder of its own. */
  path(name: string): string;
  /** Writes the configuration: `more` comes behind both registries and the organization, `prod` are keys of that registry. */
  configure(more: string, prod?: string): Promise<void>;
  /** Makes a build with an image of its own, records it as TagImage does, and gives its digest. */
  build(id: number, repository: string): Promise<string>;
  /** Reports into the registry of production that a cluster runs these. */
  report(...images: readonly string[]): Promise<void>;
  start(args: readonly string[], env?: Readonly<Record<string, string>>): Running;
  /** `reconcile`, with the configuration. */
  reconcile(args?: readonly string[], env?: Readonly<Record<string, string>>): Promise<Ran>;
  /** `reconcile` as a process of its own, with the configuration. */
  reconcileAsProcess(args?: readonly string[]): Promise<Ran>;
  /** Every request to a registry that was no GET and no HEAD, and no sign-in. */
  changes(): string[];
  read(name: string): Promise<string>;
  close(): Promise<void>;
}

/** Starts it, with nothing in the registries. */
export async function openCleanWorld(): Promise<CleanWorld> {
  const [tls, clock, folder] = [await createTls(), createClock(), await mkdtemp(join(tmpdir(), 'clean-'))];
  const [ci, prod, devOps, cluster] = await Promise.all([
    startAcr({ tls, clock }),
    startAcr({ tls, clock }),
    startAzureDevOps({ clock, flavour: 'server' }),
    startKubernetes({ tls, clock }),
  ]);
  devOps.world.addProject({ id: projectId, name: 'Shop' });
  devOps.world.addDefinition({ projectId, id: definitionId });
  const http = createHttp({ ca: tls.ca });
  const path = (name: string): string => join(folder, name);
  const start: CleanWorld['start'] = (args, env = {}) => {
    const written = { out: '', err: '' };
    const stop = new AbortController();
    const code = runProgram(args, {
      env: { PASSWORD: adminPassword, PAT: devOps.pat, ...env },
      out: text => void (written.out += text),
      err: text => void (written.err += text),
      signal: stop.signal,
      version: '1.2.3',
      reconcile: () => Promise.reject(new Error('the registries were not reconciled as one')),
      http,
    });
    let isRunning = true;
    const ended = code.then(ended => {
      isRunning = false;
      const all = written.out + written.err;
      ok(![adminPassword, devOps.pat, cluster.token].some(each => all.includes(each)), 'a secret was written');
      return { code: ended, ...written };
    });
    return { written, ended, isRunning: () => isRunning, stop: () => stop.abort(new Error('stopped by SIGTERM')) };
  };
  return {
    clock,
    devOps,
    ci,
    prod,
    cluster,
    path,
    configure: (more, ofProd) => writeFile(path('lifecycle.yaml'), writeText({ ci, prod, devOps }, more, ofProd)),
    build: async (id, repository) => {
      const { digest } = ci.world.putImage(repository);
      await record(ci, devOps, { id, repository, reference: digest });
      return digest;
    },
    report: async (...images) => {
      const credentials = { kind: 'password', username: 'admin', password: adminPassword } as const;
      const registry = openRegistry({ address: prod.host, credentials, http });
      const uses = ['registry.k8s.io/pause', ...images].map((image, at) => ({ image, where: `pod shop/web-${at}` }));
      const read = async () =>
        ({ uses: { kind: 'whole', items: uses }, releases: { kind: 'unread', reason: 'without Helm' } }) as const;
      const reporting = { name: 'aks', readId: async () => 'uid-of-aks', read, reportsReleases: false };
      await pushUsageReport(registry, reporting, {
        tool: '1.2.3',
        clock: { ...systemClock, now: () => clock.now() },
        log: silentLog,
      });
    },
    start,
    reconcile: (args = [], env) => start(['reconcile', '--config', path('lifecycle.yaml'), ...args], env).ended,
    reconcileAsProcess: async (args = []) => {
      await writeFile(path('ca.pem'), tls.ca);
      const env = { PASSWORD: adminPassword, PAT: devOps.pat, NODE_EXTRA_CA_CERTS: path('ca.pem') };
      return runProcess(['reconcile', '--config', path('lifecycle.yaml'), ...args], env);
    },
    changes: () =>
      [ci, prod].flatMap(acr =>
        acr.requests
          .all()
          .filter(({ method, path: to }) => !['GET', 'HEAD'].includes(method) && !to.startsWith('/oauth2/'))
          .map(({ method, path: to }) => `${method} ${to}`),
      ),
    read: name => readFile(path(name), 'utf8'),
    close: async () => {
      await Promise.all([http.close(), ...[ci, prod, devOps, cluster].map(each => each.close())]);
      await rm(folder, { recursive: true });
    },
  };
}

const main = fileURLToPath(new URL('../../webhook-handler/main.ts', import.meta.url));

async function runProcess(args: readonly string[], env: Readonly<Record<string, string>>): Promise<Ran> {
  const child = spawn(process.execPath, ['--import', 'tsx', main, ...args], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const written = { out: '', err: '' };
  child.stdout.on('data', chunk => (written.out += String(chunk)));
  child.stderr.on('data', chunk => (written.err += String(chunk)));
  const [code] = (await once(child, 'close')) as [number | null];
  return { code: code ?? -1, ...written };
}

type Servers = Pick<CleanWorld, 'ci' | 'prod' | 'devOps'>;

function writeText({ ci, prod, devOps }: Servers, more: string, ofProd = ''): string {
  const signIn = 'signIn: { kind: password, username: admin, password: { env: PASSWORD } }';
  return `registries:
  - { name: ci, url: "${ci.host}", onBuildDeleted: delete, ${signIn} }
  - { name: prod, url: "${prod.host}", onBuildDeleted: delete, ${signIn}${ofProd && `, ${ofProd}`} }
organizations:
  - { url: "${devOps.url}", signIn: { kind: pat, token: { env: PAT } }, projects: [Shop] }
server: { host: 127.0.0.1, port: 0, username: azure-devops, password: { env: PASSWORD } }
${more}
`;
}

async function record(
  { host, ca }: AcrEmulator,
  devOps: AzureDevOpsEmulator,
  { id, ...image }: { readonly id: number; readonly repository: string; readonly reference: string },
): Promise<void> {
  const made = devOps.world.addBuild({ id, definitionId });
  const build = {
    collectionId: devOps.collectionId,
    organization: devOps.url,
    projectId,
    definitionId,
    id,
    number: made.number,
    repository: 'contoso/shop',
    branch: 'refs/heads/main',
    commit: made.sourceVersion,
    stage: 'build',
    job: 'package',
    attempt: '1.1',
  };
  await recordImages({ address: host, ca, username: 'admin', password: adminPassword }, build, [image]);
}
