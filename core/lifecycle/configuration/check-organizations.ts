/** What organizations must be to each other: no build of one may pass for a build of another. Pure. */
import { canonicalOrganization } from '../../azure-devops/organization-url.ts';
import type { Fault } from './faults.ts';
import type { OrganizationConfiguration } from './organization-schema.ts';
import { type KeyPath, type Placed, pathOfOrganization, showPath } from './written-path.ts';

type Organizations = readonly Placed<OrganizationConfiguration>[];

/** Checks that no project stands twice: by its id anywhere, by its name in its organization. */
export function checkProjects(organizations: Organizations, isShort: boolean): Fault[] {
  const owners = new Map<string, KeyPath>();
  return organizations.flatMap(({ at, one }) =>
    one.projects.flatMap(({ id, name = '' }, index): Fault[] => {
      const path = pathOfOrganization(isShort, at, 'projects', index);
      const key = id ?? `${at}/${name.toLowerCase()}`;
      const owner = owners.get(key);
      owners.set(key, path);
      return owner ? [{ path, message: `names the same project as ${showPath(owner)}` }] : [];
    }),
  );
}

/** Checks that organizations differ, and that their builds' tags do. */
export function checkOrganizations(organizations: Organizations): Fault[] {
  return organizations.flatMap(({ at, one }) => {
    const url = canonicalOrganization(one.url);
    const same = organizations.find(other => other.at < at && canonicalOrganization(other.one.url) === url);
    const message = `names the same organization as organizations[${same?.at}]`;
    return [
      ...(same ? [{ path: ['organizations', at, 'url'], message }] : []),
      ...(organizations.length > 1 ? checkPrefix(organizations, { at, one }) : []),
    ];
  });
}

/** Two organizations count their builds each from 1, so without a prefix the one's end would take the other's image. */
function checkPrefix(organizations: Organizations, { at, one }: Placed<OrganizationConfiguration>): Fault[] {
  const why =
    'build ids are unique within one organization only, so the end of one build could take the image of another';
  const fault = (path: KeyPath, message: string): Fault => ({
    path: ['organizations', at, ...path],
    message: `${message}: ${why}`,
  });
  if (one.buildTagPrefix === '') return [fault(['buildTagPrefix'], 'is needed where there are several organizations')];
  const rival = organizations.find(
    other =>
      other.at !== at &&
      other.one.buildTagPrefix !== '' &&
      one.buildTagPrefix.toLowerCase().startsWith(other.one.buildTagPrefix.toLowerCase()),
  );
  return [
    ...(rival ? [fault(['buildTagPrefix'], `must not begin with that of organizations[${rival.at}]`)] : []),
    ...one.alsoOwn.flatMap((pattern, index) =>
      pattern.startsWith(one.buildTagPrefix)
        ? []
        : [fault(['alsoOwn', index], 'must begin with buildTagPrefix where there are several organizations')],
    ),
  ];
}
