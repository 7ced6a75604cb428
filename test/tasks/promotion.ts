/** The registry that a build pushes to, the registry of a stage, Azure DevOps, an agent, and PromoteImage between them. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { systemClock } from '../../core/base/clock.ts';
import { silentLog } from '../../core/base/log.ts';
import type { BuildIdentity } from '../../core/lifecycle/build-record.ts';
import { tagImages } from '../../core/lifecycle/tag.ts';
import { createHttp } from '../../core/oci/http.ts';
import { openRegistry, type Registry } from '../../core/oci/registry.ts';
import { type AzureDevOpsEmulator, startAzureDevOps } from '../emulators/azure-devops/azure-devops.ts';
import type { TlsMaterial } from '../emulators/tls.ts';
import { type DockerRegistry, startDockerRegistry } from '../support/docker-registry.ts';
import type { Content } from '../support/images.ts';
import {
  type AgentFolder,
  buildTasks,
  makeAgentFolder,
  runTask,
  type TaskOutcome,
  type TaskRun,
} from '../support/run-task.ts';
import { pushImage } from '../support/skopeo.ts';
import { connectionTo, projectId } from './step.ts';

/** The collection of the default variables. */
export const collectionId = '0a5a7f21-1b5c-4e6d-8f90-a1b2c3d4e5f6';
/** The pipeline that builds, and another project with one of its own. */
export const definitionId = 12;
export const library = { projectId: '99999999-8888-4777-8666-555555555555', definitionId: 13 };

/** An agent of an organization that runs PromoteImage. */
export interface Deployment {
  readonly agent: AgentFolder;
  readonly devOps: AzureDevOpsEmulator;
  /** Adds a build to the organization, and says how records name it. */
  addBuild(build: Partial<BuildIdentity> & { readonly id: number }): BuildIdentity;
  /** Runs the step as a job of the run with this id. */
  promote(buildId: number, run: Partial<TaskRun>): Promise<TaskOutcome>;
  /** Runs the step's end with what the step left, in a job of that status; undefined where the agent says none. */
  endJob(step: TaskOutcome, status: string | undefined, run?: Partial<TaskRun>): Promise<TaskOutcome>;
  close(): Promise<void>;
}

/** Starts the organization, with the project of the default variables and {@link library}. */
export async function openDeployment(tls?: TlsMaterial): Promise<Deployment> {
  await buildTasks();
  const [devOps, agent] = await Promise.all([
    startAzureDevOps({ collectionId, ...(tls && { tls }) }),
    makeAgentFolder(),
  ]);
  devOps.world.addProject({ id: projectId, name: 'Web Shop' });
  devOps.world.addProject({ id: library.projectId, name: 'Library' });
  devOps.world.addDefinition({ projectId, id: definitionId });
  devOps.world.addDefinition({ projectId: library.projectId, id: library.definitionId });
  const run = (bundle: 'index' | 'post', { variables, endpoints, ...more }: Partial<TaskRun>) => {
    const job = devOps.startJob(projectId);
    return runTask(agent, {
      task: 'PromoteImage',
      bundle,
      inputs: {},
      variables: {
        'System.CollectionUri': `${devOps.url}/`,
        'System.TeamFoundationCollectionUri': `${devOps.url}/`,
        'System.StageName': 'Production',
        'System.OidcRequestUri': job.oidcRequestUri,
        ...variables,
      },
      endpoints: {
        SYSTEMVSSCONNECTION: { url: devOps.url, scheme: 'OAuth', parameters: { AccessToken: job.accessToken } },
        ...endpoints,
      },
      ...more,
    });
  };
  return {
    agent,
    devOps,
    addBuild: build => addBuild(devOps, build),
    promote: (buildId, { variables, ...more }) =>
      run('index', { ...more, variables: { 'Build.BuildId': String(buildId), ...variables } }),
    endJob: ({ taskVariables }, status, more = {}) =>
      run('post', { taskVariables, ...more, variables: { 'Agent.JobStatus': status, ...more.variables } }),
    close: async () => {
      await Promise.all([devOps.close(), agent.remove()]);
    },
  };
}

