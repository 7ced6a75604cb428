/** The operations of Azure Resource Manager that promotion needs: https://learn.microsoft.com/rest/api/container-registry/registries */
import { createHash } from 'node:crypto';
import type { Reply } from '../azure-devops/http.ts';
import type { Access } from './access.ts';
import { linkedUnauthorized, notFound, refuse } from './errors.ts';
import { type ImportSource, readImportParameters } from './import-parameters.ts';
import { type AllowedImport, beginImport, deniedBySource, unreachable } from './importing.ts';
import type { ArmRegistry, ArmWorld, Operation } from './world.ts';

/** One request, read whole. */
export interface Call {
  /** Of the path's pattern, as they were written. */
  readonly params: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
  readonly body: unknown;
  /** The object id of the caller. */
  readonly caller: string;
}

/** One operation; `{name}` in `pattern` takes one path segment, and letters have no case. */
export interface Route {
  readonly operation: string;
  readonly method: string;
  readonly pattern: string;
  readonly handle: (call: Call) => Reply;
}

/** What the routes work on. */
export interface Site {
  readonly world: ArmWorld;
  readonly access: Access;
  /** Its origin. */
  readonly url: string;
}

const provider = 'providers/Microsoft.ContainerRegistry';
const registry = `/subscriptions/{subscriptionId}/resourceGroups/{resourceGroup}/${provider}/registries/{name}`;
const locations = `/subscriptions/{subscriptionId}/${provider}/locations/{location}`;
const right = 'Microsoft.ContainerRegistry';

/** Makes the routes. */
export function createRoutes(site: Site): Route[] {
  return [
    {
      operation: 'registries.list',
      method: 'GET',
      pattern: `/subscriptions/{subscriptionId}/${provider}/registries`,
      handle: call => listRegistries(site, call),
    },
    { operation: 'registries.get', method: 'GET', pattern: registry, handle: call => getRegistry(site, call) },
    {
      operation: 'registries.importImage',
      method: 'POST',
      pattern: `${registry}/importImage`,
      handle: call => importImage(site, call),
    },
    {
      operation: 'operations.get',
      method: 'GET',
      pattern: `${locations}/operationResults/{id}`,
      handle: call => getOperation(site, call, 'operationResults'),
    },
    {
      operation: 'operations.get',
      method: 'GET',
      pattern: `${locations}/operationStatuses/{id}`,
      handle: call => getOperation(site, call, 'operationStatuses'),
    },
  ];
}

function idOf({ params }: Call): string {
  return `/subscriptions/${params['subscriptionId']}/resourceGroups/${params['resourceGroup']}/providers/Microsoft.ContainerRegistry/registries/${params['name']}`;
}

function describe({ resourceId, name, location, loginServer }: ArmRegistry): unknown {
  return {
    sku: { name: 'Premium', tier: 'Premium' },
    type: 'Microsoft.ContainerRegistry/registries',
    id: resourceId,
    name,
    location,
    tags: {},
    properties: {
      loginServer,
      creationDate: '2026-01-02T03:04:05.6789012Z',
      provisioningState: 'Succeeded',
      adminUserEnabled: true,
      publicNetworkAccess: 'Enabled',
      networkRuleBypassOptions: 'AzureServices',
      anonymousPullEnabled: false,
    },
  };
}

function listRegistries({ world, access, url }: Site, { params, query, caller }: Call): Reply {
  const { subscriptionId = '' } = params;
  const action = `${right}/registries/read`;
  const scope = `/subscriptions/${subscriptionId}`;
  if (!world.behaviour.listFilters) access.check(caller, action, scope);
  const all = world
    .registries()
    .filter(each => each.subscriptionId.toLowerCase() === subscriptionId.toLowerCase())
    .filter(each => access.allows(caller, action, each.resourceId));
  const start = Number(query.get('$skipToken') ?? 0);
  const end = start + world.behaviour.pageSize;
  const next = `${url}${scope}/${provider}/registries?api-version=${query.get('api-version')}&$skipToken=${end}`;
  const value = all.slice(start, end).map(describe);
  return { status: 200, json: end < all.length ? { value, nextLink: next } : { value } };
}

