import assert from 'node:assert/strict';
import type { Import } from '../../../core/acr/import.ts';
import { importerActions } from '../../emulators/arm/access.ts';
import { unreachable } from '../../emulators/arm/importing.ts';
import { everyWord, fails } from '../oci/world.ts';
import { type ImportWorld, putIndex, startImportWorld } from './import-world.ts';

const imported: Import = { kind: 'imported' };
const minute = 60_000;

type Declined = Extract<Import, { kind: 'declined' }>;

async function declines(work: Promise<Import>): Promise<Declined> {
  const ended = await work;
  assert.ok(ended.kind === 'declined', 'it was imported');
  return ended;
}

describe('an import', () => {
  let world: ImportWorld;
  beforeEach(async () => {
    world = await startImportWorld();
  });
  afterEach(() => world.close());
  const heads = (status: number) => world.target.requests.count({ operation: 'manifest.head', status });
  const waited = () => world.clock.sleeps.reduce((sum, each) => sum + each, 0);

  const refusedForGood = async (): Promise<Declined> => {
    const importer = world.createImporter();
    const ended = await declines(world.importApp(putIndex(world), importer));
    assert.equal(ended.isFinal, true);
    const asked = world.count('registries.importImage');
    assert.equal(await world.importApp(putIndex(world), importer), ended);
    assert.equal(world.count('registries.importImage'), asked, 'Azure was asked again');
    assert.deepEqual(world.target.world.manifests('copy/app'), []);
    return ended;
  };

  it('brings an index with every child, by one request and no byte through here', async () => {
    const graph = putIndex(world);
    assert.deepEqual(await world.importApp(graph), imported);
    assert.deepEqual(new Set(world.target.world.manifests('copy/app')), new Set(graph));
    assert.deepEqual([world.count('registries.importImage'), heads(200)], [1, 3]);
    assert.equal(world.source.requests.count(), 0);
    assert.equal(world.target.requests.count({ operationClass: 'Write' }), 0);
    assert.equal(world.target.requests.count({ operationClass: 'Data' }), 0);
    assert.deepEqual([...new Set(world.audiences)], [world.emulator.url]);
    assert.deepEqual(world.emulator.world.operations[0]?.parameters, {
      source: { resourceId: world.ids.source.resourceId },
      repository: 'app',
      reference: graph[0],
      targetTags: [],
      untaggedTargetRepositories: ['copy/app'],
      force: false,
    });
  });

  it('touches no tag, whatever the tags of both sides are on', async () => {
    const other = world.target.world.putImage('copy/app', { tags: ['v1', 'latest'], layers: ['another'] }).digest;
    const graph = putIndex(world, ['v1', 'latest']);
    assert.deepEqual(await world.importApp(graph), imported);
    assert.deepEqual(world.target.world.tags('copy/app'), { v1: other, latest: other });
  });

  it('wins the race that an import by tag loses: what was asked for is what is there, whole', async () => {
    const graph = putIndex(world, ['v1']);
    const { faults } = world.emulator;
    faults.intercept = ({ operation }) => {
      if (operation === 'operations.get') world.source.world.putImage('app', { tags: ['v1'] });
      return 'proceed';
    };
    assert.deepEqual(await world.importApp(graph), imported);
    assert.notEqual(world.source.world.digest('app', 'v1'), graph[0], 'the tag did not move');
    assert.deepEqual(new Set(world.target.world.manifests('copy/app')), new Set(graph));
    assert.deepEqual(world.target.world.tags('copy/app'), {});
  });

  it('is declined for more than 50 manifests without asking anybody, and the next smaller one is not', async () => {
    const { images } = world.source.world.seedManifests('app', { manifests: 51 });
    const importer = world.createImporter();
    const { reason, isFinal } = await declines(world.importApp(images, importer));
    assert.equal(reason, 'it holds 51 manifests, and Azure imports at most 50');
    assert.deepEqual([isFinal, world.emulator.requests.entries.length, world.audiences.length], [false, 0, 0]);
    const children = images.slice(0, 49);
    const { digest } = world.source.world.putIndex(
      'app',
      children.map(each => ({ mediaType: 'application/vnd.oci.image.manifest.v1+json', digest: each, size: 1 })),
    );
    assert.deepEqual(await world.importApp([digest, ...children], importer), imported);
  });

  for (const operationStyle of ['location', 'asyncOperation'] as const) {
    it(`is declined with Azure’s words where it failed (${operationStyle}), and the next one is tried`, async () => {
      const graph = putIndex(world);
      const importer = world.createImporter();
      Object.assign(world.emulator.behaviour, {
        operationStyle,
        outcome: { status: 409, code: 'Conflict', message: 'app:v1 Tag app:v1 already exists in target registry.' },
      });
      const { reason, isFinal } = await declines(world.importApp(graph, importer));
      assert.match(
        reason,
        /^the import failed, .*Conflict: Operation registries-.* Tag app:v1 already exists in target registry\)?$/,
      );
      assert.equal(isFinal, false);
      world.emulator.behaviour.outcome = 'copies';
      assert.deepEqual(await world.importApp(graph, importer), imported);
    });
  }

  it('is good where it failed because somebody else had brought the same meanwhile', async () => {
    const graph = putIndex(world);
    const { behaviour } = world.emulator;
    behaviour.polls = 0;
    assert.deepEqual(await world.importApp(graph), imported);
    behaviour.outcome = { status: 409, code: 'Conflict', message: 'there already' };
    assert.deepEqual(await world.importApp(graph), imported);
  });

  it('that never ends is given up after 15 minutes, and no other is begun', async () => {
    const graph = putIndex(world);
    world.emulator.behaviour.outcome = 'stuck';
    const importer = world.createImporter();
    const begun = world.clock.now();
    const ended = await declines(world.importApp(graph, importer));
    assert.deepEqual([ended.reason, ended.isFinal], ['the import did not end in time', true]);
    const took = world.clock.now() - begun;
    assert.ok(took >= 15 * minute && took < 15.5 * minute, `${took} ms`);
    assert.ok(world.count('operations.get') < 110, `${world.count('operations.get')} polls`);
    assert.equal(await world.importApp(graph, importer), ended);
    assert.equal(world.count('registries.importImage'), 1);
  });

  it('has a time limit of the caller’s', async () => {
    world.emulator.behaviour.outcome = 'stuck';
    const begun = world.clock.now();
    await declines(world.importApp(putIndex(world), world.createImporter({ timeLimitMs: minute })));
    assert.ok(world.clock.now() - begun < 1.5 * minute);
  });

  it('that reports success for nothing is an error that names both sides, after half a minute of looking', async () => {
    const graph = putIndex(world);
    world.emulator.behaviour.outcome = 'empty';
    const thrown = await fails(world.importApp(graph), 'REGISTRY_UNEXPECTED');
    assert.ok(thrown.message.includes(`${world.source.host}/app@${graph[0]}`), thrown.message);
    assert.ok(
      thrown.message.includes(`${world.target.host}/copy/app, but 3 of 3 manifests are not there`),
      thrown.message,
    );
    assert.ok(waited() > 30_000 && waited() < minute, `${waited()} ms`);
  });

  it('that leaves a child of the index out is found out', async () => {
    const [root = '', first = '', second = ''] = putIndex(world);
    world.emulator.behaviour.omits = [second];
    const { message } = await fails(world.importApp([root, first, second]), 'REGISTRY_UNEXPECTED');
    assert.match(message, new RegExp(`1 of 3 manifests are not there, ${second} among them\\. Nothing was tagged`));
  });

  it('may show a little late, as in a registry that is replicated', async () => {
    const graph = putIndex(world);
    world.target.faults.add({ operation: 'manifest.head', count: 7 }, { kind: 'status', status: 404 });
    assert.deepEqual(await world.importApp(graph), imported);
    assert.deepEqual([heads(404), heads(200)], [7, 3], 'what was seen once is not asked for again');
  });

  it('waits as it is told where Azure throttles it', async () => {
    const effect = { kind: 'status', status: 429, headers: { 'retry-after': '17' } } as const;
    world.emulator.faults.add({ operation: 'registries.importImage', count: 2, effect });
    assert.deepEqual(await world.importApp(putIndex(world)), imported);
    assert.deepEqual(world.clock.sleeps.slice(0, 2), [17_000, 17_000]);
    assert.equal(world.count('registries.importImage'), 3);
  });

  it('is declined for good where the throttling does not end', async () => {
    const effect = { kind: 'status', status: 429, headers: { 'retry-after': '240' } } as const;
    world.emulator.faults.add({ operation: 'registries.importImage', effect });
    const importer = world.createImporter();
    const ended = await declines(world.importApp(putIndex(world), importer));
    assert.match(ended.reason, /importImage was refused \(too many requests\) until we gave up$/);
    const asked = world.count('registries.importImage');
    assert.equal(await world.importApp(putIndex(world), importer), ended);
    assert.equal(world.count('registries.importImage'), asked);
  });

  it('begins at most four at once', async () => {
    world.emulator.behaviour.polls = 3;
    let most = 0;
    world.emulator.faults.intercept = () => {
      const running = world.emulator.world.operations.filter(({ status }) => status === 'Running').length;
      most = Math.max(most, running);
      return 'proceed';
    };
    const importer = world.createImporter();
    const graphs = Array.from({ length: 20 }, () => [world.source.world.putImage('app').digest]);
    const ended = await Promise.all(graphs.map(graph => world.importApp(graph, importer)));
    assert.deepEqual(
      ended,
      graphs.map(() => imported),
    );
    assert.equal(most, 4);
  });

  describe('that is not permitted', () => {
    const role = /Grant it the role "Container Registry Data Importer and Data Reader" on both registries$/;

    it('on the target says which right is missing, and is not tried again', async () => {
      world.allow('target', 'Microsoft.ContainerRegistry/registries/read');
      const { reason } = await refusedForGood();
      assert.ok(
        reason.includes(
          `may not import into ${world.target.host} ("Microsoft.ContainerRegistry/registries/importImage/action")`,
        ),
        reason,
      );
      assert.match(reason, /status 403 \(AuthorizationFailed: The client 'an-identity'/);
      assert.match(reason, role);
    });

    it('on the source says so, although it is the target that refuses', async () => {
      world.allow('target', ...importerActions);
      const { reason } = await refusedForGood();
      assert.ok(
        reason.includes(`may not read ${world.source.host} ("Microsoft.ContainerRegistry/registries/read")`),
        reason,
      );
      assert.match(reason, role);
    });

    it('by the source itself is declined for good', async () => {
      world.allow('target', ...importerActions);
      world.allow('source', 'Microsoft.ContainerRegistry/registries/read');
      assert.match(
        (await refusedForGood()).reason,
        new RegExp(`the import failed, .* Access to ${world.source.host} denied`),
      );
    });

    it('because the target cannot reach the source is declined for good', async () => {
      world.emulator.behaviour.outcome = unreachable;
      assert.match((await refusedForGood()).reason, /client with IP '10\.0\.0\.1' is not allowed access/);
    });

    for (const [status, code] of [
      [401, 'InvalidAuthenticationTokenTenant'],
      [403, 'RequestDisallowedByPolicy'],
      [404, 'ResourceGroupNotFound'],
    ] as const) {
      it(`is declined for good on ${status} ${code}`, async () => {
        const json = { error: { code, message: 'No.\nTrace: secret' } };
        world.emulator.faults.add({ operation: 'registries.importImage', effect: { kind: 'status', status, json } });
        const { reason } = await refusedForGood();
        assert.match(reason, new RegExp(`status ${status} \\(${code}: No\\)`));
        assert.doesNotMatch(reason, /Trace/);
      });
    }

    it('is declined for this image alone on a 400', async () => {
      const json = { error: { code: 'InvalidParameters', message: 'No.' } };
      const fault = {
        operation: 'registries.importImage',
        count: 1,
        effect: { kind: 'status', status: 400, json },
      } as const;
      world.emulator.faults.add(fault);
      const importer = world.createImporter();
      const ended = await declines(world.importApp(putIndex(world), importer));
      assert.deepEqual(
        [ended.reason, ended.isFinal],
        ['the import was refused, status 400 (InvalidParameters: No)', false],
      );
      assert.deepEqual(await world.importApp(putIndex(world), importer), imported);
    });
  });

  it('never shows its token', async () => {
    const { arm } = world;
    const words: string[] = [];
    for (const effect of [
      { kind: 'status', status: 403, json: { error: { code: 'X', message: 'y' } } },
      { kind: 'cut', when: 'before' },
      { kind: 'status', status: 503 },
    ] as const) {
      world.emulator.faults.clear();
      world.emulator.faults.add({ effect });
      words.push(JSON.stringify(await world.importApp(putIndex(world))));
    }
    world.emulator.faults.clear();
    world.emulator.behaviour.outcome = 'empty';
    words.push(everyWord(await fails(world.importApp(putIndex(world)), 'REGISTRY_UNEXPECTED')));
    assert.ok(arm.http.log === world.log && world.log.lines.length > 0);
    assert.doesNotMatch([...words, ...world.log.lines].join('\n'), /eyJ|[?&]h=/);
  });
});
