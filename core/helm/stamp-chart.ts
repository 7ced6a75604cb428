/** Writes into a `Chart.yaml` what the build says of the chart; its comments and its order survive. */
import type { Chart } from './chart.ts';
import type { Pin } from './pin-images.ts';

/** What is written. */
export interface ChartStamp {
  readonly version: string;
  readonly appVersion?: string | undefined;
  /** By their whole names. */
  readonly annotations: Readonly<Record<string, string>>;
}

/** Which version the packaged chart has. */
export type VersionRule =
  | { readonly kind: 'content'; readonly hash: string }
  | { readonly kind: 'build'; readonly buildTag: string }
  | { readonly kind: 'exact'; readonly version: string };

/** The chart with the stamp in its `Chart.yaml`. Throws `INPUT_INVALID` where that cannot be edited. */
export function stampChart(_chart: Chart, _stamp: ChartStamp): Chart {
  throw new Error('not yet');
}

/** The version that the rule gives the chart; `hash` is of its content, with ten hexadecimal digits. */
export function versionOf(_rule: VersionRule, _chart: Chart): string {
  throw new Error('not yet');
}

/** The annotation of Artifact Hub: the chart's own entries that are no image of these pins, and an entry for each of them. */
export function listImages(_chart: Chart, _pins: readonly Pin[]): { readonly 'artifacthub.io/images': string } {
  throw new Error('not yet');
}
