/**
 * What notifications suggested to look at and no run has looked at yet. In memory: a hint that is lost with the process
 * makes nothing wrong, only later, because the reconciliation at start finds everything.
 */
import type { BuildKey } from '../core/lifecycle/rules.ts';

/** Hints that one run takes on. `whole` asks for every build, and so covers `builds`. */
export interface HintBatch {
  readonly whole: boolean;
  readonly builds: readonly BuildKey[];
}

/** A set of hints: the same one twice is one, and their order means nothing. */
export interface Hints {
  /** Suggests one build. Beyond the bound it becomes a suggestion to look at everything. */
  addBuild(build: BuildKey): void;
  /** Suggests to look at everything. */
  addWhole(): void;
  /** Puts back what a run has failed at, to be tried from `notBefore` on. */
  postpone(batch: HintBatch, notBefore: number): void;
  /** When there is something to take: -Infinity is now, Infinity is never. */
  dueAt(): number;
  /** Gives and forgets what is due at `now`; what is whole takes everything with it. */
  take(now: number): HintBatch;
  /** Builds that are held. */
  size(): number;
}

/** Builds that are held for one registry and organization before a hint degrades. */
export const maxHints = 10_000;

interface Held {
  readonly builds: Map<string, BuildKey>;
  whole: boolean;
}

/** Makes an empty set. `onDue` is called when a hint comes while none was due. */
export function createHints(onDue: () => void, most: number = maxHints): Hints {
  const fresh: Held = { builds: new Map(), whole: false };
  const postponed: Held = { builds: new Map(), whole: false };
  let notBefore = 0;
  const has = (held: Held): boolean => held.whole || held.builds.size > 0;

  function add(held: Held, builds: readonly BuildKey[], whole: boolean): void {
    for (const build of held.whole ? [] : builds) held.builds.set(`${build.projectId}/${build.buildId}`, build);
    held.whole ||= whole || held.builds.size > most;
    if (held.whole) held.builds.clear();
  }
  function addFresh(builds: readonly BuildKey[], whole: boolean): void {
    const waiting = has(fresh);
    add(fresh, builds, whole);
    if (!waiting) onDue();
  }
  function empty(held: Held): HintBatch {
    const batch = { whole: held.whole, builds: [...held.builds.values()] };
    held.whole = false;
    held.builds.clear();
    return batch;
  }

  return {
    addBuild: build => addFresh([build], false),
    addWhole: () => addFresh([], true),
    postpone: (batch, time) => {
      add(postponed, batch.builds, batch.whole);
      notBefore = time;
    },
    dueAt: () => {
      if (has(fresh)) return Number.NEGATIVE_INFINITY;
      return has(postponed) ? notBefore : Number.POSITIVE_INFINITY;
    },
    take: now => {
      if (fresh.whole || notBefore <= now) {
        const again = empty(postponed);
        add(fresh, again.builds, again.whole);
      }
      return empty(fresh);
    },
    size: () => fresh.builds.size + postponed.builds.size,
  };
}
