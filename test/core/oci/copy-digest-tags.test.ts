import assert from 'node:assert/strict';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { AcrEmulator } from '../../emulators/acr/acr.ts';
import { type Content, makeImage, makeSignature } from '../../support/images.ts';
import { digestTag, makeArtifact, makeCosignature, makeIndexOf, makeReferrersList } from '../../support/shapes.ts';
import { type CopyWorld, copyAll, createWarnings, errand, startCopyWorld } from './copy-world.ts';
import { fails } from './world.ts';

const image = makeImage('app');
const signatureTag = digestTag(image, '.sig');
const listTag = digestTag(image);
const mine = makeSignature(image);
const theirs = makeArtifact('application/vnd.stage.approval', { subject: image });

function read(bytes: Buffer | undefined): { readonly manifests: readonly object[]; readonly annotations?: object } {
  return JSON.parse(String(bytes)) as { manifests: object[] };
}

/** Says something in its config alone. */
function makeNote(by: string): Content {
  return makeArtifact('application/vnd.note', { layers: [], config: Buffer.from(JSON.stringify({ by })) });
}

describe('digest tags that the target has on something else', () => {
  let world: CopyWorld;
  let acr: AcrEmulator;
  let count = 0;
  before(async () => {
    world = await startCopyWorld();
    acr = world.target.acr!;
  });
  after(() => world.close());

  /** Copies the image, whose digest tag is on one content here and on another one there; gives what it is on then. */
  async function meet(
    tag: string,
    here: Content,
    there: Content,
  ): Promise<{ digest: string; warnings: string[]; again: number }> {
    const repository = `team/app${(count += 1)}`;
    await world.source.put(repository, image, ['v1']);
    await world.source.put(repository, here, [tag]);
    await world.target.put(repository, image);
    await world.target.put(repository, there, [tag]);
    const log = createWarnings();
    await copyAll([errand(world, repository, image)], { log });
    const { warnings } = log;
    assert.equal(acr.world.digest(repository, 'v1'), image.digest);
    assert.ok(acr.world.has(repository, here.digest), 'what the source says is there, if only by its digest');
    acr.requests.clear();
    await copyAll([errand(world, repository, image)]);
    const again = acr.requests.count({ operation: 'manifest.put' });
    return { digest: acr.world.digest(repository, tag) ?? '', warnings, again };
  }

  it('move on where the source has all that the target has', async () => {
    const both = makeCosignature(image, 'builder', 'stage');
    const found = await meet(signatureTag, both, makeCosignature(image, 'stage'));
    assert.deepEqual(found, { digest: both.digest, warnings: [], again: 0 });
  });

  it('stay where the target has all that the source has, and more', async () => {
    const both = makeCosignature(image, 'builder', 'stage');
    const found = await meet(signatureTag, makeCosignature(image, 'builder'), both);
    assert.deepEqual(found, { digest: both.digest, warnings: [], again: 0 });
  });

  it('stay, with a warning, where each has a signature of its own, although both signed the same bytes', async () => {
    const stage = makeCosignature(image, 'stage');
    const { digest, warnings, again } = await meet(signatureTag, makeCosignature(image, 'builder'), stage);
    assert.deepEqual([digest, again], [stage.digest, 0]);
    assert.match(warnings.join('\n'), /app3:sha256-[0-9a-f]{64}\.sig was left as it is/);
  });

  it('stay, with a warning, where one says something in its config alone', async () => {
    const there = makeArtifact('application/vnd.stage.note', { layers: [] });
    const stage = makeNote('stage');
    const { digest, warnings } = await meet(signatureTag, makeNote('builder'), stage);
    assert.equal(digest, stage.digest);
    assert.equal(warnings.length, 1);
    const { digest: other } = await meet(signatureTag, makeArtifact('application/vnd.builder.note'), there);
    assert.equal(other, there.digest);
  });

  it('hold the entries of both where they are lists, and those of the target in all their words', async () => {
    const words = { data: 'e30=', urls: ['https://stage.invalid/'], annotations: { by: 'stage' }, 'x-own': 1 };
    const there = makeIndexOf([theirs], [words], { annotations: { list: 'of the stage' } });
    const { digest, warnings, again } = await meet(listTag, makeReferrersList([mine]), there);
    assert.deepEqual([warnings, again], [[], 0]);
    const { annotations, manifests } = read(acr.world.manifest(`team/app${count}`, digest)?.bytes);
    assert.deepEqual(annotations, { list: 'of the stage' });
    assert.deepEqual(manifests, [...read(there.bytes).manifests, ...read(makeReferrersList([mine]).bytes).manifests]);
  });
});

