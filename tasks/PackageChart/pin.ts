/** Pins all charts of the step before anything is made of one of them. */
import { inputError, withContext } from '../../core/base/errors.ts';
import type { Chart } from '../../core/helm/chart.ts';
import { type BuildImage, explainUnused, type PinnedChart, pinImages } from '../../core/helm/pin-images.ts';
import { agentLog } from '../agent/log.ts';
import type { PackageChartInputs } from './inputs.ts';
import { readMappings } from './mappings.ts';

/** Pins them, in their order. Throws `INPUT_INVALID`; for an image that no chart names too, unless a warning is wanted. */
export function pinCharts(
  charts: readonly Chart[],
  images: readonly BuildImage[],
  registry: string,
  { pin, mappings, onUnusedPin }: PackageChartInputs,
): PinnedChart[] {
  const names = charts.map(({ metadata }) => metadata.name);
  const mappingOf = readMappings(mappings, names);
  const isOwnRegistry = (host: string): boolean => host.toLowerCase() === registry;
  const pinned = charts.map(chart => {
    const mapping = mappingOf.get(chart.metadata.name) ?? [];
    try {
      return pinImages(chart, { images, mode: pin, mapping, isOwnRegistry });
    } catch (cause) {
      throw withContext(`The chart "${chart.metadata.name}"`, cause);
    }
  });
  const unused = images.filter(image =>
    pinned.every(each =>
      each.unused.some(({ digest, repository }) => digest === image.digest && repository === image.repository),
    ),
  );
  if (unused.length === 0) return pinned;
  const candidates = pinned.map(({ unpinned }, at) => ({ name: names[at] ?? '', unpinned }));
  const explained = explainUnused(unused, candidates);
  if (onUnusedPin === 'fail') throw explained;
  if (unused.length === images.length) {
    throw inputError(`No image of the build is pinned anywhere, so there is nothing to package. ${explained.message}`);
  }
  agentLog.warn(explained.message);
  return pinned;
}
