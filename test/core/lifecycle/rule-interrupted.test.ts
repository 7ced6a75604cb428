/** A reconciliation that ends at any request while the rule for promoted copies changes, and what comes of it. */
import { deepEqual, ok } from 'node:assert/strict';
import { mapConcurrently } from '../../../core/base/concurrency.ts';
import { day, type Estate, hour, startEstate } from './estate.ts';
import { leavePromotion } from './promoted-copies.ts';

interface Scene {
  readonly estate: Estate;
  /** `prod/app` with its tag, as it was promoted. */
  readonly copies: unknown;
}

type Rule = 'delete' | 'keep';

/** A dead build with an image that it pushed, and a promoted index and a chart. */
async function setScene(): Promise<Scene> {
  const estate = await startEstate();
  const { world } = estate.acr;
  const index = world.putIndex('prod/app', [world.putImage('prod/app'), world.putImage('prod/app')]);
  const chart = world.putArtifact('prod/charts', { artifactType: 'application/vnd.cncf.helm.config.v1+json' });
  const pushed = world.putImage('app');
  const id = await estate.build([{ repository: 'app', reference: pushed.digest }]);
  await leavePromotion(estate, id, {
    copies: [{ repository: 'prod/app', digest: index.digest }],
    charts: [{ repository: 'prod/charts', digest: chart.digest, version: `1.0.0-${id}` }],
  });
  world.tag('prod/charts', String(id), chart.digest);
  estate.ado.world.deleteBuild(id);
  return { estate, copies: copiesIn(estate) };
}

function copiesIn({ acr }: Estate): unknown {
  const { repositories } = acr.world.snapshot();
  return [repositories['prod/app'], repositories['prod/charts']];
}

async function live(estate: Estate, rule: Rule, days: number): Promise<void> {
  estate.rules = { ...estate.rules, promoted: rule };
  for (let at = 0; at < days; at += 1) {
    await estate.reconcile();
    estate.advance(day + hour);
  }
}

/** Reconciles under a rule; from request `at` on nothing is answered any more, though that one may have taken effect. */
async function breakOff(estate: Estate, rule: Rule, { at, took }: { at: number; took: boolean }): Promise<number> {
  estate.rules = { ...estate.rules, promoted: rule };
  let count = 0;
  estate.acr.faults.intercept = (_request, phase) => {
    if (phase === 'before') count += 1;
    const isOver = count > at || (count === at && (took ? phase === 'after' : true));
    return isOver ? 'cut' : 'proceed';
  };
  await estate.reconcile().catch(() => undefined);
  estate.acr.faults.clear();
  return count;
}

/** Breaks a scene off at each of its requests, each time in a fresh world, and looks at what comes of it. */
async function breakEverywhere(
  prepare: (estate: Estate) => Promise<void>,
  rule: Rule,
  end: (scene: Scene) => Promise<void>,
): Promise<void> {
  const play = async (at: number, took: boolean): Promise<number> => {
    const scene = await setScene();
    try {
      await prepare(scene.estate);
      const count = await breakOff(scene.estate, rule, { at, took });
      await end(scene);
      return count;
    } catch (cause) {
      throw new Error(`broken off at request ${at}, which ${took ? 'took' : 'had no'} effect`, { cause });
    } finally {
      await scene.estate.close();
    }
  };
  const requests = await play(Number.POSITIVE_INFINITY, false);
  ok(requests > 10, String(requests));
  const all = Array.from({ length: requests }, (_, at) => at + 1);
  await mapConcurrently(all, 3, at => play(at, at % 2 === 0));
}

const keptWhole = async ({ estate, copies }: Scene): Promise<void> => {
  await live(estate, 'keep', 3);
  deepEqual(copiesIn(estate), copies);
  deepEqual(estate.acr.world.tags('app'), {});
};
const allGone = async ({ estate }: Scene): Promise<void> => {
  await live(estate, 'delete', 4);
  // A blob of a tombstone that was never written is the registry's own to sweep.
  deepEqual(estate.acr.world.repositories(), []);
};

describe('a reconciliation that ends at any request', function () {
  this.timeout(180_000);

  it('while it releases copies, which are kept from then on', () =>
    breakEverywhere(async () => {}, 'delete', keptWhole));

  it('while it closes an account, which is opened from then on', () =>
    breakEverywhere(estate => live(estate, 'keep', 2), 'keep', allGone));

  it('while it opens an account, which is closed again from then on', () =>
    breakEverywhere(estate => live(estate, 'keep', 3), 'delete', keptWhole));

  it('while it takes a release back, which is kept from then on', () =>
    breakEverywhere(estate => live(estate, 'delete', 1), 'keep', keptWhole));

  it('while it takes a release back, which goes on from then on', () =>
    breakEverywhere(estate => live(estate, 'delete', 1), 'keep', allGone));
});
