/** Registries of Azure, an organization with builds, an agent, and CleanImages between them; all by one clock. */
import { randomUUID } from 'node:crypto';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Identity } from '../emulators/acr/access.ts';
import { type AcrEmulator, type AcrOptions, startAcr } from '../emulators/acr/acr.ts';
import { defaultIdentities } from '../emulators/acr/oauth.ts';
import { type AzureDevOpsEmulator, startAzureDevOps } from '../emulators/azure-devops/azure-devops.ts';
import { type EntraEmulator, startEntra } from '../emulators/entra/entra.ts';
import { type KubernetesEmulator, startKubernetes } from '../emulators/kubernetes/kubernetes.ts';
import { createClock, type SettableClock } from '../emulators/settable-clock.ts';
import { createTls, type TlsMaterial } from '../emulators/tls.ts';
import {
  type AgentFolder,
  buildTasks,
  makeAgentFolder,
  runTask,
  type TaskOutcome,
  type TaskRun,
  type TestEndpoint,
} from '../support/run-task.ts';
import { collectionId, definitionId, library, recordImages } from './promotion.ts';
import { addressOf, adminOf } from './promotion-azure.ts';
import { projectId } from './step.ts';

export const hour = 60 * 60_000;
export const day = 24 * hour;
/** The tenant of every connection. */
const tenantId = randomUUID();

/** One build and its images. */
export interface NewImages {
  readonly id: number;
  /** By repository; each build's images are its own. */
  readonly repositories: readonly string[];
  readonly tags?: readonly string[];
  /** Each is an index of so many images; an image alone unless told. */
  readonly platforms?: number;
  readonly definitionId?: number;
  /** `ci` unless told. */
  readonly registry?: AcrEmulator;
}

/** What a test of CleanImages works with. */
export interface Cleaning {
  readonly agent: AgentFolder;
  readonly clock: SettableClock;
  /** What every server of it speaks TLS by, and the agent trusts. */
  readonly tls: TlsMaterial;
  readonly entra: EntraEmulator;
  readonly devOps: AzureDevOpsEmulator;
  readonly ci: AcrEmulator;
  readonly prod: AcrEmulator;
  readonly cluster: KubernetesEmulator;
  /** Who the registries let in; whoever is added is let in from then on. */
  readonly identities: { readonly ci: Identity[]; readonly prod: Identity[] };
  /** The folder of plan.json and report.html. */
  readonly output: string;
  /** Makes a build with an image in each repository, records them as TagImage does, and gives their digests. */
  build(images: NewImages): Promise<string[]>;
  /** Writes the configuration: `more` comes behind the organization, its two projects and both registries. */
  configure(more?: string, registries?: string): Promise<void>;
  /** Runs the task with a connection to each registry; `inputs` come over that. */
  clean(inputs?: Record<string, string>, run?: Partial<TaskRun>): Promise<TaskOutcome>;
  /** A Kubernetes connection to the cluster, by the token of a service account. */
  clusterConnection(token?: string): TestEndpoint;
  /** A connection of a service principal that Entra knows, under an id of its own, and the object id that roles name. */
  addPrincipal(): { readonly id: string; readonly endpoint: TestEndpoint; readonly objectId: string };
  /** Every request to a registry that was no GET and no HEAD, and no sign-in. */
  changes(): string[];
  /** Forgets plan.json and report.html. */
  forget(): Promise<void>;
  close(): Promise<void>;
}

