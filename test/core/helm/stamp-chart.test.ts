import assert from 'node:assert/strict';
import { parse } from 'yaml';
import { AppError } from '../../../core/base/errors.ts';
import { listImages } from '../../../core/helm/list-images.ts';
import type { Pin } from '../../../core/helm/pin-images.ts';
import { type ChartStamp, stampChart, versionOf } from '../../../core/helm/stamp-chart.ts';
import { helms, runHelm } from '../../support/helm.ts';
import { makeChart, textsOf, withChartFolder } from './hand-made.ts';

const chartOf = (text: string) => makeChart({ 'Chart.yaml': text, 'values.yaml': '' });
const stamp: ChartStamp = { version: '1.4.0+c.3f9a1c22d0', annotations: { 'artifacthub.io/images': '- name: web\n' } };

const isInputError = (message: RegExp) => (thrown: unknown) =>
  thrown instanceof AppError && thrown.code === 'INPUT_INVALID' && message.test(thrown.message);

describe('a stamp', () => {
  const images = '"- name: web\\n"';
  const version = '"1.4.0+c.3f9a1c22d0"';
  const cases: readonly (readonly [title: string, before: string, after: string, more?: Partial<ChartStamp>])[] = [
    [
      'leaves comments and order',
      '# The shop.\nname: shop # its name\nversion: 1.4.0 # set by hand\n\n# why\napiVersion: v2\n',
      `# The shop.\nname: shop # its name\nversion: ${version} # set by hand\n\n# why\napiVersion: v2\nannotations:\n  artifacthub.io/images: ${images}\n`,
    ],
    [
      'keeps line ends of Windows and replaces a version in quotes',
      "apiVersion: v2\r\nname: shop\r\nversion: '1.4.0'\r\nappVersion: 1.10\r\n",
      `apiVersion: v2\r\nname: shop\r\nversion: ${version}\r\nappVersion: "4711"\r\nannotations:\r\n  artifacthub.io/images: ${images}\r\n`,
      { appVersion: '4711' },
    ],
    [
      'adds to annotations that are there',
      'apiVersion: v2\nname: shop\nversion: 1.4.0\nannotations:\n  # theirs\n  a: b # c\ntype: application\n',
      `apiVersion: v2\nname: shop\nversion: ${version}\nannotations:\n  # theirs\n  a: b # c\n  artifacthub.io/images: ${images}\ntype: application\n`,
    ],
    [
      'adds to annotations between brackets',
      'apiVersion: v2\nname: shop\nversion: 1.4.0\nannotations: {a: b}\n',
      `apiVersion: v2\nname: shop\nversion: ${version}\nannotations: {a: b, artifacthub.io/images: ${images}}\n`,
    ],
    [
      'adds to annotations of nothing, and an appVersion that is not there',
      'apiVersion: v2\nname: shop\nversion: 1.4.0\nannotations: # none\n',
      `apiVersion: v2\nname: shop\nversion: ${version}\nannotations: { artifacthub.io/images: ${images} } # none\nappVersion: "4711"\n`,
      { appVersion: '4711' },
    ],
    [
      'replaces a list of images in a block',
      'annotations:\n  artifacthub.io/images: |\n    - name: old\n      image: shop/old:1\n  b: c\napiVersion: v2\nname: shop\nversion: 1.4.0\n',
      `annotations:\n  artifacthub.io/images: ${images}\n  b: c\napiVersion: v2\nname: shop\nversion: ${version}\n`,
    ],
  ];
  for (const [title, before, after, more] of cases) {
    it(`${title}, and helm reads what it says`, async () => {
      const stamped = stampChart(chartOf(before), { ...stamp, ...more });
      assert.equal(textsOf(stamped)['Chart.yaml'], after);
      assert.equal(stamped.metadata.version, stamp.version);
      assert.equal(stamped.metadata.annotations?.['artifacthub.io/images'], '- name: web\n');
      for (const helm of helms) {
        const shown = parse(
          await withChartFolder(stamped, folder => runHelm(helm, ['show', 'chart', folder], folder)),
        ) as Record<string, unknown>;
        assert.deepEqual(
          [shown['version'], shown['appVersion'], shown['annotations']],
          [stamp.version, stamped.metadata.appVersion, stamped.metadata.annotations],
          helm.version,
        );
      }
    });
  }

  it('is refused with a version that helm does not take, and where the version stands twice', () => {
    const text = 'apiVersion: v2\nname: shop\nversion: 1.4.0\n';
    assert.throws(() => stampChart(chartOf(text), { ...stamp, version: '1.4.0+a_b' }), isInputError(/Chart\.yaml/));
    const twice = { ...chartOf(text), files: [{ path: 'Chart.yaml', bytes: Buffer.from(`${text}version: 2.0.0\n`) }] };
    assert.throws(
      () => stampChart(twice, stamp),
      isInputError(/Chart\.yaml, line 4: "version" cannot be set: the key "version" stands twice/),
    );
  });

  it('keeps the dependencies of a chart of Helm 2, which stand in another file', () => {
    const chart = chartOf('name: shop\nversion: 1.4.0\n');
    const old = { ...chart, metadata: { ...chart.metadata, dependencies: [{ name: 'redis' }] } };
    assert.deepEqual(stampChart(old, stamp).metadata.dependencies, [{ name: 'redis' }]);
  });
});

