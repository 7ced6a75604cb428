import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdir, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { openFolder } from '../../../tasks/agent/folder.ts';
import { fails, readAll } from '../../core/oci/world.ts';
import { makeFolder } from '../../support/archives.ts';

describe('a folder, as files are read from it', () => {
  let base: string;
  let folder: string;
  before(async () => {
    base = await makeFolder();
    folder = join(base, 'inside');
    await mkdir(join(folder, 'blobs'), { recursive: true });
    await writeFile(join(base, 'outside'), 'secret');
    await writeFile(join(folder, 'blobs/a'), 'the content');
  });
  after(() => rm(base, { recursive: true, force: true }));

  const open = async (name: string) => (await openFolder(folder, 'the folder')).open(name);

  it('gives a file, its size, and the rest of it from any byte on', async () => {
    const file = await open('blobs/a');
    assert.equal(file?.size, 11);
    assert.equal(String(await readAll(file.read(0))), 'the content');
    assert.equal(String(await readAll(file.read(4))), 'content');
    assert.equal(String(await readAll(file.read(11))), '');
  });

  it('has nothing where nothing is, also below a file', async () => {
    assert.equal(await open('blobs/b'), undefined);
    assert.equal(await open('blobs/a/b'), undefined);
  });

  it('follows a link that stays inside', async () => {
    await symlink('blobs/a', join(folder, 'link'));
    assert.equal(String(await readAll((await open('link'))!.read(0))), 'the content');
  });

  it('may be named by a link itself', async () => {
    await symlink(folder, join(base, 'alias'));
    const files = await openFolder(join(base, 'alias'), 'the folder');
    assert.equal((await files.open('blobs/a'))?.size, 11);
  });

  it('refuses what leads out of it, by a name or by a link', async () => {
    await symlink('../outside', join(folder, 'relative'));
    await symlink(join(base, 'outside'), join(folder, 'absolute'));
    await symlink('..', join(folder, 'up'));
    for (const name of ['../outside', 'blobs/../../outside', 'relative', 'absolute', 'up/outside']) {
      const { message } = await fails(open(name), 'INPUT_INVALID');
      assert.equal(message, `the folder: ${name} leads out of the folder, and is not followed.`);
    }
  });

  it('refuses what is no file, and does not wait for a pipe', async () => {
    execFileSync('mkfifo', [join(folder, 'pipe')]);
    for (const name of ['blobs', 'pipe']) {
      assert.match((await fails(open(name), 'INPUT_INVALID')).message, new RegExp(`the folder: ${name} is not a file`));
    }
  });
});
