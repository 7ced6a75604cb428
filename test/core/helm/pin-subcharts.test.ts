import assert from 'node:assert/strict';
import { parseMapping } from '../../../core/helm/mapping.ts';
import { type PinRequest, pinImages } from '../../../core/helm/pin-images.ts';
import { pinnedCharts, writeStageValues } from '../../../core/lifecycle/stage-values.ts';
import { helms } from '../../support/helm.ts';
import { imagesIn, makeChart, render, textsOf } from './hand-made.ts';

const webDigest = `sha256:${'a'.repeat(64)}` as const;
const apiDigest = `sha256:${'b'.repeat(64)}` as const;
const web = { repository: 'shop/web', digest: webDigest, tag: '1234567' };
const api = { repository: 'shop/api', digest: apiDigest, tag: '1234567' };
const webPin = `1234567@${webDigest}`;
const apiPin = `1234567@${apiDigest}`;
const request: PinRequest = {
  images: [web, api],
  mode: 'tagAndDigest',
  mapping: [],
  isOwnRegistry: host => host === 'acr.azurecr.io',
};

const parts = '{{ .Values.image.repository }}:{{ .Values.image.tag }}';
const pod = (image: string): string =>
  `apiVersion: v1\nkind: Pod\nmetadata: {name: x}\nspec:\n  containers:\n  - image: "${image}"\n`;
const umbrella = (dependencies: string, values: string, more: Record<string, string> = {}) =>
  makeChart({
    'Chart.yaml': `apiVersion: v2\nname: shop\nversion: 1.0.0\n${dependencies}`,
    'values.yaml': values,
    'charts/sub/Chart.yaml': 'apiVersion: v2\nname: sub\nversion: 0.1.0\n',
    'charts/sub/values.yaml': 'image:\n  repository: shop/web # own\n  tag: x\n',
    'charts/sub/templates/pod.yaml': pod(parts),
    ...more,
  });
const twice = 'dependencies:\n- {name: sub, version: 0.1.0, alias: one}\n- {name: sub, version: 0.1.0, alias: two}\n';

interface Case {
  readonly title: string;
  readonly chart: ReturnType<typeof umbrella>;
  /** Files that change, with what they hold then. */
  readonly after: Readonly<Record<string, string>>;
  readonly images: readonly string[];
}

