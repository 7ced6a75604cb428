import assert from 'node:assert/strict';
import { join } from 'node:path';
import fc from 'fast-check';
import { hasCode } from '../../../core/base/errors.ts';
import { isIgnored, parseIgnoreRules } from '../../../core/helm/ignore.ts';
import { listPackedFiles } from '../../../core/helm/packed-files.ts';
import { readChart } from '../../../core/helm/read-chart.ts';
import { openChartFolder } from '../../../tasks/agent/chart-folder.ts';
import { chartYaml } from '../../support/chart-shapes.ts';
import { type ChartTree, inFolder, packageByHelm, writeChart } from '../../support/charts.ts';
import { helms } from '../../support/helm.ts';

type Case = readonly [rules: string, path: string, isIgnored: boolean];

/** A path that ends with `/` is a folder. */
const cases: readonly Case[] = [
  ['', 'a', false],
  ['a', 'a', true],
  ['a', 'x/a', true],
  ['a', 'a/x', false],
  ['a', 'a/', true],
  ['a/', 'a', false],
  ['a/', 'a/', true],
  ['a/', 'x/a/', true],
  ['/a', 'a', true],
  ['/a', 'x/a', false],
  ['/a/', 'a/', true],
  ['x/a', 'x/a', true],
  ['x/a', 'y/x/a', false],
  ['*', 'x/a', true],
  ['/*', 'x/a', false],
  ['x/*', 'x/a', true],
  ['x/*', 'x/y/a', false],
  ['?', 'é', true],
  ['??', 'é', false],
  ['*??x', '€x', true],
  ['[a-c]', 'b', true],
  ['[^a-c]', 'b', false],
  ['[^a]*', 'b', true],
  ['x[^a]a', 'x/a', false],
  ['/x[^a]a', 'x/a', true],
  ['/*[^a]*b', 'x/b', false],
  ['[\\]a]', ']', true],
  ['[a\\-c]', '-', true],
  ['[*]', '*', true],
  ['[*]', 'a', false],
  ['\\*', '*', true],
  ['\\*', 'a', false],
  ['!a', 'a', false],
  ['!a', 'b', true],
  ['!a\na', 'a', true],
  ['b\n!a', 'b', true],
  ['!a/', 'a', true],
  ['!a/', 'a/', false],
  ['!a*\n!*b', 'ab', false],
  ['!a*\n!*b', 'ac', true],
  ['/', 'a/', false],
  ['!', 'a', true],
  ['#a', '#a', false],
  ['\\#a', '#a', true],
  ['', 'templates/.a', true],
  ['', 'templates/.', false],
  ['', 'templates/x/.a', false],
  ['', 'charts/x/templates/.a', false],
  ['!templates/*', 'templates/.a', true],
];

