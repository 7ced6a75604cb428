import assert from 'node:assert/strict';
import fc from 'fast-check';
import { howMany } from '../../support/random-worlds.ts';
import { live, quietWorlds } from './quiet-world.ts';
import { play, steps } from './random-world.ts';

const runs = howMany(40);

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
