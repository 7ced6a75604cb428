import { equal, rejects } from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readSecret } from '../../webhook-handler/secrets.ts';

describe('a secret', () => {
  let folder: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'secrets-'));
    await writeFile(join(folder, 'token'), ' a b \r\n');
    await writeFile(join(folder, 'empty'), '\n');
  });
  after(() => rm(folder, { recursive: true }));
  const read = (place: { env: string } | { file: string }): Promise<string> =>
    readSecret(place, 'server.password', { env: { SET: 'x\n', EMPTY: '' }, folder });

  it('loses the line end that an editor left, and nothing else', async () => {
    equal(await read({ file: 'token' }), ' a b ');
    equal(await read({ file: join(folder, 'token') }), ' a b ');
    equal(await read({ env: 'SET' }), 'x');
  });

  it('that is missing or empty is an error, which names the key and the place', async () => {
    await rejects(read({ env: 'UNSET' }), /^AppError: server\.password: the environment variable UNSET is not set$/);
    await rejects(read({ env: 'EMPTY' }), /server\.password: the environment variable EMPTY is empty/);
    await rejects(read({ file: 'empty' }), /server\.password: the file empty is empty/);
    await rejects(read({ file: 'absent' }), /server\.password: ENOENT/);
  });
});