describe('the version of a packaged chart', () => {
  const cases: readonly (readonly [own: string, rule: Parameters<typeof versionOf>[0], version: string])[] = [
    ['1.4.0', { kind: 'content', hash: '3f9a1c22d0' }, '1.4.0+c.3f9a1c22d0'],
    ['1.4.0-rc.1+abc', { kind: 'content', hash: '3f9a1c22d0' }, '1.4.0-rc.1+abc.c.3f9a1c22d0'],
    ['1.4.0', { kind: 'build', buildTag: 'a_b-4711' }, '1.4.0+build.a-b-4711'],
    ['1.4.0+x', { kind: 'build', buildTag: '4711' }, '1.4.0+x.build.4711'],
    ['1.4.0', { kind: 'exact', version: '2.0.0' }, '2.0.0'],
  ];
  for (const [own, rule, version] of cases) {
    it(`is ${version} for ${own} by ${rule.kind}`, () => {
      const chart = chartOf(`apiVersion: v2\nname: shop\nversion: "${own}"\n`);
      assert.equal(versionOf(rule, chart), version);
      assert.equal(stampChart(chart, { version, annotations: {} }).metadata.version, version);
    });
  }
});

/** A pin, as far as it is looked at. */
const pinOf = (repository: string, host?: string): Pin => ({
  repository,
  host,
  digest: `sha256:${'a'.repeat(64)}`,
  path: [],
  values: {},
  shows: [],
});
const entry = (host: string, repository: string): string =>
  `- name: ${repository.split('/').at(-1)}\n  image: ${host}${repository}@sha256:${'a'.repeat(64)}\n`;

describe('the list of images for Artifact Hub', () => {
  it('names each pinned image once, with the host that the values name', () => {
    const pins = [pinOf('shop/web', 'acr.azurecr.io'), pinOf('shop/api'), pinOf('shop/api')];
    const listed = listImages(chartOf('name: shop\nversion: 1.0.0\n'), pins);
    assert.deepEqual(listed, { 'artifacthub.io/images': entry('acr.azurecr.io/', 'shop/web') + entry('', 'shop/api') });
  });

  it("keeps the chart's own entries, but for those of pinned repositories", () => {
    const own =
      '- name: redis\n  image: docker.io/redis:7\n  whitelisted: true\n- name: web\n  image: acr.azurecr.io/shop/web:latest\n';
    const chart = chartOf(
      `name: shop\nversion: 1.0.0\nannotations:\n  artifacthub.io/images: ${JSON.stringify(own)}\n`,
    );
    assert.deepEqual(listImages(chart, [pinOf('shop/web')]), {
      'artifacthub.io/images': `- name: redis\n  image: docker.io/redis:7\n  whitelisted: true\n${entry('', 'shop/web')}`,
    });
  });

  it('is refused where the chart has something else there', () => {
    const chart = chartOf('name: shop\nversion: 1.0.0\nannotations:\n  artifacthub.io/images: "a: b"\n');
    assert.throws(
      () => listImages(chart, []),
      isInputError(/^The annotation artifacthub\.io\/images of shop\/Chart\.yaml is no list of images/),
    );
  });
});
