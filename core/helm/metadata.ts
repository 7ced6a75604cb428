/** What a `Chart.yaml` says. https://helm.sh/docs/topics/charts/#the-chartyaml-file */
import { z } from 'zod';

const text = z.string().max(64 * 1024);

const dependency = z.looseObject({
  name: text,
  version: text.optional(),
  repository: text.optional(),
  condition: text.optional(),
  tags: z.array(text).optional(),
  alias: text.optional(),
});

/** The parts that are looked at here; helm ignores keys that it does not know, and so do we. */
export const chartMetadata = z.looseObject({
  apiVersion: z.enum(['v1', 'v2']),
  name: text,
  version: text,
  type: z.enum(['application', 'library']).optional(),
  appVersion: text.optional(),
  description: text.optional(),
  annotations: z.record(text, text).optional(),
  dependencies: z.array(dependency).optional(),
});

/** What a `Chart.yaml` says. */
export type ChartMetadata = z.infer<typeof chartMetadata>;
