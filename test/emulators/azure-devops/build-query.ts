/**
 * The list of builds: filters, order and pages. Enums come as camelCase strings (REST) and as integers (node-api).
 * https://learn.microsoft.com/rest/api/azure/devops/build/builds/list
 */
import { failure, type Reply } from './http.ts';
import type { Build, World } from './world.ts';

const deletedFilters = { excludeDeleted: 0, includeDeleted: 1, onlyDeleted: 2 } as const;
const orders = {
  finishTimeAscending: 2,
  finishTimeDescending: 3,
  queueTimeDescending: 4,
  queueTimeAscending: 5,
  startTimeDescending: 6,
  startTimeAscending: 7,
} as const;
const statuses = {
  none: 0,
  inProgress: 1,
  completed: 2,
  cancelling: 4,
  postponed: 8,
  notStarted: 32,
  all: 47,
} as const;
const results = { none: 0, succeeded: 2, partiallySucceeded: 4, failed: 8, canceled: 32 } as const;
/** Filters that this emulator does not know: refused, never ignored in silence. */
const unsupported = ['queues', 'requestedfor', 'reasonfilter', 'properties', 'repositoryid', 'repositorytype'];
/** What the answer may be narrowed by beside `buildIds`. */
const narrowing = [
  'definitions',
  'statusfilter',
  'resultfilter',
  'tagfilters',
  'mintime',
  'maxtime',
  'buildnumber',
  'branchname',
  'maxbuildsperdefinition',
  'continuationtoken',
  'queryorder',
  '$top',
];

type Query = ReadonlyMap<string, string>;

/** One page, and where the next one starts. */
export interface Page {
  readonly builds: readonly Build[];
  readonly continuationToken?: string | undefined;
}

/** Gives the page that `query` asks for among `candidates`, or the 400 that it earns. */
export function queryBuilds(world: World, candidates: readonly Build[], query: Query): Page | Reply {
  try {
    const foreign = unsupported.find(name => query.has(name));
    if (foreign !== undefined)
      return failure(400, 'EmulatorException', `The emulator does not know the filter ${foreign}.`);
    return query.has('buildids') ? queryByIds(world, candidates, query) : queryByFilter(world, candidates, query);
  } catch (error) {
    return failure(400, 'InvalidBuildQueryException', (error as Error).message);
  }
}

/** Undocumented how `buildIds` combines; `world.behaviour` holds both readings. */
function queryByIds(world: World, candidates: readonly Build[], query: Query): Page {
  const ids = new Set(readIds(query, 'buildids'));
  const { combinedFilters, bareBuildIdsGiveDeleted } = world.behaviour;
  let deleted = readEnum(query, 'deletedfilter', deletedFilters) ?? (bareBuildIdsGiveDeleted ? 1 : 0);
  if (combinedFilters === 'refused') {
    const other = narrowing.find(name => query.has(name));
    if (other !== undefined || deleted === 2) {
      throw new Error('The buildIds parameter cannot be combined with other filters.');
    }
  } else {
    deleted = bareBuildIdsGiveDeleted ? 1 : 0;
  }
  return { builds: candidates.filter(build => ids.has(build.id) && wanted(build, deleted)) };
}

function queryByFilter(world: World, candidates: readonly Build[], query: Query): Page {
  const status = readEnum(query, 'statusfilter', statuses);
  const order = readEnum(query, 'queryorder', orders) ?? (status === statuses.completed ? 3 : 4);
  const key = sortKey(order);
  const filters = [...readFilters(query), ...readTimes(query, key)];
  const found = candidates.filter(build => filters.every(passes => passes(build)));
  const ascending = order === 2 || order === 5 || order === 7;
  const sign = ascending ? 1 : -1;
  found.sort((a, b) => sign * ((key(a) ?? 0) - (key(b) ?? 0)) || sign * (a.id - b.id));
  return paginate(limitPerDefinition(found, query), query, {
    key,
    ascending,
    completed: status === statuses.completed,
    largest: world.behaviour.largestPage,
  });
}

type Filter = (build: Build) => boolean;

