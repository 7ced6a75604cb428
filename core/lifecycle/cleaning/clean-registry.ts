/** Carries out a plan in one registry. */
import { AppError, errorMessage, hasCode } from '../../base/errors.ts';
import { listPairings, type Pairing } from '../configuration/pairings.ts';
import { toPlanRules } from '../configuration/plan-rules.ts';
import type { Estate, EstateOrganization, EstateRegistry } from '../facts/estate.ts';
import type { RegistryFacts } from '../keep-policy/policy-facts.ts';
import { reconcile } from '../reconcile.ts';
import type { ReportItem } from '../report.ts';
import { type RunRequest, readCollectionId, startRun } from '../start-run.ts';
import type { Run, Surroundings } from '../surroundings.ts';
import { listTombstones } from '../tombstone.ts';
import type { CarryOutRequest } from './carry-out.ts';
import { chooseUntagged } from './choose-untagged.ts';
import type { CleanItem, CleanReport } from './clean-report.ts';
import { createLateVeto } from './late-records.ts';
import type { Departure } from './leaving.ts';
import { releasesOf, unapprovedBy, vetoByPlan } from './plan-veto.ts';
import { releaseUnrecorded } from './release-unrecorded.ts';
import { sweepUntagged } from './sweep-untagged.ts';
import { type FindByTag, findByTag, listUnrecordedBuilds } from './unrecorded-builds.ts';

/** What is carried out, with what of it leaves. */
export interface CleanRegistryRequest extends CarryOutRequest {
  readonly departure: Departure;
}

/** The report of one registry. */
export type RegistryReport = Omit<CleanReport, 'freedBytes'>;

/** One registry with one organization. */
interface Pair extends Pick<Pairing, 'rules'> {
  readonly organization: EstateOrganization;
  readonly surroundings: Surroundings;
}

/** The work in one registry. */
interface Cleaning {
  readonly registry: EstateRegistry;
  readonly request: CleanRegistryRequest;
  readonly common: RunRequest;
  readonly items: CleanItem[];
  readonly braked: string[];
  readonly stopped: string[];
  readonly failures: string[];
}

/** Carries out a plan in one registry. What fails stands in the report; throws the signal's reason and defects alone. */
export async function cleanRegistry(
  estate: Estate,
  registry: EstateRegistry,
  request: CleanRegistryRequest,
): Promise<RegistryReport> {
  const { until, signal = estate.signal, plan, approved } = request;
  const facts = factsOf(registry, request);
  const lateVeto =
    facts && createLateVeto({ registry: registry.registry, clock: estate.clock }, projectIds(request), facts);
  const common = {
    veto: vetoByPlan(registry.name, plan),
    ...(lateVeto && { lateVeto }),
    lookedAt: request.facts.now,
    ...(approved && { unapproved: unapprovedBy(approved, registry.name) }),
    ...(until && { until }),
    ...(signal && { signal }),
  };
  const cleaning: Cleaning = { registry, request, common, items: [], braked: [], stopped: [], failures: [] };
  const pairs = listPairs(estate, cleaning);
  for (const pair of pairs) {
    await attempt(cleaning, () => reconcilePair(cleaning, pair));
    await attempt(cleaning, () => releaseOfPair(cleaning, pair));
  }
  const [first] = pairs;
  if (first) await attempt(cleaning, () => sweep(cleaning, first));
  const { items, braked, stopped, failures } = cleaning;
  return { items, braked, stopped, failures };
}

function listPairs({ organizations, clock, log }: Estate, { registry, request, failures }: Cleaning): Pair[] {
  const pairings = listPairings(request.configuration, request.organizations);
  return pairings.flatMap(({ registry: { name }, organization: { url }, rules }) => {
    if (name !== registry.name) return [];
    const organization = organizations.find(each => each.name === url);
    if (!organization)
      failures.push(`${name}: nobody is signed in to ${url}, so nothing was done on its builds' account.`);
    if (!organization) return [];
    const { azureDevOps } = organization;
    return { rules, organization, surroundings: { registry: registry.registry, azureDevOps, clock, log } };
  });
}

/** What fails of one step does not hold up the others: each has its own questions. */
async function attempt(cleaning: Cleaning, work: () => Promise<void>): Promise<void> {
  const { registry, common, braked, stopped, failures } = cleaning;
  common.signal?.throwIfAborted();
  if (common.until?.()) {
    const told = `${registry.name}: the time was over before all was begun. The next run does the rest.`;
    if (!stopped.includes(told)) stopped.push(told);
    return;
  }
  try {
    await work();
  } catch (thrown) {
    common.signal?.throwIfAborted();
    if (hasCode(thrown, 'DEFECT') || !(thrown instanceof AppError)) throw thrown;
    (hasCode(thrown, 'BRAKE') ? braked : failures).push(`${registry.name}: ${errorMessage(thrown)}`);
  }
}

