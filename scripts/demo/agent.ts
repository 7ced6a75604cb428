/** The agent of the demo: runs steps of the pipeline, each a process that is told everything by its environment. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import {
  type AgentFolder,
  runTask,
  type TaskOutcome,
  type TaskRun,
  type TestEndpoint,
} from '../../test/support/run-task.ts';
import { control } from './control.ts';
import type { Scene } from './scene.ts';

/** A step of a run of the demo's pipeline. */
export interface Step {
  readonly task: 'TagImage' | 'PackageChart' | 'PromoteImage' | 'CleanImages';
  /** The id of the run, which is the build's. */
  readonly run: number;
  /** The stage of the pipeline. */
  readonly stage: string;
  readonly inputs: Readonly<Record<string, string>>;
  /** Service connections beside the pipeline's one. */
  readonly endpoints?: Readonly<Record<string, TestEndpoint>>;
}

/** What a step said to people, and its verdict to the agent. */
export interface Verdict {
  readonly said: string;
  readonly succeeded: boolean;
  /** The verdict's message; empty where all is well. */
  readonly message: string;
}

/** A step that ended. */
export interface EndedStep extends Verdict {
  /** Its output variables, by lower-case name. */
  readonly variables: Readonly<Record<string, string>>;
  /** Runs the step's part at the end of the job, which has succeeded. */
  endJob(): Promise<Verdict>;
}

/** The name of the pipeline's one service connection. */
export const connectionId = 'contoso-azure';

/** The folder of a job's agent. */
export function folderOf({ stage: { folder } }: Scene, { run, stage }: Pick<Step, 'run' | 'stage'>): string {
  return join(folder, `${stage}-${run}`);
}

/** Runs a step to its end. */
export async function runStep(scene: Scene, step: Step): Promise<EndedStep> {
  const folder = folderOf(scene, step);
  await mkdir(join(folder, 'temp'), { recursive: true });
  const agent: AgentFolder = { path: folder, sources: folder, staging: folder, remove: async () => {} };
  const run = await describeRun(scene, step);
  const outcome = await runTask(agent, run);
  const variables = { ...run.variables, 'Agent.JobStatus': 'Succeeded' };
  const { taskVariables } = outcome;
  return {
    ...judge(outcome),
    variables: outcome.variables,
    endJob: async () => judge(await runTask(agent, { ...run, bundle: 'post', taskVariables, variables })),
  };
}

async function describeRun(scene: Scene, { task, run, stage, inputs, endpoints }: Step): Promise<TaskRun> {
  const { http, organization, pipeline, connection } = scene;
  const { accessToken } = await control(http, organization.url, 'jobs', { projectId: pipeline.projectId });
  return {
    task,
    inputs,
    variables: {
      'Build.BuildId': String(run),
      'Build.BuildNumber': `20261123.${run}`,
      'Build.Repository.Name': 'shop',
      'Build.SourceVersion': String(run).padStart(40, '0'),
      'System.CollectionId': organization.collectionId,
      'System.CollectionUri': `${organization.url}/`,
      'System.DefinitionId': String(pipeline.definitionId),
      'System.PhaseName': stage === 'build' ? 'images' : 'deploy',
      'System.StageName': stage,
      'System.TeamProject': 'Shop',
      'System.TeamProjectId': pipeline.projectId,
    },
    endpoints: {
      [connectionId]: connection,
      ...endpoints,
      SYSTEMVSSCONNECTION: {
        url: organization.url,
        scheme: 'OAuth',
        parameters: { AccessToken: String(accessToken) },
      },
    },
    environment: { NODE_EXTRA_CA_CERTS: scene.stage.caFile },
  };
}

function judge({ output, result, message }: TaskOutcome): Verdict {
  const lines = output.split('\n').filter(line => !line.includes('##vso['));
  return { said: lines.join('\n'), succeeded: result === 'Succeeded', message };
}