function readFilters(query: Query): Filter[] {
  const deleted = readEnum(query, 'deletedfilter', deletedFilters) ?? 0;
  const status = readEnum(query, 'statusfilter', statuses);
  const result = readEnum(query, 'resultfilter', results);
  const number = query.get('buildnumber');
  const branch = query.get('branchname');
  const tags = query.get('tagfilters')?.split(',') ?? [];
  const filters: Filter[] = [build => wanted(build, deleted), build => tags.every(tag => build.tags.includes(tag))];
  if (query.has('definitions')) {
    const definitions = new Set(readIds(query, 'definitions'));
    filters.push(build => definitions.has(build.definitionId));
  }
  if (status !== undefined) filters.push(build => (statuses[build.status] & status) !== 0);
  if (result !== undefined) filters.push(build => (results[build.result ?? 'none'] & result) !== 0);
  if (number !== undefined) filters.push(build => matchesNumber(build.number, number));
  if (branch !== undefined) filters.push(build => build.sourceBranch === branch);
  return filters;
}

/** The times act on whatever the list is ordered by. */
function readTimes(query: Query, key: (build: Build) => number | undefined): Filter[] {
  const [from, to] = [readTime(query, 'mintime'), readTime(query, 'maxtime')];
  if (from === undefined && to === undefined) return [];
  return [
    build => {
      const at = key(build);
      return at !== undefined && at >= (from ?? at) && at <= (to ?? at);
    },
  ];
}

interface Paging {
  readonly key: (build: Build) => number | undefined;
  readonly ascending: boolean;
  readonly completed: boolean;
  readonly largest: number;
}

/**
 * A token is the time of the next build, is given only for completed builds without a limit per definition, and is
 * ignored otherwise, so that a wrong combination starts again at the first page.
 */
function paginate(builds: readonly Build[], query: Query, { key, ascending, completed, largest }: Paging): Page {
  const asked = readNumber(query, '$top') ?? 1000;
  if (asked < 1 || asked > 5000) throw new Error('The value of $top must be between 1 and 5000.');
  const top = Math.min(asked, largest);
  const pageable = completed && !query.has('maxbuildsperdefinition');
  const token = pageable ? readTime(query, 'continuationtoken') : undefined;
  const after = (build: Build): boolean => {
    const at = key(build) ?? 0;
    return token === undefined || (ascending ? at >= token : at <= token);
  };
  const rest = token === undefined ? builds : builds.filter(after);
  const next = pageable ? rest[top] : undefined;
  const at = next === undefined ? undefined : key(next);
  return { builds: rest.slice(0, top), continuationToken: at === undefined ? undefined : new Date(at).toISOString() };
}

function limitPerDefinition(builds: readonly Build[], query: Query): readonly Build[] {
  const limit = readNumber(query, 'maxbuildsperdefinition');
  if (limit === undefined) return builds;
  const seen = new Map<number, number>();
  return builds.filter(build => {
    const count = (seen.get(build.definitionId) ?? 0) + 1;
    seen.set(build.definitionId, count);
    return count <= limit;
  });
}

function sortKey(order: number): (build: Build) => number | undefined {
  if (order === 4 || order === 5) return build => build.queueTime;
  return order === 6 || order === 7 ? build => build.startTime : build => build.finishTime;
}

function wanted(build: Build, deletedFilter: number): boolean {
  return deletedFilter === 1 || (build.deleted !== undefined) === (deletedFilter === 2);
}

function matchesNumber(number: string, pattern: string): boolean {
  return pattern.endsWith('*') ? number.startsWith(pattern.slice(0, -1)) : number === pattern;
}

/** Accepts a name in any case, or the integer that node-api sends. */
function readEnum(query: Query, name: string, values: Readonly<Record<string, number>>): number | undefined {
  const text = query.get(name);
  if (text === undefined || text === '') return undefined;
  const named = Object.entries(values).find(([key]) => key.toLowerCase() === text.toLowerCase());
  if (named !== undefined) return named[1];
  const number = Number(text);
  if (Object.values(values).includes(number)) return number;
  throw new Error(`The value '${text}' is not valid for ${name}.`);
}

function readIds(query: Query, name: string): number[] {
  const parts = (query.get(name) ?? '').split(',').filter(part => part !== '');
  if (!parts.every(part => /^\d+$/.test(part))) throw new Error(`The value of ${name} must be a list of integers.`);
  return parts.map(Number);
}

function readNumber(query: Query, name: string): number | undefined {
  const text = query.get(name);
  if (text === undefined) return undefined;
  if (!/^-?\d+$/.test(text)) throw new Error(`The value of ${name} must be an integer.`);
  return Number(text);
}

function readTime(query: Query, name: string): number | undefined {
  const text = query.get(name);
  if (text === undefined) return undefined;
  const at = Date.parse(text);
  if (Number.isNaN(at)) throw new Error(`The value of ${name} must be a time.`);
  return at;
}
