/** Writes into a `Chart.yaml` what the build says of the chart; its comments and its order survive. */
import { type Chart, withFile } from './chart.ts';
import { decode } from './chart-values.ts';
import { setValues } from './edit-yaml.ts';
import { parseMetadata } from './metadata.ts';
import { withContent } from './version.ts';

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

/** The chart with the stamp in its `Chart.yaml`. Throws `INPUT_INVALID` where that cannot be edited, or has no version that helm takes. */
export function stampChart(chart: Chart, { version, appVersion, annotations }: ChartStamp): Chart {
  const file = `${chart.label}/Chart.yaml`;
  const found = chart.files.find(each => each.path === 'Chart.yaml');
  const text = found ? decode(found.bytes, file) : '';
  const edits = [
    { path: ['version'], value: version },
    ...(appVersion === undefined ? [] : [{ path: ['appVersion'], value: appVersion }]),
    ...Object.entries(annotations).map(([key, value]) => ({ path: ['annotations', key], value })),
  ];
  const stamped = setValues(text, edits, file).text;
  const { dependencies } = chart.metadata;
  // Those of a chart of Helm 2 stand in a file of their own.
  const metadata = { ...parseMetadata(stamped, file), ...(dependencies && { dependencies }) };
  return { ...withFile(chart, 'Chart.yaml', stamped), metadata };
}

/** The version that the rule gives the chart; `hash` is of its content, with ten hexadecimal digits. */
export function versionOf(rule: VersionRule, { metadata: { version } }: Chart): string {
  switch (rule.kind) {
    case 'content':
      return withContent(version, rule.hash);
    case 'build':
      // Build metadata have neither. https://semver.org/spec/v2.0.0.html#spec-item-10
      return `${version}${version.includes('+') ? '.' : '+'}build.${rule.buildTag.replaceAll('_', '-')}`;
    case 'exact':
      return rule.version;
    default:
      return rule satisfies never;
  }
}
