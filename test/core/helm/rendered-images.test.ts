import assert from 'node:assert/strict';
import { AppError } from '../../../core/base/errors.ts';
import { type Pin, pinImages } from '../../../core/helm/pin-images.ts';
import { checkRendered } from '../../../core/helm/rendered-images.ts';
import { helms } from '../../support/helm.ts';
import { makeChart, render } from './hand-made.ts';

const digest = `sha256:${'a'.repeat(64)}` as const;
const other = `sha256:${'b'.repeat(64)}` as const;
const pinOf = (repository: string, of: `sha256:${string}` = digest): Pin => ({
  repository,
  host: undefined,
  digest: of,
  path: ['web', 'image'],
  values: {},
  shows: [of],
});
const web = pinOf('shop/web');
const image = `acr.azurecr.io/shop/web:4711@${digest}`;

const isInputError = (message: RegExp) => (thrown: unknown) =>
  thrown instanceof AppError && thrown.code === 'INPUT_INVALID' && message.test(thrown.message);

const pod = (image: string): string => `spec: {containers: [{name: x, image: "${image}"}]}`;

/** A chart of one template. */
const chartOf = (template: string) =>
  makeChart({
    'Chart.yaml': 'apiVersion: v2\nname: shop\nversion: 1.0.0\n',
    'values.yaml': 'image:\n  repository: shop/web\n  tag: x\n',
    'templates/a.yaml': template,
  });

