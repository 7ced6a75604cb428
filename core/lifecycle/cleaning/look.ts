/**
 * One look at everything: reads what a plan is reckoned from, source after source, and plans. Changes nothing. What could
 * not be read whole keeps what it could have kept, so a look that went wrong in parts is a careful one, and never a wrong one.
 */
import { getCollectionId } from '../../azure-devops/builds.ts';
import { AppError, inputError } from '../../base/errors.ts';
import type { ResolvedOrganization } from '../configuration/resolve-projects.ts';
import type { Estate, EstateOrganization } from '../facts/estate.ts';
import { createLinksCache, type LinksCache } from '../facts/manifest-links.ts';
import { listUnmatched } from '../facts/name-repositories.ts';
import { readBuildFacts } from '../facts/read-builds.ts';
import { type LeaseFact, readLeases } from '../facts/read-leases.ts';
import { readRegistryFacts } from '../facts/read-registry.ts';
import { readSourceFacts } from '../facts/read-sources.ts';
import { readSubjects } from '../facts/read-subjects.ts';
import { readUsage } from '../facts/read-usage.ts';
import type { RegistryReading } from '../facts/registry-reading.ts';
import { listUnrecordedIds } from '../facts/unrecorded-ids.ts';
import { type KeepPlan, planImages } from '../keep-policy/keep-plan.ts';
import type { PlanFacts, PlanRules, RegistryFacts } from '../keep-policy/policy-facts.ts';
import { registryTime } from '../surroundings.ts';
import { assumeNoSubjects } from './assume-no-subjects.ts';
import { createInventory, type Inventory } from './inventory.ts';

/** What to look for. */
export interface LookOptions {
  /** Whether every manifest is read, to tell what the registries consist of. */
  readonly withInventory?: boolean;
}

/** What was seen. */
export interface Look {
  readonly facts: PlanFacts;
  readonly rules: PlanRules;
  readonly plan: KeepPlan;
  /** Empty unless it was asked for. */
  readonly inventory: Inventory;
  /** Those that promotions took; undefined where they could not be read. Nothing is decided by them. */
  readonly leases: readonly LeaseFact[] | undefined;
  /** What could not be seen, and what was left out for that, sentences for people. */
  readonly unseen: readonly string[];
}

/**
 * Looks and plans. Throws where not even that can be begun: `AZURE_DEVOPS_UNAVAILABLE`, `INPUT_INVALID` where an
 * organization is not the one that the configuration names, `REGISTRY_UNEXPECTED` where the clocks of registry and Azure
 * DevOps contradict each other. Throws the signal's reason.
 */
export async function lookAtEstate(
  estate: Estate,
  rules: PlanRules,
  organizations: readonly ResolvedOrganization[],
  { withInventory = false }: LookOptions = {},
): Promise<Look> {
  const inventory = createInventory();
  const collectionIds = await readCollectionIds(estate.organizations, organizations);
  const reader: Reader = { estate, cache: createLinksCache(), ...(withInventory && { inventory }) };
  const readings = await readRegistries(reader, collectionIds);
  const builds = await readBuildFacts(
    estate.organizations,
    {
      records: readings.flatMap(each => each.builds),
      absences: readings.flatMap(each => each.absences),
      candidates: listUnrecordedIds(rules, factsOf(readings)),
    },
    estate,
  );
  const sources = await readSourceFacts(estate.organizations, builds.builds, rules.keep, estate);
  const usage = await readUsage(estate);
  const unread: PlanFacts = {
    now: timeOf(estate),
    registries: factsOf(readings),
    builds: builds.builds,
    organizations: builds.organizations,
    sources: sources.sources,
    usage,
  };
  const facts = withInventory ? unread : { ...unread, registries: await readWhereSomethingGoes(reader, rules, unread) };
  const unseen = [
    ...readings.flatMap(each => each.foreign),
    ...facts.registries.flatMap(each => tellRegistry(estate, rules, each)),
    ...builds.unseen,
    ...sources.unseen,
  ];
  const leases = await readLeases(estate.organizations, builds.builds);
  return { facts, rules, plan: planImages(rules, facts), inventory, leases, unseen };
}

