import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdir, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { AppError, hasCode } from '../../../core/base/errors.ts';
import { findMissingDependencies } from '../../../core/helm/missing-dependencies.ts';
import { packChart } from '../../../core/helm/pack-chart.ts';
import { readChart } from '../../../core/helm/read-chart.ts';
import { openChartFolder } from '../../../tasks/agent/chart-folder.ts';
import { chartYaml, smallChart } from '../../support/chart-shapes.ts';
import { type ChartTree, inFolder, packageByHelm, writeChart } from '../../support/charts.ts';
import { helms } from '../../support/helm.ts';

const secret = 'hunter2';

/** What each is refused for. Helm refuses those too, but for what the title says. */
const faults: Readonly<Record<string, readonly [tree: ChartTree, message: RegExp]>> = {
  'without a Chart.yaml': [{ 'values.yaml': '' }, /^shop is not a chart: it has no Chart\.yaml/],
  'with a Chart.yaml that its rules leave out': [{ ...smallChart('shop'), '.helmignore': 'Chart*' }, /no Chart\.yaml/],
  'with a Chart.yaml that is a folder': [{ 'Chart.yaml/x': '' }, /no Chart\.yaml/],
  'with an empty Chart.yaml': [{ 'Chart.yaml': '' }, /^shop\/Chart\.yaml: name is missing\.$/],
  'with a Chart.yaml that is no map': [{ 'Chart.yaml': '- a\n' }, /^shop\/Chart\.yaml, line 1: a map must/],
  'with a Chart.yaml that is not YAML': [
    { 'Chart.yaml': `apiVersion: v2\nname: shop\nversion: "1.0.0\npassword: ${secret}\n` },
    /^shop\/Chart\.yaml, line \d: /,
  ],
  'with a list where a text should be': [
    { 'Chart.yaml': 'name: [a]\nversion: 1.0.0\n' },
    /line 1: name must be a text/,
  ],
  'with a map for dependencies': [
    smallChart('x', { 'Chart.yaml': chartYaml('x', 'dependencies: {a: b}') }),
    /line 4: dependencies must be a list/,
  ],
  'with a dependency that is null': [
    smallChart('x', { 'Chart.yaml': chartYaml('x', 'dependencies:', '  - ~') }),
    /line 5: dependencies\.0 must be a map/,
  ],
  'with an alias that is none': [
    smallChart('x', { 'Chart.yaml': chartYaml('x', 'dependencies:', '  - name: a', '    alias: a.b') }),
    /line 6: dependencies\.0\.alias holds characters/,
  ],
  'with a type that nobody knows': [
    smallChart('x', { 'Chart.yaml': chartYaml('x', '', 'type: thing') }),
    /line 5: type must be application or library/,
  ],
  'with a schema that is not JSON': [
    smallChart('x', { 'values.schema.json': `{\n"a": 1,\n"${secret}"}` }),
    /^shop\/values\.schema\.json(, line 3)?: it is not JSON/,
  ],
  'with a lock that is not YAML': [smallChart('x', { 'Chart.lock': 'a: 1\nb: [\n' }), /^shop\/Chart\.lock, line \d/],
  'with a pattern that helm does not know': [
    smallChart('x', { '.helmignore': '# x\n**/a\n' }),
    /^shop\/\.helmignore, line 2: /,
  ],
  'with a file among its charts': [smallChart('x', { 'charts/README.md': '' }), /^shop\/charts\/README\.md is a file/],
  'with a folder of charts that is none': [smallChart('x', { 'charts/a/x': '' }), /^shop\/charts\/a is not a chart/],
  'with a folder called as an archive': [
    smallChart('x', { 'charts/a.tgz/Chart.yaml': chartYaml('a') }),
    /a\.tgz is a folder/,
  ],
  'with a bad chart deep in it': [
    smallChart('x', { 'charts/a.tgz': { top: 'a', archive: smallChart('a', { 'charts/b/Chart.yaml': 'name: b\n' }) } }),
    /^shop\/charts\/a\.tgz\/charts\/b\/Chart\.yaml: version is missing/,
  ],
};

/** What helm packages, but nobody could use, or not safely. */
const ours: typeof faults = {
  'with two charts of one name': [
    smallChart('x', {
      'charts/a/Chart.yaml': chartYaml('same'),
      'charts/b.tgz': { top: 'b', archive: smallChart('same') },
    }),
    /"shop\/charts\/a" and "shop\/charts\/b\.tgz" are both the chart "same"/,
  ],
  'with a name that ends a folder elsewhere': [smallChart('x', { 'a\\b': '' }), /a\\b has a "\\" in its name/],
  'of v2 with requirements beside its dependencies': [
    smallChart('x', { 'requirements.yaml': 'dependencies: [{name: a}]', 'charts/a/Chart.yaml': chartYaml('a') }),
    /^shop\/requirements\.yaml: .*Move them there/,
  ],
};

