import assert from 'node:assert/strict';
import { join } from 'node:path';
import { writeChart } from '../support/charts.ts';
import { helms } from '../support/helm.ts';
import { assertNotForged, forged, forgeries } from './forging.ts';
import { type Bench, chartOf, openBench, web } from './packaging.ts';
import { linesOf, readSummary } from './promotion.ts';
import { assertFailed, assertSucceeded } from './step.ts';

/** As YAML, in double quotes, where every sign can stand. */
const quote = (text: string): string =>
  JSON.stringify(text).replace(/[\u0085\u2028]/g, sign => `\\u${sign.charCodeAt(0).toString(16).padStart(4, '0')}`);

/** Text that would be more than text on a page of Markdown. */
const markup = '`</code>|[click](https://evil.example)<img src=x onerror=alert(1)>**';

describe('PackageChart and texts that forge commands', () => {
  let bench: Bench;
  before(async () => {
    bench = await openBench();
    await bench.build({ 'shop/web': web });
  });
  after(() => bench.close());

  for (const [at, text] of forgeries.entries()) {
    it(`is not fooled by a chart that holds ${JSON.stringify(text)} wherever a chart can`, async () => {
      const values = [
        `${quote(text)}: {repository: shop/web, tag: ${quote(text)}}`,
        'image: {repository: shop/web, tag: x}',
        `other: {image: {repository: quay.example/other, tag: ${quote(text)}}}`,
        `text: ${quote(text)}`,
        'enabled: true',
      ];
      const annotations = `annotations:\n  ${quote(text)}: ${quote(text)}\n`;
      await writeChart(join(bench.agent.sources, `forged${at}`), {
        ...chartOf('web', 'shop/web'),
        'Chart.yaml': `apiVersion: v2\nname: web\nversion: 1.0.0\ndescription: ${quote(text)}\n${annotations}`,
        'values.yaml': values.join('\n'),
        'templates/forged.yaml': `a: "{{ (index .Values ${quote(text)}).tag }}"\nb:\n  image: shop/web:v1\n  text: {{ .Values.text | quote }}\n`,
        'templates/NOTES.txt': text,
      });
      const outcome = await bench.pack({ charts: `forged${at}` }, helms.at(-1));
      assertSucceeded(outcome);
      assertNotForged(outcome);
      assert.ok(outcome.output.includes('Pinned shop/web@'), outcome.output);
    });
  }

  for (const at of [0, 1, 8, 11]) {
    const text = forgeries[at] ?? forged;
    it(`is not fooled by ${JSON.stringify(text)} in its inputs, nor in what helm says of a chart`, async () => {
      await bench.write(
        `failing${at}`,
        chartOf('web', 'shop/web', {
          'Chart.yaml': `apiVersion: v2\nname: web\nversion: 1.0.0\nicon: ${quote(text)}\n`,
          'templates/failing.yaml': `{{ fail ${quote(text)} }}`,
        }),
      );
      const linted = await bench.pack({ charts: `failing${at}` }, helms[0]);
      assertFailed(linted, /^The chart "web": helm lint ended with 1: /);
      assertNotForged(linted);
      const wrong: [inputs: Record<string, string>, message: RegExp][] = [
        [{ charts: text }, /^The input charts: there is no folder "/],
        [{ mappings: `${text}=shop/web` }, /^The (?:input mappings|chart "web")/],
        [{ imagesFile: text }, /^The input imagesFile: the file "/],
        [{ exactVersion: text, version: 'exact' }, /^The input exactVersion is "/],
        [{ buildTagPrefix: text }, /^The input buildTagPrefix is "/],
        [{ chartRepositoryPrefix: text }, /^The input chartRepositoryPrefix is "/],
        [{ valuesFiles: text }, /^The input valuesFiles: the file "/],
        [{ publish: `${text}:` }, /^The input publish /],
      ];
      for (const [inputs, message] of wrong) {
        const outcome = await bench.pack({ charts: `failing${at}`, helm: 'never', ...inputs });
        assertFailed(outcome, message);
        assertNotForged(outcome);
      }
    });
  }

  it('is not fooled by the name of a chart, of its folder and of its files', async () => {
    const name = `web]${forged}`;
    await writeChart(join(bench.agent.sources, name), {
      ...chartOf('web', 'shop/web'),
      'Chart.yaml': `apiVersion: v2\nname: ${quote(name)}\nversion: 1.0.0\n`,
      [`files/${forged}`]: 'x',
      [`charts/${forged}/Chart.yaml`]: `name: ${quote(forged)}\nversion: 1.0.0\n`,
      [`charts/${forged}/values.yaml`]: 'image: {repository: shop/web, tag: x}\n',
    });
    const outcome = await bench.pack({ charts: name, helm: 'never' });
    assertSucceeded(outcome);
    assertNotForged(outcome);
    assert.equal(linesOf(outcome).filter(line => line.startsWith('Pinned shop/web@')).length, 2);
  });

  it('shows on its page what a chart says as text, and not as markup', async () => {
    const line = markup.replaceAll('/', '');
    await writeChart(join(bench.agent.sources, 'markup'), {
      'Chart.yaml': `apiVersion: v2\nname: ${quote(line)}\nversion: 1.0.0\n`,
      'values.yaml': [
        `${quote(markup)}: {repository: shop/web, tag: ${quote(`\n\`\`\`\n${markup}`)}}`,
        `tag: "x\n\n \`\`\`\n\n ${markup}"`,
        `${quote(`x\n\n# ${markup}`)}: {image: {repository: quay.example/other, tag: ${quote('1')}}}`,
      ].join('\n'),
    });
    const outcome = await bench.pack({ charts: 'markup', mappings: 'tag=shop/web', helm: 'never' });
    assertSucceeded(outcome);
    const page = await readSummary(outcome);
    // Outside of spans and blocks of code there is nothing of the chart.
    const [blocks, spans] = [/^```diff\n(?:[#@+-] ?.*\n|@@.*\n)+```$/gm, /`[^`\n]+`/g];
    const rest = page.replace(blocks, '').replace(spans, '');
    assert.ok(page.includes('click') && page.includes('onerror'), page);
    for (const part of ['click', 'onerror', 'evil', '<', '**', '`']) assert.ok(!rest.includes(part), rest);
  });
});
