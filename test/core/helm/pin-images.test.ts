import assert from 'node:assert/strict';
import { AppError } from '../../../core/base/errors.ts';
import { parseMapping } from '../../../core/helm/mapping.ts';
import { explainUnused, type PinRequest, pinImages } from '../../../core/helm/pin-images.ts';
import { helms } from '../../support/helm.ts';
import { imagesIn, makeChart, render, textsOf } from './hand-made.ts';

const webDigest = `sha256:${'a'.repeat(64)}` as const;
const apiDigest = `sha256:${'b'.repeat(64)}` as const;
const web = { repository: 'shop/web', digest: webDigest, tag: '4711' };
const api = { repository: 'shop/api', digest: apiDigest, tag: '4711' };
const chartYaml = 'apiVersion: v2\nname: shop\nversion: 1.0.0\n';

const requestOf = (...mapping: readonly string[]): PinRequest => ({
  images: [web, api],
  mode: 'tagAndDigest',
  mapping: mapping.map(parseMapping),
  isOwnRegistry: host => host === 'acr.azurecr.io',
});

const isInputError = (message: RegExp) => (thrown: unknown) =>
  thrown instanceof AppError && thrown.code === 'INPUT_INVALID' && message.test(thrown.message);

/** A template with these images. */
const pods = (...images: readonly string[]): string =>
  `kind: Pod\napiVersion: v1\nmetadata: {name: {{ .Chart.Name }}-{{ .Release.Name }}}\nspec:\n  containers:\n${images.map(image => `  - image: "${image}"\n`).join('')}`;

const shopOf = (values: string, ...images: readonly string[]) =>
  makeChart({ 'Chart.yaml': chartYaml, 'values.yaml': values, 'templates/pods.yaml': pods(...images) });

const valuesOf = (chart: Parameters<typeof textsOf>[0]): string | undefined => textsOf(chart)['values.yaml'];