function addBuild(devOps: AzureDevOpsEmulator, build: Partial<BuildIdentity> & { readonly id: number }): BuildIdentity {
  const whole: BuildIdentity = {
    collectionId,
    organization: 'https://dev.azure.com/contoso/',
    projectId,
    definitionId,
    number: `20261123.${build.id}`,
    repository: 'contoso/shop',
    branch: 'refs/heads/release/1.4',
    commit: 'c'.repeat(40),
    stage: 'build',
    job: 'package',
    attempt: '1.1',
    ...build,
  };
  const { id, number } = whole;
  if (!devOps.world.builds.has(id)) devOps.world.addBuild({ definitionId: whole.definitionId, id, number });
  return whole;
}

/** Where a registry is, and how to sign in. */
export interface RegistryAddress {
  readonly address: string;
  /** PEM to trust. */
  readonly ca?: string;
  readonly username?: string;
  readonly password?: string;
}

/** Two registries that ask for a password, with skopeo as a witness. */
export interface Bench extends Deployment {
  readonly ci: DockerRegistry;
  readonly stage: DockerRegistry;
  /** Pushes images with skopeo, by repository, and records them as TagImage does. */
  record(
    build: Partial<BuildIdentity> & { readonly id: number },
    images: Readonly<Record<string, Content>>,
  ): Promise<void>;
  push(registry: DockerRegistry, reference: string, image: Content): Promise<void>;
  /** Runs the step from the one to the other; `inputs` come over that. */
  step(buildId: number, inputs?: Record<string, string>, run?: Partial<TaskRun>): Promise<TaskOutcome>;
}

/** Starts both. */
export async function openBench(): Promise<Bench> {
  const password = { password: true } as const;
  const [deployment, ci, stage] = await Promise.all([
    openDeployment(),
    startDockerRegistry(password),
    startDockerRegistry(password),
  ]);
  return {
    ...deployment,
    ci,
    stage,
    record: async (wanted, images) => {
      const build = deployment.addBuild(wanted);
      for (const [repository, image] of Object.entries(images)) await pushImage(ci, `${repository}:built`, image);
      const named = Object.entries(images).map(([repository, { digest }]) => ({ repository, reference: digest }));
      await recordImages({ ...ci, address: `http://${ci.host}` }, build, named);
    },
    push: pushImage,
    step: (buildId, inputs = {}, { endpoints, ...run } = {}) =>
      deployment.promote(buildId, {
        ...run,
        inputs: {
          sourceConnectionType: 'dockerRegistry',
          sourceContainerRegistry: 'ci-connection',
          connectionType: 'dockerRegistry',
          containerRegistry: 'stage-connection',
          ...inputs,
        },
        endpoints: { 'ci-connection': connectionTo(ci), 'stage-connection': connectionTo(stage), ...endpoints },
      }),
    close: async () => {
      await Promise.all([deployment.close(), ci.stop(), stage.stop()]);
    },
  };
}

/** Opens a registry with our own client, for as long as `work` runs. */
export async function withRegistry<T>(
  { address, ca, username = '', password = '' }: RegistryAddress,
  work: (registry: Registry) => Promise<T>,
): Promise<T> {
  const http = createHttp(ca === undefined ? {} : { ca });
  try {
    return await work(openRegistry({ address, credentials: { kind: 'password', username, password }, http }));
  } finally {
    await http.close();
  }
}

/** Records images that are there, as TagImage does. */
export async function recordImages(
  address: RegistryAddress,
  build: BuildIdentity,
  images: readonly { readonly repository: string; readonly reference: string }[],
): Promise<void> {
  await withRegistry(address, registry => {
    const deps = { registry, clock: systemClock, log: silentLog };
    return tagImages(deps, { build, images, tags: [String(build.id)], onBuildDeleted: 'delete', overwrite: true });
  });
}

/** The pages that the step put on the run. */
export async function readSummaries({ commands }: TaskOutcome): Promise<string[]> {
  const paths = commands.filter(command => command.name === 'task.uploadsummary').map(command => command.data);
  return Promise.all(paths.map(path => readFile(path, 'utf8')));
}

/** The only one of them. */
export async function readSummary(outcome: TaskOutcome): Promise<string> {
  const [page, ...more] = await readSummaries(outcome);
  assert.equal(more.length, 0);
  return page ?? '';
}

/** The warnings on the run's page. */
export function warningsOf({ commands }: TaskOutcome): string[] {
  const issues = commands.filter(
    command => command.name === 'task.logissue' && command.properties['type'] === 'warning',
  );
  return issues.map(command => command.data);
}

/** What people read: the lines that are no commands. */
export function linesOf({ output }: TaskOutcome): string[] {
  return output.split('\n').filter(line => line !== '' && !line.startsWith('##vso['));
}
