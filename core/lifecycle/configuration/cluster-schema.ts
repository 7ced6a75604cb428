/** The part of the configuration that says which clusters are asked what they run: `clusters`. */
import { z } from 'zod';
import { parseJsonPath } from '../../kubernetes/json-path.ts';
import { givenName, url, word } from './configuration-values.ts';

/** https://kubernetes.io/docs/concepts/overview/working-with-objects/names/ */
const subdomain = z
  .string()
  .max(253, 'must have at most 253 characters')
  .regex(/^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/, 'must be lower-case letters, digits, "-" and "."');

function isJsonPath(text: string): boolean {
  try {
    return parseJsonPath(text).steps.length > 0;
  } catch {
    // Its message quotes the text.
    return false;
  }
}

const customResource = z.strictObject({
  group: subdomain.describe('The API group, such as argoproj.io.'),
  version: subdomain.describe('The version of the API, such as v1alpha1.'),
  resource: subdomain.describe('The kind in the plural, as it stands in URLs: rollouts.'),
  images: z
    .array(
      word.refine(
        isJsonPath,
        'must be a path of names, numbers and "*", such as {.spec.steps[*].image}, without filters',
      ),
    )
    .min(1, 'must name at least one place')
    .describe('JSONPaths of the images: {.spec.template.spec.containers[*].image}.'),
});

/** One cluster. */
export const clusterSchema = z
  .strictObject({
    name: givenName.describe('What plans and reports call it.'),
    server: url
      .optional()
      .describe(
        "The URL of the cluster's API server: it picks the service connection, or the context of the kubeconfig.",
      ),
    context: word
      .max(253, 'must have at most 253 characters')
      .optional()
      .describe('The context of the kubeconfig to use.'),
    customResources: z
      .array(customResource)
      .prefault([])
      .describe('Kinds that are no part of Kubernetes and name images.'),
  })
  .refine(({ server, context }) => server === undefined || context === undefined, {
    path: ['context'],
    message: 'must not stand beside server: one of them picks the cluster',
  })
  .meta({ not: { required: ['server', 'context'] } });

/** One cluster that is asked directly. */
export type ClusterConfiguration = z.output<typeof clusterSchema>;
/** A kind that is no part of Kubernetes, and where its objects name images. */
export type CustomResource = z.output<typeof customResource>;