const cases: readonly Case[] = [
  {
    title: 'in its own values, where nobody says otherwise',
    chart: umbrella('', 'x: 1\n'),
    after: { 'charts/sub/values.yaml': `image:\n  repository: shop/web # own\n  tag: "${webPin}"\n` },
    images: [`shop/web:${webPin}`],
  },
  {
    title: 'in the values above, where these have the tag',
    chart: umbrella('', 'sub:\n  image: {tag: y}\n'),
    after: { 'values.yaml': `sub:\n  image: {tag: "${webPin}"}\n` },
    images: [`shop/web:${webPin}`],
  },
  {
    title: 'in the values above, where these name another repository, and in its own for its other name',
    chart: umbrella(twice, 'two:\n  image:\n    repository: shop/api\n'),
    after: {
      'values.yaml': `two:\n  image:\n    repository: shop/api\n    tag: "${apiPin}"\n`,
      'charts/sub/values.yaml': `image:\n  repository: shop/web # own\n  tag: "${webPin}"\n`,
    },
    images: [`shop/web:${webPin}`, `shop/api:${apiPin}`],
  },
  {
    title: 'once in its own values, where it is used under two names',
    chart: umbrella(twice, ''),
    after: { 'charts/sub/values.yaml': `image:\n  repository: shop/web # own\n  tag: "${webPin}"\n` },
    images: [`shop/web:${webPin}`, `shop/web:${webPin}`],
  },
  {
    title: 'not where the values above name a foreign host',
    chart: umbrella('', 'image: shop/api\nsub:\n  image: {repository: quay.io/shop/web}\n'),
    after: { 'values.yaml': `image: "shop/api:${apiPin}"\nsub:\n  image: {repository: quay.io/shop/web}\n` },
    images: ['quay.io/shop/web:x'],
  },
  {
    title: 'not where the values above take it away',
    chart: umbrella('', 'sub:\n  image: ~\n', { 'charts/sub/templates/pod.yaml': pod('none') }),
    after: {},
    images: ['none'],
  },
  {
    title: 'without a digest of its own where the values above take that away',
    chart: umbrella('', 'sub: {image: {digest: ~}}\n', {
      'charts/sub/values.yaml': 'image: {repository: shop/web, digest: x}\n',
    }),
    after: { 'values.yaml': `sub: {image: {digest: ~, tag: "${webPin}"}}\n` },
    images: [`shop/web:${webPin}`],
  },
  {
    title: 'under another name, where a range of versions stands for it',
    chart: umbrella('dependencies:\n- {name: sub, version: ~0.1.0, alias: one}\n', 'one: {x: 1}\n'),
    after: { 'charts/sub/values.yaml': `image:\n  repository: shop/web # own\n  tag: "${webPin}"\n` },
    images: [`shop/web:${webPin}`],
  },
  {
    title: 'in the outermost values of charts in charts',
    chart: umbrella('', 'sub: {inner: {image: {pullPolicy: Always}}}\n', {
      'charts/sub/values.yaml': 'inner:\n  image:\n    tag: z\n',
      'charts/sub/templates/pod.yaml': pod('none'),
      'charts/sub/charts/inner/Chart.yaml': 'apiVersion: v2\nname: inner\nversion: 0.1.0\n',
      'charts/sub/charts/inner/values.yaml': 'image:\n  repository: acr.azurecr.io/shop/web\n',
      'charts/sub/charts/inner/templates/pod.yaml': pod(parts),
    }),
    after: { 'charts/sub/values.yaml': `inner:\n  image:\n    tag: "${webPin}"\n` },
    images: ['none', `acr.azurecr.io/shop/web:${webPin}`],
  },
  {
    title: 'by the globals of the chart above, which win over its own',
    chart: umbrella('', 'global:\n  image:\n    repository: shop/api\n    tag: y\n', {
      'charts/sub/values.yaml': 'global:\n  image:\n    repository: shop/web\n    tag: x\n',
      'charts/sub/templates/pod.yaml': pod('{{ .Values.global.image.repository }}:{{ .Values.global.image.tag }}'),
    }),
    after: { 'values.yaml': `global:\n  image:\n    repository: shop/api\n    tag: "${apiPin}"\n` },
    images: [`shop/api:${apiPin}`],
  },
];

describe('an image of a subchart is pinned', () => {
  for (const { title, chart, after, images } of cases) {
    it(title, async () => {
      const before = textsOf(chart);
      const pinned = pinImages(chart, request);
      assert.deepEqual(textsOf(pinned.chart), { ...before, ...after });
      assert.deepEqual([...new Set(pinned.changes.map(each => each.file))].sort(), Object.keys(after).sort());
      assert.deepEqual(pinImages(pinned.chart, request).changes, []);
      for (const helm of helms)
        assert.deepEqual(imagesIn(await render(helm, pinned.chart)).sort(), [...images].sort(), helm.version);
    });
  }

  it('by a mapping that begins with its name', () => {
    const chart = umbrella('', '', { 'charts/sub/values.yaml': 'version: 1\n' });
    const { chart: after, pins } = pinImages(chart, { ...request, mapping: [parseMapping('sub.version=shop/web')] });
    assert.equal(textsOf(after)['charts/sub/values.yaml'], `version: "${webPin}"\n`);
    assert.deepEqual(
      pins.map(each => each.path),
      [['sub', 'version']],
    );
  });

  it('by its own registry for all images, unless the chart above has one', () => {
    const sub = {
      'charts/sub/values.yaml': 'global: {imageRegistry: quay.io}\nimage: {repository: shop/web, tag: x}\n',
    };
    assert.deepEqual(pinImages(umbrella('', 'x: 1\n', sub), request).pins, []);
    const [pin] = pinImages(umbrella('', 'global: {imageRegistry: acr.azurecr.io}\n', sub), request).pins;
    assert.deepEqual(pin?.values, {
      registry: ['global', 'imageRegistry'],
      repository: ['sub', 'image', 'repository'],
    });
    const [bare] = pinImages(umbrella('', 'global: {imageRegistry: ""}\n', sub), request).pins;
    assert.deepEqual(bare?.values, { repository: ['sub', 'image', 'repository'] });
  });

  it('not at all where its values are those of a foreign image, too', () => {
    const chart = umbrella(twice, 'two: {image: {registry: quay.io}}\n', {
      'charts/sub/values.yaml': 'image: {registry: acr.azurecr.io, repository: shop/web, tag: x}\n',
    });
    assert.throws(() => pinImages(chart, request), {
      name: 'AppError',
      code: 'INPUT_INVALID',
      message: /^Pinning one\.image\.tag would change two\.image\.tag as well/,
    });
  });
});

