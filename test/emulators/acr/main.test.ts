import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { AcrEmulator } from './acr.ts';
import { createClient } from './client.ts';

const main = new URL('./main.ts', import.meta.url).pathname;

async function startMain(directory: string): Promise<[ChildProcess, { host: string; caFile: string }]> {
  const child = spawn(process.execPath, ['--import', 'tsx', main, '--port', '0', '--tls-dir', directory], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [line] = (await once(createInterface(child.stdout as NodeJS.ReadableStream), 'line')) as [string];
  return [child, JSON.parse(line) as { host: string; caFile: string }];
}

describe('emulated registry: as a process', () => {
  it('says where it listens, keeps its certificate, is driven under /_emulator/ and ends at SIGTERM', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'acr-main-'));
    try {
      const [first, { caFile }] = await startMain(directory);
      first.kill('SIGTERM');
      assert.deepEqual(await once(first, 'exit'), [0, null]);
      const ca = await readFile(caFile, 'utf8');

      const [child, { host }] = await startMain(directory);
      const client = createClient({ host, ca } as AcrEmulator);
      const post = (path: string, body: object) =>
        client.send('POST', `/_emulator/${path}`, { body: JSON.stringify(body) });
      const read = async (path: string) =>
        JSON.parse((await client.send('GET', `/_emulator/${path}`)).bytes.toString()) as Record<string, unknown>;
      try {
        assert.equal((await client.send('GET', '/v2/')).status, 200, 'the certificate of the first run is trusted');
        assert.equal((await client.send('POST', '/v2/app/blobs/uploads/')).status, 202);
        assert.equal(((await read('requests'))['requests'] as unknown[]).length, 2);
        await client.send('DELETE', '/_emulator/requests');
        assert.deepEqual((await read('requests'))['requests'], []);
        const before = (await read('clock'))['now'] as number;
        await post('clock', { advanceMs: 86_400_000 });
        assert.ok(((await read('clock'))['now'] as number) - before >= 86_400_000);
        await post('faults', { match: { operation: 'ping', path: '^/v2' }, effect: { kind: 'status', status: 503 } });
        assert.equal((await client.send('GET', '/v2/')).status, 503);
        await client.send('DELETE', '/_emulator/faults');
        assert.equal((await client.send('GET', '/v2/')).status, 200);
        await post('behaviour', { monolithicPost: true });
        assert.equal((await read('behaviour'))['monolithicPost'], true);
        assert.deepEqual(await read('state'), { repositories: {}, blobs: [], blobBytes: 0 });
        assert.equal((await post('faults', {})).status, 400);
        assert.equal((await client.send('GET', '/_emulator/none')).status, 404);
      } finally {
        client.close();
        child.kill('SIGTERM');
        await once(child, 'exit');
      }
    } finally {
      await rm(directory, { recursive: true });
    }
  });

  it('leaves nothing behind that would keep a process alive', async () => {
    const script = `
      import { startAcr } from ${JSON.stringify(new URL('./acr.ts', import.meta.url).href)};
      import { createClient } from ${JSON.stringify(new URL('./client.ts', import.meta.url).href)};
      const acr = await startAcr();
      const client = createClient(acr);
      acr.faults.add({ operation: 'tags.list' }, { kind: 'slow', ms: 600000 });
      client.send('GET', '/acr/v1/app/_tags').catch(() => {});
      await client.send('GET', '/v2/');
      await acr.close();
      process.exitCode = 7;`;
    const child = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '--eval', script], {
      stdio: 'inherit',
    });
    assert.deepEqual(await once(child, 'exit'), [7, null]);
  });
});
