import { deepEqual } from 'node:assert/strict';
import fc from 'fast-check';
import { howMany } from '../../support/random-worlds.ts';
import { live, quietWorlds } from './quiet-world.ts';

const runs = howMany(20);

const some = fc.array(fc.nat({ max: 30 }), { maxLength: 4 });
const toTheEnd = 9;

describe('vetoes, in random worlds', function () {
  this.timeout(Math.max(120_000, runs.numRuns * 2000));

  it('keep what they are about, and more of them never keep less', () =>
    fc.assert(
      fc.asyncProperty(quietWorlds, some, some, async (world, few, more) => {
        const one = await live(world, { manifests: few, days: toTheEnd });
        const other = await live(world, { manifests: [...few, ...more], days: toTheEnd });
        for (const { there, vetoed } of [one, other]) {
          deepEqual(
            vetoed.filter(digest => !there.includes(digest)),
            [],
          );
        }
        deepEqual(
          one.there.filter(each => !other.there.includes(each)),
          [],
        );
      }),
      { ...runs, endOnFailure: true },
    ));

  it('leave no trace when they are lifted', () =>
    fc.assert(
      fc.asyncProperty(quietWorlds, some, fc.integer({ min: 1, max: 5 }), async (world, manifests, days) => {
        const [first] = world.rules;
        const { there, foretold } = await live({ ...world, rules: [first, first] }, { manifests, days });
        deepEqual(there, foretold);
      }),
      { ...runs, endOnFailure: true },
    ));
});
