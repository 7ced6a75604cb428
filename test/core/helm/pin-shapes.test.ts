import assert from 'node:assert/strict';
import { AppError } from '../../../core/base/errors.ts';
import { pinImages } from '../../../core/helm/pin-images.ts';
import { helms } from '../../support/helm.ts';
import { blockShapes } from './block-shapes.ts';
import { imagesIn, makeChart, render, textsOf } from './hand-made.ts';
import { otherShapes } from './other-shapes.ts';
import type { Shape } from './values-shape.ts';

const shapes = [...blockShapes, ...otherShapes];

const webDigest = `sha256:${'a'.repeat(64)}` as const;
const apiDigest = `sha256:${'b'.repeat(64)}` as const;
// As YAML takes it for a number it is 1.234567e+06, which helm would write.
const tag = '1234567';
const images = [
  { repository: 'shop/web', digest: webDigest, tag },
  { repository: 'shop/api', digest: apiDigest, tag },
];
const own = new Set(['acr.azurecr.io', 'localhost:5000']);
const request = { images, mode: 'tagAndDigest', mapping: [], isOwnRegistry: (host: string) => own.has(host) } as const;

/** The text after, with the pins in it. */
function expected(text: string): string {
  return text
    .replaceAll('TAG@#WEB', `${tag}@${webDigest}`)
    .replaceAll('TAG@#API', `${tag}@${apiDigest}`)
    .replaceAll(/\bWEB\b(?<!#WEB)/g, `"${tag}@${webDigest}"`)
    .replaceAll(/\bAPI\b(?<!#API)/g, `"${tag}@${apiDigest}"`)
    .replaceAll('TAG', `"${tag}"`)
    .replaceAll(/#WEB/g, `"${webDigest}"`)
    .replaceAll(/#API/g, `"${apiDigest}"`);
}

function renderedImage(text: string): string {
  return text.replaceAll('TAG', tag).replaceAll('#WEB', webDigest).replaceAll('#API', apiDigest);
}

function chartOf({ before, images: templates }: Shape) {
  const lines = templates.map(image => `  - image: "${image}"\n`).join('');
  return makeChart({
    'Chart.yaml': 'apiVersion: v2\nname: shop\nversion: 1.0.0\n',
    'values.yaml': before,
    'templates/pods.yaml': `apiVersion: v1\nkind: Pod\nmetadata:\n  name: x\nspec:\n  containers:\n${lines}`,
  });
}

describe('pinning values', () => {
  it('is shown on enough shapes', () => {
    assert.ok(shapes.length >= 30);
  });

  for (const shape of shapes) {
    if (shape.refused) {
      const { refused } = shape;
      it(`refuses ${shape.title}`, () => {
        const chart = chartOf(shape);
        const before = textsOf(chart);
        assert.throws(
          () => pinImages(chart, request),
          (thrown: unknown) =>
            thrown instanceof AppError && thrown.code === 'INPUT_INVALID' && refused.test(thrown.message),
        );
        assert.deepEqual(textsOf(chart), before);
      });
      continue;
    }
    it(`keeps every other byte of ${shape.title}, and every helm renders the pins`, async () => {
      const pinned = pinImages(chartOf(shape), request);
      assert.equal(textsOf(pinned.chart)['values.yaml'], expected(shape.after ?? ''));
      const again = pinImages(pinned.chart, request);
      assert.deepEqual([textsOf(again.chart), again.changes], [textsOf(pinned.chart), []]);
      for (const helm of helms) {
        assert.deepEqual(imagesIn(await render(helm, pinned.chart)), shape.rendered?.map(renderedImage), helm.version);
      }
    });
  }
});
