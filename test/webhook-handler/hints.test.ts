import { deepEqual, equal } from 'node:assert/strict';
import fc from 'fast-check';
import { createHints } from '../../webhook-handler/hints.ts';
import { otherProjectId, projectId } from './world.ts';

const build = (buildId: number, project: string = projectId) => ({ projectId: project, buildId });

describe('hints', () => {
  it('keeps one of ten thousand equal ones, and wakes once', () => {
    let woken = 0;
    const hints = createHints(() => (woken += 1));
    for (let times = 0; times < 10_000; times += 1) hints.addBuild(build(47));
    equal(hints.size(), 1);
    equal(woken, 1);
    deepEqual(hints.take(0), { whole: false, builds: [build(47)] });
    equal(hints.dueAt(), Number.POSITIVE_INFINITY);
  });

  it('tells 47 from 471, and the same build id in two projects apart', () => {
    const hints = createHints(() => {});
    for (const one of [build(47), build(471), build(47, otherProjectId)]) hints.addBuild(one);
    equal(hints.take(0).builds.length, 3);
  });

  it('asks for everything once there are more than it holds, and then holds none', () => {
    const hints = createHints(() => {}, 100);
    for (let id = 1; id <= 100; id += 1) hints.addBuild(build(id));
    equal(hints.size(), 100);
    hints.addBuild(build(101));
    hints.addBuild(build(102));
    equal(hints.size(), 0);
    deepEqual(hints.take(0), { whole: true, builds: [] });
  });

  it('gives back what was postponed when its time has come, or when everything is looked at anyway', () => {
    const hints = createHints(() => {});
    hints.postpone({ whole: false, builds: [build(1)] }, 100);
    equal(hints.dueAt(), 100);
    hints.addBuild(build(2));
    deepEqual(hints.take(50), { whole: false, builds: [build(2)] });
    deepEqual(hints.take(100), { whole: false, builds: [build(1)] });
    hints.postpone({ whole: false, builds: [build(3)] }, 200);
    hints.addWhole();
    deepEqual(hints.take(150), { whole: true, builds: [] });
    deepEqual(hints.take(999), { whole: false, builds: [] });
  });

  it('gives the same whatever the order in which they came', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 20 })), ids => {
        const [one, other] = [createHints(() => {}, 10), createHints(() => {}, 10)];
        for (const id of ids) one.addBuild(build(id));
        for (const id of [...ids].reverse()) other.addBuild(build(id));
        const sorted = (hints: typeof one) => {
          const { whole, builds } = hints.take(0);
          return { whole, ids: builds.map(each => each.buildId).sort((a, b) => a - b) };
        };
        deepEqual(sorted(one), sorted(other));
      }),
    );
  });
});