/** Starts it: the project of the default variables with the pipeline 12, and another project with the pipeline 13. */
export async function openCleaning(options: Pick<AcrOptions, 'abac'> = {}): Promise<Cleaning> {
  await buildTasks();
  const [tls, agent, clock] = [await createTls(), await makeAgentFolder(), createClock()];
  const identities = { ci: [...defaultIdentities], prod: [...defaultIdentities] };
  const [ci, prod, entra, devOps, cluster] = await Promise.all([
    startAcr({ ...options, tls, clock, identities: identities.ci }),
    startAcr({ ...options, tls, clock, identities: identities.prod }),
    startEntra({ tls, clock }),
    startAzureDevOps({ collectionId, tls, clock, flavour: 'server' }),
    startKubernetes({ tls, clock }),
  ]);
  // What makes it a cluster; one that runs nothing at all counts as unread.
  const dns = { containers: [{ name: 'coredns', image: 'registry.k8s.io/coredns/coredns:v1.11.1' }] };
  cluster.add('pods', { metadata: { name: 'coredns-1', namespace: 'kube-system' }, spec: dns });
  devOps.world.addProject({ id: projectId, name: 'Web Shop' });
  devOps.world.addProject({ id: library.projectId, name: 'Library' });
  devOps.world.addDefinition({ projectId, id: definitionId });
  devOps.world.addDefinition({ projectId: library.projectId, id: library.definitionId });
  const caFile = join(agent.path, 'ca.pem');
  await writeFile(caFile, tls.ca);
  const output = join(agent.path, 'temp/clean-images');
  return {
    agent,
    clock,
    tls,
    entra,
    devOps,
    ci,
    prod,
    cluster,
    identities,
    output,
    build: images => build(devOps, ci, images),
    configure: (more = '', registries = registriesOf(ci, prod)) =>
      writeSource(
        agent,
        'image-lifecycle.yml',
        `organization: ${devOps.url}\nprojects: [Web Shop, Library]\n${registries}\n${more}`,
      ),
    clean: (inputs = {}, { variables, endpoints, environment, ...run } = {}) => {
      const { accessToken, oidcRequestUri } = devOps.startJob(projectId);
      return runTask(agent, {
        task: 'CleanImages',
        inputs: {
          configuration: 'image-lifecycle.yml',
          containerRegistries: 'ci-connection,prod-connection',
          ...inputs,
        },
        variables: {
          'System.CollectionUri': `${devOps.url}/`,
          'System.TeamFoundationCollectionUri': `${devOps.url}/`,
          'System.OidcRequestUri': oidcRequestUri,
          ...variables,
        },
        endpoints: {
          SYSTEMVSSCONNECTION: { url: devOps.url, scheme: 'OAuth', parameters: { AccessToken: accessToken } },
          'ci-connection': adminOf(ci),
          'prod-connection': adminOf(prod),
          ...endpoints,
        },
        environment: { NODE_EXTRA_CA_CERTS: caFile, ...environment },
        ...run,
      });
    },
    clusterConnection: (token = cluster.token) => ({
      url: cluster.url,
      scheme: 'Token',
      parameters: { apiToken: base64(token), serviceAccountCertificate: base64(tls.ca) },
      data: { authorizationType: 'ServiceAccount' },
    }),
    addPrincipal: () => addPrincipal(entra),
    changes: () =>
      [ci, prod].flatMap(acr =>
        acr.requests
          .all()
          .filter(({ method, path }) => !['GET', 'HEAD'].includes(method) && !path.startsWith('/oauth2/'))
          .map(({ method, path }) => `${method} ${path}`),
      ),
    forget: () => rm(output, { recursive: true, force: true }),
    close: async () => {
      await Promise.all([ci, prod, entra, devOps, cluster].map(each => each.close()));
      await agent.remove();
    },
  };
}

function registriesOf(ci: AcrEmulator, prod: AcrEmulator): string {
  return [
    'registries:',
    `  - { name: ci, url: "${ci.host}", onBuildDeleted: delete }`,
    `  - { name: prod, url: "${prod.host}", onBuildDeleted: delete }`,
  ].join('\n');
}

function base64(text: string): string {
  return Buffer.from(text).toString('base64');
}

/** Writes a file below the sources, and its folders. */
export async function writeSource(agent: AgentFolder, name: string, text: string): Promise<void> {
  const path = join(agent.sources, name);
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, text);
}

async function build(devOps: AzureDevOpsEmulator, ci: AcrEmulator, images: NewImages): Promise<string[]> {
  const { id, repositories, tags = [], platforms = 0, registry = ci } = images;
  const definition = images.definitionId ?? definitionId;
  const project = definition === definitionId ? projectId : library.projectId;
  const made = devOps.world.builds.get(id) ?? devOps.world.addBuild({ id, definitionId: definition });
  const digests = repositories.map(repository => {
    if (platforms === 0) return registry.world.putImage(repository, { tags }).digest;
    const children = Array.from({ length: platforms }, () => registry.world.putImage(repository));
    return registry.world.putIndex(repository, children, { tags }).digest;
  });
  const identity = {
    collectionId,
    organization: devOps.url,
    projectId: project,
    definitionId: definition,
    id,
    number: made.number,
    repository: 'contoso/shop',
    branch: 'refs/heads/main',
    commit: made.sourceVersion,
    stage: 'build',
    job: 'package',
    attempt: '1.1',
  };
  const named = repositories.map((repository, at) => ({ repository, reference: digests[at] ?? '' }));
  await recordImages(addressOf(registry), identity, named);
  return digests;
}

function addPrincipal({ url, directory }: EntraEmulator): ReturnType<Cleaning['addPrincipal']> {
  const secret = `k~8Q/${randomUUID()}`;
  const { clientId, objectId } = directory.addApplication({ tenantId, secret });
  const endpoint = {
    url: 'https://management.azure.com/',
    scheme: 'ServicePrincipal',
    parameters: {
      tenantid: tenantId,
      serviceprincipalid: clientId,
      serviceprincipalkey: secret,
      authenticationType: 'spnKey',
    },
    data: { environment: 'AzureCloud', activeDirectoryAuthority: `${url}/` },
  };
  return { id: randomUUID(), endpoint, objectId };
}

/** What the step wrote into its folder. */
export async function readOutput(cleaning: Cleaning, name: 'plan.json' | 'report.html'): Promise<string> {
  return readFile(join(cleaning.output, name), 'utf8');
}