describe('a pin', () => {
  const forms: readonly (readonly [mode: PinRequest['mode'], before: string, after: string, image: string])[] = [
    [
      'digest',
      'image:\n  repository: shop/web\n  tag: "1"\n',
      `image:\n  repository: shop/web\n  tag: "1"\n  digest: "${webDigest}"\n`,
      `shop/web@${webDigest}`,
    ],
    [
      'digest',
      'image: {repository: shop/web, digest: }\n',
      `image: {repository: shop/web, digest: "${webDigest}" }\n`,
      `shop/web@${webDigest}`,
    ],
    ['digest', 'image: shop/web:1\n', `image: "shop/web@${webDigest}"\n`, `shop/web@${webDigest}`],
    ['tag', 'image:\n  repository: shop/web\n', 'image:\n  repository: shop/web\n  tag: "4711"\n', 'shop/web:4711'],
    [
      'tag',
      `image:\n  repository: shop/web\n  digest: "${apiDigest}"\n`,
      'image:\n  repository: shop/web\n  digest: ""\n  tag: "4711"\n',
      'shop/web:4711',
    ],
    [
      'tag',
      `image: acr.azurecr.io/shop/web@${apiDigest}\n`,
      'image: "acr.azurecr.io/shop/web:4711"\n',
      'acr.azurecr.io/shop/web:4711',
    ],
  ];
  const template =
    '{{ with .Values.image }}{{ if kindIs `string` . }}{{ . }}{{ else }}{{ .repository }}{{ if .digest }}@{{ .digest }}{{ else }}:{{ .tag }}{{ end }}{{ end }}{{ end }}';
  for (const [mode, before, after, image] of forms) {
    it(`by ${mode} makes ${image.slice(0, 30)} of ${JSON.stringify(before.slice(0, 40))}`, async () => {
      const { chart, pins } = pinImages(shopOf(before, template), { ...requestOf(), mode });
      assert.equal(valuesOf(chart), after);
      assert.deepEqual(
        pins.map(each => each.shows),
        [[mode === 'tag' ? 'shop/web:4711' : webDigest]],
      );
      for (const helm of helms) assert.deepEqual(imagesIn(await render(helm, chart)), [image], helm.version);
    });
  }

  it('says where it is, what it was and which values move it', () => {
    const pinned = pinImages(
      shopOf(
        'a:\n  image: {registry: "", repository: shop/web, tag: 1}\nb:\n  - image: acr.azurecr.io/shop/api:x\nimage: quay.io/shop/web\n',
      ),
      requestOf(),
    );
    assert.deepEqual(pinned.pins, [
      {
        repository: 'shop/web',
        digest: webDigest,
        host: undefined,
        path: ['a', 'image'],
        values: { registry: ['a', 'image', 'registry'], repository: ['a', 'image', 'repository'] },
        shows: [webDigest],
      },
      {
        repository: 'shop/api',
        digest: apiDigest,
        host: 'acr.azurecr.io',
        path: ['b', '0', 'image'],
        values: {},
        shows: [apiDigest],
      },
    ]);
    assert.deepEqual(pinned.changes, [
      { file: 'values.yaml', line: 2, path: ['a', 'image', 'tag'], before: '1', after: `4711@${webDigest}` },
      {
        file: 'values.yaml',
        line: 4,
        path: ['b', '0', 'image'],
        before: 'acr.azurecr.io/shop/api:x',
        after: `acr.azurecr.io/shop/api:4711@${apiDigest}`,
      },
    ]);
    assert.deepEqual(pinned.unpinned, [{ file: 'values.yaml', line: 5, path: ['image'], image: 'quay.io/shop/web' }]);
    assert.deepEqual(pinned.unused, []);
  });

  it('cannot be moved where the registry ends with a slash, which the host of a stage does not', () => {
    const { chart, pins } = pinImages(
      shopOf('image: {registry: acr.azurecr.io/, repository: shop/web}\n'),
      requestOf(),
    );
    assert.match(valuesOf(chart) ?? '', /tag: "4711@sha256:a+"/);
    assert.deepEqual(pins[0]?.values, {});
  });

  it('changes nothing where the chart names no image of the build, and says what is unused and could be meant', () => {
    const chart = shopOf(
      'web:\n  image: docker.io/library/web:1\nsidecar:\n  repository: shop/web\napiRepository: acr.azurecr.io/shop/api\n',
    );
    const pinned = pinImages(chart, requestOf());
    assert.equal(pinned.chart, chart);
    assert.deepEqual([pinned.pins, pinned.changes, pinned.unused], [[], [], [web, api]]);
    assert.deepEqual(
      pinned.unpinned.map(each => `${each.line} ${each.path.join('.')} ${each.image}`),
      ['2 web.image docker.io/library/web:1', '3 sidecar shop/web', '5 apiRepository acr.azurecr.io/shop/api'],
    );
    assert.equal(
      explainUnused(pinned.unused, [{ name: 'shop', unpinned: pinned.unpinned }]).message,
      `shop/web@${webDigest}, shop/api@${apiDigest}: of this build, but pinned nowhere in shop. What looks like an image there and is not pinned: web.image (docker.io/library/web:1; shop, values.yaml line 2), sidecar (shop/web; shop, values.yaml line 3), apiRepository (acr.azurecr.io/shop/api; shop, values.yaml line 5). Say where it stands by a mapping, such as web.image=shop/web.`,
    );
  });

  it('is none without a values.yaml, or with an empty one', () => {
    for (const files of [{ 'Chart.yaml': chartYaml }, { 'Chart.yaml': chartYaml, 'values.yaml': '' }]) {
      const chart = makeChart(files);
      assert.equal(pinImages(chart, requestOf()).chart, chart);
      assert.throws(
        () => pinImages(chart, requestOf('image=shop/web')),
        isInputError(/"image=shop\/web" leads nowhere/),
      );
    }
    assert.match(
      explainUnused([web], [{ name: 'shop', unpinned: [] }]).message,
      /Nothing there looks like another image\..*such as web\.image=shop\/web\./,
    );
  });

  it('goes to no one of two images of one repository, until a mapping says which', () => {
    const request = { ...requestOf(), images: [web, { ...web, digest: apiDigest }] };
    const chart = shopOf('web:\n  image:\n    repository: shop/web\n');
    assert.throws(
      () => pinImages(chart, request),
      isInputError(
        /"web\.image" names shop\/web, and the build has 2 images.*web\.image=shop\/web@sha256:a+, web\.image=shop\/web@sha256:b+\./,
      ),
    );
    assert.throws(
      () => pinImages(chart, { ...request, mapping: [parseMapping('web.image=shop/web')] }),
      isInputError(/could mean shop\/web@sha256:a+, shop\/web@sha256:b+/),
    );
    const mapping = [parseMapping(`web.image=shop/web@${apiDigest}`)];
    assert.match(valuesOf(pinImages(chart, { ...request, mapping }).chart) ?? '', /tag: "4711@sha256:b+"/);
    assert.equal(pinImages(chart, { ...requestOf(), images: [web, { ...web, tag: 'other' }] }).pins.length, 1);
  });

  it('is refused where values.yaml is not UTF-8', () => {
    const chart = shopOf('image: shop/web\n');
    const files = chart.files.map(each =>
      each.path === 'values.yaml' ? { ...each, bytes: Uint8Array.of(0x61, 0x3a, 0x20, 0xff) } : each,
    );
    assert.throws(
      () => pinImages({ ...chart, files }, requestOf()),
      isInputError(/^values\.yaml is not text in UTF-8/),
    );
  });
});

