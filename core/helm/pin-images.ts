/** Pins the images of a build in a chart: the digest stands in its values, so the chart means the same bytes for ever. */
import { type AppError, inputError } from '../base/errors.ts';
import type { Chart } from './chart.ts';
import { mergeValues, readInstances } from './chart-values.ts';
import { choosePlaces, isSameImage } from './choose-places.ts';
import { editChart, locate } from './edit-chart.ts';
import { formatMapping, formatPath, type ImageMapping } from './mapping.ts';
import { editsOf, pinsOf } from './pin-values.ts';

/** An image of the build. */
export interface BuildImage {
  /** As the build's record names it, without its registry. */
  readonly repository: string;
  readonly digest: `sha256:${string}`;
  /** What a pin shows to people beside the digest; in mode `tag` it is the pin, and must be a tag of the image. */
  readonly tag: string;
}

/** How an image is pinned: `<tag>@<digest>`, or by one of the two alone. */
export type PinMode = 'tagAndDigest' | 'digest' | 'tag';

/** What to pin, and how. */
export interface PinRequest {
  readonly images: readonly BuildImage[];
  readonly mode: PinMode;
  /** Where an image stands that is not found by itself. */
  readonly mapping: readonly ImageMapping[];
  /** Whether images of this host, with or without its port, are those that the build pushed. */
  isOwnRegistry(host: string): boolean;
}

/** An image at one place of the chart's values. Several may name one image. */
export interface Pin {
  readonly repository: string;
  readonly digest: `sha256:${string}`;
  /** Of the registry that the chart's values name; undefined where they name none. */
  readonly host: string | undefined;
  /** Where it is pinned: keys in the values of the whole chart, with numbers of items as text. */
  readonly path: readonly string[];
  /** By which values a stage moves it to its own registry, as `pinnedCharts` has them; none where no value can. */
  readonly values: {
    readonly registry?: readonly string[];
    readonly repository?: readonly string[];
    readonly image?: readonly string[];
  };
  /** Texts that the rendered manifests must hold, each of them. */
  readonly shows: readonly string[];
}

/** One value that was written: for a diff that a person can read. It holds nothing else of its line, which may be secret. */
export interface ValueChange {
  /** From the chart's root: `values.yaml`, `charts/web/values.yaml`. */
  readonly file: string;
  /** Counted from 1, in the text as it was; of an added one, that of the key before it. */
  readonly line: number;
  /** In that file. */
  readonly path: readonly string[];
  /** As it stood there; undefined where there was none. */
  readonly before: string | undefined;
  readonly after: string;
}

/** What looks like an image and was not pinned. */
export interface Candidate {
  readonly file: string;
  readonly line: number;
  /** In the values of the whole chart, as a mapping would write it. */
  readonly path: readonly string[];
  /** The image as the values name it. */
  readonly image: string;
}

/** A chart with its images pinned, and what was done. */
export interface PinnedChart {
  readonly chart: Chart;
  readonly pins: readonly Pin[];
  readonly changes: readonly ValueChange[];
  readonly unpinned: readonly Candidate[];
  /** Images that this chart pins nowhere. Whether that is wrong depends on the other charts: see `explainUnused`. */
  readonly unused: readonly BuildImage[];
}

/**
 * Pins `request.images` in the values of the chart and of its subcharts. Registry hosts and repositories stay as they are.
 * Throws `INPUT_INVALID` for a mapping that fits nothing, for two images that one place could mean, and for values that
 * cannot be edited without changing what else they say.
 */
export function pinImages(chart: Chart, request: PinRequest): PinnedChart {
  const root = readInstances(chart);
  const values = mergeValues(root);
  const { chosen, others } = choosePlaces(values, request);
  const edits = chosen.map(({ place, image }) => ({ place, edits: editsOf(place, image, request.mode, values) }));
  const { chart: edited, changes } = editChart(root, values, edits);
  return {
    chart: edited,
    pins: chosen.flatMap(({ place, image }) => pinsOf(place, image, request.mode)),
    changes,
    unpinned: others.map(place => ({ ...locate(root, place.path), path: place.path, image: place.image })),
    unused: request.images.filter(image => !chosen.some(each => isSameImage(each.image, image))),
  };
}

/** The error for images that none of the charts pins: with what could be meant, and the mapping to write. */
export function explainUnused(
  images: readonly BuildImage[],
  charts: readonly { readonly name: string; readonly unpinned: readonly Candidate[] }[],
): AppError {
  const names = images.map(({ repository, digest }) => `${repository}@${digest}`);
  const candidates = charts.flatMap(({ name, unpinned }) =>
    unpinned.map(each => ({
      ...each,
      said: `${formatPath(each.path)} (${each.image}; ${name}, ${each.file} line ${each.line})`,
    })),
  );
  const [first] = candidates;
  const listed = candidates.slice(0, maxCandidates).map(each => each.said);
  const more = candidates.length > maxCandidates ? `, and ${candidates.length - maxCandidates} more` : '';
  const found = first
    ? `What looks like an image there and is not pinned: ${listed.join(', ')}${more}.`
    : 'Nothing there looks like another image.';
  const line = formatMapping({ path: first?.path ?? ['web', 'image'], repository: images[0]?.repository ?? '' });
  return inputError(
    `${names.join(', ')}: of this build, but pinned nowhere in ${charts.map(each => each.name).join(', ')}. ${found} Say where it stands by a mapping, such as ${line}.`,
  );
}

const maxCandidates = 20;
