/** The addresses of an organization: the two that Azure DevOps Services has for each, and that of its classic releases. */

/**
 * One text for one organization: lower case, no slash at its end, and `https://dev.azure.com/contoso` for
 * `https://contoso.visualstudio.com` as well. To compare by, not to send to.
 * https://learn.microsoft.com/azure/devops/extend/develop/work-with-urls
 */
export function canonicalOrganization(url: string): string {
  const { origin, hostname, pathname } = new URL(url);
  const path = pathname.replace(/\/+$/, '').toLowerCase();
  const name = nameOfOldHost(hostname);
  return name === undefined ? `${origin}${path}` : `https://dev.azure.com/${name}`;
}

/** Whether it is one of Azure DevOps Services, whose hosts are Microsoft's own; a server is anybody's. */
export function isOfServices(url: string): boolean {
  const { protocol, hostname } = new URL(url);
  return protocol === 'https:' && (hostname === 'dev.azure.com' || nameOfOldHost(hostname) !== undefined);
}

/**
 * Where its classic releases are asked for: a host of their own in Services, and the collection itself on a server.
 * https://learn.microsoft.com/rest/api/azure/devops/release/releases/list
 */
export function releasesUrlOf(url: string): string {
  if (!isOfServices(url)) return url;
  const { hostname, pathname } = new URL(url);
  const name = nameOfOldHost(hostname);
  const host = name === undefined ? 'vsrm.dev.azure.com' : `${name}.vsrm.visualstudio.com`;
  return `https://${host}${pathname.replace(/\/+$/, '')}`;
}

/** `contoso` of `contoso.visualstudio.com`. */
function nameOfOldHost(hostname: string): string | undefined {
  return /^([a-z0-9-]+)\.visualstudio\.com$/.exec(hostname)?.[1];
}
