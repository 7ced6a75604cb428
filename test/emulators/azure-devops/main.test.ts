import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { get } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

interface Started {
  readonly child: ChildProcess;
  // oxlint-disable-next-line typescript/no-explicit-any
  readonly said: any;
}

async function start(name: string, ...args: readonly string[]): Promise<Started> {
  const file = fileURLToPath(new URL(`../${name}/main.ts`, import.meta.url));
  const child = spawn(process.execPath, ['--import', 'tsx', file, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
  const [line] = (await once(createInterface({ input: child.stdout }), 'line')) as [string];
  return { child, said: JSON.parse(line) };
}

async function stop({ child }: Started): Promise<number | null> {
  if (child.exitCode === null) {
    child.kill('SIGTERM');
    await once(child, 'exit');
  }
  return child.exitCode;
}

describe('an emulator as a process of its own', () => {
  it('says where it listens, is driven from outside, and ends with 0 on SIGTERM', async () => {
    const started = await start('azure-devops');
    try {
      const { url, pat, collectionId } = started.said;
      const control = async (method: string, path: string, body: object = {}) => {
        const at = new URL(`/_emulator/${path}`, url);
        const init = method === 'GET' ? { method } : { method, body: JSON.stringify(body) };
        return (await (await fetch(at, init)).json()) as Record<string, never>;
      };
      const { id: projectId } = await control('POST', 'projects', { name: 'Shop' });
      const { id: definitionId } = await control('POST', 'definitions', { projectId });
      await control('POST', 'builds', { definitionId, id: 1 });
      await control('POST', 'builds', { definitionId, id: 2 });
      await control('POST', 'builds/1/delete', { reason: 'by hand' });
      await control('POST', 'builds/2/purge');
      const headers = { authorization: `Basic ${Buffer.from(`:${pat}`).toString('base64')}` };
      const build = async (id: number) => (await fetch(`${url}/Shop/_apis/build/builds/${id}`, { headers })).json();
      assert.equal(((await build(1)) as { deletedReason: string }).deletedReason, 'by hand');
      assert.equal(((await build(2)) as { typeKey: string }).typeKey, 'BuildNotFoundException');
      const { now } = await control('POST', 'clock', { advanceMs: 86_400_000 });
      assert.ok(Number(now) > Date.now() + 80_000_000);
      assert.deepEqual(await control('POST', 'retention'), { deleted: [] });
      assert.equal((await control('GET', 'requests'))['requests']?.['length'], 2);
      const sent = await control('POST', 'notifications', {
        url: 'http://127.0.0.1:1/',
        event: 'build-deleted',
        buildId: 1,
      });
      assert.equal(sent['result'], 'failed');
      assert.match(JSON.stringify(await control('POST', 'builds', { definitionId: 99 })), /no definition 99/);
      assert.match(collectionId, /^[0-9a-f-]{36}$/);
      const unknown = await fetch(new URL('/_emulator/nothing', url));
      assert.equal(unknown.status, 404);
      await unknown.text();
    } finally {
      assert.equal(await stop(started), 0);
    }
  });

  it('shares its certificate through a directory', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'emulators-'));
    const started: Started[] = [];
    try {
      started.push(await start('azure-devops', '--tls-dir', directory, '--flavour', 'server'));
      started.push(await start('entra', '--tls-dir', directory));
      const ca = await readFile(join(directory, 'ca.pem'), 'utf8');
      const answers = started.map(async ({ said }, index) => {
        const path = index === 0 ? '_apis/projects' : 'common/discovery/instance';
        return new Promise(resolve => {
          get(`${said.url}/${path}`, { ca, agent: false }, response => resolve(response.resume().statusCode));
        });
      });
      assert.deepEqual(await Promise.all(answers), [401, 200]);
    } finally {
      assert.deepEqual(await Promise.all(started.map(stop)), [0, 0]);
      await rm(directory, { recursive: true });
    }
  });
});
