/** What a tombstone says counts at its own place alone. */
import { deepEqual, equal, match, ok } from 'node:assert/strict';
import { day, type Estate, hour, startEstate } from './estate.ts';

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
      const repository = repositoryOf(estate);
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

function repositoryOf({ projectId }: Estate): string {
  return `image-lifecycle/tombstones/${projectId}`;
}

/** What others wait at until it is opened. */
function createGate(): { readonly opened: Promise<void>; readonly open: () => void } {
  let resolveIt: (() => void) | undefined;
  const opened = new Promise<void>(resolve => {
    resolveIt = resolve;
  });
  return { opened, open: () => resolveIt?.() };
}

describe('the tag of a tombstone', () => {
  it('is another where a second run releases the build in the same second, so that every tag can come back', async () => {
    let now = Date.now();
    const estate = await startEstate({ clock: { now: () => now, advance: ms => void (now += ms) } });
    try {
      const { acr, ado } = estate;
      const { digest } = acr.world.putImage('app');
      await estate.build([{ repository: 'app', reference: digest }], { id: 4711, tags: ['main-4711'] });
      const before = acr.world.tags('app');
      ado.world.deleteBuild(4711);
      const [halfway, ended] = [createGate(), createGate()];
      let other: Promise<unknown> | undefined;
      let isHeld = false;
      // Before the first looks at the tags the second takes one off; the other tag it takes off when the first has ended.
      acr.faults.intercept = async ({ operation, repository, path }, phase): Promise<'proceed'> => {
        if (operation === 'tags.list' && repository === 'app' && phase === 'before' && !other) {
          other = estate.reconcile();
          await halfway.opened;
        }
        if (operation === 'tag.delete' && path.endsWith('/main-4711') && phase === 'after') halfway.open();
        if (operation === 'tag.delete' && path.endsWith('/4711') && phase === 'before' && !isHeld) {
          isHeld = true;
          await ended.opened;
        }
        return 'proceed';
      };
      await estate.reconcile();
      ended.open();
      await other;
      acr.faults.clear();
      deepEqual(acr.world.tags('app'), {});
      equal(acr.world.manifests(repositoryOf(estate)).length, 2);
      delete ado.world.builds.get(4711)!.deleted;
      await estate.reconcile();
      deepEqual(acr.world.tags('app'), before);
      ok(!acr.world.repositories().includes(repositoryOf(estate)));
    } finally {
      await estate.close();
    }
  });

  it('has a hash of what it says, and one of the first, which had none, is acted on', async () => {
    const estate = await startEstate();
    try {
      const { acr, ado } = estate;
      const { digest } = acr.world.putImage('app');
      ado.world.deleteBuild(await estate.build([{ repository: 'app', reference: digest }]));
      await estate.reconcile();
      const repository = repositoryOf(estate);
      for (const [tag, manifest] of Object.entries(acr.world.tags(repository))) {
        match(tag, /^\d+\.\d+\.deleted\.\d+\.1\.[0-9a-f]{16}(\.done)?$/);
        acr.world.tag(repository, tag.replace(/\.[0-9a-f]{16}/, ''), manifest);
        acr.world.untag(repository, tag);
      }
      estate.advance(25 * hour);
      await estate.reconcile();
      deepEqual(acr.world.repositories(), []);
    } finally {
      await estate.close();
    }
  });
});
