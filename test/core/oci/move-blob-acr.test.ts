import assert from 'node:assert/strict';
import type { Credentials } from '../../../core/oci/credentials.ts';
import type { Descriptor } from '../../../core/oci/manifest.ts';
import { moveBlob } from '../../../core/oci/move-blob.ts';
import { repositorySource } from '../../../core/oci/source.ts';
import { describeBlob, makeBytes, megabyte } from './blob-world.ts';
import { type AcrWorld, fails, startAcrWorld } from './world.ts';

const minute = 60_000;
const pullOnly: Credentials = { kind: 'password', username: 'puller', password: 'puller-password' };
const identities = [
  {
    name: 'admin',
    password: 'admin-password',
    rights: [{ repository: '*', actions: ['pull', 'push', 'delete', 'metadata_read', 'metadata_write'] as const }],
  },
  {
    name: 'puller',
    password: 'puller-password',
    rights: [
      { repository: 'team/target', actions: ['pull', 'push'] as const },
      { repository: 'team/open', actions: ['pull'] as const },
    ],
  },
];

/** Puts bytes that nobody else has. */
function put({ acr }: AcrWorld, name: string, size: number): Descriptor {
  const bytes = makeBytes(size);
  acr.world.putBlob(name, bytes);
  return describeBlob(bytes);
}

