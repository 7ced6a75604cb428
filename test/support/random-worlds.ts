/**
 * Every random test of a test run lives the same worlds each time, so that one that was green is red for a change alone.
 * `RANDOM_WORLDS` lives as many new ones (npm run soak), `SEED` some again.
 */
import fc from 'fast-check';

const { RANDOM_WORLDS, SEED } = process.env;
const seed = SEED ?? (RANDOM_WORLDS === undefined ? '471741732' : undefined);
if (seed !== undefined) fc.configureGlobal({ seed: Number(seed) });

/** How many worlds a random test lives: `usual`, unless a soak asks for more. */
export function howMany(usual: number): { readonly numRuns: number } {
  return { numRuns: Number(RANDOM_WORLDS ?? usual) };
}