describe('a pin in the rendered manifests', () => {
  const found: Readonly<Record<string, string>> = {
    'a Deployment': `kind: Deployment\nspec:\n  template:\n    spec:\n      containers:\n      - name: web\n        image: "${image}"\n`,
    'a hook Job': `kind: Job\nmetadata:\n  annotations: {helm.sh/hook: pre-upgrade}\nspec:\n  template: {${pod(image)}}\n`,
    'a CronJob': `kind: CronJob\nspec: {jobTemplate: {spec: {template: {${pod(image)}}}}}\n`,
    'an init container': `kind: Pod\nspec: {initContainers: [{image: '${image}'}]}\n`,
    'an ephemeral container': `kind: Pod\nspec: {ephemeralContainers: [{image: ${image}}]}\n`,
    'a custom resource': `kind: Runner\nspec:\n  workers:\n    default: {from: ${digest}}\n`,
    'an argument': `kind: Pod\nspec: {containers: [{args: ["--sidecar-image=${image}"]}]}\n`,
    'a text in a block': `kind: ConfigMap\ndata:\n  run.sh: |\n    docker run \\\n      ${image}\n`,
    'a List': `kind: List\nitems:\n- kind: Pod\n  ${pod(image)}\n`,
    'a document with line ends of Windows': `kind: Pod\r\n${pod(image)}\r\n---\r\nkind: Pod\r\n`,
    'what is no YAML': `a: {\n  ${image}\n`,
  };
  for (const [title, manifests] of Object.entries(found)) {
    it(`is found in ${title}, behind others`, () => {
      assert.deepEqual(checkRendered(`---\n# Source: shop/a.yaml\nkind: Service\n---\n${manifests}`, [web]), []);
      assert.throws(
        () => checkRendered(manifests.replaceAll(digest, other), [web]),
        isInputError(/^The pin of shop\/web@sha256:a+ \("web\.image"\) went nowhere/),
      );
    });
  }

  it('is not found in a comment, and every pin must be', () => {
    assert.throws(() => checkRendered(`# image: ${image}\nkind: Pod\n`, [web]), isInputError(/went nowhere/));
    assert.throws(() => checkRendered('', [web]), isInputError(/went nowhere/));
    assert.throws(
      () => checkRendered(`kind: Pod\n${pod(image)}\n`, [web, pinOf('shop/api', other)]),
      isInputError(/^The pin of shop\/api@sha256:b+ \("web\.image"\) went nowhere/),
    );
    assert.deepEqual(checkRendered('', []), []);
  });

  it('is told of where an image of the same repository stands without it', () => {
    const manifests = `kind: Pod\nmetadata: {name: a}\n${pod(image)}\n---\nkind: Job\nmetadata: {name: migrate}\n${pod('acr.azurecr.io/shop/web:latest')}\n---\nkind: Pod\n${pod('shop/web-extra:1')}\n`;
    assert.deepEqual(checkRendered(manifests, [web]), [
      'Job migrate names acr.azurecr.io/shop/web:latest at "spec.containers.0.image", which is an image of the build without its pin.',
    ]);
  });

  it('is told of where its digest stands behind the name of another repository, but not behind that of a mirror', () => {
    const api = pinOf('shop/api');
    const one = `kind: Pod\nmetadata: {name: a}\n${pod(`nginx:4711@${digest}`)}\n`;
    assert.deepEqual(checkRendered(one, [web]), [
      `Pod a names nginx:4711@${digest} at "spec.containers.0.image", but the digest is of shop/web: name that in the values, unless those of a stage do.`,
    ]);
    const fine = ['shop/web', 'shop/api', 'mirror.contoso.com:5000/acr/shop/web'];
    for (const name of fine) {
      assert.deepEqual(checkRendered(`kind: Pod\n${pod(`${name}@${digest}`)}\n`, [web, api]), [], name);
    }
    const near = checkRendered(`kind: Pod\n${pod(`workshop/web@${digest}`)}\n`, [web]);
    assert.match(near.join('\n'), /workshop\/web.*but the digest is of shop\/web/);
  });

  it('is an error where the templates make of it what is no image, and not where something else stands in a text', () => {
    const broken = [
      `shop/web:4711@${digest}:1.0`,
      `shop/web:4711@${digest}-alpine`,
      `shop/web@sha256:${digest}`,
      `shop/web:${digest}`,
    ];
    for (const name of broken) {
      assert.throws(
        () => checkRendered(`kind: Pod\nmetadata: {name: a}\n${pod(name)}\n`, [web]),
        isInputError(
          /^The chart makes of the pin at "web\.image" an image that no cluster takes: Pod a names shop\/web/,
        ),
        name,
      );
    }
    const whole = [`docker://shop/web@${digest}`, `\${REGISTRY}/shop/web:4711@${digest}`, digest];
    for (const name of whole) checkRendered(`kind: Pod\n${pod(name)}\n`, [web]);
  });

  it('is an error in a label, which names the input to change', () => {
    const labels = [
      'metadata: {name: web, labels: {version: "X"}}',
      'spec: {template: {metadata: {labels: {version: "X"}}}}',
      'spec: {selector: {matchLabels: {version: "X"}}}',
    ];
    for (const text of labels) {
      const manifest = (value: string) => `kind: Deployment\n${text.replace('X', value)}\ndata: ["${image}"]\n`;
      assert.throws(
        () => checkRendered(manifest(`4711@${digest}`), [web]),
        isInputError(/a label that no cluster takes: .*Choose pin: digest/),
      );
      assert.throws(
        () => checkRendered(manifest('shop-1.0.0+c.1'), [web]),
        isInputError(/Deployment.*"\+" of a version.*replace "\+" "_".*version: exact/),
      );
      assert.deepEqual(checkRendered(manifest('shop-1.0.0_c.1'), [web]), []);
    }
    const rule = `kind: PrometheusRule\nspec: {rules: [{labels: {to: "a@b"}}]}\n---\nkind: Pod\nmetadata: {annotations: {a: "b@c+"}}\n${pod(image)}\n`;
    assert.deepEqual(checkRendered(rule, [web]), []);
  });

  it('is looked for in 30 MB of manifests that do not hold it', () => {
    const filler = `---\nkind: ConfigMap\ndata:\n${'  key: some value of no weight\n'.repeat(1000)}`;
    const many = filler.repeat(1000);
    assert.ok(many.length > 30_000_000);
    assert.deepEqual(checkRendered(`${many}---\nkind: Pod\n${pod(image)}\n`, [web]), []);
    assert.throws(() => checkRendered(many, [web]), isInputError(/went nowhere/));
  });

  it('is judged as every helm renders it: a chart that puts the tag into a label, and one that does not use the value', async () => {
    const use = '{{ .Values.image.repository }}:{{ .Values.image.tag }}';
    const templates: readonly (readonly [string, RegExp | undefined])[] = [
      [`kind: Pod\napiVersion: v1\nmetadata: {name: a}\n${pod(use)}\n`, undefined],
      [
        `kind: Pod\napiVersion: v1\nmetadata: {name: a, labels: {v: "{{ .Values.image.tag }}"}}\n${pod(use)}\n`,
        /pin: digest/,
      ],
      [
        `kind: Pod\napiVersion: v1\nmetadata: {name: a}\n${pod('{{ .Values.image.repository }}:{{ .Chart.AppVersion }}')}\n# {{ .Values.image.tag }}\n`,
        /went nowhere/,
      ],
    ];
    for (const [template, message] of templates) {
      const { chart, pins } = pinImages(chartOf(template), {
        images: [{ repository: 'shop/web', digest, tag: '4711' }],
        mode: 'tagAndDigest',
        mapping: [],
        isOwnRegistry: () => false,
      });
      for (const helm of helms) {
        const manifests = await render(helm, chart);
        if (message) assert.throws(() => checkRendered(manifests, pins), isInputError(message), helm.version);
        else assert.deepEqual(checkRendered(manifests, pins), [], helm.version);
      }
    }
  });
});