function getRegistry({ world, access }: Site, call: Call): Reply {
  const id = idOf(call);
  access.check(call.caller, `${right}/registries/read`, id);
  return { status: 200, json: describe(find(world, call)) };
}

function find(world: ArmWorld, call: Call): ArmRegistry {
  const found = world.find(idOf(call));
  if (found === undefined) throw notFound(call.params['resourceGroup'] ?? '', call.params['name'] ?? '');
  return found;
}

function importImage(site: Site, call: Call): Reply {
  const { world, access } = site;
  access.check(call.caller, `${right}/registries/importImage/action`, idOf(call));
  const target = find(world, call);
  const parameters = readImportParameters(call.body);
  const source = findSource(site, call, parameters.source, target);
  const operation = beginImport(world, { parameters, source, target });
  // The live one answers exactly this.
  return { status: 202, json: null, headers: headersOf(site, operation, call) };
}

function findSource(
  { world, access }: Site,
  { caller }: Call,
  source: ImportSource,
  target: ArmRegistry,
): AllowedImport['source'] {
  if ('resourceId' in source) {
    const { resourceId } = source;
    if (!access.allows(caller, `${right}/registries/read`, resourceId)) {
      throw linkedUnauthorized(caller, target.resourceId, resourceId);
    }
    const found = world.find(resourceId);
    if (found === undefined) throw refuse(404, 'ResourceNotFound', `The Resource '${resourceId}' was not found.`);
    const mayPull = access.allows(caller, `${right}/registries/pull/read`, resourceId);
    return mayPull ? found.acr.world : deniedBySource(found.loginServer);
  }
  const found = world.registries().find(each => each.loginServer === source.registryUri);
  if (found === undefined) return unreachable;
  const { username, password } = source;
  return username === 'admin' && password === 'admin-password' ? found.acr.world : deniedBySource(found.loginServer);
}

function headersOf({ world, url }: Site, { id, registry }: Operation, { query }: Call): Record<string, string> {
  const { operationStyle, operationOrigin, retryAfter } = world.behaviour;
  const kind = operationStyle === 'location' ? 'operationResults' : 'operationStatuses';
  const path = `/subscriptions/${registry.subscriptionId}/${provider}/locations/${registry.location.toUpperCase()}/${kind}/${id}`;
  const address = `${operationOrigin ?? url}${path}?api-version=${query.get('api-version')}&${sign(id)}`;
  const wait: Record<string, string> = retryAfter === undefined ? {} : { 'retry-after': String(retryAfter) };
  return operationStyle === 'location' ? { location: address, ...wait } : { 'azure-asyncoperation': address, ...wait };
}

/** Azure signs the address, at length, so it works only as it was given. */
function sign(id: string): string {
  return `t=638780115139015006&c=${'MIIHhzCCBm'.repeat(240)}&s=${'Pq0R3rdGM4'.repeat(34)}&h=${signatureOf(id)}`;
}

function signatureOf(id: string): string {
  return createHash('sha256').update(`signed ${id}`).digest('base64url');
}

function getOperation(site: Site, call: Call, kind: 'operationResults' | 'operationStatuses'): Reply {
  const { world, access } = site;
  const { id = '', subscriptionId = '' } = call.params;
  const { behaviour } = world;
  const found = world.operations.find(each => each.id === id);
  if (found === undefined || call.query.get('h') !== signatureOf(id)) {
    throw refuse(404, 'ResourceNotFound', `The operation '${id}' was not found.`);
  }
  if (behaviour.followNeedsRight) {
    const location = `/subscriptions/${subscriptionId}/${provider}/locations/${call.params['location']}`;
    access.check(call.caller, `${right}/locations/${kind}/read`, `${location}/${kind}/${id}`);
  }
  if (found.pollsLeft > 0) found.pollsLeft -= 1;
  else found.complete();
  const json = {
    status: found.status,
    ...(found.error && { error: { code: found.error.code, message: found.error.message } }),
  };
  if (kind === 'operationStatuses') return { status: 200, json, headers: headersOf(site, found, call) };
  if (found.error !== undefined) return { status: found.error.status, json: { error: json.error } };
  if (found.status === 'Succeeded') return { status: 200, json };
  return { status: 202, json, headers: headersOf(site, found, call) };
}
