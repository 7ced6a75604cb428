import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLog } from '../../../core/base/log.ts';
import { chooseBring } from '../../../core/lifecycle/bring.ts';
import { copyImages, lookAtImages } from '../../../core/oci/copy-images.ts';
import { createCopyRun } from '../../../core/oci/copy-run.ts';
import { repositorySource } from '../../../core/oci/source.ts';
import { makeIndex, makeSignature } from '../../support/images.ts';
import { inspectDigest, pushImage, skopeo } from '../../support/skopeo.ts';
import { createCollectingLog } from '../oci/world.ts';
import { type ImportWorld, startImportWorld } from './import-world.ts';

const admin = { username: 'admin', password: 'admin-password' };

describe('images that Azure imported, read by skopeo', () => {
  let world: ImportWorld;
  let folder: string;
  const image = makeIndex('imported');
  const signature = makeSignature(image);
  const digestTag = `${image.digest.replace(':', '-')}.sig`;
  beforeEach(async () => {
    world = await startImportWorld();
    folder = await mkdtemp(join(tmpdir(), 'image-lifecycle-import-'));
    const from = { host: world.source.host, ...admin };
    await pushImage(from, 'app:v1', image);
    await pushImage(from, 'app:signature', signature);
    world.source.world.tag('app', digestTag, signature.digest);
    world.source.world.untag('app', 'signature');
    for (const side of [world.source, world.target]) side.requests.clear();
  });
  afterEach(async () => {
    await world.close();
    await rm(folder, { recursive: true });
  });
  const promote = async () => {
    const log = createCollectingLog();
    const run = createCopyRun({ log: silentLog });
    const bringing = chooseBring(run, {
      importer: world.createImporter({ request: run.request }),
      importOnly: false,
      log,
    });
    const copy = {
      source: repositorySource(world.open('source', 'app')),
      target: world.open('target', 'stage/app'),
      root: image.digest,
      tags: ['4711'],
    };
    const [copied] = await copyImages(run, await lookAtImages(run, [copy]), {
      referrers: true,
      bring: bringing.bring,
    });
    return { copied, imported: bringing.imported, lines: log.lines };
  };
  const witness = async () => {
    const to = { host: world.target.host, ...admin };
    assert.equal(await inspectDigest(to, 'stage/app:4711'), image.digest);
    assert.equal(await inspectDigest(to, `stage/app:${digestTag}`), signature.digest);
    assert.equal(await inspectDigest(to, `stage/app@${signature.digest}`), signature.digest);
    const flags = ['--all', '--preserve-digests', '--src-tls-verify=false', '--src-creds', 'admin:admin-password'];
    await skopeo('copy', ...flags, `docker://${world.target.host}/stage/app:4711`, `dir:${folder}`);
    const files = await readdir(folder);
    const manifests = files.filter(name => name.endsWith('.manifest.json'));
    assert.equal(manifests.length, image.parts.length);
    assert.deepEqual(await readFile(join(folder, 'manifest.json')), image.bytes);
    assert.deepEqual(world.target.world.tags('stage/app'), { 4711: image.digest, [digestTag]: signature.digest });
  };

  it('are the same, digest for digest, with their signature and its tag, and not a blob went through here', async () => {
    const { copied, imported, lines } = await promote();
    assert.deepEqual(
      [copied?.tagged, copied?.referrers, copied?.digestTags],
      [['4711'], [signature.digest], [digestTag]],
    );
    assert.deepEqual(imported, new Set([image.digest, signature.digest]));
    assert.equal(world.count('registries.importImage'), 2);
    for (const side of [world.source, world.target]) {
      const blobs = side.requests.all().filter(({ operation }) => /^(blob|upload)/.test(operation));
      assert.deepEqual(blobs, []);
    }
    assert.ok(
      lines.every(line => !/Copying/.test(line)),
      lines.join('\n'),
    );
    await witness();
  });

  it('are the same where Azure declines, says one line about it, and asks it once', async () => {
    world.allow('target', 'Microsoft.ContainerRegistry/registries/read');
    const { imported, lines } = await promote();
    assert.equal(imported.size, 0);
    assert.equal(world.count('registries.importImage'), 1);
    assert.equal(
      lines.filter(line => /Copying through this agent, .*"Container Registry Data Importer/.test(line)).length,
      1,
    );
    await witness();
  });

  it('are the same where an import that was given up ends behind the copying', async () => {
    world.emulator.behaviour.outcome = 'stuck';
    await promote();
    world.emulator.behaviour.outcome = 'copies';
    for (const operation of world.emulator.world.operations) operation.complete();
    assert.deepEqual(
      world.emulator.world.operations.map(({ status }) => status),
      ['Succeeded'],
    );
    await witness();
  });

  it('are not imported again', async () => {
    await promote();
    const asked = world.emulator.requests.entries.length;
    const { copied, imported } = await promote();
    assert.deepEqual([copied?.tagged, imported.size, world.emulator.requests.entries.length], [[], 0, asked]);
    await witness();
  });
});
