/** Switches that make the registry misbehave for the requests that match. */

import type { Repository } from './repository.ts';
import type { LoggedRequest } from './request-log.ts';
import type { World } from './world.ts';

/** Which requests; every field given must hold. */
export interface FaultMatch {
  readonly operation?: string | readonly string[];
  readonly method?: string;
  /** Tested against the decoded path with its query. */
  readonly path?: RegExp | string;
  readonly repository?: string;
  readonly identity?: string;
  /** The first matching request that is hit, from 1; one request only, unless `count` says otherwise. */
  readonly nth?: number;
  /** How many requests are hit; all of them when neither this nor `nth` is given. */
  readonly count?: number;
}

/** What happens to a request that is hit. */
export type FaultEffect =
  /** An answer of its own; with `processed` the request takes effect first. */
  | { readonly kind: 'status'; readonly status: number; readonly retryAfter?: number; readonly processed?: boolean }
  /** The connection ends: before the request takes effect, after it did, or in the middle of the answer's body. */
  | { readonly kind: 'cut'; readonly when: 'before' | 'after' | 'body' }
  | { readonly kind: 'slow'; readonly ms: number }
  /** Listings (and counts) show the world as it was when the fault was added. */
  | { readonly kind: 'stale' }
  /** Listings leave these tags or digests out. */
  | { readonly kind: 'hide'; readonly names: readonly string[] }
  /** A page names no next one although there is more. */
  | { readonly kind: 'truncated' }
  /** Tags are listed in the order of time, newest first. */
  | { readonly kind: 'unsorted' }
  /** A page starts at the beginning again, whatever was asked. */
  | { readonly kind: 'repeated' }
  /** Digest headers of the answer name `digest`. */
  | { readonly kind: 'wrong-digest'; readonly digest?: string }
  /** One byte of the answer's body is another. */
  | { readonly kind: 'corrupt' }
  /** The body is another, as where a proxy in between asks to sign in. */
  | { readonly kind: 'replaced'; readonly body: string };

/** What listings must do differently for one request. */
export interface Distortion {
  readonly frozen?: ReadonlyMap<string, Repository>;
  readonly hidden: ReadonlySet<string>;
  readonly truncated: boolean;
  readonly unsorted: boolean;
  readonly repeated: boolean;
}

/** One fault that was added. */
export interface FaultHandle {
  readonly id: number;
  /** Requests hit so far. */
  hits(): number;
  remove(): void;
}

/** Sees each request before it takes effect and after it did, and may end the connection there. */
export type Intercept = (
  request: LoggedRequest,
  phase: 'before' | 'after',
) => 'proceed' | 'cut' | Promise<'proceed' | 'cut'>;

/** The switches of one emulator. */
export interface Faults {
  add(match: FaultMatch, effect: FaultEffect): FaultHandle;
  remove(id: number): void;
  /** Removes every fault and the interception. */
  clear(): void;
  intercept?: Intercept | undefined;
}

/** The emulator's own side. */
export interface FaultSource extends Faults {
  /** The effects that hit this request, counting it. */
  select(request: LoggedRequest): ActiveEffect[];
}

/** An effect, with what was remembered when it was added. */
export interface ActiveEffect {
  readonly effect: FaultEffect;
  readonly frozen?: ReadonlyMap<string, Repository>;
}

interface Fault extends ActiveEffect {
  readonly id: number;
  readonly match: FaultMatch;
  seen: number;
  hits: number;
}

function pathWithQuery(request: LoggedRequest): string {
  const query = Object.entries(request.query).map(([name, value]) => `${name}=${value}`);
  return query.length === 0 ? request.path : `${request.path}?${query.join('&')}`;
}

function matches(match: FaultMatch, request: LoggedRequest): boolean {
  const operations = match.operation === undefined ? undefined : [match.operation].flat();
  return (
    (operations === undefined || operations.includes(request.operation)) &&
    (match.method === undefined || match.method === request.method) &&
    (match.repository === undefined || match.repository === request.repository) &&
    (match.identity === undefined || match.identity === request.identity) &&
    (match.path === undefined || new RegExp(match.path).test(pathWithQuery(request)))
  );
}

/** Counts a matching request and tells whether it is one of those that are hit. */
function isHit(fault: Fault): boolean {
  fault.seen += 1;
  const { nth = 1, count = fault.match.nth === undefined ? Number.POSITIVE_INFINITY : 1 } = fault.match;
  const hit = fault.seen >= nth && fault.seen < nth + count;
  if (hit) fault.hits += 1;
  return hit;
}

/** Makes switches that are all off. */
export function createFaults(world: World): FaultSource {
  let faults: Fault[] = [];
  let lastId = 0;
  const source: FaultSource = {
    add: (match, effect) => {
      lastId += 1;
      const id = lastId;
      const frozen = effect.kind === 'stale' ? { frozen: world.freeze() } : {};
      const fault: Fault = { id, match, effect, seen: 0, hits: 0, ...frozen };
      faults.push(fault);
      return { id, hits: () => fault.hits, remove: () => source.remove(id) };
    },
    remove: id => {
      faults = faults.filter(fault => fault.id !== id);
    },
    clear: () => {
      faults = [];
      source.intercept = undefined;
    },
    select: request => faults.filter(fault => matches(fault.match, request) && isHit(fault)),
  };
  return source;
}

/** What the effects on one request ask of its listing. */
export function readDistortion(effects: readonly ActiveEffect[]): Distortion {
  const has = (kind: FaultEffect['kind']): boolean => effects.some(({ effect }) => effect.kind === kind);
  const frozen = effects.find(({ effect }) => effect.kind === 'stale')?.frozen;
  const hidden = effects.flatMap(({ effect }) => (effect.kind === 'hide' ? effect.names : []));
  return {
    ...(frozen === undefined ? {} : { frozen }),
    hidden: new Set(hidden),
    truncated: has('truncated'),
    unsorted: has('unsorted'),
    repeated: has('repeated'),
  };
}

/** The first effect of a kind, typed. */
export function findEffect<K extends FaultEffect['kind']>(
  effects: readonly ActiveEffect[],
  kind: K,
): Extract<FaultEffect, { kind: K }> | undefined {
  return effects.find(({ effect }) => effect.kind === kind)?.effect as Extract<FaultEffect, { kind: K }> | undefined;
}
