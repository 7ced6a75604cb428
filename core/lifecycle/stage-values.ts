/**
 * The values by which a chart takes its images from the stage's registry. The chart pins each image by its digest, which
 * is the same everywhere; only where it is pulled from differs, and that is what these values say.
 */
import { Document } from 'yaml';
import { z } from 'zod';
import { hasCode, inputError } from '../base/errors.ts';
import { type Digest, isDigest } from '../oci/digest.ts';

const path = z.array(z.string().min(1).max(253)).min(1).max(32);

const pin = z.object({
  /** As the build's record names it. */
  repository: z.string().min(1).max(255),
  digest: z.string().refine(isDigest) as unknown as z.ZodType<Digest>,
  /** Where the chart's values say what; a chart has either `repository`, with or without `registry`, or `image`. */
  values: z.object({ registry: path.optional(), repository: path.optional(), image: path.optional() }),
});

/** The part of `images.json` that packaging a chart writes; other keys are for others. */
export const pinnedCharts = z.object({
  schema: z.literal(1),
  build: z.object({ id: z.number().int(), projectId: z.string() }),
  charts: z.array(z.object({ name: z.string().max(253), pins: z.array(pin).max(10_000) })).max(1000),
});

/** Charts whose images are pinned, and the build that did it. */
export type PinnedCharts = z.infer<typeof pinnedCharts>;

/** One image, where it came from and where it is now. */
export interface PlacedImage {
  readonly sourceRepository: string;
  readonly repository: string;
  readonly digest: Digest;
}

/** What the file of all charts of a promotion is called. */
export const stageValuesFile = 'stage-values.yaml';

/**
 * Writes the values files, by their names: one for all charts, and where there are several one for each. Charts that want
 * two values at one place, as most do at `image.repository`, have none together. Throws as {@link writeStageValues}.
 */
export function writeValuesFiles(
  charts: PinnedCharts['charts'],
  images: readonly PlacedImage[],
  host: string,
): ReadonlyMap<string, string> {
  if (charts.length <= 1) return new Map([[stageValuesFile, writeStageValues(charts, images, host)]]);
  const files = new Map<string, string>();
  for (const chart of charts) {
    const { name } = chart;
    // It becomes the name of a file.
    if (!/^[A-Za-z0-9][A-Za-z0-9._-]*$/.test(name)) throw inputError(`"${name}" is not the name of a chart.`);
    const file = `stage-values-${name}.yaml`;
    if (files.has(file)) throw inputError(`Two charts are called "${name}".`);
    files.set(file, writeStageValues([chart], images, host));
  }
  try {
    files.set(stageValuesFile, writeStageValues(charts, images, host));
  } catch (thrown) {
    // Each by itself was right, so it is what they want together.
    if (!hasCode(thrown, 'INPUT_INVALID')) throw thrown;
  }
  return files;
}

/**
 * Writes one values file, as YAML text, for every pin of the charts. `host` is the stage's registry.
 * Throws `INPUT_INVALID` where a chart pins an image that is not among `images`: the stage could not pull it.
 */
export function writeStageValues(charts: PinnedCharts['charts'], images: readonly PlacedImage[], host: string): string {
  const values = new Map<string, { readonly path: readonly string[]; readonly value: string }>();
  for (const chart of charts) {
    for (const { repository, digest, values: paths } of chart.pins) {
      const placed = images.find(each => each.sourceRepository === repository && each.digest === digest);
      if (!placed) {
        throw inputError(
          `The chart "${chart.name}" pins ${repository}@${digest}, which is not among the images of this promotion. Is the file of the same build, and was the image recorded in it?`,
        );
      }
      for (const [at, value] of valuesOf(paths, placed, host)) {
        const key = JSON.stringify(at);
        const other = values.get(key);
        if (other && other.value !== value) {
          throw inputError(`The charts want two values at "${at.join('.')}": "${other.value}" and "${value}".`);
        }
        values.set(key, { path: at, value });
      }
    }
  }
  return format([...values.values()]);
}

function valuesOf(
  { registry, repository, image }: PinnedCharts['charts'][number]['pins'][number]['values'],
  placed: PlacedImage,
  host: string,
): (readonly [path: readonly string[], value: string])[] {
  const whole = `${host}/${placed.repository}`;
  return [
    ...(image ? [[image, `${whole}@${placed.digest}`] as const] : []),
    ...(registry ? [[registry, host] as const] : []),
    ...(repository ? [[repository, registry ? placed.repository : whole] as const] : []),
  ];
}

/** Every value in quotes: helm's YAML reads `on`, `1e3` and the like otherwise than it was meant. */
function format(values: readonly { readonly path: readonly string[]; readonly value: string }[]): string {
  const document = new Document({});
  for (const { path: at, value } of values) {
    for (let length = 1; length < at.length; length += 1) {
      const above = values.find(other => JSON.stringify(other.path) === JSON.stringify(at.slice(0, length)));
      if (above) throw inputError(`The charts want a value at "${above.path.join('.')}", and others below it.`);
    }
    document.setIn(at, value);
  }
  document.commentBefore = ' The images of the chart, in the registry of this stage. Give it to helm with --values.';
  return document.toString({ defaultStringType: 'QUOTE_DOUBLE', defaultKeyType: 'QUOTE_DOUBLE', lineWidth: 0 });
}
