import { deepEqual, equal, match, ok } from 'node:assert/strict';
import { AppError } from '../../core/base/errors.ts';
import { createCounters } from '../../webhook-handler/counters.ts';
import { createReconciler, type RunReport, type RunRequest } from '../../webhook-handler/reconciler.ts';
import { createMemoryLog, createReport, createStillClock, projectId, settle } from './world.ts';

const hour = 60 * 60_000;
const minute = 60_000;
const build = (buildId: number) => ({ projectId, buildId });

interface Run {
  readonly request: RunRequest;
  readonly end: (report?: RunReport) => Promise<void>;
  readonly fail: (error: Error) => Promise<void>;
}

/** A reconciler whose runs begin and end when the test wants; it watches that no two overlap. */
function start() {
  const clock = createStillClock();
  const log = createMemoryLog();
  const counters = createCounters();
  const stop = new AbortController();
  const runs: Run[] = [];
  let open = 0;
  let overlapped = false;
  const reconciler = createReconciler({
    name: 'here and there',
    everyMs: hour,
    minimumIntervalMs: minute,
    clock,
    counters,
    log,
    reconcile: request =>
      new Promise((resolve, reject) => {
        open += 1;
        overlapped ||= open > 1;
        const finish = async (settled: () => void): Promise<void> => {
          open -= 1;
          settled();
          await settle();
        };
        runs.push({
          request,
          end: report => finish(() => resolve(report ?? createReport())),
          fail: error => finish(() => reject(error)),
        });
      }),
  });
  const ended = reconciler.run(stop.signal);
  const last = (): Run => runs.at(-1)!;
  const kinds = (): (readonly number[] | 'whole')[] =>
    runs.map(({ request }) => request.only?.map(one => one.buildId) ?? 'whole');
  return { clock, log, counters, stop, runs, reconciler, ended, last, kinds, overlapped: () => overlapped };
}

