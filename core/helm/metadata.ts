/** What a `Chart.yaml` says, as helm reads it. https://helm.sh/docs/topics/charts/#the-chartyaml-file */
import { z } from 'zod';
import { inputError } from '../base/errors.ts';
import { toPlainValue } from './plain-value.ts';
import { parseYaml, type YamlText } from './yaml-text.ts';
import type { YamlValue } from './yaml-value.ts';

/** Where helm wants a text it takes a truth value for one, too. */
const text = z
  .union([z.string(), z.boolean().transform(String)], { error: 'must be a text' })
  .pipe(z.string().max(64 * 1024, 'is longer than 64 KiB'));

/** It becomes the name of a folder, of a file and of a repository; helm takes what is no path. */
const name = text.pipe(
  z
    .string()
    .min(1, 'is empty')
    .max(200, 'is longer than 200 characters')
    .refine(
      value => value !== '.' && value !== '..' && !/[/\\\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u.test(value),
      'is not the name of a chart: it must be no path, and all of it must be visible',
    ),
);

/** https://semver.org/spec/v2.0.0.html, but with the parts that may be missing and the `v` in front that helm takes. */
const version = text.pipe(
  z
    .string()
    .max(128, 'is longer than 128 characters')
    .regex(
      /^v?\d{1,19}(?:\.\d{1,19}){0,2}(?:-(?:0|[1-9]\d*|\d*[A-Za-z-][\dA-Za-z-]*)(?:\.(?:0|[1-9]\d*|\d*[A-Za-z-][\dA-Za-z-]*))*)?(?:\+[\dA-Za-z-]+(?:\.[\dA-Za-z-]+)*)?$/,
      'is not a semantic version, as 1.4.0 is',
    ),
);

const dependency = z.looseObject(
  {
    name: text,
    version: text.optional(),
    repository: text.optional(),
    condition: text.optional(),
    tags: z.array(text).optional(),
    alias: text.pipe(z.string().regex(/^[\w-]*$/, 'holds characters that no alias may have')).optional(),
  },
  { error: 'must be a map' },
);
const dependencies = z.array(dependency, { error: 'must be a list' });

/** The parts that are looked at here; helm ignores keys that it does not know, and so do we. */
export const chartMetadata = z.looseObject({
  // Charts of Helm 2 had none. https://helm.sh/docs/topics/charts/#the-apiversion-field
  apiVersion: text.pipe(z.enum(['v1', 'v2'], { error: 'must be v1 or v2' })).default('v1'),
  name,
  version,
  type: text.pipe(z.enum(['', 'application', 'library'], { error: 'must be application or library' })).optional(),
  appVersion: text.optional(),
  description: text.optional(),
  annotations: z.record(z.string(), text, { error: 'must be a map of texts' }).optional(),
  dependencies: dependencies.optional(),
});

/** What a `Chart.yaml` says. */
export type ChartMetadata = z.infer<typeof chartMetadata>;

/** Reads a `Chart.yaml`, which messages call `file`. Throws `INPUT_INVALID` with the line of what helm would not take, and `TOO_LARGE`. */
export function parseMetadata(content: string, file: string): ChartMetadata {
  const metadata = readAs(chartMetadata, parseYaml(content, file));
  const names = (metadata.dependencies ?? []).map(each => each.alias || each.name);
  const doubled = names.find((each, at) => names.indexOf(each) !== at);
  if (doubled === undefined) return metadata;
  throw inputError(`${file}: two dependencies have the name or alias "${doubled}". Give one of them an alias.`);
}

/** Reads the `requirements.yaml` of a chart of Helm 2; undefined where it names none. Throws as {@link parseMetadata} does. */
export function parseRequirements(content: string, file: string): ChartMetadata['dependencies'] {
  return readAs(z.looseObject({ dependencies: dependencies.optional() }), parseYaml(content, file)).dependencies;
}

function readAs<T>(schema: z.ZodType<T>, yaml: YamlText): T {
  if (yaml.root && yaml.root.kind !== 'map') throw inputError(`${yaml.name}, line 1: a map must stand here.`);
  const read = schema.safeParse(yaml.root ? toPlainValue(yaml.root) : {});
  if (read.success) return read.data;
  const [issue] = read.error.issues;
  const path = issue?.path ?? [];
  const line = findLine(yaml, path);
  const what = line === undefined ? 'is missing' : `${issue?.message}`;
  throw inputError(`${yaml.name}${line === undefined ? '' : `, line ${line}`}: ${path.join('.')} ${what}.`);
}

/** Undefined where nothing stands at the path. */
function findLine(yaml: YamlText, path: readonly PropertyKey[]): number | undefined {
  let value: YamlValue | undefined = yaml.root;
  for (const key of path) {
    if (value?.kind === 'map') value = value.entries.get(String(key))?.value;
    else value = value?.kind === 'list' ? value.items[Number(key)]?.value : undefined;
  }
  return value && yaml.lineAt(value.node?.range?.[0] ?? 0);
}
