/** From a pinned chart to its archive: what it is called, what is written into it, and the bytes. */
import { withContext } from '../../core/base/errors.ts';
import type { Chart } from '../../core/helm/chart.ts';
import { hashContent } from '../../core/helm/content-hash.ts';
import { listImages } from '../../core/helm/list-images.ts';
import { type PackedChart, packChart } from '../../core/helm/pack-chart.ts';
import type { PinnedChart } from '../../core/helm/pin-images.ts';
import { stampChart, type VersionRule, versionOf } from '../../core/helm/stamp-chart.ts';
import { type BuildImages, buildTagOf } from './images.ts';
import type { PackageChartInputs } from './inputs.ts';

/** A chart that is ready to be written. */
export interface ReadyChart {
  readonly name: string;
  readonly version: string;
  readonly pinned: PinnedChart;
  /** As it is in the archive. */
  readonly chart: Chart;
  readonly packed: PackedChart;
}

/** Names, stamps and packs it. Throws `INPUT_INVALID` where its Chart.yaml cannot be edited. */
export async function makeReady(
  pinned: PinnedChart,
  { build }: BuildImages,
  inputs: PackageChartInputs,
): Promise<ReadyChart> {
  const buildTag = buildTagOf(inputs.buildTagPrefix, build);
  const { name, version: own } = pinned.chart.metadata;
  const isBuild = inputs.version === 'build';
  const described = stampChart(pinned.chart, {
    version: own,
    appVersion: inputs.appVersion || (isBuild ? buildTag : undefined),
    annotations: {
      ...(pinned.pins.length > 0 && listImages(pinned.chart, pinned.pins)),
      ...(isBuild && { 'image-lifecycle/build': String(build.id) }),
      // https://github.com/opencontainers/image-spec/blob/main/annotations.md#pre-defined-annotation-keys
      ...(isBuild && build.commit && { 'org.opencontainers.image.revision': build.commit }),
    },
  });
  const version = versionOf(ruleOf(inputs, buildTag, described), described);
  const chart = withVersion(described, version);
  return { name, version, pinned, chart, packed: await packChart(chart) };
}

/** The chart's own version may leave no room for more, and not every tag of a build can be a part of one. */
function withVersion(chart: Chart, version: string): Chart {
  try {
    return stampChart(chart, { version, annotations: {} });
  } catch (cause) {
    throw withContext(`The chart "${chart.metadata.name}" would have the version "${version}"`, cause);
  }
}

/** All that is in the chart is hashed, but for the version, of which the hash is a part then. */
function ruleOf({ version, exactVersion }: PackageChartInputs, buildTag: string, chart: Chart): VersionRule {
  if (version === 'exact') return { kind: 'exact', version: exactVersion };
  return version === 'build' ? { kind: 'build', buildTag } : { kind: 'content', hash: hashContent(chart) };
}
