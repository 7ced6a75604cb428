/** The time that a run may take: when it is over nothing new is begun, and the run tells how far it came. Pure. */

/** What a run counts, for that sentence. */
export type Work = 'builds' | 'repositories';

/** Asked before anything new is begun. */
export interface TimeBox {
  /** Whether the time is over. Once it was, it stays so: whoever left something out may count on the others to do so too. */
  isOver(): boolean;
  /** Tells that there is so much to do. */
  expect(work: Work, count: number): void;
  /** Tells that one piece is done; once the time is over none counts, as something may have been left out of it. */
  finish(work: Work): void;
  /** How far the run came, as a sentence; undefined where it was never told that the time is over. */
  told(): string | undefined;
}

/** Makes the time box of one run; `until` says whether the time is over, and without it there is time enough. */
export function createTimeBox(until?: () => boolean): TimeBox {
  let over = false;
  const all = new Map<Work, { done: number; count: number }>();
  const of = (work: Work) => {
    const known = all.get(work) ?? { done: 0, count: 0 };
    all.set(work, known);
    return known;
  };
  return {
    isOver: () => (over ||= until?.() ?? false),
    expect(work, count) {
      of(work).count += count;
    },
    finish(work) {
      if (!over) of(work).done += 1;
    },
    told() {
      if (!over) return undefined;
      const begun = [...all].filter(([, { count }]) => count > 0);
      const reached = begun.map(([work, { done, count }]) => `${done} of ${count} ${work}`);
      return `The time was over with ${reached.join(' and ') || 'nothing'} done. The next run goes on from there.`;
    },
  };
}
