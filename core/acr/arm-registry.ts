/**
 * Finds a registry in Azure Resource Manager, by its login server or its resource id.
 * https://learn.microsoft.com/rest/api/container-registry/registries
 */
import { z } from 'zod';
import { parseJson } from '../base/json.ts';
import { type Arm, describeRefusal, registryApiVersion } from './arm.ts';

/** A registry as Azure Resource Manager names it. */
export interface ArmRegistry {
  readonly resourceId: string;
  readonly loginServer: string;
}

/** Found, or a reason; never a guess. */
export type FoundRegistry =
  | { readonly kind: 'found'; readonly registry: ArmRegistry }
  | { readonly kind: 'unavailable'; readonly reason: string };

/** Where to look: a resource, or the subscription that holds it. */
export type RegistryPlace = { readonly resourceId: string } | { readonly subscriptionId: string };

const registryBody = z.object({ id: z.string(), properties: z.object({ loginServer: z.string() }) });
const listBody = z.object({
  value: z.array(z.object({ id: z.string(), properties: z.looseObject({}).optional() })),
  nextLink: z.string().nullish(),
});

const maxPages = 200;
const maxPageBytes = 8 * 1024 * 1024;

/** Ids become parts of addresses, so nothing else than an id passes. Their letters have no case. */
const resourceIdPattern =
  /^\/subscriptions\/[0-9a-f-]{36}\/resourceGroups\/[-\w.()\p{L}\p{N}]{0,89}[-\w()\p{L}\p{N}]\/providers\/Microsoft\.ContainerRegistry\/registries\/[a-z0-9]{5,50}$/iu;

/** Whether `text` is the resource id of a registry. */
export function isRegistryResourceId(text: string): boolean {
  return resourceIdPattern.test(text);
}

/** Finds the registry whose login server is `loginServer`. Right needed: `Microsoft.ContainerRegistry/registries/read`. */
export async function findRegistry(arm: Arm, loginServer: string, place: RegistryPlace): Promise<FoundRegistry> {
  return 'resourceId' in place
    ? readRegistry(arm, loginServer, place.resourceId)
    : searchSubscription(arm, loginServer, place.subscriptionId);
}

async function readRegistry(arm: Arm, loginServer: string, resourceId: string): Promise<FoundRegistry> {
  if (!isRegistryResourceId(resourceId)) return unavailable(`"${resourceId}" is not the resource id of a registry`);
  const asked = await arm.ask({ method: 'GET', path: `${resourceId}?api-version=${registryApiVersion}` });
  if ('failed' in asked) return unavailable(`${resourceId} could not be read: ${asked.failed}`);
  const { answer } = asked;
  if (answer.status !== 200) return unavailable(`${resourceId} could not be read: ${describeRefusal(answer)}`);
  const read = registryBody.safeParse(parseJson(answer.bytes));
  if (!read.success) return unavailable(`${resourceId} was answered with something that is not a registry`);
  const actual = read.data.properties.loginServer;
  if (!isSame(actual, loginServer)) return unavailable(`the login server of ${resourceId} is ${actual}`);
  return { kind: 'found', registry: { resourceId, loginServer } };
}

async function searchSubscription(arm: Arm, loginServer: string, subscriptionId: string): Promise<FoundRegistry> {
  const what = `the registries of the subscription ${subscriptionId}`;
  if (!/^[0-9a-f-]{36}$/i.test(subscriptionId)) return unavailable(`"${subscriptionId}" is not a subscription's id`);
  const seen = new Set<string>();
  let next: string | undefined =
    `/subscriptions/${subscriptionId}/providers/Microsoft.ContainerRegistry/registries?api-version=${registryApiVersion}`;
  while (next) {
    if (seen.has(next) || seen.size === maxPages)
      return unavailable(`${what} could not be listed: its pages do not end`);
    seen.add(next);
    const asked = await arm.ask({ method: 'GET', path: next, maxBytes: maxPageBytes });
    if ('failed' in asked) return unavailable(`${what} could not be listed: ${asked.failed}`);
    const { answer } = asked;
    if (answer.status !== 200) return unavailable(`${what} could not be listed: ${describeRefusal(answer)}`);
    const page = listBody.safeParse(parseJson(answer.bytes));
    if (!page.success) return unavailable(`${what} were answered with something that is not a list`);
    const match = page.data.value.find(each => isSame(each.properties?.['loginServer'], loginServer));
    if (match && isRegistryResourceId(match.id)) {
      return { kind: 'found', registry: { resourceId: match.id, loginServer } };
    }
    next = page.data.nextLink ?? undefined;
  }
  return unavailable(`the subscription ${subscriptionId} shows no registry ${loginServer} to this identity`);
}

function isSame(one: unknown, other: string): boolean {
  return typeof one === 'string' && one.toLowerCase() === other.toLowerCase();
}

function unavailable(reason: string): FoundRegistry {
  return { kind: 'unavailable', reason };
}