async function refused(tree: ChartTree | string): Promise<AppError> {
  return inFolder(async top => {
    const folder = typeof tree === 'string' ? tree : await writeChart(join(top, 'x'), tree);
    const thrown: unknown = await (async () => readChart(await openChartFolder(folder, 'shop')))().then(
      () => assert.fail('it was read'),
      (reason: unknown) => reason,
    );
    assert.ok(thrown instanceof AppError, String(thrown));
    assert.ok(!thrown.message.includes(secret), thrown.message);
    return thrown;
  });
}

describe('a chart is refused, with the file and the line,', () => {
  for (const [title, [tree, message]] of Object.entries({ ...faults, ...ours })) {
    it(title, async () => {
      const { code, message: said } = await refused(tree);
      assert.equal(code, 'INPUT_INVALID');
      assert.match(said, message);
    });
  }

  it('where helm refuses it', async () => {
    for (const [title, [tree]] of Object.entries(faults)) {
      await inFolder(async top => {
        const folder = await writeChart(join(top, 'x'), tree);
        for (const helm of helms) await assert.rejects(packageByHelm(helm, folder), /./, `${helm.version} ${title}`);
      });
    }
  });

  it('with a file of more than 5 MiB, unless it is ignored', async () => {
    const large = new Uint8Array(5 * 1024 * 1024 + 1);
    const { code, message } = await refused(smallChart('x', { 'files/large': large }));
    assert.equal(code, 'TOO_LARGE');
    assert.match(message, /^shop: files\/large /);
    await inFolder(async top => {
      const more = { 'files/large': large, '.helmignore': 'large', 'files/just': large.subarray(1) };
      const chart = await readChart(
        await openChartFolder(await writeChart(join(top, 'x'), smallChart('x', more)), 'x'),
      );
      assert.ok(!chart.files.some(each => each.path === 'files/large'));
      assert.ok((await packChart(chart)).bytes.length > 0);
    });
  });

  it('with more than 100 MiB in all, of its own and of its charts', async () => {
    const file = new Uint8Array(5 * 1024 * 1024);
    const files = (count: number) =>
      Object.fromEntries(Array.from({ length: count }, (_, at) => [`files/${at}`, file]));
    const tree = smallChart('x', { ...files(10), 'charts/a.tgz': { top: 'a', archive: smallChart('a', files(10)) } });
    const { code, message } = await refused(tree);
    assert.equal(code, 'TOO_LARGE');
    assert.match(message, /^shop\/charts\/a\.tgz: /);
  });

  it('with more files than any chart has', async () => {
    const many = Object.fromEntries(Array.from({ length: 20_001 }, (_, at) => [`${at}`, '']));
    const tree = smallChart('x', { 'charts/a.tgz': { top: 'a', archive: many } });
    assert.match((await refused(tree)).message, /^shop\/charts\/a\.tgz: .*more than 20000 files/);
  });

  it('with charts in charts without end', async () => {
    let tree = smallChart('x');
    for (let depth = 0; depth < 25; depth += 1) tree = smallChart('x', { 'charts/a.tgz': { top: 'a', archive: tree } });
    const { code, message } = await refused(tree);
    assert.equal(code, 'TOO_LARGE');
    assert.match(message, /nested more than 20 deep/);
  });

  it('with a million aliases, in little time and memory', async () => {
    const levels = Array.from({ length: 7 }, (_, at) => `a${at}: &a${at} [${`*a${at - 1},`.repeat(10)}]`);
    const tree = {
      'Chart.yaml': chartYaml('x', 'a: &a [1,1,1,1]', ...levels)
        .replace('*a-1', '*a')
        .replaceAll('*a-1', '*a'),
    };
    const before = process.memoryUsage().rss;
    const { code, message } = await refused(tree);
    assert.equal(code, 'INPUT_INVALID');
    assert.match(message, /^shop\/Chart\.yaml, line \d+: its aliases/);
    assert.ok(process.memoryUsage().rss - before < 200 * 1024 * 1024);
    const flat = { 'Chart.yaml': chartYaml('x', 'a: &a 1', `b: [${'*a,'.repeat(1_000_000)}]`) };
    assert.match((await refused(flat)).message, /^shop\/Chart\.yaml/);
  });

  it('with something that is no file, unless it is ignored', () =>
    inFolder(async top => {
      const folder = await writeChart(join(top, 'x'), smallChart('x'));
      execFileSync('mkfifo', [join(folder, 'pipe')]);
      assert.match((await refused(folder)).message, /^shop: pipe is neither a file nor a folder/);
      await writeChart(folder, { '.helmignore': 'pipe' });
      assert.equal((await readChart(await openChartFolder(folder, 'x'))).metadata.name, 'x');
    }));
});

