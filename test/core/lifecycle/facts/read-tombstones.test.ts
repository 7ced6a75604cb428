/** What tombstones say of images: on whose account they were released, and which tags came off. */
import { deepEqual } from 'node:assert/strict';
import { readTombstones } from '../../../../core/lifecycle/facts/read-tombstones.ts';
import { type Tombstone, writeTombstone } from '../../../../core/lifecycle/tombstone.ts';
import type { Digest } from '../../../../core/oci/digest.ts';
import { day, type Estate, startEstate } from '../estate.ts';
import { digestOf } from '../keep-policy/policy-world.ts';

describe('the tombstones of a registry', () => {
  let estate: Estate;
  beforeEach(async () => {
    estate = await startEstate();
  });
  afterEach(() => estate.close());

  type Image = Tombstone['images'][number];
  const image = (name: string, more: Partial<Image> = {}): Image => ({
    repository: 'web',
    digest: digestOf(name),
    recorded: [],
    untag: [],
    children: [],
    subjects: {},
    claimed: true,
    ...more,
  });
  const write = async (id: number, images: Image[], records: string[]): Promise<void> => {
    const content: Tombstone = {
      schema: 1,
      build: { projectId: estate.projectId, id, definitionId: 7 },
      evidence: { kind: 'deleted', statement: '' },
      time: new Date(estate.acr.clock.now()).toISOString(),
      records,
      images,
    };
    await writeTombstone(estate.connect(), { kind: 'deleted', copies: false, count: images.length }, content);
    estate.advance(day);
  };
  const read = async (digest: Digest): Promise<unknown> => {
    const name = { organization: 'contoso', project: 'shop' };
    const { releases } = await readTombstones(estate.connect(), [
      { id: estate.projectId, name, collectionId: undefined },
    ]);
    const { released, takenTags } = releases.of('web', digest);
    return [released?.map(({ id, recorded }) => [id, recorded]), takenTags];
  };

  it('release the children of an index with it, and the tags came off the index alone', async () => {
    await write(1, [image('i', { untag: ['1'], taken: ['web-1'], children: [digestOf('a')] })], ['r1']);
    deepEqual(await read(digestOf('i')), [[[1, true]], ['1', 'web-1']]);
    deepEqual(await read(digestOf('a')), [[[1, true]], undefined]);
    deepEqual(await read(digestOf('b')), [undefined, undefined]);
  });

  it('release nothing that they do not claim, but say which tags came off it', async () => {
    await write(1, [image('i', { taken: ['1'], children: [digestOf('a')], claimed: false })], ['r1']);
    deepEqual(await read(digestOf('i')), [undefined, ['1']]);
    deepEqual(await read(digestOf('a')), [undefined, undefined]);
  });

  it('call a build recorded only where every one of its tombstones settles records', async () => {
    await write(1, [image('a', { untag: ['1'] })], ['r1']);
    await write(1, [image('a', { untag: ['web-1'] }), image('b')], []);
    await write(2, [image('a', { untag: ['2'] })], ['r2']);
    const [released, taken] = (await read(digestOf('a'))) as [[number, boolean][], string[]];
    deepEqual(Object.fromEntries(released), { 1: false, 2: true });
    deepEqual(new Set(taken), new Set(['1', '2', 'web-1']));
    deepEqual(await read(digestOf('b')), [[[1, false]], undefined]);
  });
});