describe('a blob that moves to an Azure Container Registry', () => {
  let from: AcrWorld;
  let world: AcrWorld;
  before(async () => {
    from = await startAcrWorld();
    world = await startAcrWorld({ identities });
  });
  beforeEach(() => {
    for (const each of [from, world]) {
      each.acr.faults.clear();
      each.acr.requests.clear();
      each.clock.sleeps.length = 0;
    }
    world.acr.behaviour.maxBodyBytes = Number.POSITIVE_INFINITY;
  });
  after(async () => {
    await from.close();
    await world.close();
  });
  const isThere = (name: string, digest: string): boolean =>
    world.acr.world.repository(name)?.blobs.has(digest) === true;
  /** What the target was asked, apart from signing in. */
  const asked = (): string[] =>
    world.acr.requests
      .all()
      .filter(({ operation }) => !operation.startsWith('oauth2.'))
      .map(({ operation, status }) => `${operation} ${status}`);
  const source = repositorySource;
  const pushing = ['pull', 'push'] as const;

  it('comes from where it is kept, and is sent whole', async () => {
    const blob = put(from, 'team/app', 2 * megabyte + 1);
    const target = world.open('team/target');
    assert.equal(await moveBlob(source(from.open('team/app')), target, blob), 'copied');
    assert.ok(isThere('team/target', blob.digest));
    assert.deepEqual(asked(), ['blob.head 401', 'blob.head 404', 'upload.start 202', 'upload.finish 201']);
    assert.equal(from.acr.requests.count({ operation: 'blob.data', status: 200 }), 1);
  });

  it('goes on where its data broke, and is refused where it was changed', async () => {
    const blob = put(from, 'team/app', 2 * megabyte + 2);
    from.acr.faults.add({ operation: 'blob.data', nth: 1 }, { kind: 'cut', when: 'body' });
    assert.equal(await moveBlob(source(from.open('team/app')), world.open('team/target'), blob), 'copied');
    assert.ok(isThere('team/target', blob.digest));
    assert.deepEqual(
      from.acr.requests.all({ operation: 'blob.data' }).map(({ status }) => status),
      [200, 206],
    );
    const other = put(from, 'team/app', 2 * megabyte + 3);
    from.acr.faults.add({ operation: 'blob.data' }, { kind: 'corrupt' });
    await fails(moveBlob(source(from.open('team/app')), world.open('team/target'), other), 'DIGEST_MISMATCH');
    assert.ok(!isThere('team/target', other.digest));
  });

  it('comes in chunks that it takes where it takes no more than about 20 MB, and the next as well', async () => {
    world.acr.behaviour.maxBodyBytes = 20 * megabyte;
    const target = world.open('team/target');
    const blob = put(from, 'team/app', 33 * megabyte);
    assert.equal(await moveBlob(source(from.open('team/app')), target, blob), 'copied');
    assert.ok(isThere('team/target', blob.digest));
    const chunks = [
      'upload.start 202',
      'upload.chunk 202',
      'upload.chunk 202',
      'upload.chunk 202',
      'upload.finish 201',
    ];
    assert.deepEqual(asked().slice(-5), chunks);
    world.acr.requests.clear();
    const next = put(from, 'team/app', 17 * megabyte);
    assert.equal(await moveBlob(source(from.open('team/app')), target, next), 'copied');
    assert.deepEqual(asked(), ['blob.head 404', ...chunks.slice(0, 3), 'upload.finish 201']);
  });

  for (const when of ['before', 'after'] as const) {
    it(`is there once, though the connection ended ${when} its end`, async () => {
      const blob = put(from, 'team/app', megabyte);
      world.acr.faults.add({ operation: 'upload.finish', nth: 1 }, { kind: 'cut', when });
      assert.equal(await moveBlob(source(from.open('team/app')), world.open('team/target'), blob), 'copied');
      assert.ok(isThere('team/target', blob.digest));
      assert.equal(world.acr.requests.count({ operation: 'upload.finish' }), when === 'before' ? 2 : 1);
    });
  }

  it('is sent with another token where the first ends while the upload begins', async () => {
    const blob = put(from, 'team/app', megabyte);
    const app = from.open('team/app');
    world.acr.faults.intercept = ({ operation }, phase) => {
      if (operation === 'upload.start' && phase === 'after') world.acr.clock.advance(80 * minute);
      return 'proceed';
    };
    assert.equal(await moveBlob(source(app), world.open('team/target'), blob), 'copied');
    assert.equal(world.acr.requests.count({ operation: 'oauth2.token', status: 200 }), 2);
    assert.equal(world.acr.requests.count({ operation: 'upload.finish' }), 1);
  });

  it('is mounted where it is in another repository, by one token for both', async () => {
    const blob = put(world, 'team/source', 1000);
    assert.equal(await moveBlob(source(world.open('team/source')), world.open('team/mounted'), blob), 'mounted');
    assert.ok(isThere('team/mounted', blob.digest));
    assert.equal(world.acr.requests.count({ operation: 'upload.finish' }), 0);
    const more = put(world, 'team/source', 1001);
    world.acr.requests.clear();
    assert.equal(await moveBlob(source(world.open('team/source')), world.open('team/mounted'), more), 'mounted');
    assert.equal(world.acr.requests.count({ operation: 'upload.start', status: 201 }), 1);
  });

  it('is uploaded where it may not be mounted, and the next is not tried', async () => {
    const target = world.open('team/target', pushing, pullOnly);
    // Read with the rights of somebody else, whom the target does not know.
    const app = source(world.open('team/source'));
    const [first, second] = [put(world, 'team/source', 2000), put(world, 'team/source', 2001)];
    assert.equal(await moveBlob(app, target, first), 'copied');
    assert.ok(isThere('team/target', first.digest));
    assert.ok(world.acr.requests.count({ operation: 'upload.start', status: 401 }) > 0, 'no mount was tried');
    world.acr.requests.clear();
    assert.equal(await moveBlob(app, target, second), 'copied');
    assert.equal(world.acr.requests.count({ operation: 'upload.start' }), 1);
    // Another repository is another question.
    const open = put(world, 'team/open', 2002);
    const moved = await moveBlob(source(world.open('team/open', ['pull'], pullOnly)), target, open);
    assert.equal(moved, 'mounted');
  });

  it('goes into the upload that is begun instead of a mount', async () => {
    world.acr.behaviour.mountNeedsScope = false;
    const target = world.open('team/target', pushing, pullOnly);
    const blob = put(world, 'team/source', 3000);
    assert.equal(await moveBlob(source(world.open('team/source')), target, blob), 'copied');
    assert.ok(isThere('team/target', blob.digest));
    const starts = world.acr.requests.count({ operation: 'upload.start', status: 202 });
    assert.equal(starts, 1, 'an upload was begun and left');
    world.acr.behaviour.mountNeedsScope = true;
  });

  it('goes into another upload where that one broke', async () => {
    world.acr.behaviour.mountNeedsScope = false;
    const target = world.open('team/target', pushing, pullOnly);
    const blob = put(world, 'team/source', 3001);
    world.acr.faults.add({ operation: 'upload.finish', nth: 1 }, { kind: 'cut', when: 'before' });
    assert.equal(await moveBlob(source(world.open('team/source')), target, blob), 'copied');
    assert.equal(world.acr.requests.count({ operation: 'upload.start', status: 202 }), 2);
    world.acr.behaviour.mountNeedsScope = true;
  });

  it('waits as it is told, on either side', async () => {
    const blob = put(from, 'team/app', megabyte);
    const effect = { kind: 'status', status: 429, retryAfter: 7 } as const;
    world.acr.faults.add({ operation: 'upload.finish', nth: 1 }, effect);
    world.acr.faults.add({ operation: 'upload.start', nth: 1 }, effect);
    from.acr.faults.add({ operation: 'blob.get', nth: 1 }, effect);
    assert.equal(await moveBlob(source(from.open('team/app')), world.open('team/target'), blob), 'copied');
    assert.deepEqual([world.clock.sleeps, from.clock.sleeps], [[7000, 7000], [7000]]);
  });
});
