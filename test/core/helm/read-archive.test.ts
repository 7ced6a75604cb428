import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { AppError } from '../../../core/base/errors.ts';
import { createBudget, maxChartBytes } from '../../../core/helm/bounds.ts';
import type { ChartFile } from '../../../core/helm/chart.ts';
import { gunzip, gzip } from '../../../core/helm/gzip.ts';
import { readArchive } from '../../../core/helm/read-archive.ts';
import { chartYaml } from '../../support/chart-shapes.ts';
import { inFolder, packEntries, type TarEntry } from '../../support/charts.ts';
import { helms, runHelm } from '../../support/helm.ts';

const sound: readonly TarEntry[] = [{ name: 'a/Chart.yaml', content: chartYaml('a') }];

function read(bytes: Uint8Array): Promise<ChartFile[]> {
  return readArchive(bytes, 'shop/charts/a.tgz', createBudget());
}

async function refused(bytes: Uint8Array): Promise<AppError> {
  const thrown: unknown = await read(bytes).then(
    files => assert.fail(`it was read: ${files.map(each => each.path).join(', ')}`),
    (reason: unknown) => reason,
  );
  assert.ok(thrown instanceof AppError, String(thrown));
  assert.match(thrown.message, /^shop\/charts\/a\.tgz/);
  return thrown;
}

/** Entries that no chart has, and whether every helm refuses them too. */
const bad: Readonly<Record<string, readonly [entry: TarEntry, message: RegExp, byHelm: boolean]>> = {
  'leads above the folder': [{ name: 'a/../x' }, /"a\/\.\.\/x" leads out/, false],
  'leads far above': [{ name: 'a/../../x' }, /leads out/, true],
  'has two dots for its folder': [{ name: '../x' }, /leads out/, false],
  'is at an absolute path': [{ name: '/x' }, /leads out/, false],
  'has an absolute path in its folder': [{ name: 'a//x' }, /leads out/, true],
  'leads out in the manner of Windows': [{ name: 'a\\..\\..\\x' }, /leads out/, true],
  'has a drive': [{ name: 'a\\c:\\x' }, /leads out/, true],
  'begins with a drive': [{ name: 'c:\\x' }, /leads out/, false],
  'is in no folder': [{ name: 'x' }, /is in no folder/, true],
  'is in a folder without a name': [{ name: './x' }, /is in no folder/, false],
  'is a symbolic link': [{ name: 'a/x', type: 'symlink', linkname: '/etc/passwd' }, /is a link or a device/, false],
  'is a hard link': [{ name: 'a/x', type: 'link', linkname: 'a/Chart.yaml' }, /is a link or a device/, false],
  'is a device': [{ name: 'a/x', type: 'character-device' }, /is a link or a device/, false],
  'has a name that cannot be seen': [{ name: 'a/x\u0007' }, /cannot be seen/, false],
  'is in a second folder': [{ name: 'b/x' }, /several folders \("a", "b"\)/, false],
  'is there twice': [{ name: 'a/./Chart.yaml' }, /"Chart.yaml" is there twice/, false],
  'is sparse': [{ name: 'a/x', pax: { 'GNU.sparse.major': '1' } }, /is a sparse file/, false],
};