/** What of a registry was not looked at. */
function tellRegistry({ registries }: Estate, rules: PlanRules, facts: RegistryFacts): string[] {
  const { name, repositories, othersUnread } = facts;
  const globs = registries.find(each => each.name === name)?.repositories ?? [];
  const unmatched = repositories.kind === 'whole' ? listUnmatched(globs, repositories.items) : [];
  return [
    ...unmatched.map(glob => `No repository of ${name} that has an image matches "${glob}" of the configuration.`),
    ...(othersUnread === undefined || !rules.delete.untagged
      ? []
      : [
          `Not seen: what projects outside the configuration have recorded in ${name}, so nothing goes there for want of a tag (${othersUnread}).`,
        ]),
  ];
}

interface Reader {
  readonly estate: Estate;
  readonly cache: LinksCache;
  /** Told of every manifest. */
  readonly inventory?: Inventory;
}

/** By the names of the organizations. Throws where one cannot be told, or is another than the configuration says. */
async function readCollectionIds(
  estate: readonly EstateOrganization[],
  organizations: readonly ResolvedOrganization[],
): Promise<Map<string, string>> {
  const ids = new Map<string, string>();
  for (const { name, azureDevOps } of estate) {
    const answer = await getCollectionId(azureDevOps);
    if (answer.kind === 'unknown') {
      throw new AppError(`Nothing was looked at: ${answer.reason}`, {
        code: 'AZURE_DEVOPS_UNAVAILABLE',
        retryable: true,
      });
    }
    const expected = organizations.find(each => each.url === name)?.collectionId;
    if (expected !== undefined && expected !== answer.id) {
      throw inputError(
        `${name} is the collection ${answer.id}, and collectionId says ${expected}; nothing was changed.`,
      );
    }
    ids.set(name, answer.id);
  }
  return ids;
}

async function readRegistries(
  { estate, cache, inventory }: Reader,
  collectionIds: ReadonlyMap<string, string>,
): Promise<RegistryReading[]> {
  const readings: RegistryReading[] = [];
  for (const each of estate.registries) {
    const { signal, onProgress, log } = estate;
    // Without an inventory no subject is read until it is known where something may go.
    const how = inventory
      ? { cache: createLinksCache(), onManifest: inventoryOf(inventory, each.name) }
      : { cache, mayGo: () => false };
    readings.push(
      await readRegistryFacts(each, estate.organizations, { collectionIds, signal, onProgress, log, ...how }),
    );
  }
  return readings;
}

/** Each registry keeps its own copy of an image, so each is told of it. */
function inventoryOf(inventory: Inventory, registry: string) {
  return (manifest: Parameters<Inventory['addManifest']>[1]): void => inventory.addManifest(registry, manifest);
}

function factsOf(readings: readonly RegistryReading[]): RegistryFacts[] {
  return readings.map(each => each.facts);
}

/**
 * Reads what images refer to, but only in repositories from which something would go if nothing referred to anything:
 * to know more of it can only make more of them stay, and what belongs to them with them.
 */
async function readWhereSomethingGoes(
  { estate, cache }: Reader,
  rules: PlanRules,
  facts: PlanFacts,
): Promise<RegistryFacts[]> {
  const registries = facts.registries.map(assumeNoSubjects);
  const { images } = planImages(rules, { ...facts, registries });
  const leaving = new Set<string>();
  for (const each of images) if (each.decision === 'delete') leaving.add(`${each.registry}/${each.repository}`);
  const found: RegistryFacts[] = [];
  for (const read of facts.registries) {
    const from = estate.registries.find(each => each.name === read.name);
    if (!from) throw new AppError(`The registry ${read.name} was read, and is not there.`, { code: 'DEFECT' });
    const { signal, onProgress } = estate;
    const mayGo = ({ registry, repository }: { readonly registry: string; readonly repository: string }): boolean =>
      leaving.has(`${registry}/${repository}`);
    found.push(await readSubjects(from, read, { mayGo, cache, signal, onProgress }));
  }
  return found;
}

/** The earliest of what the registries say, each held against Azure DevOps: the less time has passed, the more stays. */
function timeOf({ registries, organizations }: Estate): number {
  const times = registries.flatMap(({ registry }) =>
    organizations.map(({ azureDevOps }) => registryTime({ registry, azureDevOps })),
  );
  return Math.min(...times);
}
