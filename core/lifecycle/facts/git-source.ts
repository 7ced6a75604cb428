/** The name by which a git repository is known across builds, records and organizations: its URL. Pure. */
import type { BuildRepository } from '../../azure-devops/builds.ts';
import { canonicalOrganization } from '../../azure-devops/organization-url.ts';

/** A repository of Azure Repos, as its URL names it: by names or ids. */
export interface AzureRepository {
  readonly project: string;
  readonly repository: string;
}

/** The URL of the repository that Azure DevOps says a build was made from; empty where it does not say enough. */
export function sourceOfBuild(repository: BuildRepository | undefined): string {
  const { type, id = '', url = '' } = repository ?? {};
  if (url !== '') return normalizeSource(url);
  // Of GitHub the id is the path, and often stands there alone.
  const isPath = /^[\w.-]+\/[\w.-]+$/.test(id);
  return type === 'GitHub' && isPath ? normalizeSource(`https://github.com/${id}`) : '';
}

/**
 * One text for one repository: without user, password, query and `.git`, the host in lower case, and the older host of an
 * organization as its newer one. Empty for what is no URL.
 */
export function normalizeSource(text: string): string {
  if (!/^(?:https?|ssh):\/\//i.test(text) || !URL.canParse(text)) return '';
  const { protocol, host, pathname } = new URL(text);
  const path = pathname.replace(/\/+$/, '').replace(/\.git$/, '');
  const older = /^([a-z0-9-]+)\.visualstudio\.com$/i.exec(host);
  if (!older) return `${protocol}//${host.toLowerCase()}${path}`;
  return `${canonicalOrganization(`https://${host}`)}${path.replace(/^\/DefaultCollection(?=\/)/i, '')}`;
}

/** Reads the URL of a repository of this organization; undefined for every other. `source` is normalised. */
export function parseAzureRepository(source: string, organization: string): AzureRepository | undefined {
  const root = `${canonicalOrganization(organization)}/`;
  if (source.slice(0, root.length).toLowerCase() !== root) return undefined;
  const parts = source.slice(root.length).split('/').map(decodePart);
  const [repository, mark, project = repository, ...others] = parts.reverse();
  if (mark !== '_git' || others.length > 0 || !isName(repository) || !isName(project)) return undefined;
  // Without a project it is the repository that has the name of its project.
  return { project, repository };
}

/** A segment as people read it; empty where it is not UTF-8. */
function decodePart(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return '';
  }
}

/** A name that stays one segment of a path when it is sent. */
function isName(part: string | undefined): part is string {
  return part !== undefined && part !== '' && !/^\.{1,2}$/.test(part) && !/[/\\\p{Cc}]/u.test(part);
}
