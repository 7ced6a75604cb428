/** A clock that a test can move, so that a grace of a day passes in no time. */

/** The emulated world's time: the machine's, plus what a test added. */
export interface SettableClock {
  now(): number;
  /** Moves the world's time forward by `ms`. */
  advance(ms: number): void;
}

/** Makes a clock that starts at the machine's time. */
export function createClock(): SettableClock {
  let offset = 0;
  return {
    now: () => Date.now() + offset,
    advance: ms => {
      offset += ms;
    },
  };
}
