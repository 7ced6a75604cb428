/** The images of a chart as Artifact Hub lists them. https://artifacthub.io/docs/topics/annotations/helm/ */
import { stringify } from 'yaml';
import { inputError } from '../base/errors.ts';
import type { Chart } from './chart.ts';
import { splitImageName } from './image-name.ts';
import type { Pin } from './pin-images.ts';
import { toJson, toPlain, type Values, type ValuesMap } from './values.ts';
import { parseYaml } from './yaml-text.ts';

const annotation = 'artifacthub.io/images';

/**
 * The annotation: the chart's own entries, but for those of pinned repositories, and an entry for each image that is
 * pinned. Throws `INPUT_INVALID` where the chart's own is no list.
 */
export function listImages(chart: Chart, pins: readonly Pin[]): { readonly [annotation]: string } {
  const own = readEntries(chart).filter(entry => !pins.some(pin => isOf(entry, pin)));
  const images = [
    ...new Set(pins.map(pin => `${pin.host === undefined ? '' : `${pin.host}/`}${pin.repository}@${pin.digest}`)),
  ];
  const entries = images.map(image => ({ name: splitImageName(image)?.repository.split('/').at(-1) ?? image, image }));
  return { [annotation]: stringify([...own.map(toJson), ...entries], { lineWidth: 0, version: '1.1' }) };
}

function readEntries(chart: Chart): readonly Values[] {
  const text = chart.metadata.annotations?.[annotation];
  if (text === undefined) return [];
  const name = `The annotation ${annotation} of ${chart.label}/Chart.yaml`;
  const { root } = parseYaml(text, name);
  const entries = root ? toPlain(root) : [];
  if (Array.isArray(entries)) return entries as readonly Values[];
  throw inputError(`${name} is no list of images. Mend it, or take it out.`);
}

function isOf(entry: Values, pin: Pin): boolean {
  const image = entry instanceof Map ? (entry as ValuesMap).get('image') : undefined;
  return typeof image === 'string' && splitImageName(image)?.repository === pin.repository;
}
