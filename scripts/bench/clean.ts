/** What a whole run of CleanImages takes, against the time that the registry's own budgets make it take. */
import { day, type Estate, hour, startEstate } from '../../test/core/lifecycle/estate.ts';
import type { LoggedRequest, OperationClass } from '../../test/emulators/acr/request-log.ts';
import type { ClassBudgets } from '../../test/emulators/acr/throttle.ts';
import type { AcrPurge, PurgeResult } from './acr-purge.ts';
import type { CleanOrder, CleanResult, RunClean } from './clean-client.ts';
import { deleteBuilds } from './dead-builds.ts';
import { type MadePlaces, type RecordedWorld, seedBuilds } from './recorded-world.ts';
import { clearLogs, countBy, sumOf, type Tally, tallyAll } from './tally.ts';

/** The registry, and how it is reached. */
export interface CleanWorld extends RecordedWorld {
  /** Milliseconds that each answer takes besides. */
  readonly latencyMs: number;
  readonly budgets: ClassBudgets & { readonly windowMs: number };
}

/** One run. */
export interface CleanRun {
  readonly requests: Tally;
  /** Answers 429, by class of operation. */
  readonly throttled: Tally;
  /** The least seconds that the budgets leave to each step: to look, to take tags off, to delete. */
  readonly floors: readonly number[];
  readonly client: CleanResult;
}

/** What was counted. */
export interface CleanFigures {
  /** Half of the builds that are gone were released by a run before, and half went since. */
  readonly whole: CleanRun;
  /** The run after it, in which nothing changed. */
  readonly second: CleanRun;
  readonly deleted: number;
}

/**
 * Cleans what half of the builds that are gone left, beside the release of the other half, and then once more. Throws
 * unless exactly these images went.
 */
export async function measureClean(world: CleanWorld, run: RunClean): Promise<CleanFigures> {
  const estate = await startEstate();
  try {
    const half = Math.floor(world.gone / 2);
    const old = estate.acr.clock.now() - 60 * day;
    const places = seedBuilds(estate, { ...world, gone: half }, () => old);
    await run(orderFor(estate));
    estate.advance(day + hour);
    deleteBuilds(estate, [...places.keys()].slice(half, world.gone));
    estate.acr.faults.add({}, { kind: 'slow', ms: world.latencyMs });
    const whole = await runOnce(estate, world, run);
    const deleted = checkGone(estate, places, half, world);
    return { whole, second: await runOnce(estate, world, run), deleted };
  } finally {
    await estate.close();
  }
}

function orderFor({ acr, ado, projectId }: Estate): CleanOrder {
  return {
    registry: { host: acr.host, ca: acr.ca },
    azureDevOps: { url: ado.url, releaseUrl: ado.releaseUrl, token: ado.token },
    projectId,
  };
}

/** What the peer did to a world of the same size, in which as many images are old enough. */
export interface PurgeFigures {
  readonly requests: Tally;
  readonly throttled: Tally;
  readonly floor: number;
  readonly deleted: number;
  readonly result: PurgeResult;
}

/** Lets the peer delete by age what we delete by builds: the images of half of the builds that are gone. */
export async function measurePurge(world: CleanWorld, purge: AcrPurge): Promise<PurgeFigures> {
  const estate = await startEstate();
  try {
    const half = Math.floor(world.gone / 2);
    const now = estate.acr.clock.now();
    const places = seedBuilds(estate, { ...world, gone: 0 }, ordinal => now - (ordinal < half ? 60 : 1) * day);
    estate.acr.faults.add({}, { kind: 'slow', ms: world.latencyMs });
    estate.acr.setBudgets(world.budgets);
    clearLogs(estate);
    const result = await purge({ host: estate.acr.host, ca: estate.acr.ca, days: 30 });
    const asked = estate.acr.requests.all();
    const throttled = asked.filter(each => each.status === 429);
    const old = [...places.values()].slice(0, half).flat();
    return {
      requests: countBy(asked, each => each.operation),
      throttled: countBy(throttled, each => each.operationClass),
      floor: floorOf(
        asked.filter(each => each.status !== 429),
        world.budgets,
      ),
      deleted: old.filter(place => !isThere(estate, place)).length,
      result,
    };
  } finally {
    await estate.close();
  }
}

function isThere({ acr }: Estate, place: string): boolean {
  const [repository = '', digest = ''] = place.split('@');
  return acr.world.has(repository, digest);
}

async function runOnce(estate: Estate, { budgets }: CleanWorld, run: RunClean): Promise<CleanRun> {
  clearLogs(estate);
  estate.acr.setBudgets(budgets);
  const client = await run(orderFor(estate));
  if (client.problems.length > 0) throw new Error(client.problems.join('; '));
  const asked = estate.acr.requests.all();
  const throttled = countBy(
    asked.filter(each => each.status === 429),
    each => each.operationClass,
  );
  return { requests: tallyAll(estate), throttled, floors: stepsOf(asked).map(step => floorOf(step, budgets)), client };
}

/** Each step must be whole before the next begins: the plan before a tag comes off, the brake's count before a deletion. */
function stepsOf(asked: readonly LoggedRequest[]): LoggedRequest[][] {
  const answered = asked.filter(each => each.status !== 429);
  const firstOf = (operation: string): number => {
    const at = answered.findIndex(each => each.operation === operation);
    return at < 0 ? answered.length : at;
  };
  const release = Math.min(firstOf('manifest.put'), firstOf('tag.delete'));
  const collect = Math.max(release, firstOf('referrers.list'));
  return [answered.slice(0, release), answered.slice(release, collect), answered.slice(collect)];
}

/** By the class whose budget lasts least: the first window's is there at once, and each further one's when it begins. */
function floorOf(step: readonly LoggedRequest[], budgets: CleanWorld['budgets']): number {
  const windows = Object.entries(countBy(step, each => each.operationClass)).map(([name, count]) => {
    const budget = budgets[name as Exclude<OperationClass, 'Data'>];
    return budget === undefined ? 0 : Math.ceil(count / budget) - 1;
  });
  return (Math.max(0, ...windows) * budgets.windowMs) / 1000;
}

function checkGone(estate: Estate, places: MadePlaces, half: number, world: CleanWorld): number {
  const all = [...places.values()];
  const left = all
    .slice(0, half)
    .flat()
    .filter(place => isThere(estate, place)).length;
  const harmed = all
    .slice(half)
    .flat()
    .filter(place => !isThere(estate, place)).length;
  if (left > 0 || harmed > 0) throw new Error(`${left} images are left, and ${harmed} are gone that should not be`);
  return half * world.images;
}

/** The figures as the bench prints them. */
export function cleanLine({ whole, second }: CleanFigures, images: number) {
  const floor = whole.floors.reduce((sum, each) => sum + each, 0);
  return {
    floor: Math.round((whole.client.seconds / floor) * 100) / 100,
    requestsPerImage: Math.round((sumOf(whole.requests) / images) * 100) / 100,
    second: second.client.seconds,
    rssMB: Math.max(whole.client.rssMB, second.client.rssMB),
  };
}