describe('reconciler', () => {
  it('looks at everything at start, and again when the time is over', async () => {
    const { clock, runs, last, kinds, reconciler } = start();
    await settle();
    ok(reconciler.started());
    deepEqual(kinds(), ['whole']);
    await clock.advance(2 * hour);
    equal(runs.length, 1, 'a run that takes long is not joined by another');
    await last().end();
    await clock.advance(hour - 1);
    equal(runs.length, 1);
    await clock.advance(1);
    deepEqual(kinds(), ['whole', 'whole']);
  });

  it('makes one run of ten thousand hints for one build', async () => {
    const { clock, reconciler, last, kinds } = start();
    await settle();
    for (let times = 0; times < 10_000; times += 1) reconciler.hints.addBuild(build(47));
    await last().end();
    await clock.advance(minute);
    await last().end();
    for (let round = 0; round < 50; round += 1) await clock.advance(minute);
    deepEqual(kinds(), ['whole', [47]]);
  });

  it('makes one run of ten thousand wake-ups, which takes the hints with it', async () => {
    const { clock, reconciler, last, kinds } = start();
    await settle();
    await last().end();
    reconciler.hints.addBuild(build(1));
    for (let times = 0; times < 10_000; times += 1) reconciler.hints.addWhole();
    await settle();
    deepEqual(kinds(), ['whole'], 'not before the minimum interval');
    await clock.advance(minute);
    await last().end();
    for (let round = 0; round < 50; round += 1) await clock.advance(minute);
    deepEqual(kinds(), ['whole', 'whole']);
  });

  it('follows a hint at once where the last run is long past', async () => {
    const { clock, reconciler, last, kinds } = start();
    await settle();
    await last().end();
    await clock.advance(10 * minute);
    reconciler.hints.addBuild(build(5));
    await settle();
    deepEqual(kinds(), ['whole', [5]]);
  });

  it('looks again at a build that was hinted at while a run had it in hand', async () => {
    const { clock, reconciler, last, kinds } = start();
    await settle();
    await last().end();
    await clock.advance(minute);
    reconciler.hints.addBuild(build(5));
    await settle();
    reconciler.hints.addBuild(build(5));
    await last().end();
    await clock.advance(minute);
    deepEqual(kinds(), ['whole', [5], [5]]);
  });

  it('never overlaps runs', async () => {
    const { clock, reconciler, runs, last, overlapped } = start();
    for (let round = 0; round < 20; round += 1) {
      reconciler.hints.addBuild(build(round + 1));
      await clock.advance(2 * hour);
      if (round % 2 === 1) await last().end();
    }
    ok(runs.length > 5);
    equal(overlapped(), false);
  });

  it('keeps a hint whose run failed, and tries it again later and later', async () => {
    const { clock, reconciler, log, last, kinds, counters } = start();
    await settle();
    await last().end();
    await clock.advance(minute);
    reconciler.hints.addBuild(build(5));
    await settle();
    await last().fail(new AppError('no answer', { code: 'AZURE_DEVOPS_UNAVAILABLE' }));
    await clock.advance(minute);
    deepEqual(kinds(), ['whole', [5], [5]]);
    await last().fail(new Error('still none'));
    await clock.advance(minute);
    equal(kinds().length, 3, 'the pause doubles');
    await clock.advance(minute);
    deepEqual(kinds(), ['whole', [5], [5], [5]]);
    await last().end();
    await clock.advance(30 * minute);
    equal(kinds().length, 4, 'a hint that was followed is dropped');
    equal(counters.value('runs', 'failed'), 2);
    match(log.lines.join(''), /"err":\{"code":"AZURE_DEVOPS_UNAVAILABLE","message":"no answer"\}/);
  });

  it('keeps those hints alone that the report says failed, and lets fresh ones pass them', async () => {
    const { clock, reconciler, last, kinds } = start();
    await settle();
    await last().end();
    await clock.advance(minute);
    for (const id of [1, 2, 3]) reconciler.hints.addBuild(build(id));
    await settle();
    await last().end(
      createReport([
        { buildId: 2, outcome: 'failed' },
        { buildId: 1, outcome: 'released' },
      ]),
    );
    await clock.advance(minute);
    deepEqual(kinds().at(-1), [2]);
    await last().end(createReport([{ buildId: 2, outcome: 'failed' }]));
    reconciler.hints.addBuild(build(4));
    await clock.advance(minute);
    deepEqual(kinds().at(-1), [4]);
  });

  it('keeps every hint of a project that failed as a whole, and every hint that the brake held', async () => {
    const { clock, reconciler, last, kinds } = start();
    await settle();
    await last().end();
    await clock.advance(minute);
    for (const id of [1, 2]) reconciler.hints.addBuild(build(id));
    await settle();
    await last().end(createReport([{ buildId: 0, outcome: 'failed' }]));
    await clock.advance(minute);
    deepEqual(kinds(), ['whole', [1, 2], [1, 2]]);
    await last().end(createReport([], 'too many'));
    await clock.advance(2 * minute);
    deepEqual(kinds(), ['whole', [1, 2], [1, 2], [1, 2]]);
  });

  it('keeps to its timer however many hints come', async () => {
    const { clock, reconciler, last, kinds } = start();
    await settle();
    await last().end();
    for (let round = 1; round <= 5; round += 1) {
      await clock.advance(10 * minute);
      reconciler.hints.addBuild(build(round));
      await settle();
      await last().end();
    }
    await clock.advance(10 * minute);
    deepEqual(kinds(), ['whole', [1], [2], [3], [4], [5], 'whole']);
  });

  it('tries a whole run that threw again before the timer does, and drops the hints that a whole run covered', async () => {
    const { clock, reconciler, last, kinds } = start();
    reconciler.hints.addBuild(build(1));
    await settle();
    await last().fail(new Error('down'));
    await clock.advance(minute);
    deepEqual(kinds(), ['whole', 'whole']);
    await last().end(createReport([{ buildId: 9, outcome: 'failed' }]));
    await clock.advance(30 * minute);
    equal(kinds().length, 2);
  });

  it('waits the hour where the brake stopped a whole run, and says how to go on', async () => {
    const { clock, last, kinds, log } = start();
    await settle();
    await last().end(createReport([], 'the limit of 500 images'));
    await clock.advance(hour - 1);
    equal(kinds().length, 1);
    match(log.lines.join(''), /--approve plan.json/);
  });

  it('counts a run that could not read or do everything as incomplete, and tells fifty of the reasons', async () => {
    const { log, last, counters, kinds, clock } = start();
    await settle();
    const failures = Array.from({ length: 60 }, (_, at) => `reason ${at} of prod`);
    await last().end({ ...createReport(), failures });
    equal(counters.value('runs', 'incomplete'), 1);
    const lines = log.lines.join('');
    equal(lines.match(/"message":"failed","pairing":"here and there","reason":"reason \d+ of prod"/g)?.length, 50);
    match(lines, /"message":"more failed","pairing":"here and there","failures":10/);
    await clock.advance(hour - 1);
    equal(kinds().length, 1, 'the next look is at its time');
  });

  it('stops at the signal: a waiting one at once, a running one with its run', async () => {
    const waiting = start();
    await settle();
    await waiting.last().end();
    waiting.stop.abort();
    await waiting.ended;
    const running = start();
    await settle();
    running.reconciler.hints.addBuild(build(1));
    running.stop.abort();
    await settle();
    equal(running.last().request.signal?.aborted, true);
    await running.last().fail(new Error('aborted'));
    await running.ended;
    equal(running.runs.length, 1);
    equal(running.counters.value('runs', 'failed'), 0);
  });
});
