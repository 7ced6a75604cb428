/** What `helm template` made of the pins: each must be there, or it went nowhere. */
import { inputError } from '../base/errors.ts';
import { splitImageName } from './image-name.ts';
import { formatPath } from './mapping.ts';
import type { Pin } from './pin-images.ts';
import { toPlain, type Values, type ValuesMap, valueAt } from './values.ts';
import { parseYaml } from './yaml-text.ts';

/** A text of a manifest. */
interface Text {
  /** Kind and name, for messages. */
  readonly object: string;
  readonly path: readonly string[];
  readonly text: string;
}

/**
 * Checks rendered manifests against the pins of their chart. Gives a sentence for each image of a pinned repository that
 * stands there without its pin, and for each digest that stands behind another repository, for a warning. Throws
 * `INPUT_INVALID` for a pin that is nowhere in them, and for an image or a label that no cluster would take.
 */
export function checkRendered(manifests: string, pins: readonly Pin[]): readonly string[] {
  const marks = ['@', '+', ...pins.flatMap(pin => [pin.repository, ...pin.shows])];
  // Most manifests hold none of these, and need no reading.
  const texts = manifests
    .split(/^---(?=\s|$)/m)
    .flatMap(part => (marks.some(mark => part.includes(mark)) ? textsOf(part) : []));
  const bad = texts.find(isBadLabel);
  if (bad) throw refuseLabel(bad);
  const lost = pins.filter(pin => !pin.shows.every(shown => texts.some(({ text }) => text.includes(shown))));
  if (lost.length > 0) throw refusePins(lost);
  for (const each of texts) {
    const broken = pins.find(pin => isBroken(each, pin));
    if (broken) throw refuseImage(each, broken);
  }
  const loose = texts.filter(each => isLoose(each, pins)).map(sayLoose);
  const astray = texts.flatMap(each => {
    const pin = findAstray(each, pins);
    return pin ? [sayAstray(each, pin)] : [];
  });
  return [...new Set([...loose, ...astray])];
}

/** Every text of a document; where it cannot be read, all of it is one. */
function textsOf(part: string): readonly Text[] {
  let values: Values;
  try {
    const { root } = parseYaml(part, 'A manifest');
    values = root ? toPlain(root) : null;
  } catch {
    return [{ object: 'a manifest', path: [], text: part }];
  }
  const object = [valueAt(values, ['kind']), valueAt(values, ['metadata', 'name'])]
    .filter(each => typeof each === 'string')
    .join(' ');
  const texts: Text[] = [];
  const visit = (value: Values, path: readonly string[]): void => {
    if (value instanceof Map) for (const [key, inner] of value as ValuesMap) visit(inner, [...path, key]);
    else if (Array.isArray(value))
      for (const [at, inner] of (value as readonly Values[]).entries()) visit(inner, [...path, `${at}`]);
    else if (typeof value === 'string') texts.push({ object: object || 'a manifest', path, text: value });
  };
  visit(values, []);
  return texts;
}

/** Neither sign may stand in a label. https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#syntax-and-character-set */
function isBadLabel({ path, text }: Text): boolean {
  const [above, labels] = path.slice(-3);
  const isLabel = labels === 'matchLabels' || (labels === 'labels' && above === 'metadata');
  return isLabel && /[@+]/.test(text);
}

function refuseLabel({ object, path, text }: Text): Error {
  const what = `The chart writes into ${object}, at "${formatPath(path)}", a label that no cluster takes`;
  return inputError(
    text.includes('@')
      ? `${what}: it holds the tag with the digest behind it. Choose pin: digest where the chart has a key for the digest, or take the tag out of the label.`
      : `${what}: it holds the "+" of a version. Let the template write replace "+" "_", as helm create does, or choose version: exact.`,
  );
}

function refusePins(lost: readonly Pin[]): Error {
  const named = lost.map(({ repository, digest, path }) => `${repository}@${digest} ("${formatPath(path)}")`);
  return inputError(
    `The pin of ${named.slice(0, 10).join(', ')} went nowhere: what helm renders of the chart does not hold it. Do the templates use that value, and do the chart's values turn them on? Map the value that they use, turn on what is off by values in valuesFiles, or choose another pin.`,
  );
}

/** A digest ends a name, behind an `@`. https://github.com/distribution/reference/blob/v0.6.0/reference.go#L4-L24 */
function isBroken({ path, text }: Text, { digest }: Pin): boolean {
  return path.at(-1) === 'image' && new RegExp(`[\\w:./-]${digest}|${digest}[\\w:@.-]`).test(text);
}

function refuseImage({ object, path, text }: Text, pin: Pin): Error {
  return inputError(
    `The chart makes of the pin at "${formatPath(pin.path)}" an image that no cluster takes: ${object} names ${text} at "${formatPath(path)}". The templates put something before or behind it: map the value that is the whole tag or the whole digest, or choose another pin.`,
  );
}

function isLoose({ path, text }: Text, pins: readonly Pin[]): boolean {
  if (path.at(-1) !== 'image') return false;
  const ofRepository = pins.filter(pin => pin.repository === splitImageName(text)?.repository);
  return ofRepository.length > 0 && !ofRepository.some(pin => pin.shows.every(shown => text.includes(shown)));
}

function sayLoose({ object, path, text }: Text): string {
  return `${object} names ${text} at "${formatPath(path)}", which is an image of the build without its pin.`;
}

/**
 * The pin whose digest stands behind the name of another repository: a mapping puts it where it is told, and no other
 * repository has it. A mirror has it below a path of its own.
 */
function findAstray({ path, text }: Text, pins: readonly Pin[]): Pin | undefined {
  const ofDigest = path.at(-1) === 'image' ? pins.filter(({ digest }) => text.includes(digest)) : [];
  const named = splitImageName(text)?.repository;
  return ofDigest.some(({ repository }) => `/${named}`.endsWith(`/${repository}`)) ? undefined : ofDigest[0];
}

function sayAstray({ object, path, text }: Text, { repository }: Pin): string {
  return `${object} names ${text} at "${formatPath(path)}", but the digest is of ${repository}: name that in the values, unless those of a stage do.`;
}
