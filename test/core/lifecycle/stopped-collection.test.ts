/** A collection that is stopped: nothing goes on behind it. */
import { equal, ok, rejects } from 'node:assert/strict';
import { setTimeout } from 'node:timers/promises';
import { day, type Estate, hour, startEstate } from './estate.ts';

describe('a collection that is stopped by its signal', () => {
  let estate: Estate;
  beforeEach(async () => {
    estate = await startEstate();
  });
  afterEach(() => estate.close());

  it('closes no account any more once the run has ended', async () => {
    for (const at of Array.from({ length: 24 }, (_, ordinal) => ordinal)) {
      const repository = `app-${at}`;
      const { digest } = estate.acr.world.putImage(repository);
      estate.ado.world.deleteBuild(await estate.build([{ repository, reference: digest }]));
    }
    await estate.reconcile();
    estate.advance(day + hour);
    const records = `image-lifecycle/builds/${estate.projectId}`;
    const stop = new AbortController();
    let collected = 0;
    estate.acr.faults.intercept = ({ operation, repository }, phase) => {
      const isImage = operation === 'manifest.delete' && repository?.startsWith('app-');
      // Some accounts are being closed by then, and more wait for their turn.
      if (isImage && phase === 'after' && (collected += 1) === 12) stop.abort(new Error('stopped'));
      return 'proceed';
    };
    await rejects(estate.reconcile({ signal: stop.signal }), /stopped/);
    const closedAt = (): number => estate.acr.requests.count({ operation: 'manifest.delete', repository: records });
    const closed = closedAt();
    await setTimeout(500);
    equal(closedAt(), closed);
    ok(closed > 0 && closed < 12, `${closed} records were deleted`);
  });
});