describe('the values of a stage move a pinned chart to its registry', () => {
  const digestPart = '{{ if .digest }}@{{ .digest }}{{ else }}:{{ .tag }}{{ end }}';
  const shapes: Readonly<Record<string, readonly [values: string, image: string]>> = {
    'a repository and a tag': ['image:\n  repository: acr.azurecr.io/shop/web\n', parts],
    'parts with a registry': [
      'image: {registry: acr.azurecr.io, repository: shop/web, tag: x, digest: ""}\n',
      `{{ with .Values.image }}{{ .registry }}/{{ .repository }}${digestPart}{{ end }}`,
    ],
    'a whole image': ['image: acr.azurecr.io/shop/web:x\n', '{{ .Values.image }}'],
    "a registry for all images over the image's own": [
      'global: {imageRegistry: acr.azurecr.io}\nimage: {registry: docker.io, repository: shop/web, tag: x}\n',
      '{{ .Values.global.imageRegistry | default .Values.image.registry }}/{{ .Values.image.repository }}:{{ .Values.image.tag }}',
    ],
    'a registry for all images and no other': [
      'global: {imageRegistry: acr.azurecr.io}\nimage: {repository: shop/web, tag: x}\n',
      `{{ .Values.global.imageRegistry }}/${parts}`,
    ],
    'an image beside its tag': [
      'image: {image: shop/web, tag: x}\n',
      '{{ .Values.image.image }}:{{ .Values.image.tag }}',
    ],
  };
  const placed = [{ sourceRepository: 'shop/web', repository: 'prod/shop/web', digest: webDigest }];
  for (const [title, [values, image]] of Object.entries(shapes)) {
    for (const mode of ['tagAndDigest', 'digest'] as const) {
      // A chart that writes the tag alone cannot be pinned by a digest alone.
      if (mode === 'digest' && !/digest|Values\.image \}/.test(image)) continue;
      it(`with ${title}, by ${mode}, also in a subchart under another name`, async () => {
        const chart = umbrella(twice.replace(/\n[^\n]*alias: two.*\n/, '\n'), values, {
          'templates/pod.yaml': pod(image),
          'charts/sub/values.yaml': values,
          'charts/sub/templates/pod.yaml': pod(image),
        });
        const { chart: pinned, pins } = pinImages(chart, { ...request, images: [web], mode });
        const read = pinnedCharts.parse({
          schema: 1,
          build: { id: 1, projectId: 'p' },
          charts: [{ name: 'shop', pins }],
        });
        const stage = writeStageValues(read.charts, placed, 'prod.azurecr.io');
        const allowed = ['', ':1234567'].map(tag => `prod.azurecr.io/prod/shop/web${tag}@${webDigest}`);
        for (const helm of helms) {
          const images = imagesIn(await render(helm, pinned, stage));
          assert.equal(images.length, 2);
          for (const each of images) assert.ok(allowed.includes(each), `${helm.version}: ${each}`);
        }
      });
    }
  }
});
