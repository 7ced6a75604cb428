import assert from 'node:assert/strict';
import type { Import } from '../../../core/acr/import.ts';
import { AppError } from '../../../core/base/errors.ts';
import type { Effect } from '../../emulators/azure-devops/faults.ts';
import { startLoopback } from '../oci/loopback.ts';
import { fails } from '../oci/world.ts';
import { type ImportWorld, putIndex, startImportWorld } from './import-world.ts';

const imported: Import = { kind: 'imported' };

describe('following an import', () => {
  let world: ImportWorld;
  beforeEach(async () => {
    world = await startImportWorld();
  });
  afterEach(() => world.close());
  const spoil = (effect: Effect, more: { nth?: number; count?: number } = {}): void => {
    world.emulator.faults.add({ operation: 'operations.get', effect, ...more });
  };
  /** Lets what Azure does go on while nobody is told. */
  const completeAfter = (sleeps: number): void => {
    const { clock } = world;
    const sleep = clock.sleep.bind(clock);
    let left = sleeps;
    clock.sleep = async ms => {
      left -= 1;
      if (left === 0) for (const operation of world.emulator.world.operations) operation.complete();
      await sleep(ms);
    };
  };

  for (const [asked, first] of [
    [undefined, 1000],
    [0, 1000],
    [7, 7000],
    [3600, 30_000],
  ] as const) {
    it(`waits ${first} ms where it is told ${asked ?? 'nothing'}`, async () => {
      Object.assign(world.emulator.behaviour, { retryAfter: asked, polls: 2 });
      assert.deepEqual(await world.importApp(putIndex(world)), imported);
      const expected = asked === undefined ? [1000, 1500, 2250] : [first, first, first];
      assert.deepEqual(world.clock.sleeps, expected);
      assert.equal(world.count('operations.get'), 3);
    });
  }

  it('goes by Azure-AsyncOperation too, whose answers are all 200', async () => {
    Object.assign(world.emulator.behaviour, { operationStyle: 'asyncOperation', polls: 4 });
    assert.deepEqual(await world.importApp(putIndex(world)), imported);
    assert.equal(world.count('operations.get'), 5);
  });

  it('goes by the status alone where the answers say nothing: 202 until it is over', async () => {
    spoil({ kind: 'edit', edit: () => null });
    world.emulator.behaviour.polls = 2;
    assert.deepEqual(await world.importApp(putIndex(world)), imported);
    assert.equal(world.count('operations.get'), 3);
  });

  it('takes an operation that ended at once, with any status that says so', async () => {
    world.emulator.behaviour.polls = 0;
    for (const status of [200, 201, 204]) {
      const graph = putIndex(world);
      world.emulator.faults.clear();
      world.emulator.faults.add({ operation: 'registries.importImage', effect: { kind: 'status', status } });
      world.target.faults.clear();
      // Somebody did it, and whether it was Azure only the target knows.
      for (const digest of [...graph].reverse()) {
        world.target.world.putManifest('copy/app', world.source.world.manifest('app', digest)?.bytes as Buffer);
      }
      assert.deepEqual(await world.importApp(graph), imported);
    }
    assert.equal(world.count('operations.get'), 0);
  });

  it('survives the loss of the answer to the POST: the same is asked again, and is there once', async () => {
    const graph = putIndex(world);
    world.emulator.faults.add({
      operation: 'registries.importImage',
      count: 1,
      effect: { kind: 'cut', when: 'after' },
    });
    world.emulator.behaviour.polls = 0;
    assert.deepEqual(await world.importApp(graph), imported);
    assert.equal(world.count('registries.importImage'), 2);
    assert.equal(world.target.world.manifests('copy/app').length, 3);
  });

  for (const [name, effect] of [
    ['is cut', { kind: 'cut', when: 'before' }],
    ['is cut in the middle', { kind: 'cut', when: 'mid-body' }],
    ['is a 500', { kind: 'status', status: 500 }],
    ['is a 429', { kind: 'status', status: 429, headers: { 'retry-after': '3' } }],
  ] as readonly (readonly [string, Effect])[]) {
    it(`asks again where an answer ${name}`, async () => {
      spoil(effect, { nth: 1, count: 2 });
      world.emulator.behaviour.polls = 3;
      assert.deepEqual(await world.importApp(putIndex(world)), imported);
      // One that is cut in the middle was one that said "Running".
      assert.equal(world.count('operations.get'), name === 'is cut in the middle' ? 4 : 6);
    });
  }

  const blindnesses: readonly (readonly [string, Effect, RegExp])[] = [
    ['is a 503 for ever', { kind: 'status', status: 503 }, /was refused \(status 503\) until we gave up/],
    ['is a page', { kind: 'html' }, /was answered with no JSON/],
    ['is half of one', { kind: 'truncated' }, /was answered with no JSON/],
    [
      'is a 404',
      { kind: 'status', status: 404, json: { error: { code: 'ResourceNotFound' } } },
      /status 404 \(ResourceNotFound\)/,
    ],
    ['is a 401', { kind: 'status', status: 401 }, /cannot be followed: status 401/],
    ['is too large', { kind: 'edit', edit: () => ({ status: 'x'.repeat(2 ** 21) }) }, /more than 1048576 bytes/],
  ];
  for (const [name, effect, words] of blindnesses) {
    it(`looks in the target instead where each answer ${name}`, async () => {
      const importer = world.createImporter();
      spoil(effect);
      world.emulator.behaviour.polls = Number.POSITIVE_INFINITY;
      completeAfter(9);
      assert.deepEqual(await world.importApp(putIndex(world), importer), imported);
      completeAfter(Number.POSITIVE_INFINITY);
      const begun = world.clock.now();
      const ended = await world.importApp(putIndex(world), importer);
      assert.ok(ended.kind === 'declined' && ended.isFinal);
      assert.match(ended.reason, words);
      assert.match(ended.reason, /, and the image did not show in the target meanwhile$/);
      const took = world.clock.now() - begun;
      assert.ok(took >= 120_000 && took < 180_000, `${took} ms`);
    });
  }

  it('holds its time limit while it is throttled', async () => {
    spoil({ kind: 'status', status: 429, headers: { 'retry-after': '200' } });
    const importer = world.createImporter({ timeLimitMs: 300_000 });
    const ended = await world.importApp(putIndex(world), importer);
    assert.ok(ended.kind === 'declined' && ended.reason === 'the import did not end in time');
    assert.deepEqual(world.clock.sleeps, [1000, 200_000, 200_000]);
    assert.equal(world.count('operations.get'), 2);
  });

  it('looks in the target where the identity has its rights on the registry alone', async () => {
    for (const side of ['source', 'target'] as const) world.allow(side, '*');
    world.emulator.behaviour.followNeedsRight = true;
    completeAfter(4);
    assert.deepEqual(await world.importApp(putIndex(world)), imported);
    assert.equal(world.count('operations.get'), 1, 'it was asked for again what it had refused');
  });

  it('takes a 403 that is about the source for the failure that it is', async () => {
    const json = { error: { code: 'Forbidden', message: 'client with IP is not allowed access' } };
    spoil({ kind: 'status', status: 403, json });
    const ended = await world.importApp(putIndex(world));
    assert.ok(ended.kind === 'declined' && ended.reason.startsWith('the import failed, status 403 (Forbidden'));
    assert.deepEqual(world.clock.sleeps, [1000]);
  });

  it('sends nothing to another origin, where the address of the operation leads there', async () => {
    const stranger = await startLoopback((_, response) => response.end('{"status":"Succeeded"}'), world.tls);
    try {
      world.emulator.behaviour.operationOrigin = stranger.url;
      world.emulator.behaviour.polls = Number.POSITIVE_INFINITY;
      const ended = await world.importApp(putIndex(world));
      assert.ok(ended.kind === 'declined');
      assert.ok(ended.reason.includes(`pointed to ${stranger.url}, another origin`), ended.reason);
      assert.equal(stranger.sockets(), 0);
    } finally {
      await stranger.close();
    }
  });

  it('looks in the target where it gets no address at all', async () => {
    world.emulator.faults.add({
      operation: 'registries.importImage',
      effect: { kind: 'status', status: 202, json: null },
    });
    const ended = await world.importApp(putIndex(world));
    assert.ok(ended.kind === 'declined' && ended.reason.startsWith('it gave no address to follow the operation by'));
  });

  it('ends with the run that it belongs to', async () => {
    world.emulator.behaviour.outcome = 'stuck';
    let left = 4;
    const request = async <T>(work: () => Promise<T>): Promise<T> => {
      left -= 1;
      if (left < 0) throw new AppError('another image failed', { code: 'DIGEST_MISMATCH' });
      return work();
    };
    await fails(world.importApp(putIndex(world), world.createImporter({ request })), 'DIGEST_MISMATCH');
    assert.equal(world.count('operations.get'), 3);
  });

  it('fails as the target does where that cannot be read: nothing could be copied there either', async () => {
    world.target.faults.add({ operation: 'manifest.head' }, { kind: 'status', status: 403 });
    await fails(world.importApp(putIndex(world)), 'REGISTRY_DENIED');
    assert.deepEqual(world.target.world.manifests('copy/app').length, 3, 'it was never begun');
  });
});
