import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { Agent, request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { armToken } from './client.ts';

describe('emulated Resource Manager: as a process', () => {
  it('starts the registries that it knows, says where all are, is driven from outside, and ends at SIGTERM', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'arm-main-'));
    const file = fileURLToPath(new URL('main.ts', import.meta.url));
    const args = ['--import', 'tsx', file, '--registries', 'ci001,stage1', '--tls-dir', directory];
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    const [line] = (await once(createInterface(child.stdout), 'line')) as [string];
    const { url, caFile, subscriptionId, registries } = JSON.parse(line);
    const agent = new Agent({ ca: await readFile(caFile, 'utf8') });
    const send = (method: string, address: string, body?: object) =>
      new Promise<{ status: number; text: string }>((resolve, reject) => {
        const headers = { authorization: `Bearer ${armToken()}` };
        const outgoing = request(address, { agent, method, headers }, response => {
          let text = '';
          response.setEncoding('utf8').on('data', (part: string) => (text += part));
          response.on('end', () => resolve({ status: response.statusCode ?? 0, text }));
        });
        outgoing.on('error', reject).end(body && JSON.stringify(body));
      });
    try {
      const list = `${url}/subscriptions/${subscriptionId}/providers/Microsoft.ContainerRegistry/registries?api-version=2025-11-01`;
      const { value } = JSON.parse((await send('GET', list)).text);
      const said = Object.values(registries) as { host: string; resourceId: string }[];
      assert.deepEqual(
        value.map((each: { id: string; properties: { loginServer: string } }) => [
          each.id,
          each.properties.loginServer,
        ]),
        said.map(({ resourceId, host }) => [resourceId, host]),
      );
      assert.equal(JSON.parse((await send('GET', `https://${said[0]?.host}/_emulator/state`)).text).blobBytes, 0);
      await send('POST', `${url}/_emulator/faults`, {
        operation: 'registries.list',
        count: 1,
        effect: { kind: 'status', status: 503 },
      });
      assert.deepEqual([(await send('GET', list)).status, (await send('GET', list)).status], [503, 200]);
      await send('POST', `${url}/_emulator/assignments`, { objectId: 'somebody', scope: '/', actions: ['*'] });
      assert.deepEqual(JSON.parse((await send('GET', list)).text), { value: [] });
      assert.equal(JSON.parse((await send('POST', `${url}/_emulator/behaviour`, { polls: 3 })).text).polls, 3);
      assert.equal(JSON.parse((await send('GET', `${url}/_emulator/requests`)).text).requests.length, 4);
      assert.equal((await send('GET', `${url}/_emulator/none`)).status, 404);
    } finally {
      agent.destroy();
      child.kill('SIGTERM');
      assert.deepEqual(await once(child, 'exit'), [0, null]);
      await rm(directory, { recursive: true });
    }
  });
});
