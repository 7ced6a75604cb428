import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmod, readdir, utimes, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { gunzipSync } from 'node:zlib';
import { extract, type Header } from 'tar-stream';
import type { Chart } from '../../../core/helm/chart.ts';
import type { ChartFolder } from '../../../core/helm/chart-folder.ts';
import { hashContent } from '../../../core/helm/content-hash.ts';
import { packChart } from '../../../core/helm/pack-chart.ts';
import { readChart } from '../../../core/helm/read-chart.ts';
import { openChartFolder } from '../../../tasks/agent/chart-folder.ts';
import { chartYaml, plainShapes, smallChart } from '../../support/chart-shapes.ts';
import { type ChartTree, inFolder, writeChart } from '../../support/charts.ts';
import { helms, runHelm } from '../../support/helm.ts';
import { node24 } from '../../support/run-task.ts';
import { makeChart } from './hand-made.ts';

const root = resolve(import.meta.dirname, '../../..');

/** Everything that an archive has to say in more than one way: long and foreign names, subcharts, empty files. */
const golden: ChartTree = {
  ...plainShapes['long paths'],
  ...plainShapes['names beyond ASCII'],
  ...plainShapes['files of every kind'],
  'charts/one/Chart.yaml': chartYaml('one'),
  'charts/one/charts/two/Chart.yaml': chartYaml('two'),
  'templates/large.yaml': Array.from({ length: 2000 }, (_, at) => `line ${at * at} of many\n`).join(''),
};
/** What an update of fflate or tar-stream may change only on purpose: every chart gets another digest then. */
const goldenDigest = '3d2b8826800b945878ac4267b4ac129b8e445fa135516616d988208923afeb3d';

async function read(folder: string): Promise<Chart> {
  return readChart(await openChartFolder(folder, 'the chart'));
}

async function digestOf(folder: string): Promise<string> {
  return (await packChart(await read(folder))).sha256;
}

/** The same folder as another disk would list it. */
function shuffled(folder: ChartFolder): ChartFolder {
  return { ...folder, list: async path => (await folder.list(path)).toReversed().sort(() => Math.random() - 0.5) };
}

async function everyPath(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true });
  return [folder, ...entries.map(each => join(folder, each))];
}

