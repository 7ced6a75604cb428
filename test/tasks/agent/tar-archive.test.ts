import assert from 'node:assert/strict';
import { mkdir, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import type { Files } from '../../../core/oci/files.ts';
import { openTar } from '../../../tasks/agent/tar-archive.ts';
import { fails, readAll } from '../../core/oci/world.ts';
import { type ArchiveEntry, makeFolder, packFolder, writeTar } from '../../support/archives.ts';

async function read(files: Files, name: string): Promise<string | undefined> {
  const file = await files.open(name);
  return file && String(await readAll(file.read(0)));
}

describe('a tar archive, read at its places', () => {
  let folder: string;
  let path: string;
  before(async () => {
    folder = await makeFolder();
  });
  beforeEach(async () => {
    path = join(folder, 'x.tar');
    await rm(path, { force: true });
  });
  after(() => rm(folder, { recursive: true, force: true }));

  const open = () => openTar(path, 'the archive');
  const refuse = async (entries: readonly ArchiveEntry[], message: RegExp) => {
    await writeTar(path, entries);
    assert.match((await fails(open(), 'INPUT_INVALID')).message, message);
  };

  it('gives each file, its size, and the rest of it from any byte on', async () => {
    const sizes = [0, 1, 511, 512, 513, 100_000];
    await writeTar(
      path,
      sizes.map(size => ({ name: `files/${size}`, content: Buffer.alloc(size, String(size)) })),
    );
    const files = await open();
    for (const size of sizes) {
      const file = await files.open(`files/${size}`);
      assert.equal(file?.size, size);
      const whole = Buffer.alloc(size, String(size));
      for (const offset of [0, 1, size - 1, size, size + 1].filter(each => each >= 0)) {
        assert.deepEqual(await readAll(file.read(offset)), whole.subarray(offset), `${size} from ${offset}`);
      }
    }
    assert.equal(await files.open('files/2'), undefined);
    assert.equal(await files.open('files'), undefined);
  });

  it('finds names of any length that tar can hold, however they are written', async () => {
    const source = join(folder, 'source');
    const names = ['short', 'x'.repeat(99), `${'d'.repeat(99)}/${'f'.repeat(99)}`, `${'long-'.repeat(40)}/ä`];
    for (const name of names) {
      await mkdir(join(source, name, '..'), { recursive: true });
      await writeFile(join(source, name), `the content of ${name}`);
    }
    for (const format of ['gnu', 'pax']) {
      await packFolder(source, path, `--format=${format}`);
      const files = await open();
      for (const name of names) assert.equal(await read(files, name), `the content of ${name}`, format);
    }
  });

  it('follows links to other names in it', async () => {
    await writeTar(path, [
      { name: 'a/layer.tar', content: 'the layer' },
      { name: 'b/layer.tar', type: 'symlink', linkname: '../a/layer.tar' },
      { name: 'c/layer.tar', type: 'symlink', linkname: '../b/layer.tar' },
      { name: 'd.tar', type: 'link', linkname: 'a/layer.tar' },
      { name: 'gone.tar', type: 'symlink', linkname: 'nowhere' },
    ]);
    const files = await open();
    for (const name of ['b/layer.tar', 'c/layer.tar', 'd.tar']) assert.equal(await read(files, name), 'the layer');
    assert.equal(await files.open('gone.tar'), undefined);
  });

  it('does not follow links in a circle', async () => {
    await writeTar(path, [
      { name: 'a', type: 'symlink', linkname: 'b' },
      { name: 'b', type: 'symlink', linkname: 'a' },
    ]);
    const opening = open().then(files => files.open('a'));
    assert.match((await fails(opening, 'INPUT_INVALID')).message, /the archive: "a" is a link to a link, and so on/);
  });

  const refused: [what: string, entry: ArchiveEntry, message: RegExp][] = [
    ['leads out by ..', { name: '../out' }, /the entry "\.\.\/out" leads out of the archive/],
    ['leads out by .. further in', { name: 'a/../../out' }, /"a\/\.\.\/\.\.\/out" leads out/],
    ['goes up and stays in', { name: 'a/../b' }, /"a\/\.\.\/b" leads out/],
    ['leads out by .. of Windows', { name: String.raw`..\out` }, /leads out/],
    ['is absolute', { name: '/etc/passwd' }, /"\/etc\/passwd" leads out/],
    ['is absolute on Windows', { name: String.raw`C:\out` }, /leads out/],
    ['is a folder that leads out', { name: '../out/', type: 'directory' }, /leads out/],
    ['is a link out', { name: 'a', type: 'symlink', linkname: '../out' }, /"a" is a link out of the archive/],
    ['is a link to an absolute name', { name: 'a', type: 'symlink', linkname: '/etc/passwd' }, /"a" is a link out/],
    ['is a hard link out', { name: 'b/a', type: 'link', linkname: '../out' }, /"b\/a" is a link out/],
    ['is a device', { name: 'a', type: 'character-device' }, /"a" is neither a file, a folder nor a link/],
    ['is a disk', { name: 'a', type: 'block-device' }, /neither a file, a folder nor a link/],
    ['is a pipe', { name: 'a', type: 'fifo' }, /neither a file, a folder nor a link/],
    ['has a name that is too long', { name: 'x'.repeat(1025) }, /has a name of 1025 characters/],
    ['is a link to a name that is too long', { name: 'a', type: 'symlink', linkname: 'x'.repeat(1025) }, /too long/],
  ];
  for (const [what, entry, message] of refused) {
    it(`is refused with an entry that ${what}, naming it`, async () => {
      await refuse([{ name: 'fine', content: 'fine' }, entry], message);
      await assert.rejects(stat(join(folder, '../out')), { code: 'ENOENT' });
    });
  }

  it('is refused with a name that is there twice', async () => {
    await refuse([{ name: 'a' }, { name: './a', content: 'b' }], /the entry "\.\/a" is there twice/);
    await refuse([{ name: 'a' }, { name: 'a', type: 'symlink', linkname: 'b' }], /"a" is there twice/);
  });

  it('may have a folder twice', async () => {
    await writeTar(path, [
      { name: 'a/', type: 'directory' },
      { name: 'a/b', content: 'b' },
      { name: 'a/', type: 'directory' },
    ]);
    assert.equal(await read(await open(), 'a/b'), 'b');
  });

  it('is refused with a sparse file, by GNU tar in its own and in the pax format', async () => {
    const source = join(folder, 'sparse');
    await mkdir(source, { recursive: true });
    await writeFile(join(source, 'sparse'), 'x');
    await truncate(join(source, 'sparse'), 10 * 1024 * 1024);
    for (const format of ['gnu', 'pax']) {
      await packFolder(source, path, '--sparse', `--format=${format}`);
      assert.match((await fails(open(), 'INPUT_INVALID')).message, /sparse" is (?:a sparse file|neither a file)/);
    }
  });

  it('is refused where it is cut off, wherever that is', async () => {
    await writeTar(path, [
      { name: 'a', content: 'x'.repeat(2000) },
      { name: 'y'.repeat(200), content: 'z' },
    ]);
    const whole = await readFile(path);
    const end = whole.byteLength - 1024;
    for (let length = 0; length <= end; length += 256) {
      await writeFile(path, whole.subarray(0, length));
      const { message } = await fails(open(), 'INPUT_INVALID');
      assert.match(message, /the archive is (?:cut off|no tar archive, or is cut off)/, `${length} bytes`);
    }
    await writeFile(path, whole);
    assert.equal(await read(await open(), 'y'.repeat(200)), 'z');
  });

  it('is refused where an entry is larger than the archive', async () => {
    const tar = await readFile(await writeTar(path, [{ name: 'a', content: 'x' }]));
    // One digit more in its size is one more in the sum of its header.
    tar.write('10000000001', 124);
    tar.write((Number.parseInt(tar.toString('latin1', 148, 154), 8) + 1).toString(8).padStart(6, '0'), 148);
    await writeFile(path, tar);
    assert.match((await fails(open(), 'INPUT_INVALID')).message, /the archive is cut off: it ends within "a"/);
  });

  it('is refused where it is no archive', async () => {
    await writeFile(path, 'not an archive. '.repeat(100));
    assert.match(
      (await fails(open(), 'INPUT_INVALID')).message,
      /the archive is no tar archive, or is damaged at byte 0/,
    );
    for (const content of ['', 'short']) {
      await writeFile(path, content);
      assert.match((await fails(open(), 'INPUT_INVALID')).message, /the archive is no tar archive, or is cut off/);
    }
  });

  it('is refused where it is compressed, with the kind of compression', async () => {
    await writeFile(path, gzipSync('x'));
    assert.match((await fails(open(), 'INPUT_INVALID')).message, /compressed with gzip\. Decompress it first/);
  });

  it('has at most 20,000 entries', async function () {
    this.timeout(60_000);
    const [header] = [(await readFile(await writeTar(path, [{ name: 'a/', type: 'directory' }]))).subarray(0, 512)];
    const write = (count: number) =>
      writeFile(path, Buffer.concat([...Array.from({ length: count }, () => header), Buffer.alloc(1024)]));
    await write(20_000);
    assert.equal(await (await open()).open('a'), undefined);
    await write(20_001);
    assert.match((await fails(open(), 'TOO_LARGE')).message, /the archive has more than 20000 entries/);
  });
});