describe('links in a chart', () => {
  const bad: Readonly<Record<string, readonly [at: string, link: string, message: RegExp]>> = {
    'out of it, to a file': ['a', '../secret', /^shop: a is a link that leads out of the chart/],
    'out of it, to a folder': ['templates/a', '../..', /^shop: templates\/a is a link that leads out/],
    'out of it, by an absolute path': ['a', '/etc/passwd', /^shop: a is a link that leads out/],
    'to a folder that begins with the same name': ['a', '../x-other', /^shop: a is a link that leads out/],
    'to nothing': ['a', 'nowhere', /^shop: a is not there, or is a link to nothing/],
    'to themselves': ['a', 'a', /^shop: a is a link in a circle/],
    'to a folder above them': ['templates/a', '..', /^shop: templates\/a is a link to a folder above it/],
    'to their own folder': ['a', '.', /^shop: a is a link to a folder above it/],
  };
  for (const [title, [at, link, message]] of Object.entries(bad)) {
    it(`are refused ${title}`, () =>
      inFolder(async top => {
        await writeChart(top, { secret, 'x-other/a': secret });
        const folder = await writeChart(join(top, 'x'), { ...smallChart('x'), [at]: { link } });
        const thrown = await refused(folder);
        assert.equal(thrown.code, 'INPUT_INVALID');
        assert.match(thrown.message, message);
      }));
  }

  it('are refused in a circle of two folders', () =>
    inFolder(async top => {
      const folder = await writeChart(join(top, 'x'), { ...smallChart('x'), 'a/': '', 'b/': '' });
      await symlink('../b', join(folder, 'a/b'));
      await symlink('../a', join(folder, 'b/a'));
      assert.match((await refused(folder)).message, /^shop: (a\/b\/a|b\/a\/b) is a link to a folder above it/);
    }));

  it('are followed where the chart itself is reached by one', () =>
    inFolder(async top => {
      await writeChart(join(top, 'x'), { ...smallChart('x'), b: { link: 'values.yaml' } });
      await mkdir(join(top, 'y'));
      await symlink('../x', join(top, 'y/z'));
      const chart = await readChart(await openChartFolder(join(top, 'y/z'), 'shop'));
      assert.ok(chart.files.some(each => each.path === 'b'));
    }));

  it('are of no matter in what is ignored', () =>
    inFolder(async top => {
      const more = { '.helmignore': 'node_modules/\n', 'node_modules/a': { link: '/etc' } };
      const folder = await writeChart(join(top, 'x'), smallChart('x', more));
      assert.equal((await readChart(await openChartFolder(folder, 'x'))).metadata.name, 'x');
    }));
});

describe('a folder of a chart', () => {
  it('is named where it is not there, or is none', () =>
    inFolder(async top => {
      await writeChart(top, { file: '' });
      for (const [path, message] of [
        ['none', /there is no folder "label"/],
        ['file', /"label" is not a folder/],
      ] as const) {
        await assert.rejects(openChartFolder(join(top, path), 'label'), (thrown: unknown) => {
          return hasCode(thrown, 'INPUT_INVALID') && message.test(thrown.message);
        });
      }
    }));

  it('is read by paths that were never listed, and no further than its bound', () =>
    inFolder(async top => {
      const folder = await openChartFolder(
        await writeChart(join(top, 'x'), { 'a/b': '12345', a2: { link: 'a' } }),
        'x',
      );
      assert.equal(Buffer.from(await folder.read('a2/b', 5)).toString(), '12345');
      await assert.rejects(folder.read('a/b', 4), { code: 'TOO_LARGE', message: /^x: a\/b has more than 4 bytes/ });
      await assert.rejects(folder.read('a/../../x/a/b/c', 4), { code: 'INPUT_INVALID' });
      await assert.rejects(folder.read('../x', 4), { code: 'INPUT_INVALID' });
    }));
});

describe('dependencies', () => {
  it('are missing where no chart of their name is vendored, whatever their alias', () =>
    inFolder(async top => {
      const declared = ['a', 'b', 'c', 'a'].map((name, at) => `  - {name: ${name}, version: 1.0.0, alias: x${at}}`);
      const tree = smallChart('shop', {
        'Chart.yaml': chartYaml('shop', 'dependencies:', ...declared),
        'charts/folder/Chart.yaml': chartYaml('b'),
        'charts/a/Chart.yaml': chartYaml('other'),
      });
      const folder = await writeChart(join(top, 'x'), tree);
      const chart = await readChart(await openChartFolder(folder, 'x'));
      assert.deepEqual(findMissingDependencies(chart), ['a', 'c']);
      for (const helm of helms) {
        await assert.rejects(packageByHelm(helm, folder), /missing in charts\/? directory: .*a.*c/, helm.version);
      }
    }));

  it('are those of the requirements in a chart of Helm 2', () =>
    inFolder(async top => {
      const tree = {
        'Chart.yaml': 'name: old\nversion: 1.0.0\n',
        'requirements.yaml': 'dependencies: [{name: a, version: 1}]',
      };
      const chart = await readChart(await openChartFolder(await writeChart(join(top, 'x'), tree), 'x'));
      assert.deepEqual(chart.metadata.dependencies, [{ name: 'a', version: '1' }]);
      assert.deepEqual(findMissingDependencies(chart), ['a']);
    }));
});
