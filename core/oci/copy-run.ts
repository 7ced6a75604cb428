/**
 * One copying of any number of images to one registry: how much at one time, what is known already, and the failure that
 * ends all of it.
 */
import type { Clock } from '../base/clock.ts';
import { createLimit, type Limit } from '../base/concurrency.ts';
import { type Logger, silentLog } from '../base/log.ts';
import { type CopyProgress, createTally, type Tally } from './copy-progress.ts';
import type { Digest } from './digest.ts';
import type { Manifest } from './manifest.ts';
import type { Repository } from './repository.ts';

/** How to copy. */
export interface CopyOptions {
  readonly log?: Logger;
  /** For the rate. */
  readonly clock?: Clock;
  /** Looks and counts, and changes nothing. */
  readonly dryRun?: boolean;
  /** Called at every change, so it must be quick. */
  readonly onProgress?: (progress: CopyProgress) => void;
}

/** One copying of any number of images to one registry: what they share is moved once. Ends with its first failure. */
export interface CopyRun {
  readonly dryRun: boolean;
  readonly log: Logger;
  readonly tally: Tally;
  /** Bounds the requests at one time; refuses to begin another once something failed. Never call it within itself. */
  readonly request: Limit;
  /** The same for lists of referrers, of which Azure allows few. */
  readonly list: Limit;
  /** The same for blobs of more than {@link largeBytes}. */
  readonly stream: Limit;
  /** Makes this failure the run's, so that nothing else is begun; gives it back. */
  fail<E>(thrown: E): E;
  /** Large blobs on their way, which a failure gives up: they may take minutes. */
  readonly streams: Set<AbortController>;
  /** By `source@digest`. */
  readonly manifests: Map<string, Promise<Manifest | undefined>>;
  /** Bytes of those manifests, which are kept until the run is over. */
  readonly kept: { bytes: number };
  /** By `target@digest`: what was brought, or is on its way. */
  readonly brought: Map<string, Promise<void>>;
  /** Bytes of the manifests that were brought, by digest. */
  readonly sizes: Map<Digest, number>;
  /** By `target:tag`: changes of it, one at a time. */
  readonly turns: Map<string, Limit>;
  /** By host of a target: whether it has the referrers API. */
  readonly api: Map<string, Promise<boolean>>;
  /** By digest: the first place in the target's registry that has the blob. */
  readonly blobs: Map<Digest, { readonly size: number; readonly at: Repository; readonly moved: Promise<void> }>;
}

const requestsAtOnce = 24;
const listsAtOnce = 4;
/** More large streams at one time only share the same line. */
const streamsAtOnce = 4;
/** From so many bytes on a blob is a stream of its own. */
export const largeBytes = 1024 * 1024;

/** Makes a run. */
export function createCopyRun(options: CopyOptions = {}): CopyRun {
  const streams = new Set<AbortController>();
  let failure: { readonly thrown: unknown } | undefined;
  const fail = <E>(thrown: E): E => {
    failure ??= { thrown };
    for (const each of streams) each.abort(thrown);
    return thrown;
  };
  const bounded = (atOnce: number): Limit => {
    const limit = createLimit(atOnce);
    return work =>
      limit(async () => {
        if (failure) throw failure.thrown as Error;
        return work().catch((thrown: unknown) => {
          fail(thrown);
          // What ended with the run tells of nothing new.
          throw failure?.thrown as Error;
        });
      });
  };
  return {
    dryRun: options.dryRun ?? false,
    log: options.log ?? silentLog,
    tally: createTally(options.onProgress, options.clock),
    request: bounded(requestsAtOnce),
    list: bounded(listsAtOnce),
    stream: bounded(streamsAtOnce),
    fail,
    streams,
    manifests: new Map(),
    kept: { bytes: 0 },
    brought: new Map(),
    sizes: new Map(),
    turns: new Map(),
    api: new Map(),
    blobs: new Map(),
  };
}

/** The work that is known under `key`, or begun now. */
export function once<K, V>(known: Map<K, Promise<V>>, key: K, work: () => Promise<V>): Promise<V> {
  const running = known.get(key) ?? work();
  known.set(key, running);
  return running;
}
