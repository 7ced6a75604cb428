/** Every path of the registry, with the class it is throttled in and the right it needs. */
import type { Action, Scope } from './access.ts';
import * as acr from './acr-v1.ts';
import type { Behaviour } from './behaviour.ts';
import * as blobs from './blobs.ts';
import type { Call } from './core.ts';
import * as discovery from './discovery.ts';
import type { Answer } from './errors.ts';
import * as manifests from './manifests.ts';
import * as oauth from './oauth.ts';
import type { OperationClass } from './request-log.ts';

/** One operation. */
export interface Route {
  readonly operation: string;
  readonly operationClass: OperationClass;
  readonly method: string;
  /** Matches the decoded path; its groups `name` and `reference` go into the call. */
  readonly path: RegExp;
  /** What the caller must hold; undefined where nobody need be known. */
  readonly scopes: ((name: string, query: URLSearchParams, behaviour: Behaviour) => readonly Scope[]) | undefined;
  readonly handle: (call: Call) => Answer | Promise<Answer>;
}

const paths = {
  ping: /^\/v2\/?$/,
  catalog: /^\/v2\/_catalog$/,
  manifest: /^\/v2\/(?<name>.+)\/manifests\/(?<reference>[^/]+)$/,
  uploads: /^\/v2\/(?<name>.+)\/blobs\/uploads\/?$/,
  upload: /^\/v2\/(?<name>.+)\/blobs\/uploads\/(?<reference>[^/]+)$/,
  blob: /^\/v2\/(?<name>.+)\/blobs\/(?<reference>[^/]+)$/,
  tagList: /^\/v2\/(?<name>.+)\/tags\/list$/,
  referrers: /^\/v2\/(?<name>.+)\/referrers\/(?<reference>[^/]+)$/,
  exchange: /^\/oauth2\/exchange$/,
  token: /^\/oauth2\/token$/,
  acrCatalog: /^\/acr\/v1\/_catalog$/,
  acrTags: /^\/acr\/v1\/(?<name>.+)\/_tags$/,
  acrTag: /^\/acr\/v1\/(?<name>.+)\/_tags\/(?<reference>[^/]+)$/,
  acrManifests: /^\/acr\/v1\/(?<name>.+)\/_manifests$/,
  acrManifest: /^\/acr\/v1\/(?<name>.+)\/_manifests\/(?<reference>[^/]+)$/,
  acrRepository: /^\/acr\/v1\/(?<name>.+)$/,
} as const;

function needs(...actions: readonly Action[]) {
  return (name: string): readonly Scope[] => [{ type: 'repository', name, actions }];
}

/** Docker's clients ask for `pull` to list tags; the registry's own name for that right is `metadata_read`. */
function needsAny(...actions: readonly Action[]) {
  return (name: string): readonly Scope[] => [{ type: 'repository', name, actions, any: true }];
}

/** A mount reads from another repository, and needs that right, too. */
function needsMount(name: string, query: URLSearchParams, behaviour: Behaviour): readonly Scope[] {
  const from = query.get('mount') === null ? null : query.get('from');
  const push: Scope = { type: 'repository', name, actions: ['pull', 'push'] };
  if (from === null || from === name || !behaviour.mountNeedsScope) return [push];
  return [push, { type: 'repository', name: from, actions: ['pull'] }];
}

const needsCatalog = (): readonly Scope[] => [{ type: 'registry', name: 'catalog', actions: ['catalog'] }];
const needsLogin = (): readonly Scope[] => [];

type Row = readonly [string, string, RegExp, Route['scopes'], Route['handle']];

const rows: readonly Row[] = [
  ['ping', 'GET', paths.ping, needsLogin, discovery.ping],
  ['oci.catalog.list', 'GET', paths.catalog, needsCatalog, discovery.listCatalog],
  ['manifest.get', 'GET', paths.manifest, needs('pull'), manifests.getManifest],
  ['manifest.head', 'HEAD', paths.manifest, needs('pull'), manifests.getManifest],
  ['manifest.put', 'PUT', paths.manifest, needs('pull', 'push'), manifests.putManifest],
  ['manifest.delete', 'DELETE', paths.manifest, needs('delete'), manifests.deleteManifest],
  ['upload.start', 'POST', paths.uploads, needsMount, blobs.startUpload],
  ['upload.chunk', 'PATCH', paths.upload, needs('pull', 'push'), blobs.patchUpload],
  ['upload.finish', 'PUT', paths.upload, needs('pull', 'push'), blobs.finishUpload],
  ['upload.status', 'GET', paths.upload, needs('pull', 'push'), blobs.uploadStatus],
  ['upload.cancel', 'DELETE', paths.upload, needs('pull', 'push'), blobs.cancelUpload],
  ['blob.get', 'GET', paths.blob, needs('pull'), blobs.getBlob],
  ['blob.head', 'HEAD', paths.blob, needs('pull'), blobs.headBlob],
  ['blob.delete', 'DELETE', paths.blob, needs('delete'), blobs.deleteBlob],
  ['oci.tags.list', 'GET', paths.tagList, needsAny('metadata_read', 'pull'), discovery.listOciTags],
  ['referrers.list', 'GET', paths.referrers, needs('pull'), discovery.listReferrers],
  ['oauth2.exchange', 'POST', paths.exchange, undefined, oauth.exchange],
  ['oauth2.token', 'POST', paths.token, undefined, oauth.tokenByForm],
  ['oauth2.token', 'GET', paths.token, undefined, oauth.tokenByBasic],
  ['catalog.list', 'GET', paths.acrCatalog, needsCatalog, discovery.listCatalog],
  ['tags.list', 'GET', paths.acrTags, needs('metadata_read'), acr.listAcrTags],
  ['tag.get', 'GET', paths.acrTag, needs('metadata_read'), acr.getTag],
  ['tag.patch', 'PATCH', paths.acrTag, needs('metadata_write'), acr.patchTag],
  ['tag.delete', 'DELETE', paths.acrTag, needs('delete'), acr.deleteTag],
  ['manifests.list', 'GET', paths.acrManifests, needs('metadata_read'), acr.listManifests],
  ['manifest.attributes.get', 'GET', paths.acrManifest, needs('metadata_read'), acr.getManifestAttributes],
  ['manifest.attributes.patch', 'PATCH', paths.acrManifest, needs('metadata_write'), acr.patchManifestAttributes],
  ['repository.get', 'GET', paths.acrRepository, needs('metadata_read'), acr.getRepository],
  ['repository.patch', 'PATCH', paths.acrRepository, needs('metadata_write'), acr.patchRepository],
  ['repository.delete', 'DELETE', paths.acrRepository, needs('delete'), acr.deleteRepository],
];

function classOf(operation: string, method: string): OperationClass {
  if (operation.startsWith('oauth2.')) return 'OAuth';
  if (operation === 'referrers.list') return 'ListReferrers';
  if (method === 'DELETE') return 'Delete';
  return method === 'GET' || method === 'HEAD' ? 'Read' : 'Write';
}

const routes: readonly Route[] = rows.map(([operation, method, path, scopes, handle]) => ({
  operation,
  operationClass: classOf(operation, method),
  method,
  path,
  scopes,
  handle,
}));

/** The route of a request and what its path names; undefined when there is no such path or method. */
export function findRoute(
  method: string,
  path: string,
): { readonly route: Route; readonly name: string; readonly reference: string } | undefined {
  for (const route of routes) {
    if (route.method !== method) continue;
    const match = route.path.exec(path);
    if (match !== null)
      return { route, name: match.groups?.['name'] ?? '', reference: match.groups?.['reference'] ?? '' };
  }
  return undefined;
}
