/** What the emulators were asked, added up. */
import type { Estate } from '../../test/core/lifecycle/estate.ts';

/** Requests by operation. */
export type Tally = Readonly<Record<string, number>>;

/** Adds up what `keys` gives, the most frequent first. */
export function countBy<T>(items: readonly T[], key: (item: T) => string): Record<string, number> {
  const counts = new Map<string, number>();
  for (const item of items) counts.set(key(item), (counts.get(key(item)) ?? 0) + 1);
  return Object.fromEntries([...counts].sort(([, left], [, right]) => right - left));
}

/** Every request since the logs were cleared, to the registry and to Azure DevOps, by operation. */
export function tallyAll({ acr, ado }: Estate): Tally {
  return countBy(
    [...acr.requests.all(), ...ado.requests.entries.map(each => ({ ...each, azureDevOps: true }))],
    each => ('azureDevOps' in each ? `Azure DevOps ${each.operation}` : each.operation),
  );
}

/** All requests of a tally. */
export function sumOf(tally: Tally): number {
  return Object.values(tally).reduce((sum, count) => sum + count, 0);
}

/** Forgets what was asked so far. */
export function clearLogs({ acr, ado }: Estate): void {
  acr.requests.clear();
  ado.requests.clear();
}

/** A tally for people, one line. */
export function tell(tally: Tally): string {
  return Object.entries(tally)
    .map(([operation, count]) => `${operation} ${count}`)
    .join(', ');
}
