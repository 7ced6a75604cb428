/** Makes the `.vsix`: bundles, checks what tfx lets pass, and packs without a network. */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { cp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Ajv } from 'ajv';
import { build } from './build.ts';

const root = resolve(import.meta.dirname, '..');

/** A task.json, as far as it is looked at here. */
export interface TaskManifest {
  readonly id: string;
  readonly name: string;
  readonly version: { readonly Major: number; readonly Minor: number; readonly Patch: number };
  readonly inputs: readonly {
    readonly name: string;
    readonly type: string;
    readonly aliases?: readonly string[];
    readonly required?: boolean;
    readonly visibleRule?: string;
    readonly groupName?: string;
    readonly defaultValue?: string;
    readonly options?: Readonly<Record<string, string>>;
  }[];
  readonly groups?: readonly { readonly name: string }[];
  readonly dataSourceBindings?: readonly { readonly target: string }[];
  readonly outputVariables?: readonly { readonly name: string }[];
  readonly restrictions: { readonly settableVariables: { readonly allowed: readonly string[] } };
  readonly execution: Readonly<Record<string, { readonly target: string }>>;
}

/** The parts of vss-extension.json that are looked at here. */
export interface ExtensionManifest {
  readonly version: string;
  readonly description: string;
  readonly icons: { readonly default: string };
  readonly files: readonly { readonly path: string }[];
  readonly contributions: readonly { readonly id: string; readonly properties: { readonly name: string } }[];
}

const text = { type: 'string', minLength: 1 } as const;
const natural = { type: 'integer', minimum: 0 } as const;
const handlersOf = (target: string) => {
  const handler = {
    type: 'object',
    required: ['target'],
    additionalProperties: false,
    properties: { target: { const: target }, argumentFormat: { const: '' } },
  } as const;
  return {
    type: 'object',
    required: ['Node20_1', 'Node24'],
    additionalProperties: false,
    properties: { Node20_1: handler, Node24: handler },
  } as const;
};

/** What we want of a task.json; stricter than Azure DevOps, which finds most of this out when it is too late. */
const taskSchema = {
  type: 'object',
  required: ['id', 'name', 'friendlyName', 'description', 'helpMarkDown', 'category', 'author', 'version', 'execution'],
  properties: {
    id: { type: 'string', pattern: '^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$' },
    name: { type: 'string', pattern: '^[A-Za-z][A-Za-z0-9]*$' },
    friendlyName: { type: 'string', minLength: 1, maxLength: 40 },
    description: text,
    helpMarkDown: text,
    author: text,
    instanceNameFormat: text,
    category: { const: 'Azure Pipelines' },
    minimumAgentVersion: { type: 'string', pattern: '^\\d+\\.\\d+\\.\\d+$' },
    visibility: { type: 'array', minItems: 1, items: { enum: ['Build', 'Release'] } },
    runsOn: { const: ['Agent'] },
    version: {
      type: 'object',
      required: ['Major', 'Minor', 'Patch'],
      additionalProperties: false,
      properties: { Major: { type: 'integer', minimum: 1 }, Minor: natural, Patch: natural },
    },
    inputs: {
      type: 'array',
      items: {
        type: 'object',
        required: ['name', 'type', 'label', 'helpMarkDown'],
        additionalProperties: false,
        properties: {
          name: { type: 'string', pattern: '^[a-z][A-Za-z0-9]*$' },
          aliases: { type: 'array', items: text },
          type: {
            enum: [
              'boolean',
              'filePath',
              'multiLine',
              'pickList',
              'radio',
              'string',
              'connectedService:AzureRM',
              'connectedService:dockerregistry',
              'connectedService:kubernetes',
              'connectedService:github',
              'connectedService:githubenterprise',
            ],
          },
          label: text,
          helpMarkDown: text,
          defaultValue: { type: 'string' },
          required: { type: 'boolean' },
          groupName: text,
          visibleRule: { type: 'string', pattern: '^\\w+ (?:!=|=) \\w+(?: (?:&&|\\|\\|) \\w+ (?:!=|=) \\w+)*$' },
          options: { type: 'object', additionalProperties: text },
          properties: { type: 'object' },
        },
      },
    },
    outputVariables: { type: 'array', items: { type: 'object', required: ['name', 'description'] } },
    restrictions: {
      type: 'object',
      required: ['settableVariables'],
      additionalProperties: false,
      properties: { settableVariables: { type: 'object', required: ['allowed'] } },
    },
    execution: handlersOf('index.js'),
    postjobexecution: handlersOf('post.js'),
  },
} as const;