describe('the archive of a chart is refused', () => {
  for (const [title, [entry, message, byHelm]] of Object.entries(bad)) {
    it(`with an entry that ${title}`, async () => {
      const bytes = await packEntries([...sound, entry]);
      const { code, message: said } = await refused(bytes);
      assert.equal(code, 'INPUT_INVALID');
      assert.match(said, message);
      if (!byHelm) return;
      await inFolder(async top => {
        await writeFile(join(top, 'a.tgz'), bytes);
        for (const helm of helms)
          await assert.rejects(runHelm(helm, ['show', 'chart', 'a.tgz'], top), /./, helm.version);
      });
    });
  }

  it('without a file in it', async () => {
    assert.match((await refused(await packEntries([]))).message, /holds no file/);
    assert.match((await refused(await packEntries([{ name: 'a/', type: 'directory' }]))).message, /holds no file/);
  });

  it('when it is no archive at all', async () => {
    for (const bytes of ['', 'x', 'PK\u0003\u0004', chartYaml('a')]) {
      assert.match((await refused(Buffer.from(bytes))).message, /no gzip archive/);
    }
    for (const bytes of [Buffer.alloc(5000, 'x'), Buffer.from('x')]) {
      const { code, message } = await refused(gzipSync(bytes));
      assert.equal(code, 'INPUT_INVALID');
      assert.match(message, /no tar archive|no file/);
    }
  });

  it('when any part of it is missing', async () => {
    const bytes = await packEntries([...sound, { name: 'a/x', content: randomBytes(9000) }]);
    assert.equal((await read(bytes)).length, 2);
    const cuts = [1, 9, 10, 11, 17, 18, 30, 4095, 4096, 4097, bytes.length - 9, bytes.length - 8, bytes.length - 1];
    for (const length of cuts) {
      assert.match((await refused(bytes.subarray(0, length))).message, /damaged or cut off/, `${length}`);
    }
    const tar = gunzipSync(bytes);
    for (const length of [300, 512 + 10, 2 * 512 + 100, 3 * 512 + 2000]) {
      assert.match(
        (await refused(gzipSync(tar.subarray(0, length)))).message,
        /no tar archive, or is damaged/,
        `${length}`,
      );
    }
  });

  it('when a byte of it is another one', async () => {
    const bytes = await packEntries([...sound, { name: 'a/x', content: 'x'.repeat(2000) }]);
    for (const at of [0, 1, 2, 40, 80, bytes.length - 8, bytes.length - 4, bytes.length - 1]) {
      const damaged = Buffer.from(bytes);
      damaged[at] = (damaged[at] ?? 0) ^ 0x10;
      await refused(damaged);
    }
    const twice = Buffer.concat([bytes, bytes]);
    assert.match((await refused(twice)).message, /damaged or cut off/);
  });

  it('as soon as it is too large, and not after', async () => {
    const zeros = new Uint8Array(1024 * 1024);
    // Behind what is too much stands what is no gzip: who decompresses on says so.
    const bomb = (entries: readonly TarEntry[], size: number) => withDamage(entries, zeros, size);
    const large = await bomb([...sound, { name: 'a/x', size: 2 ** 33 - 1 }], 16);
    const one = await refused(large);
    assert.equal(one.code, 'TOO_LARGE');
    assert.match(one.message, /a\.tgz: x has 8589934591 bytes/);
    const endless = await bomb(sound, 200);
    const { code, message } = await refused(endless);
    assert.equal(code, 'TOO_LARGE');
    assert.match(message, new RegExp(`unpacks to more than the ${maxChartBytes} bytes`));
  });

  it('when the chart has no room for it any more', async () => {
    const bytes = await packEntries([...sound, { name: 'a/x', content: new Uint8Array(1000) }]);
    const budget = { bytes: 1020, files: 10 };
    await assert.rejects(readArchive(bytes, 'x', budget), { code: 'TOO_LARGE' });
    await assert.rejects(readArchive(bytes, 'x', { bytes: 10_000, files: 1 }), { code: 'TOO_LARGE' });
    assert.equal((await readArchive(bytes, 'x', { bytes: 1100, files: 2 })).length, 2);
  });
});

/** The entries, `megabytes` of zeros, and then damage. */
async function withDamage(entries: readonly TarEntry[], zeros: Uint8Array, megabytes: number): Promise<Uint8Array> {
  const tar = gunzipSync(await packEntries(entries.map(({ name, content = '' }) => ({ name, content })))).subarray(
    0,
    -1024,
  );
  const sized = entries.at(-1)?.size;
  if (sized) setSize(tar.subarray(-512), sized);
  const whole = gzipSync(Buffer.concat([tar, ...Array.from({ length: megabytes }, () => zeros)]));
  whole.fill(0xff, whole.length - 200);
  return whole;
}

function setSize(header: Uint8Array, size: number): void {
  const block = Buffer.from(header.buffer, header.byteOffset, 512);
  block.write(size.toString(8).padStart(11, '0'), 124);
  block.fill(' ', 148, 156);
  block.write(
    block
      .reduce((sum, byte) => sum + byte, 0)
      .toString(8)
      .padStart(6, '0'),
    148,
  );
}

describe('gzip of our own', () => {
  const texts = [0, 1, 2, 100, 4095, 4096, 4097, 70_000, 300_000].map(length =>
    Uint8Array.from({ length }, (_, at) => (at * 2_654_435_761) >>> (at % 7 === 0 ? 24 : 28)),
  );

  it('is what Node reads, and the other way round, at every length', () => {
    for (const text of texts) {
      assert.ok(gunzipSync(gzip(text)).equals(text), `${text.length}`);
      for (const level of [0, 1, 9]) {
        assert.ok(Buffer.concat([...gunzip(gzipSync(text, { level }))]).equals(text), `${text.length} at ${level}`);
      }
    }
    // So that the end of the data, and the checksum behind it, come at every place of a part.
    for (let length = 4040; length < 4120; length += 1) {
      const text = Buffer.alloc(length, 7);
      assert.ok(Buffer.concat([...gunzip(gzipSync(text, { level: 0 }))]).equals(text), `${length}`);
    }
  });

  it('gives of what is endless as little as it is asked for', () => {
    const bomb = gzipSync(new Uint8Array(64 * 1024 * 1024));
    let [size, parts] = [0, 0];
    for (const part of gunzip(bomb)) {
      [size, parts] = [size + part.length, parts + 1];
      if (parts === 3) break;
    }
    assert.ok(size > 0 && size <= 3 * 4096 * 1032, `${size}`);
  });
});
