/** Measures side by side: what a machine does beside it comes and goes, so only ratios within one round count. */

/** Runs one contender once, and waits for its end. */
export type Contender = () => Promise<unknown>;

/** Wall times in seconds of each contender, round by round. */
export type Rounds<Name extends string> = Readonly<Record<Name, readonly number[]>>;

/** Runs every contender once in each round, in an order that changes, with `prepare` before each of them. */
export async function runRounds<Name extends string>(
  contenders: Readonly<Record<Name, Contender>>,
  rounds: number,
  prepare: () => Promise<void>,
): Promise<Rounds<Name>> {
  const names = Object.keys(contenders) as Name[];
  const seconds = Object.fromEntries(names.map(name => [name, [] as number[]])) as unknown as Record<Name, number[]>;
  for (let round = 0; round < rounds; round += 1) {
    for (const name of shuffle(names)) {
      await prepare();
      const started = performance.now();
      await contenders[name]();
      seconds[name].push((performance.now() - started) / 1000);
    }
  }
  return seconds;
}

/** The median, over the rounds, of what `name` took as a part of what `peer` took. */
export function ratioOf<Name extends string>(rounds: Rounds<Name>, name: Name, peer: Name): number {
  return round(median(rounds[name].map((seconds, at) => seconds / (rounds[peer][at] ?? Number.NaN))));
}

/** Seconds of every contender for people, one line. */
export function tellRounds(rounds: Rounds<string>): string {
  return Object.entries(rounds)
    .map(([name, seconds]) => `${name} ${round(median(seconds))} s (${seconds.map(round).join(', ')})`)
    .join('; ');
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((left, right) => left - right);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}

function shuffle<T>(items: readonly T[]): T[] {
  return items
    .map(item => ({ item, at: Math.random() }))
    .sort((left, right) => left.at - right.at)
    .map(({ item }) => item);
}
