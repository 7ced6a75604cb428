import assert from 'node:assert/strict';
import fc from 'fast-check';
import { live, quietWorlds } from './quiet-world.ts';
import { play, steps } from './random-world.ts';

/** A test run lives the same worlds each time; `RANDOM_WORLDS` lives as many new ones (npm run soak), `SEED` some again. */
const { RANDOM_WORLDS, SEED } = process.env;
const seed = SEED ?? (RANDOM_WORLDS === undefined ? '471741732' : undefined);
const runs = { numRuns: Number(RANDOM_WORLDS ?? 40), ...(seed !== undefined && { seed: Number(seed) }) };

describe('the laws, in random worlds', function () {
  this.timeout(Math.max(120_000, runs.numRuns * 1000));

  it('hold whatever is built, tagged, locked, moved, deleted, revived and cut', () =>
    fc.assert(
      fc.asyncProperty(steps, async all => assert.deepEqual(await play(all), [])),
      { ...runs, endOnFailure: true },
    ));

  it('foretell exactly what is there when everything has come to rest', () =>
    fc.assert(
      fc.asyncProperty(quietWorlds, async world => {
        const { there, foretold } = await live(world);
        assert.deepEqual(there, foretold);
      }),
      { ...runs, endOnFailure: true },
    ));
});