describe('a mapping', () => {
  const values =
    'web:\n  image:\n    name: web\n    tag: 1.10\n  hash: x\nworker: docker.io/library/worker:1\nfull:\n  repository: quay.io/other/name\nlist: [{image: a}]\nsum:\n  imageDigest:\n';
  const found: readonly (readonly [line: string, path: string, value: string, moves: readonly string[]])[] = [
    ['web.image.tag=shop/web', 'tag: 1.10', `tag: "4711@${webDigest}"`, []],
    [
      'worker=shop/web',
      'worker: docker.io/library/worker:1',
      `worker: "docker.io/library/worker:4711@${webDigest}"`,
      ['image'],
    ],
    [
      'full = shop/web',
      '  repository: quay.io/other/name',
      `  repository: quay.io/other/name\n  tag: "4711@${webDigest}"`,
      ['repository'],
    ],
    ['list.0.image=shop/web', '{image: a}', `{image: "a:4711@${webDigest}"}`, []],
    ['sum.imageDigest=shop/web', 'imageDigest:', `imageDigest: "${webDigest}"`, []],
  ];
  for (const [line, before, after, moves] of found) {
    it(`${line} pins what it leads to`, () => {
      const { chart, pins, unused } = pinImages(shopOf(values), requestOf(line));
      assert.equal(valuesOf(chart), values.replace(before, after));
      assert.deepEqual(
        pins.map(each => Object.keys(each.values)),
        [moves],
      );
      assert.deepEqual(unused, [api]);
    });
  }

  it('to a tag alone is a tag of any image that the manifests show', () => {
    const { pins } = pinImages(shopOf(values), {
      ...requestOf('web.image.tag=shop/web', 'worker=shop/api'),
      mode: 'tag',
    });
    assert.deepEqual(
      pins.map(each => each.shows),
      [['4711'], ['shop/api:4711']],
    );
  });

  const refused: readonly (readonly [lines: string, message: RegExp, mode?: PinRequest['mode']])[] = [
    ['web.images=shop/web', /^The mapping "web\.images=shop\/web" leads nowhere/],
    ['list=shop/web', /leads to a list\. Say which item: list\.0/],
    [
      'web.image=shop/web',
      /leads to a map that names no repository\. Map the value that is the tag, as web\.image\.tag/,
    ],
    ['worker=shop/other', /names no image of this build\. It has shop\/web@sha256:a+, shop\/api@sha256:b+\./],
    [
      'worker=shop/web worker=shop/web',
      /The mappings "worker=shop\/web" and "worker=shop\/web" are for the same place/,
    ],
    ['worker=shop/web worker=shop/api', /are for the same place/],
    ['full=shop/web full.repository=shop/api', /are for the same place/],
    ['web.image.tag=shop/web', /"web\.image\.tag" is a tag alone and cannot be pinned by a digest/, 'digest'],
    ['sum.imageDigest=shop/web', /is a digest alone and cannot be pinned by a tag/, 'tag'],
  ];
  for (const [lines, message, mode] of refused) {
    it(`${lines} is refused${mode ? ` in mode ${mode}` : ''}`, () => {
      const request = requestOf(...lines.split(' '));
      assert.throws(() => pinImages(shopOf(values), { ...request, mode: mode ?? request.mode }), isInputError(message));
    });
  }

  it('is read from a line, with a backslash before a dot, a colon and an equals sign of a key', () => {
    const mapping = parseMapping(String.raw` a\.b.c\:d.e\=f.0 = shop/web@${webDigest} `);
    assert.deepEqual(mapping, { path: ['a.b', 'c:d', 'e=f', '0'], repository: `shop/web@${webDigest}` });
    for (const line of ['', 'a', '=b', 'a=', 'a..b=c', '.a=c', 'a.=c', 'a=b c', 'a=b=c', 'a\\=b']) {
      assert.throws(() => parseMapping(line), isInputError(/cannot be read\. Write it as web\.image=shop\/web/), line);
    }
  });
});
