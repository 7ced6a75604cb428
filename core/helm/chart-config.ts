/** What helm says of a chart in a registry, beside its archive: the config and the annotations. Pure. https://helm.sh/docs/topics/registries/ */
import { z } from 'zod';
import { inputError } from '../base/errors.ts';
import type { ChartMetadata } from './metadata.ts';

/** Helm makes one line of what is for people, and leaves out what cannot be seen. https://github.com/helm/helm/blob/v4.2.4/pkg/chart/v2/metadata.go */
const line = z.union([z.string(), z.number(), z.boolean()]).transform(value =>
  String(value)
    .replace(/\p{White_Space}/gu, ' ')
    .replace(/[\p{Cc}\p{Cf}\p{Co}\p{Cs}]/gu, ''),
);
/** Go leaves out what is empty, wherever the field says so. https://pkg.go.dev/encoding/json#Marshal */
const text = line.nullish().transform(value => value || undefined);
const texts = list(line);
const flag = z
  .boolean()
  .nullish()
  .transform(value => value || undefined);

function list<T extends z.ZodType>(item: T) {
  return z
    .array(item)
    .nullish()
    .transform(items => (items?.length ? items : undefined));
}

const maintainer = z.object({ name: text, email: text, url: text });

const dependency = z.object({
  name: line,
  version: text,
  repository: line.nullish().transform(value => value ?? ''),
  condition: text,
  tags: texts,
  enabled: flag,
  'import-values': list(z.unknown()),
  alias: text,
});

/** The fields that helm knows, in its order. https://github.com/helm/helm/blob/v4.2.4/pkg/chart/v2/metadata.go */
const chartConfig = z.object({
  name: line,
  home: text,
  sources: texts,
  version: z.string(),
  description: text,
  keywords: texts,
  maintainers: list(maintainer),
  icon: text,
  apiVersion: z.string(),
  condition: text,
  tags: text,
  appVersion: text,
  deprecated: flag,
  annotations: z
    .record(z.string(), z.string())
    .nullish()
    .transform(all => (all && Object.keys(all).length > 0 ? sortKeys(all) : undefined)),
  kubeVersion: text,
  dependencies: list(dependency),
  type: text,
});

/** What a `Chart.yaml` says, as helm takes it over. */
export type ChartConfig = z.infer<typeof chartConfig>;

/** Takes over what helm knows. Throws `INPUT_INVALID` where a field is of another kind than helm reads. */
export function readChartConfig(metadata: ChartMetadata): ChartConfig {
  const read = chartConfig.safeParse(metadata);
  if (read.success) return read.data;
  throw inputError(`The Chart.yaml of "${metadata.name}" is not valid: ${z.prettifyError(read.error).slice(0, 500)}`);
}

/** The config as JSON, escaped as Go does it, so that it is the very blob that helm pushes. https://pkg.go.dev/encoding/json#Marshal */
export function encodeChartConfig(config: ChartConfig): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(config).replace(/[<>&\u2028\u2029]/g, escape));
}

function escape(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}

/**
 * The annotations of the manifest, in a fixed order: as helm writes them, but for the time of the push. Those of the
 * chart win, except over its name and version. https://github.com/helm/helm/blob/v4.2.4/pkg/registry/chart.go
 */
export function annotationsOf(config: ChartConfig): Record<string, string> {
  const { name, version, description = '', home = '', sources: [source = ''] = [], maintainers = [] } = config;
  const authors = maintainers.map(each => `${each.name ?? ''}${each.email ? ` (${each.email})` : ''}`).join(', ');
  const own = { description, url: home, source, authors };
  const prefix = 'org.opencontainers.image.';
  const said = Object.entries(own).flatMap(([key, value]) => (value.trim() ? [[`${prefix}${key}`, value]] : []));
  return sortKeys({
    ...Object.fromEntries(said),
    ...config.annotations,
    [`${prefix}title`]: name,
    [`${prefix}version`]: version,
  });
}

function sortKeys(record: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(record).sort(([one], [other]) => (one < other ? -1 : 1)));
}