/** What is wrong with a task.json by itself, one sentence each. */
export function findTaskFaults(task: TaskManifest): string[] {
  const ajv = new Ajv({ allErrors: true });
  if (!ajv.validate(taskSchema, task)) {
    return (ajv.errors ?? []).map(({ instancePath, message }) => `${task.name}: ${instancePath} ${message}`);
  }
  const names = new Set(task.inputs.map(input => input.name));
  const taken = task.inputs.flatMap(input => [input.name, ...(input.aliases ?? [])].map(name => name.toLowerCase()));
  const groups = new Set((task.groups ?? []).map(group => group.name));
  const rules = task.inputs.flatMap(({ visibleRule = '' }) =>
    [...visibleRule.matchAll(/(\w+) !?=/g)].map(one => one[1]),
  );
  const outputs = (task.outputVariables ?? []).map(output => output.name);
  return [
    ...taken.filter((name, index) => taken.indexOf(name) !== index).map(name => `two inputs are called ${name}`),
    ...rules.filter(name => !names.has(name ?? '')).map(name => `a rule names ${name}, which is no input`),
    ...task.inputs.flatMap(({ name, groupName }) =>
      groupName === undefined || groups.has(groupName) ? [] : [`${name} is in the group ${groupName}, which is none`],
    ),
    ...(task.dataSourceBindings ?? [])
      .filter(({ target }) => !names.has(target))
      .map(({ target }) => `a binding fills ${target}, which is no input`),
    ...task.inputs.flatMap(({ name, options, defaultValue }) =>
      options && defaultValue && !(defaultValue in options) ? [`the default of ${name} is none of its options`] : [],
    ),
    ...(outputs.join() === task.restrictions.settableVariables.allowed.join()
      ? []
      : ['what it may set is not what it says it sets']),
  ].map(fault => `${task.name}: ${fault}`);
}

/** What is wrong with the extension as a whole. Reads the tasks' sources, so it needs no build. */
export async function findExtensionFaults(
  extension: ExtensionManifest,
  tasks: readonly TaskManifest[],
): Promise<string[]> {
  const ids = tasks.map(task => task.id);
  const missing = await Promise.all(
    [
      { path: extension.icons.default, width: 128 },
      ...tasks.map(task => ({ path: `tasks/${task.name}/icon.png`, width: 32 })),
    ].map(async ({ path, width }) =>
      (await readWidth(join(root, path))) === width ? [] : [`${path} is not a picture of ${width} × ${width}`],
    ),
  );
  return [
    ...(/^\d+\.\d+\.\d+$/.test(extension.version) ? [] : [`version ${extension.version} is not of the form 1.2.3`]),
    ...(extension.description.length <= 200 ? [] : ['the description has more than 200 characters']),
    ...ids.filter((id, index) => ids.indexOf(id) !== index).map(id => `two tasks have the id ${id}`),
    ...tasks
      .filter(({ name }) => !extension.contributions.some(({ properties }) => properties.name === `tasks/${name}`))
      .map(({ name }) => `${name} is not contributed`),
    ...extension.contributions
      .filter(({ properties }) => !extension.files.some(file => file.path === properties.name))
      .map(({ id }) => `the contribution ${id} has no files`),
    ...missing.flat(),
  ];
}

/** Every task of the sources. */
export async function readTasks(): Promise<TaskManifest[]> {
  const folders = (await readdir(join(root, 'tasks'))).sort();
  const files = folders.map(folder => join(root, 'tasks', folder, 'task.json')).filter(existsSync);
  return Promise.all(files.map(async file => JSON.parse(await readFile(file, 'utf8')) as TaskManifest));
}

/** Reads vss-extension.json. */
export async function readExtension(): Promise<ExtensionManifest> {
  return JSON.parse(await readFile(join(root, 'vss-extension.json'), 'utf8')) as ExtensionManifest;
}

/** Makes the package in `folder`, and gives its path. Throws where a check fails, or tfx so much as warns. */
export async function makePackage(folder = join(root, 'dist')): Promise<string> {
  const [extension, tasks] = await Promise.all([readExtension(), readTasks()]);
  const faults = [...tasks.flatMap(findTaskFaults), ...(await findExtensionFaults(extension, tasks))];
  if (faults.length > 0) throw new Error(faults.join('\n'));
  await stage(join(folder, 'extension'));
  const path = join(folder, `image-lifecycle-${extension.version}.vsix`);
  await rm(path, { force: true });
  const { code, output } = await runTfx(join(folder, 'extension'), path);
  if (code !== 0 || /\bwarning:/i.test(output)) throw new Error(`tfx is not content:\n${output}`);
  return path;
}

/** Lays out what the package holds, as its manifest says it: tfx looks for a task's bundle beside its task.json. */
async function stage(folder: string): Promise<void> {
  await rm(folder, { recursive: true, force: true });
  await build({ folder, only: 'tasks/' });
  for (const path of ['vss-extension.json', 'overview.md', 'LICENSE', 'images', 'configuration.schema.json']) {
    await cp(join(root, path), join(folder, path), { recursive: true });
  }
}

function runTfx(folder: string, path: string): Promise<{ code: number | null; output: string }> {
  return new Promise((done, fail) => {
    const tfx = join(root, 'node_modules/tfx-cli/_build/tfx-cli.js');
    const words = ['extension', 'create', '--manifest-globs', 'vss-extension.json', '--output-path', path];
    const child = spawn(process.execPath, [tfx, ...words, '--no-color', '--no-prompt'], { cwd: folder });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (part: string) => {
        output += part;
      });
    }
    child.on('error', fail).on('close', code => done({ code, output }));
  });
}

/** The width of a square PNG; undefined for everything else. https://www.w3.org/TR/png-3/#11IHDR */
async function readWidth(path: string): Promise<number | undefined> {
  const bytes = await readFile(path).catch(() => Buffer.alloc(0));
  const isPng = bytes.length > 24 && bytes.toString('latin1', 1, 4) === 'PNG';
  return isPng && bytes.readUInt32BE(16) === bytes.readUInt32BE(20) ? bytes.readUInt32BE(16) : undefined;
}

if (process.argv[1] && resolve(process.argv[1]) === fileURLToPath(import.meta.url)) {
  const path = await makePackage();
  console.log(`${path}  ${Math.round((await stat(path)).size / 1024)} KB`);
}
