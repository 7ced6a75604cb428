/** What it costs to find which builds are gone, against listing every tag and manifest of the registry. */
import { listManifests } from '../../core/acr/listings.ts';
import { listRepositories } from '../../core/oci/catalog.ts';
import { openRepository } from '../../core/oci/repository.ts';
import { listTags } from '../../core/oci/tags.ts';
import { day, type Estate, startEstate } from '../../test/core/lifecycle/estate.ts';
import type { ClientResult, RunClient } from './client.ts';
import { orderFor } from './order.ts';
import { type RecordedWorld, seedBuilds } from './recorded-world.ts';
import { clearLogs, countBy, sumOf, type Tally } from './tally.ts';

/** Requests of one run, by where they went. */
export interface Asked {
  readonly registry: Tally;
  readonly azure: Tally;
}

/** What was counted. */
export interface ReconcileFigures {
  /** Until the builds that are gone are known. */
  readonly find: Asked;
  /** The whole run that released them, finding included. */
  readonly release: Asked;
  /** A run after it in which nothing changed. */
  readonly second: Asked;
  /** Listing every tag and manifest, a thousand on a page. */
  readonly listing: Tally;
  readonly clients: readonly ClientResult[];
}

/** Finds, releases, and runs again. Throws unless exactly the builds that are gone were released. */
export async function measureReconcile(world: RecordedWorld, run: RunClient): Promise<ReconcileFigures> {
  const estate = await startEstate();
  try {
    const old = estate.acr.clock.now() - 60 * day;
    const places = seedBuilds(estate, world, () => old);
    const order = orderFor(estate);
    clearLogs(estate);
    await listEverything(estate);
    const listing = askedOf(estate).registry;
    const [found, listed] = await count(estate, () => run({ ...order, findOnly: true }));
    const [released, release] = await count(estate, () => run(order));
    const find = { registry: listed.registry, azure: findingOf(release.azure) };
    const [again, second] = await count(estate, () => run(order));
    const left = [...places.keys()].filter((id, at) => at < world.gone && isTagged(estate, id, places));
    if (released.braked || left.length > 0 || released.outcomes['released'] !== world.gone * world.images) {
      throw new Error(`${left.length} builds kept their tags: ${JSON.stringify(released.outcomes)}`);
    }
    return { find, release, second, listing, clients: [found, released, again] };
  } finally {
    await estate.close();
  }
}

/** A run whose time is over asks for no builds, so these are counted where they are asked for: of each build's evidence apart. */
function findingOf(azure: Tally): Tally {
  return Object.fromEntries(Object.entries(azure).filter(([operation]) => operation !== 'builds.get'));
}

async function count<T>(estate: Estate, work: () => Promise<T>): Promise<[T, Asked]> {
  clearLogs(estate);
  const result = await work();
  return [result, askedOf(estate)];
}

function askedOf({ acr, ado }: Estate): Asked {
  return {
    registry: countBy(acr.requests.all(), each => each.operation),
    azure: countBy(ado.requests.entries, each => each.operation),
  };
}

/** As whoever has no records must: `acr purge --untagged` asks the same, and for each manifest besides. */
async function listEverything(estate: Estate): Promise<void> {
  const registry = estate.connect();
  for (const name of await listRepositories(registry)) {
    if (name.startsWith('image-lifecycle/')) continue;
    const repository = openRepository(registry, name, ['pull', 'metadata_read']);
    await listTags(repository);
    await listManifests(repository);
  }
}

function isTagged(estate: Estate, id: number, places: ReadonlyMap<number, readonly string[]>): boolean {
  return (places.get(id) ?? []).some(place => estate.acr.world.has(place.split('@')[0] ?? '', String(id)));
}

/** The figures as the bench prints them. */
export function reconcileLine({ find, second, listing, clients }: ReconcileFigures) {
  const [registryRequests, azureRequests] = [sumOf(find.registry), sumOf(find.azure)];
  return {
    registryRequests,
    azureRequests,
    ratio: Math.round(((registryRequests + azureRequests) / sumOf(listing)) * 1000) / 1000,
    rssMB: Math.max(...clients.map(each => each.rssMB)),
    second: sumOf(second.registry) + sumOf(second.azure),
  };
}