describe('a target without the referrers API', () => {
  let world: CopyWorld;
  let acr: AcrEmulator;
  before(async () => {
    world = await startCopyWorld({ targetBehaviour: { referrers: false } });
    acr = world.target.acr!;
  });
  after(() => world.close());
  const listed = (repository: string): string[] =>
    (acr.world.manifest(repository, listTag)?.document.manifests ?? []).map(({ digest }) => digest);
  const seed = async (repository: string, ...referrers: Content[]): Promise<void> => {
    await world.source.put(repository, image, ['v1']);
    for (const referrer of referrers) await world.source.put(repository, referrer);
  };

  it('gets the list that clients keep there, and once', async () => {
    await seed('list/new', mine, theirs);
    await copyAll([errand(world, 'list/new', image)]);
    assert.deepEqual(listed('list/new').sort(), [mine.digest, theirs.digest].sort());
    acr.requests.clear();
    await copyAll([errand(world, 'list/new', image)]);
    assert.equal(acr.requests.count({ method: 'PUT' }), 0);
  });

  it('keeps the entries that its list has', async () => {
    await seed('list/old', mine);
    await world.target.put('list/old', image);
    await world.target.put('list/old', makeReferrersList([theirs]), [listTag]);
    await copyAll([errand(world, 'list/old', image)]);
    assert.deepEqual(listed('list/old'), [theirs.digest, mine.digest]);
  });

  it('keeps what is no list under that tag, with a warning', async () => {
    await seed('list/else', mine);
    const other = makeImage('else');
    await world.target.put('list/else', other, [listTag]);
    const log = createWarnings();
    await copyAll([errand(world, 'list/else', image)], { log });
    assert.equal(acr.world.digest('list/else', listTag), other.digest);
    assert.ok(acr.world.has('list/else', mine.digest));
    assert.match(log.warnings.join('\n'), /list\/else:sha256-[0-9a-f]{64} .*no list/);
  });

  it('has the same after two copies at once, and after one', async () => {
    await seed('list/twice', mine, theirs);
    const twice = errand(world, 'list/twice', image);
    await Promise.all([copyAll([twice]), copyAll([twice])]);
    assert.deepEqual(listed('list/twice').sort(), [mine.digest, theirs.digest].sort());
  });

  it('loses nothing of what it had to two copies at once, and has what both bring when each ran again', async () => {
    await seed('list/one', mine);
    await seed('list/other', theirs);
    const target = world.target.open('list/both');
    const before = makeArtifact('application/vnd.earlier', { subject: image });
    await world.target.put('list/both', image);
    await world.target.put('list/both', makeReferrersList([before]), [listTag]);
    const copies = ['list/one', 'list/other'].map(name => ({ ...errand(world, name, image), target }));
    await Promise.all(copies.map(each => copyAll([each])));
    assert.ok(listed('list/both').includes(before.digest));
    for (const each of copies) await copyAll([each]);
    assert.deepEqual(listed('list/both').sort(), [before.digest, mine.digest, theirs.digest].sort());
  });

  it('has both where another job moves the list in between', async () => {
    await seed('list/moved', mine);
    await world.target.put('list/moved', image);
    const other = makeReferrersList([theirs]);
    let moves = 0;
    acr.faults.intercept = async ({ operation, reference }, phase) => {
      if (operation === 'manifest.put' && reference === listTag && phase === 'after' && moves < 2) {
        moves += 1;
        await world.target.put('list/moved', other, [listTag]);
      }
      return 'proceed' as const;
    };
    await copyAll([errand(world, 'list/moved', image)]);
    acr.faults.clear();
    assert.deepEqual([moves, listed('list/moved')], [2, [theirs.digest, mine.digest]]);
  });

  it('is told where another job moves the list again and again, and gets no tag', async () => {
    await seed('list/fight', mine);
    acr.faults.intercept = async ({ operation, reference }, phase) => {
      if (operation === 'manifest.put' && reference === listTag && phase === 'after') {
        await world.target.put('list/fight', makeReferrersList([theirs]), [listTag]);
      }
      return 'proceed' as const;
    };
    const thrown = await fails(copyAll([errand(world, 'list/fight', image)]), 'TAG_TAKEN');
    acr.faults.clear();
    assert.ok(thrown.retryable);
    assert.equal(acr.world.digest('list/fight', 'v1'), undefined);
  });

  it('gets a list without the entries that are gone from it, which it would not take with them', async () => {
    await seed('list/gone', mine);
    await world.target.put('list/gone', image);
    await world.target.put('list/gone', makeReferrersList([theirs]), [listTag]);
    acr.world.deleteManifest('list/gone', theirs.digest);
    await copyAll([errand(world, 'list/gone', image)]);
    assert.deepEqual(listed('list/gone'), [mine.digest]);
  });

  it('has both in its list where one run brings different things about one image', async () => {
    const target = world.target.open('list/run');
    const seen = { 'manifest.get': 0, 'manifest.put': 0, 'manifest.head': 0 } as Record<string, number>;
    // The two would read before either writes, and the second write after the first was looked at, if they could.
    acr.faults.intercept = async ({ operation, reference }, phase) => {
      if (reference !== listTag) return 'proceed' as const;
      if (phase === 'after') seen[operation] = (seen[operation] ?? 0) + 1;
      if (phase === 'after' || operation !== 'manifest.put') return 'proceed' as const;
      const isOver = (): boolean =>
        seen['manifest.put'] === 0 ? seen['manifest.get'] === 2 : seen['manifest.head'] === 1;
      for (let turns = 0; !isOver() && turns < 500; turns += 1) await nextTurn();
      return 'proceed' as const;
    };
    const errands = ['list/one', 'list/other'].map(name => ({
      ...errand(world, name, image),
      target,
      tags: [name.slice(5)],
    }));
    await copyAll(errands);
    acr.faults.clear();
    assert.deepEqual(listed('list/run').sort(), [mine.digest, theirs.digest].sort());
  });
});

describe('a list of referrers in a source without that API', () => {
  let world: CopyWorld;
  before(async () => {
    world = await startCopyWorld({ sourceBehaviour: { referrers: false, takesIncomplete: true } });
  });
  after(() => world.close());

  it('may name one that is gone: it is left out with a warning, and the others are brought', async () => {
    const acr = world.target.acr!;
    await world.source.put('old/list', image, ['v1']);
    await world.source.put('old/list', makeReferrersList([theirs, mine]), [listTag]);
    world.source.acr?.world.deleteManifest('old/list', theirs.digest);
    const log = createWarnings();
    await copyAll([errand(world, 'old/list', image)], { log });
    assert.deepEqual(acr.world.tags('old/list')['v1'], image.digest);
    assert.ok(acr.world.has('old/list', mine.digest));
    assert.match(log.warnings.join('\n'), new RegExp(`${theirs.digest} is listed, but is not there; left out`));
    const left = acr.world.manifest('old/list', listTag)?.document.manifests ?? [];
    assert.deepEqual(
      left.map(({ digest }) => digest),
      [mine.digest],
    );
  });
});
