import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { inflateRawSync } from 'node:zlib';
import {
  type ExtensionManifest,
  findExtensionFaults,
  findTaskFaults,
  makePackage,
  readExtension,
  readTasks,
  type TaskManifest,
} from '../scripts/package.ts';
import { makeAgentFolder } from './support/run-task.ts';

const root = resolve(import.meta.dirname, '..');

describe('the extension', () => {
  let tasks: TaskManifest[];
  let extension: ExtensionManifest;
  before(async () => {
    [tasks, extension] = await Promise.all([readTasks(), readExtension()]);
  });

  it('is without fault', async () => {
    assert.deepEqual(tasks.flatMap(findTaskFaults), []);
    assert.deepEqual(await findExtensionFaults(extension, tasks), []);
    assert.ok(tasks.length > 0);
  });

  it('has the version of the package', async () => {
    const { version } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as { version: string };
    assert.equal(extension.version, version);
  });

  it('has the names and ids that were fixed', async () => {
    const page = await readFile(join(root, 'docs/adr/0001-fixed-from-the-first-publish.md'), 'utf8');
    const { publisher, id, scopes, contributions } = extension as unknown as {
      publisher: string;
      id: string;
      scopes: string[];
      contributions: { id: string }[];
    };
    const names = tasks.flatMap(task => [
      task.id,
      `tasks/${task.name}`,
      ...task.inputs.flatMap(input => [input.name, ...(input.aliases ?? []), ...Object.keys(input.options ?? {})]),
      ...(task.outputVariables ?? []).map(output => output.name),
    ]);
    const fixed = [publisher, id, ...scopes, ...contributions.map(each => each.id), ...names];
    for (const name of fixed) assert.ok(page.includes(`\`${name}\``), name);
  });

  const breakages: [what: string, change: (task: TaskManifest) => object, fault: RegExp][] = [
    [
      'an unknown handler',
      task => ({ execution: { ...task.execution, Node99: { target: 'index.js' } } }),
      /additional/,
    ],
    ['a missing handler', task => ({ execution: { Node24: task.execution['Node24'] } }), /Node20_1/],
    ['an unknown type of input', task => ({ inputs: [{ ...task.inputs[0], type: 'text' }] }), /inputs\/0\/type/],
    ['a version that is none', () => ({ version: { Major: 1, Minor: 'x', Patch: 0 } }), /version\/Minor/],
    ['an id that is none', () => ({ id: 'TagImage' }), /\/id/],
    ['a name that is too long', () => ({ friendlyName: 'x'.repeat(41) }), /friendlyName/],
    ['a rule about nothing', task => ({ inputs: [{ ...task.inputs[0], visibleRule: 'other = x' }] }), /names other/],
    [
      'two inputs of one name',
      task => ({ inputs: [...task.inputs, { ...task.inputs[0], name: 'loginServer' }] }),
      /two inputs are called loginserver/,
    ],
    [
      'an output that it may not set',
      () => ({ outputVariables: [{ name: 'other', description: 'x' }] }),
      /what it may set/,
    ],
  ];
  for (const [what, change, fault] of breakages) {
    it(`would be refused with ${what}`, () => {
      const task = tasks.find(({ name }) => name === 'TagImage');
      assert.match(findTaskFaults({ ...task!, ...change(task!) }).join('\n'), fault);
    });
  }

  it('would be refused with two tasks of one id, a missing icon, a task that is not contributed', async () => {
    const [task] = tasks;
    const faults = await findExtensionFaults({ ...extension, version: '1.x' }, [...tasks, { ...task!, name: 'Other' }]);
    assert.match(faults.join('\n'), /1\.x.*two tasks have the id.*Other is not contributed.*Other\/icon\.png/s);
  });

  it('packs into a vsix whose tasks run in an empty folder, the end of the job too', async function () {
    this.timeout(60_000);
    const folder = await mkdtemp(join(tmpdir(), 'image-lifecycle-package-'));
    const agent = await makeAgentFolder();
    try {
      const path = await makePackage(folder);
      // An agent fetches it for every job: each task adds what its bundle weighs, and no more.
      const { size } = await stat(path);
      assert.ok(size < tasks.length * 768 * 1024, `${size} bytes`);
      const files = readZip(await readFile(path));
      const expected = ['index.js', 'task.json', 'icon.png', 'package.json', 'THIRD_PARTY_NOTICES.txt'];
      for (const name of expected) {
        for (const task of tasks) assert.ok(files.has(`tasks/${task.name}/${name}`), `${task.name}/${name}`);
      }
      assert.ok(
        files.get('configuration.schema.json')?.equals(await readFile(join(root, 'configuration.schema.json'))),
      );
      assert.ok(files.has('tasks/PromoteImage/post.js'));
      assert.ok(!files.has('tasks/TagImage/post.js'));
      assert.ok(![...files.keys()].some(name => /\.map$|node_modules|\.ts$/.test(name)), [...files.keys()].join('\n'));
      for (const { name: task } of tasks) {
        const notices = files.get(`tasks/${task}/THIRD_PARTY_NOTICES.txt`)?.toString() ?? '';
        for (const name of ['@azure/identity', 'azure-pipelines-task-lib', 'undici', 'zod'])
          assert.ok(notices.includes(`${name} `), name);
        for (const text of ['fastify ', 'tfx-cli ', 'UNLICENSED']) assert.ok(!notices.includes(text), text);
      }
      // The package folder of this project is not above them, and the bundles need nothing beside them.
      const run = async (bundle: string): Promise<string> => {
        const options = { cwd: agent.sources, env: { PATH: process.env['PATH'] ?? '' } };
        return (await promisify(execFile)('node', [join(folder, 'extension/tasks', bundle)], options)).stdout;
      };
      const failed = 'task\\.complete result=Failed;\\]';
      assert.match(
        await run('TagImage/index.js'),
        new RegExp(`${failed}The variable System\\.CollectionId is not set`),
      );
      assert.match(await run('PromoteImage/index.js'), new RegExp(`${failed}The input azureSubscription is required`));
      assert.match(await run('PackageChart/index.js'), new RegExp(`${failed}The input charts is required`));
      assert.match(await run('CleanImages/index.js'), new RegExp(`${failed}The input configuration is required`));
      assert.match(await run('PromoteImage/post.js'), /task\.complete result=Succeeded;\]/);
    } finally {
      await Promise.all([rm(folder, { recursive: true, force: true }), agent.remove()]);
    }
  });
});

/** The files of a zip archive. https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT */
function readZip(bytes: Buffer): Map<string, Buffer> {
  const end = bytes.lastIndexOf(Buffer.from('PK\x05\x06'));
  const files = new Map<string, Buffer>();
  let at = bytes.readUInt32LE(end + 16);
  for (let count = bytes.readUInt16LE(end + 10); count > 0; count -= 1) {
    const [method, size] = [bytes.readUInt16LE(at + 10), bytes.readUInt32LE(at + 20)];
    const [name, extra, comment] = [28, 30, 32].map(offset => bytes.readUInt16LE(at + offset)) as [
      number,
      number,
      number,
    ];
    const local = bytes.readUInt32LE(at + 42);
    const start = local + 30 + bytes.readUInt16LE(local + 26) + bytes.readUInt16LE(local + 28);
    const data = bytes.subarray(start, start + size);
    files.set(bytes.toString('utf8', at + 46, at + 46 + name), method === 0 ? data : inflateRawSync(data));
    at += 46 + name + extra + comment;
  }
  return files;
}
