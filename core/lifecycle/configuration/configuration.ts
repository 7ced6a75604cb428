/**
 * The one configuration of everything that deletes: text in, typed values out. Pure: it reads no file and no environment,
 * so it knows only where a secret stands. docs/configuration.md explains each key.
 */
import { z } from 'zod';
import { inputError } from '../../base/errors.ts';
import { deleteSchema, keepSchema } from '../keep-policy/policy-schema.ts';
import { brakeSchema, graceSchema } from './care-schema.ts';
import { checkTogether } from './check-together.ts';
import { clusterSchema } from './cluster-schema.ts';
import { explain, type Fault, listFaults, showFaults } from './faults.ts';
import { reconcileSchema, serverSchema } from './handler-schema.ts';
import { type OrganizationConfiguration, organizationSchema, shortForm } from './organization-schema.ts';
import { registrySchema } from './registry-schema.ts';
import { readSource } from './source.ts';

/** The whole configuration as it is written; what its parts must be to each other, check-together.ts says. */
export const configurationSchema = z
  .strictObject({
    organization: shortForm.organization.optional(),
    projects: shortForm.projects.optional(),
    organizations: z
      .array(organizationSchema)
      .min(1, 'must name at least one organization')
      .optional()
      .describe('Organizations of Azure DevOps, where there are several, or more is to be said of one.'),
    registries: z
      .array(registrySchema)
      .min(1, 'must name at least one registry')
      .describe('The registries to look after: one plan over all of them.'),
    clusters: z.array(clusterSchema).prefault([]).describe('The clusters that are asked what they run.'),
    keep: keepSchema,
    delete: deleteSchema,
    grace: graceSchema,
    brake: brakeSchema,
    reconcile: reconcileSchema,
    server: serverSchema.optional(),
  })
  .meta({
    oneOf: [
      { required: ['organization', 'projects'], properties: { organizations: false } },
      { required: ['organizations'], properties: { organization: false, projects: false } },
    ],
  });

type Written = z.output<typeof configurationSchema>;

/** The whole configuration; durations are milliseconds, GUIDs lower-case, patterns compiled. */
export interface Configuration extends Omit<Written, 'organization' | 'projects' | 'organizations'> {
  readonly organizations: readonly OrganizationConfiguration[];
  /** Whether `organization` and `projects` stand there in place of `organizations`. */
  readonly isShort: boolean;
  /** Whether `keep`, `delete`, `clusters` or a registry's `usage` stands there. */
  readonly isPolicyGiven: boolean;
}

/** What one program asks of a configuration that is sound. */
export type Check = (configuration: Configuration) => readonly Fault[];

/**
 * Reads the text of a configuration; `name` is what messages call it. Unknown keys are errors, and so is what `check` finds.
 * Throws INPUT_INVALID with a line `name:line:column: key message` for each fault; no message repeats a value.
 */
export function parseConfiguration(text: string, name: string, check: Check = () => []): Configuration {
  const source = readSource(text, name);
  const read = configurationSchema.safeParse(source.value, { error: explain });
  const written = isBlock(source.value) ? source.value : {};
  const faults = [...(read.success ? [] : listFaults(read.error.issues)), ...checkTogether(written)];
  if (!read.success || faults.length > 0) throw inputError(showFaults(faults, source));
  const configuration = toConfiguration(read.data, written);
  const more = check(configuration);
  if (more.length > 0) throw inputError(showFaults(more, source));
  return configuration;
}

function toConfiguration(
  { organization, projects, organizations, ...rest }: Written,
  written: Readonly<Record<string, unknown>>,
): Configuration {
  const isShort = organizations === undefined;
  const short = { url: organization ?? '', projects: projects ?? [], buildTagPrefix: '', alsoOwn: [] };
  const isPolicyGiven =
    'keep' in written || 'delete' in written || rest.clusters.length > 0 || rest.registries.some(each => each.usage);
  return { ...rest, organizations: organizations ?? [short], isShort, isPolicyGiven };
}

function isBlock(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
