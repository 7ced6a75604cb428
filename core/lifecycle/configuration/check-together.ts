/** What the parts of a configuration must be to each other. Pure. */
import type { z } from 'zod';
import { deleteSchema, keepSchema } from '../keep-policy/policy-schema.ts';
import { graceSchema } from './care-schema.ts';
import { checkClusters } from './check-clusters.ts';
import { checkOrganizations, checkProjects } from './check-organizations.ts';
import { checkReports } from './check-reports.ts';
import { clusterSchema } from './cluster-schema.ts';
import type { Fault } from './faults.ts';
import { organizationSchema } from './organization-schema.ts';
import { hostOf, type RegistryConfiguration, registrySchema } from './registry-schema.ts';
import type { Placed } from './written-path.ts';

/** Checks what is sound of a configuration as it was written, so that faults of other parts hide none of these. */
export function checkTogether(written: Readonly<Record<string, unknown>>): Fault[] {
  const registries = listSound(registrySchema, written['registries']);
  const isShort = written['organizations'] === undefined;
  const { organization: url, projects } = written;
  const organizations = listSound(organizationSchema, isShort ? [{ url, projects }] : written['organizations']);
  return [
    ...checkForm(written),
    ...checkRegistries(registries),
    ...checkProjects(organizations, isShort),
    ...checkOrganizations(organizations),
    ...checkClusters(listSound(clusterSchema, written['clusters']), registries),
    ...checkReports(registries, {
      keep: keepSchema.safeParse(written['keep']).data,
      delete: deleteSchema.safeParse(written['delete']).data,
      grace: graceSchema.safeParse(written['grace']).data,
    }),
  ];
}

function listSound<T extends z.ZodType>(schema: T, list: unknown): Placed<z.output<T>>[] {
  if (!Array.isArray(list)) return [];
  return list.flatMap((each, at) => {
    const read = schema.safeParse(each);
    return read.success ? [{ at, one: read.data }] : [];
  });
}

/** One organization may be written short. */
function checkForm(written: Readonly<Record<string, unknown>>): Fault[] {
  const short = (['organization', 'projects'] as const).filter(key => written[key] !== undefined);
  if (written['organizations'] !== undefined) {
    const message = 'is of the short form for one organization, and must not stand beside organizations';
    return short.map(key => ({ path: [key], message }));
  }
  if (short.length === 2) return [];
  if (short.length === 0) return [{ path: ['organizations'], message: 'is missing, or organization and projects' }];
  const missing = short[0] === 'projects' ? 'organization' : 'projects';
  return [{ path: [missing], message: 'is missing' }];
}

function checkRegistries(registries: readonly Placed<RegistryConfiguration>[]): Fault[] {
  return registries.flatMap(({ at, one }) => {
    const before = registries.filter(other => other.at < at);
    const same = before.find(other => endpointOf(other.one) === endpointOf(one));
    if (same)
      return [{ path: ['registries', at, 'url'], message: `names the same registry as registries[${same.at}]` }];
    const namesake = before.find(other => other.one.name.toLowerCase() === one.name.toLowerCase());
    return namesake
      ? [{ path: ['registries', at, 'name'], message: `is the name of registries[${namesake.at}] too` }]
      : [];
  });
}

/** What requests go to: a port that is written and one that goes without saying are one. */
function endpointOf({ url }: RegistryConfiguration): string {
  const host = hostOf(url);
  const isPlain = host !== url;
  const { hostname, port } = new URL(`${isPlain ? 'http' : 'https'}://${host}`);
  return `${hostname}:${port || (isPlain ? 80 : 443)}`;
}
