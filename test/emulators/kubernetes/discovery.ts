/** What a server says it serves. https://kubernetes.io/docs/reference/using-api/api-concepts/#api-discovery */
import { apiVersionOf, type Kind } from './kinds.ts';

const verbs = ['create', 'delete', 'get', 'list', 'patch', 'update'];

/** The answer to a path of discovery; undefined for every other. */
export function discover(kinds: readonly Kind[], path: string): unknown {
  switch (path) {
    case '/version':
      return { major: '1', minor: '34', gitVersion: 'v1.34.4', platform: 'linux/amd64' };
    case '/api':
      return { kind: 'APIVersions', versions: ['v1'] };
    case '/apis':
      return { kind: 'APIGroupList', apiVersion: 'v1', groups: groupsOf(kinds) };
    case '/openapi/v3':
      return { paths: {} };
    default:
      return listResources(kinds, path);
  }
}

function groupsOf(kinds: readonly Kind[]): object[] {
  const groups = new Map(kinds.filter(each => each.group !== '').map(each => [each.group, each]));
  return [...groups.values()].map(each => {
    const version = { groupVersion: apiVersionOf(each), version: each.version };
    return { name: each.group, versions: [version], preferredVersion: version };
  });
}

function listResources(kinds: readonly Kind[], path: string): unknown {
  const served = kinds.filter(each => path === `/${each.group === '' ? 'api' : 'apis'}/${apiVersionOf(each)}`);
  if (served.length === 0) return undefined;
  const groupVersion = apiVersionOf(served[0] as Kind);
  const resources = served.map(({ resource, kind, namespaced }) => ({
    name: resource,
    singularName: kind.toLowerCase(),
    namespaced,
    kind,
    verbs,
  }));
  return { kind: 'APIResourceList', apiVersion: 'v1', groupVersion, resources };
}