async function reconcilePair(cleaning: Cleaning, { surroundings, rules, organization }: Pair): Promise<void> {
  const { registry, request, common, items, braked, stopped } = cleaning;
  const approved = request.approved && releasesOf(request.approved, registry.name, organization);
  const report = await reconcile(surroundings, rules, { ...common, ...(approved && { approved }) });
  items.push(...report.items.map(item => toCleanItem(registry, organization, item)));
  if (report.braked !== undefined) braked.push(`${registry.name}: ${report.braked}`);
  if (report.stopped !== undefined) stopped.push(`${registry.name}: ${report.stopped}`);
}

async function releaseOfPair(cleaning: Cleaning, { surroundings, rules, organization }: Pair): Promise<void> {
  const { registry, request, common } = cleaning;
  const { facts, departure, configuration, organizations } = request;
  const own = departure.leaving.filter(
    ({ cause, place }) => cause === 'withoutRecord' && place.home.registry === registry.name,
  );
  const find = findByTag(facts);
  const builds = listUnrecordedBuilds(
    own.map(each => each.place),
    find,
    organization,
  );
  if (builds.length === 0) return;
  // Nothing is let through that was not approved, so each of these builds was.
  const release = builds.map(each => ({ ...each, images: each.places.length }));
  const approved = request.approved && { release, collect: [] };
  const tombstones = await Promise.all(rules.projects.map(each => listTombstones(registry.registry, each.projectId)));
  const run = startRun({
    surroundings,
    rules,
    request: { ...common, ...(approved && { approved }) },
    collectionId: await readCollectionId(surroundings),
    known: { tombstones: tombstones.flat(), builds: countBuilds(cleaning, organization, find) },
    report: item => cleaning.items.push(toCleanItem(registry, organization, item)),
  });
  const planRules = toPlanRules(configuration, organizations);
  await ended(cleaning, run, () => releaseUnrecorded(run, { rules: planRules, facts, organization, builds, find }));
}

async function sweep(cleaning: Cleaning, { surroundings, rules, organization }: Pair): Promise<void> {
  const { registry, request, common } = cleaning;
  const { departure, configuration, approved } = request;
  const { untagged } = configuration.delete;
  if (!untagged) return;
  const isOwn = ({ home }: { readonly home: { readonly registry: string } }): boolean =>
    home.registry === registry.name;
  // Of the registry's time alone is anything asked here; Azure DevOps is heard only where it contradicts it.
  const run = startRun({
    surroundings,
    rules,
    request: common,
    collectionId: '',
    known: { tombstones: [], builds: 0 },
    report: item => cleaning.items.push(toCleanItem(registry, organization, item)),
  });
  const homes = chooseUntagged(departure.leaving.filter(({ place }) => isOwn(place)));
  const images = departure.places.filter(isOwn).length;
  const limit = configuration.brake.deleted;
  const isApproved = approved !== undefined;
  const { olderThan: olderThanMs } = untagged;
  const projects = projectIds(request);
  const recordPlaces = factsOf(registry, request)?.recordPlaces;
  const untaggedSweep = { homes, olderThanMs, images, limit, isApproved, projects, recordPlaces };
  await ended(cleaning, run, () => sweepUntagged(run, untaggedSweep));
}

/** Every project of the configuration, of whichever organization. */
function projectIds({ organizations }: CarryOutRequest): string[] {
  return organizations.flatMap(each => each.projects.map(({ id }) => id));
}

function factsOf({ name }: EstateRegistry, { facts }: CarryOutRequest): RegistryFacts | undefined {
  return facts.registries.find(each => each.name === name);
}

/** Tells of a run whose time was over. */
async function ended({ registry, stopped }: Cleaning, run: Run, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } finally {
    const told = run.timeBox.told();
    if (told !== undefined) stopped.push(`${registry.name}: ${told}`);
  }
}

/** How many builds of the organization have left something in the registry, by records or tags: what a share is taken of. */
function countBuilds({ registry, request }: Cleaning, { name }: EstateOrganization, find: FindByTag): number {
  const { departure } = request;
  const seen = new Set<string>();
  for (const { home, records, image } of departure.places) {
    if (home.registry !== registry.name) continue;
    const byTag = records.length > 0 ? [] : image.tags.flatMap(tag => find(tag.name).map(each => each.name));
    for (const build of [...records.map(each => each.record.build), ...byTag]) {
      if (build.organization === name) seen.add(`${build.project}/${build.id}`);
    }
  }
  return seen.size;
}

function toCleanItem({ name }: EstateRegistry, organization: EstateOrganization, item: ReportItem): CleanItem {
  const { subject, outcome, reason, projectId, buildId } = item;
  const project = organization.projects.find(each => each.id === projectId)?.name ?? projectId;
  const build = buildId > 0 ? { organization: organization.name, project, id: buildId } : undefined;
  return { registry: name, build, subject, outcome, reason };
}
