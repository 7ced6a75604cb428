/** What a tombstone says counts at its own place alone. */
import { deepEqual, match, ok } from 'node:assert/strict';
import { day, type Estate, startEstate } from './estate.ts';

describe('a tombstone at a place that is not its own', () => {
  let estate: Estate;
  beforeEach(async () => {
    estate = await startEstate();
  });
  afterEach(() => estate.close());

  for (const [what, stateOf] of [
    ['a build that is gone', (id: number) => void estate.ado.world.deleteBuild(id)],
    ['a build that lives', () => undefined],
  ] as const) {
    it(`of ${what} is not acted on`, async () => {
      const { acr, ado } = estate;
      const mine = acr.world.putImage('mine').digest;
      const theirs = acr.world.putImage('theirs').digest;
      const first = await estate.build([{ repository: 'mine', reference: mine }]);
      const second = await estate.build([{ repository: 'theirs', reference: theirs }]);
      ado.world.deleteBuild(first);
      await estate.reconcile();
      const repository = `image-lifecycle/tombstones/${estate.projectId}`;
      for (const [tag, digest] of Object.entries(acr.world.tags(repository)))
        acr.world.tag(repository, tag.replace(/^\d+/, String(second)), digest);
      stateOf(second);
      const reasons: string[] = [];
      for (let days = 0; days < 3; days += 1) {
        estate.advance(2 * day);
        try {
          reasons.push(...(await estate.reconcile()).items.map(item => item.reason));
        } catch (thrown) {
          reasons.push((thrown as Error).message);
        }
      }
      deepEqual(acr.world.tags('theirs'), { [second]: theirs });
      deepEqual(acr.world.tags('mine'), {}, 'nothing came back');
      match(reasons.join('\n'), new RegExp(`is not a tombstone of build ${second}`));
      ok(acr.world.has('theirs', theirs));
    });
  }
});