describe('the archive of a chart', () => {
  it('is the same from two checkouts with other times and modes', () =>
    inFolder(async top => {
      const [one, two] = [await writeChart(join(top, 'a'), golden), await writeChart(join(top, 'b/c'), golden)];
      for (const path of await everyPath(two)) {
        await utimes(path, 1_000_000, 1_000_000);
        await chmod(path, 0o700);
      }
      assert.equal(await digestOf(one), await digestOf(two));
    }));

  it('is the same in whatever order the folder lists', () =>
    inFolder(async top => {
      const folder = await openChartFolder(await writeChart(join(top, 'a'), golden), 'the chart');
      const first = await readChart(folder);
      const packed = await packChart(first);
      for (let round = 0; round < 5; round += 1) {
        const chart = await readChart(shuffled(folder));
        assert.deepEqual(chart, first);
        assert.equal((await packChart({ ...chart, files: chart.files.toReversed() })).sha256, packed.sha256);
      }
    }));

  it('is the one that every machine makes, on Node 20 and 24, in every language and time zone', () =>
    inFolder(async top => {
      const folder = await writeChart(join(top, 'a'), golden);
      assert.equal(await digestOf(folder), goldenDigest);
      const script = join(root, 'test/core/helm/pack-process.ts');
      const run = async (node: string, env: Record<string, string>): Promise<string> => {
        const { stdout } = await promisify(execFile)(node, ['--import', 'tsx', script, folder], {
          cwd: root,
          env: { PATH: process.env['PATH'], ...env },
        });
        return stdout.trim();
      };
      const places = { LC_ALL: 'tr_TR.UTF-8', LANG: 'tr_TR.UTF-8', TZ: 'Pacific/Kiritimati' };
      const runs = [run(process.execPath, places), run(node24, {}), run(node24, places)];
      const answers = (await Promise.all(runs)).map(each => each.split(' '));
      const versions = answers.map(([version]) => version?.replace(/\..*/, ''));
      assert.deepEqual(versions, [process.version.replace(/\..*/, ''), 'v24', 'v24']);
      for (const [, digest] of answers) assert.equal(digest, goldenDigest);
    }));

  it('says nothing of who made it, where and when', () =>
    inFolder(async top => {
      const { bytes, sha256, fileName } = await packChart(await read(await writeChart(join(top, 'a'), golden)));
      assert.equal(fileName, 'shop-1.4.0.tgz');
      assert.equal(sha256, createHash('sha256').update(bytes).digest('hex'));
      // No flags and no time, and a system that is not told.
      assert.deepEqual([...bytes.subarray(0, 10)], [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255]);
      const headers = await headersOf(bytes);
      for (const { mode, uid, gid, uname, gname, mtime, type } of headers) {
        const expected = { mode: 0o644, uid: 0, gid: 0, uname: '', gname: '', mtime: new Date(0), type: 'file' };
        assert.deepEqual({ mode, uid, gid, uname, gname, mtime, type }, expected);
      }
      const names = headers.map(each => Buffer.from(each.name));
      assert.equal(String(names[0]), 'shop/Chart.yaml');
      const rest = names.slice(1);
      assert.deepEqual(
        rest,
        rest.toSorted((one, other) => one.compare(other)),
      );
    }));

  for (const helm of helms) {
    it(`is one that helm ${helm.version} shows, lints and renders`, () =>
      inFolder(async top => {
        const tree = smallChart('shop', {
          'Chart.yaml': chartYaml('shop', 'icon: https://x.io/i.png', 'dependencies: [{name: sub, version: 1.4.0}]'),
          'templates/sub/größe.yaml': 'kind: Secret\napiVersion: v1\nmetadata: {name: other}\n',
          'charts/sub.tgz': { top: 'sub', archive: smallChart('sub') },
        });
        const packed = await packChart(await read(await writeChart(join(top, 'chart'), tree)));
        const archive = join(top, packed.fileName);
        await writeFile(archive, packed.bytes);
        const values = await runHelm(helm, ['show', 'values', archive], top);
        assert.equal(
          values.trimEnd(),
          Buffer.from(tree['values.yaml'] as string)
            .toString()
            .trimEnd(),
        );
        assert.match(await runHelm(helm, ['show', 'chart', archive], top), /^name: shop$/m);
        assert.match(
          await runHelm(helm, ['lint', '--strict', archive], top),
          /1 chart\(s\) linted, 0 chart\(s\) failed/,
        );
        const rendered = await runHelm(helm, ['template', 'test', archive], top);
        const sources = [...rendered.matchAll(/^# Source: (.*)$/gm)].map(([, path]) => path);
        const expected = ['charts/sub/templates/map.yaml', 'templates/map.yaml', 'templates/sub/größe.yaml'];
        assert.deepEqual(new Set(sources), new Set(expected.map(path => `shop/${path}`)));
      }));
  }

  it('is refused where two files would be at one place in it', async () => {
    const chart = makeChart({ 'Chart.yaml': chartYaml('shop'), a: '1' });
    const files = [...chart.files, { path: 'a', bytes: Buffer.from('2') }];
    await assert.rejects(packChart({ ...chart, files }), { code: 'INPUT_INVALID', message: /shop: two files .* "a"/ });
  });
});

async function headersOf(bytes: Uint8Array): Promise<Header[]> {
  const tar = extract();
  tar.end(gunzipSync(bytes));
  const headers: Header[] = [];
  for await (const entry of tar) {
    headers.push(entry.header);
    entry.resume();
  }
  return headers;
}

describe('the hash of a chart', () => {
  const files = { 'Chart.yaml': chartYaml('shop'), 'a/b': 'x', 'charts/sub/Chart.yaml': chartYaml('sub') };
  const hash = hashContent(makeChart(files));

  it('is ten digits, the same for the same content in any order', () => {
    assert.match(hash, /^[0-9a-f]{10}$/);
    const chart = makeChart(files, 'elsewhere');
    assert.equal(hashContent({ ...chart, files: chart.files.toReversed() }), hash);
  });

  const changes: Readonly<Record<string, Readonly<Record<string, string>>>> = {
    'another byte': { ...files, 'a/b': 'y' },
    'another name': { 'Chart.yaml': chartYaml('shop'), 'a/c': 'x', 'charts/sub/Chart.yaml': chartYaml('sub') },
    'a byte that moves from a content to its name': {
      'Chart.yaml': chartYaml('shop'),
      'a/bx': '',
      'charts/sub/Chart.yaml': chartYaml('sub'),
    },
    'a file more, which is empty': { ...files, z: '' },
    'a change of the Chart.yaml': { ...files, 'Chart.yaml': chartYaml('shop', '# x') },
    'a change in a subchart': { ...files, 'charts/sub/Chart.yaml': chartYaml('sub', '# x') },
    'a file that moves into a subchart': { ...files, 'a/b': 'x', 'charts/sub/a/b': 'x' },
  };
  for (const [title, changed] of Object.entries(changes)) {
    it(`is another one after ${title}`, () => assert.notEqual(hashContent(makeChart(changed)), hash));
  }
});