describe('the rules of a .helmignore', () => {
  it('say what helm says that they say', () => {
    for (const [rules, path, expected] of cases) {
      const isFolder = path.endsWith('/');
      const found = isIgnored(parseIgnoreRules(rules, 'x'), path.replace(/\/$/, ''), isFolder);
      assert.equal(found, expected, `${JSON.stringify(rules)} on ${path}`);
    }
  });

  const faults: Readonly<Record<string, RegExp>> = {
    'a\n**': /^\.helmignore, line 2: .*"\*\*"/,
    'a/**/b': /^\.helmignore, line 1: .*"\*\*"/,
    '\n\n[a': /^\.helmignore, line 3: .*not closed/,
    'a[': /line 1: .*not closed/,
    '[]a]': /line 1: .*not closed/,
    '[a-]': /line 1: .*not closed/,
    '[-a]': /line 1: .*not closed/,
    'a\\': /line 1: .*not closed/,
    '//a': /line 1: .*two slashes/,
    [`a\n${'b'.repeat(70_000)}`]: /line 2: .*65535/,
  };
  for (const [rules, message] of Object.entries(faults)) {
    it(`are refused with their line: ${JSON.stringify(rules.slice(0, 20))}`, () => {
      assert.throws(
        () => parseIgnoreRules(rules, '.helmignore'),
        thrown => hasCode(thrown, 'INPUT_INVALID') && message.test(thrown.message),
      );
    });
  }

  it('leave out of random charts, by random rules, what every helm leaves out', async () => {
    const outcomes = { same: 0, refused: 0, ignoredSome: 0 };
    await fc.assert(
      fc.asyncProperty(ruledChart, async ({ tree, rules }) => {
        const count = Object.keys(tree).length;
        await inFolder(async top => {
          const folder = await writeChart(join(top, 'x'), { ...tree, '.helmignore': rules });
          const ours = await listOurs(folder);
          for (const helm of helms) {
            const theirs = await packageByHelm(helm, folder).then(
              ({ files }) => [...files.keys()].map(path => path.replace('x/', '')).sort(),
              () => undefined,
            );
            // What helm forgives when it looks at a rule, but not what it refuses.
            if (typeof ours === 'string' && /not closed|two slashes/.test(ours)) outcomes.refused += 1;
            else if (typeof ours === 'string') assert.equal(theirs, undefined, `${helm.version}: ${ours}`);
            else assert.deepEqual(ours, theirs, helm.version);
          }
          if (typeof ours === 'object') outcomes.same += 1;
          if (typeof ours === 'object' && ours.length < count + 1) outcomes.ignoredSome += 1;
        });
      }),
      { numRuns: 40 },
    );
    assert.ok(outcomes.same >= 10 && outcomes.ignoredSome >= 2, JSON.stringify(outcomes));
  });
});

/** The packed paths, or why there are none. */
async function listOurs(folder: string): Promise<string[] | string> {
  try {
    const files = listPackedFiles(await readChart(await openChartFolder(folder, 'the chart')));
    return files.map(each => each.path).sort();
  } catch (thrown) {
    assert.ok(hasCode(thrown, 'INPUT_INVALID'), String(thrown));
    return thrown.message;
  }
}

const name = fc.constantFrom('a', 'b', 'ab', 'a.b', '.a', 'é', '€x', 'a-b', '[a]', 'a*', '!a', '#b', 'templates');
const path = fc.array(name, { minLength: 1, maxLength: 3 }).map(parts => parts.join('/'));
const piece = fc.oneof(
  {
    weight: 12,
    arbitrary: fc.constantFrom('a', 'b', '.', '-', 'é', 'x', '*', '*', '?', '?', '[a-b]', '[^a]', '[^/]', '\\['),
  },
  { weight: 1, arbitrary: fc.constantFrom('[a', ']', '\\', '!') },
);
const part = fc.oneof(
  name,
  fc.array(piece, { minLength: 1, maxLength: 3 }).map(pieces => pieces.join('')),
);
const pattern = fc.array(part, { minLength: 1, maxLength: 2 }).map(parts => parts.join('/'));
/** Now and then one that ignores what it does not match, but seldom the Chart.yaml. */
const negation = fc.constantFrom('![A-Za-t.]*', '!*[a-z]', '!?*', '!a', '!*/');
const rule = fc.oneof(
  {
    weight: 9,
    arbitrary: fc.tuple(fc.constantFrom('', '', '/', ' ', '#'), pattern, fc.constantFrom('', '', '/', ' ')),
  },
  { weight: 1, arbitrary: negation.map(text => ['', text, '']) },
);

const ruledChart = fc.record({
  tree: fc.array(path, { minLength: 3, maxLength: 12 }).map((paths): ChartTree => {
    const files = paths.filter(each => !paths.some(other => other.startsWith(`${each}/`)));
    return { 'Chart.yaml': chartYaml('x'), ...Object.fromEntries(files.map(each => [each, each])) };
  }),
  rules: fc.array(rule, { minLength: 1, maxLength: 5 }).map(rules => rules.map(parts => parts.join('')).join('\n')),
});
