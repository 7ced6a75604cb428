/** A run whose time is over begins nothing new, says how far it came, and the next one goes on. */
import { deepEqual, equal, match, ok } from 'node:assert/strict';
import { createTimeBox } from '../../../core/lifecycle/time-box.ts';
import { day, type Estate, hour, startEstate } from './estate.ts';

describe('the time of a run', () => {
  it('stays over once it was, and counts nothing from then on', () => {
    const answers = [false, true, false];
    const box = createTimeBox(() => answers.shift() ?? false);
    box.expect('builds', 3);
    box.expect('repositories', 0);
    equal(box.isOver(), false);
    box.finish('builds');
    equal(box.told(), undefined);
    equal(box.isOver(), true);
    box.finish('builds');
    equal(box.isOver(), true);
    equal(box.told(), 'The time was over with 1 of 3 builds done. The next run goes on from there.');
  });

  it('is never over where nobody says when', () => {
    const box = createTimeBox();
    deepEqual([box.isOver(), box.told()], [false, undefined]);
  });
});

describe('a run whose time is over', function () {
  this.timeout(120_000);

  for (const step of ['release', 'collection'] as const) {
    it(`ends as one that was not stopped, wherever it is stopped in the ${step}`, async () => {
      const ends = new Set<string>();
      let asked = 1;
      for (let at = 1; at <= asked + 1; at += 1) {
        const estate = await setScene();
        try {
          if (step === 'collection') {
            await estate.reconcile();
            estate.advance(day + hour);
          }
          const count = await stopAt(estate, at);
          asked = Math.max(asked, count);
          const { api, app } = (await toTheEnd(estate)) as Record<string, { tags: object; manifests: unknown[] }>;
          ends.add(JSON.stringify([Object.keys(api?.tags ?? {}), api?.manifests.length, app]));
        } finally {
          await estate.close();
        }
      }
      ok(asked > 8, `${asked} questions`);
      deepEqual([...ends], [JSON.stringify([['v1.0.0'], 1, undefined])]);
    });
  }

  it('has changed nothing where it is over at once, and says that nothing was done', async () => {
    const estate = await setScene();
    try {
      const before = estate.acr.world.snapshot();
      const { stopped, items } = await estate.reconcile({ until: () => true });
      equal(stopped, 'The time was over with nothing done. The next run goes on from there.');
      deepEqual(items, []);
      deepEqual(estate.acr.world.snapshot(), before);
    } finally {
      await estate.close();
    }
  });

  it('begins no other repository, and says what it left', async () => {
    const estate = await setScene();
    try {
      const more = Array.from({ length: 8 }, (_, at) => `more-${at}`);
      for (const repository of more) {
        const { digest } = estate.acr.world.putImage(repository);
        estate.ado.world.deleteBuild(await estate.build([{ repository, reference: digest }]));
      }
      await estate.reconcile();
      estate.advance(day + hour);
      estate.acr.requests.clear();
      let isOver = false;
      estate.acr.faults.intercept = ({ operation }, phase) => {
        isOver ||= operation === 'manifest.delete' && phase === 'before';
        return 'proceed';
      };
      const { stopped, items } = await estate.reconcile({ until: () => isOver });
      match(
        stopped ?? '',
        /^The time was over with 11 of 11 builds and \d of 10 repositories done\. The next run goes on from there\.$/,
      );
      ok(items.some(item => item.reason === 'the time was over'));
      const begun = ['app', 'api', ...more].filter(
        repository => estate.acr.requests.count({ operation: 'manifests.list', repository }) > 0,
      );
      // Four at a time.
      ok(begun.length >= 1 && begun.length <= 4, begun.join());
    } finally {
      await estate.close();
    }
  });

  it('takes off all tags of a build that it has begun, and says how many builds it has done', async () => {
    const estate = await setScene();
    try {
      let isOver = false;
      estate.acr.faults.intercept = ({ operation }, phase) => {
        isOver ||= operation === 'tag.delete' && phase === 'before';
        return 'proceed';
      };
      const { stopped } = await estate.reconcile({ until: () => isOver });
      match(stopped ?? '', /^The time was over with \d of 3 builds done\./);
      const { world } = estate.acr;
      const stones = world.tags(`image-lifecycle/tombstones/${estate.projectId}`);
      for (const tag of Object.keys(stones).filter(each => !each.endsWith('.done'))) ok(stones[`${tag}.done`], tag);
    } finally {
      await estate.close();
    }
  });
});

/** Three dead builds: one with an index that is signed and an image that a release tag is on, and two of one image each. */
async function setScene(): Promise<Estate> {
  const estate = await startEstate();
  const { world } = estate.acr;
  const index = world.putIndex('app', [world.putImage('app'), world.putImage('app')]);
  world.putArtifact('app', { artifactType: 'application/vnd.sig', subject: index });
  const released = world.putImage('api', { tags: ['v1.0.0'] });
  const ids = [
    await estate.build([
      { repository: 'app', reference: index.digest },
      { repository: 'api', reference: released.digest },
    ]),
    await estate.build([{ repository: 'api', reference: world.putImage('api').digest }]),
    await estate.build([{ repository: 'app', reference: world.putImage('app').digest }]),
  ];
  for (const id of ids) estate.ado.world.deleteBuild(id);
  return estate;
}

async function toTheEnd(estate: Estate): Promise<unknown> {
  for (let days = 0; days < 4; days += 1) {
    const report = await estate.reconcile();
    ok(report.items.every(item => item.outcome !== 'failed'));
    estate.advance(day + hour);
  }
  const { repositories } = estate.acr.world.snapshot();
  return repositories;
}

/** Lets the time be over at the question of this number, and gives how many were asked. */
async function stopAt(estate: Estate, number: number): Promise<number> {
  let asked = 0;
  let changesAfter = 0;
  let isOver = false;
  estate.acr.faults.intercept = (request, phase) => {
    if (isOver && phase === 'before' && request.operation === 'manifest.delete') changesAfter += 1;
    return 'proceed';
  };
  const report = await estate.reconcile({
    until: () => {
      asked += 1;
      isOver = asked >= number;
      return isOver;
    },
  });
  estate.acr.faults.clear();
  equal(report.stopped !== undefined, asked >= number);
  ok(changesAfter <= 5, 'no more than the wave that had begun');
  return asked;
}
