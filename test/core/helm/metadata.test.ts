import assert from 'node:assert/strict';
import { join } from 'node:path';
import { parse as parseYaml } from 'yaml';
import { hasCode } from '../../../core/base/errors.ts';
import { type ChartMetadata, parseMetadata } from '../../../core/helm/metadata.ts';
import { inFolder, packageByHelm, writeChart } from '../../support/charts.ts';
import { helms, runHelm } from '../../support/helm.ts';

/** What helm takes, and what it does not. */
const versions: Readonly<Record<string, boolean>> = {
  '1.2.3': true,
  '0.0.0': true,
  '1': true,
  '1.2': true,
  v1: true,
  'v1.2.3-rc.1+build.5': true,
  '1.2.3-0.x-y.1': true,
  '1.2.3+001.a-b': true,
  '1.02.3': true,
  '1.2.3-01': false,
  '1.2.3-a.01': false,
  '1.2.3-': false,
  '1.2.3+': false,
  '1.2.3-a..b': false,
  '1.2.3.4': false,
  '1.2.x': false,
  'V1.2.3': false,
  '1.2.3 ': false,
  '1.2.3-é': false,
  '1.2.3_1': false,
  '99999999999999999999999.0.0': false,
  latest: false,
  '../../1.0.0': false,
};

const names: Readonly<Record<string, boolean>> = {
  shop: true,
  'My.Shop_2': true,
  '0': true,
  été: true,
  '...': true,
  'a b': true,
  'a/b': false,
  '/a': false,
  'a/': false,
};

/** What an old helm takes, or any; it would not be safe, or would be another name there. */
const refusedNames = ['', '.', '..', 'a\\b', 'a\u0007', 'a\u200b', 'a\nb', 'x'.repeat(201)];

function read(name: string, version: string): string | undefined {
  try {
    const metadata = parseMetadata(chart(name, version), 'Chart.yaml');
    assert.deepEqual([metadata.name, metadata.version], [name, version]);
    return undefined;
  } catch (thrown) {
    assert.ok(hasCode(thrown, 'INPUT_INVALID'), String(thrown));
    return thrown.message;
  }
}

function chart(name: string, version: string): string {
  return `apiVersion: v2\nname: ${JSON.stringify(name)}\nversion: ${JSON.stringify(version)}\n`;
}

async function isPackaged(name: string, version: string): Promise<boolean[]> {
  return inFolder(async top => {
    const folder = await writeChart(join(top, 'x'), { 'Chart.yaml': chart(name, version) });
    const runs = helms.map(helm =>
      packageByHelm(helm, folder).then(
        ({ fileName }) => fileName !== '',
        () => false,
      ),
    );
    return Promise.all(runs);
  });
}

describe('the version of a chart', () => {
  for (const [version, isTaken] of Object.entries(versions)) {
    it(`${isTaken ? 'is taken' : 'is refused'} as helm does it: "${version}"`, async () => {
      const message = read('shop', version);
      if (isTaken) assert.equal(message, undefined);
      else assert.match(message ?? '', /^Chart\.yaml, line 3: version is not a semantic version/);
      assert.deepEqual(
        await isPackaged('shop', version),
        helms.map(() => isTaken),
      );
    });
  }
});

describe('the name of a chart', () => {
  for (const [name, isTaken] of Object.entries(names)) {
    it(`${isTaken ? 'is taken' : 'is refused'} as helm does it: "${name}"`, async () => {
      const message = read(name, '1.0.0');
      if (isTaken) assert.equal(message, undefined);
      else assert.match(message ?? '', /^Chart\.yaml, line 2: name is not the name of a chart/);
      if (isTaken)
        assert.deepEqual(
          await isPackaged(name, '1.0.0'),
          helms.map(() => true),
        );
      else assert.ok((await isPackaged(name, '1.0.0')).includes(false));
    });
  }

  it('is refused where it is a path or cannot be seen', () => {
    for (const name of refusedNames) assert.match(read(name, '1.0.0') ?? '', /^Chart\.yaml, line 2: name /, name);
  });
});

function parse(...lines: readonly string[]): ChartMetadata {
  return parseMetadata(`name: a\nversion: 1.0.0\n${lines.join('\n')}`, 'Chart.yaml');
}

describe('a Chart.yaml', () => {
  it('is of v1 where it does not say', () => {
    assert.equal(parse().apiVersion, 'v1');
    assert.equal(parse('apiVersion: v2').apiVersion, 'v2');
    assert.throws(() => parse('apiVersion: v3'), /Chart\.yaml, line 3: apiVersion must be v1 or v2/);
    assert.throws(() => parse('apiVersion: 2'), /apiVersion must be v1 or v2/);
  });

  const texts: Readonly<Record<string, string | undefined>> = {
    '"1.10"': '1.10',
    '1.10': '1.1',
    '1.16.0': '1.16.0',
    '20261122.10': '2.0261122e+07',
    '12345678901234567890.5': '1.2345679e+19',
    '123456.7': '123456.7',
    '0.1': '0.1',
    '-1.5': '-1.5',
    '18446744073709551615': '18446744073709551615',
    '18446744073709551616': '1.8446744e+19',
    '100000.0': '100000',
    '1000000.0': '1e+06',
    '1234567': '1234567',
    '20261122103000123': '20261122103000123',
    '1e3': '1000',
    '0.00001': '1e-05',
    '012': '10',
    '0x1F': '31',
    '1_000': '1000',
    '2026-11-22': '2026-11-22',
    '12:30:45': '12:30:45',
    yes: 'true',
    off: 'false',
    '~': undefined,
    '': undefined,
    "''": '',
  };
  it('has the texts that helm makes of what is no text', () => {
    for (const [source, expected] of Object.entries(texts)) {
      assert.equal(parse(`appVersion: ${source}`).appVersion, expected, source);
    }
  });

  it('has the texts that every helm shows', async () => {
    const sources = Object.entries(texts).filter(([, expected]) => expected !== undefined);
    const annotations = sources.map(([source], at) => `  k${at}: ${source}`);
    const content = `${chart('a', '1.0.0')}annotations:\n${annotations.join('\n')}\n`;
    await inFolder(async top => {
      await writeChart(join(top, 'x'), { 'Chart.yaml': content });
      for (const helm of helms) {
        const shown = parseYaml(await runHelm(helm, ['show', 'chart', 'x'], top)) as { annotations: object };
        const expected = Object.fromEntries(sources.map(([, text], at) => [`k${at}`, text]));
        assert.deepEqual(shown.annotations, expected, helm.version);
      }
    });
    assert.deepEqual(
      parseMetadata(content, 'x').annotations,
      Object.fromEntries(sources.map(([, text], at) => [`k${at}`, text])),
    );
  });

  it('keeps what nobody here knows', () => {
    assert.deepEqual(parse('x: {deep: [1, true]}')['x'], { deep: ['1', true] });
  });

  it('has no two dependencies of one name or alias', () => {
    const first = ['dependencies:', '- {name: a}'];
    assert.throws(() => parse(...first, '- {name: a}'), /Chart\.yaml: two dependencies have the name or alias "a"/);
    assert.equal(parse(...first, '- {name: a, alias: b}').dependencies?.length, 2);
  });
});
