import assert from 'node:assert/strict';
import { systemClock } from '../../../core/base/clock.ts';
import { mapConcurrently } from '../../../core/base/concurrency.ts';
import { AppError, type ErrorCode, errorMessage, hasCode, withContext } from '../../../core/base/errors.ts';
import { groupBy } from '../../../core/base/group-by.ts';
import { type Attempt, retry } from '../../../core/base/retry.ts';
import { createRecordingClock } from '../oci/world.ts';

const failed = (message: string, waitMs?: number): Attempt<string> => ({
  failed: new Error(message),
  ...(waitMs !== undefined && { waitMs }),
});

describe('trying again', () => {
  const policy = { attempts: 3, firstPauseMs: 100, maxWaitMs: 1000 };
  const run = async (...script: Attempt<string>[]) => {
    const clock = createRecordingClock();
    let attempts = 0;
    const work = retry(async () => script[attempts++] as Attempt<string>, clock, policy);
    const end = await work.catch((thrown: Error) => thrown);
    return { end: end instanceof Error ? end.message : end, attempts, sleeps: clock.sleeps };
  };

  it('ends with the first success', async () => {
    assert.deepEqual(await run({ done: 'now' }), { end: 'now', attempts: 1, sleeps: [] });
    const { end, attempts, sleeps } = await run(failed('a'), failed('b'), { done: 'then' });
    assert.deepEqual([end, attempts, sleeps.length], ['then', 3, 2]);
    assert.ok((sleeps[0] ?? 0) >= 75 && (sleeps[0] ?? 0) <= 125 && (sleeps[1] ?? 0) >= 150 && (sleeps[1] ?? 0) <= 250);
  });

  it('ends with the last failure at its bound', async () => {
    const { end, attempts } = await run(failed('a'), failed('b'), failed('c'), { done: 'never' });
    assert.deepEqual([end, attempts], ['c', 3]);
  });

  it('does not count what the other side asked for, up to its own bound', async () => {
    const waits = Array.from({ length: 10 }, () => failed('wait', 100));
    assert.deepEqual(await run(...waits, { done: 'late' }), { end: 'late', attempts: 11, sleeps: Array(10).fill(100) });
    const { end, attempts } = await run(...waits, failed('too long', 1), { done: 'never' });
    assert.deepEqual([end, attempts], ['too long', 11]);
  });
});

describe('the clock', () => {
  it('stops sleeping when it is told, before and meanwhile', async () => {
    const reason = new Error('enough');
    await assert.rejects(systemClock.sleep(60_000, AbortSignal.abort(reason)), reason);
    const controller = new AbortController();
    const sleeping = systemClock.sleep(60_000, controller.signal);
    controller.abort(reason);
    await assert.rejects(sleeping, reason);
    await systemClock.sleep(1, new AbortController().signal);
  });
});

describe('work at once', () => {
  it('stays below its bound and in order', async () => {
    let running = 0;
    let most = 0;
    const items = Array.from({ length: 20 }, (_, at) => at);
    const results = await mapConcurrently(items, 4, async item => {
      running += 1;
      most = Math.max(most, running);
      await new Promise(resolve => setImmediate(resolve));
      running -= 1;
      return item * 2;
    });
    assert.deepEqual([results, most], [items.map(item => item * 2), 4]);
  });

  it('is grouped in order', () => {
    assert.deepEqual(
      [...groupBy([3, 1, 4, 1, 5], item => item % 2)],
      [
        [1, [3, 1, 1, 5]],
        [0, [4]],
      ],
    );
  });
});

const of = (thrown: unknown, ...codes: ErrorCode[]): boolean => hasCode(thrown, ...codes);

describe('an error', () => {
  it('keeps its code, its cause and whether to try again under each clause', () => {
    const cause = new AppError('the tag is locked', { code: 'LOCKED', retryable: true });
    const error = withContext('removing x', withContext('tag y', cause));
    assert.equal(error.message, 'removing x: tag y: the tag is locked');
    assert.deepEqual([of(error, 'DEFECT', 'LOCKED'), of(error, 'DEFECT'), of(error)], [true, false, false]);
    assert.deepEqual([error.retryable, (error.cause as AppError).cause], [true, cause]);
    const defect = withContext('here', 'a word');
    assert.deepEqual([defect.code, defect.retryable, defect.message], ['DEFECT', false, 'here: a word']);
    assert.ok(!hasCode(new Error('LOCKED'), 'LOCKED'));
    assert.equal(errorMessage(undefined), 'undefined');
  });
});
