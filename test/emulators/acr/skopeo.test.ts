import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type AcrEmulator, startAcr } from './acr.ts';
import { writeLayout } from './oci-layout.ts';

const run = promisify(execFile);

async function skopeo(...words: string[]): Promise<string> {
  return (await run('skopeo', ['--insecure-policy', ...words])).stdout;
}

describe('emulated registry: judged by skopeo', () => {
  let acr: AcrEmulator;
  let directory: string;
  let digest: string;
  let credentials: string[];

  beforeEach(async () => {
    acr = await startAcr();
    directory = await mkdtemp(join(tmpdir(), 'acr-skopeo-'));
    await mkdir(join(directory, 'certs'));
    await writeFile(join(directory, 'certs', 'ca.crt'), acr.ca);
    digest = await writeLayout(join(directory, 'layout'));
    credentials = ['--creds', 'admin:admin-password', '--cert-dir', join(directory, 'certs')];
  });

  afterEach(async () => {
    await acr.close();
    await rm(directory, { recursive: true });
  });

  const side = (name: 'src' | 'dest'): string[] => credentials.map(word => word.replace(/^--/, `--${name}-`));
  const at = (reference: string): string => `docker://${acr.host}/${reference}`;

  function push(reference: string): Promise<string> {
    const source = `oci:${join(directory, 'layout')}:1.0`;
    return skopeo('copy', '--all', '--preserve-digests', ...side('dest'), source, at(reference));
  }

  it('takes a two-platform image from a layout and gives it back, byte for byte', async () => {
    await push('team/app:1.0');
    assert.equal(acr.world.digest('team/app', '1.0'), digest);
    assert.equal(acr.world.manifests('team/app').length, 3);
    assert.equal(acr.world.blobs.digests().length, 4);
    const target = join(directory, 'pulled');
    await skopeo('copy', '--all', '--preserve-digests', ...side('src'), at('team/app:1.0'), `dir:${target}`);
    const raw = await skopeo('inspect', '--raw', ...credentials, at('team/app:1.0'));
    assert.deepEqual(Buffer.from(raw), acr.world.manifest('team/app', '1.0')?.bytes);
    assert.ok(acr.requests.count({ operation: 'blob.data', status: 200 }) >= 4, 'bytes came from the second host');
    assert.equal(acr.requests.count({ operation: 'blob.data', status: 400 }), 0, 'which never saw credentials');
  });

  it('copies inside the registry by mounting, and inspects, and lists tags', async () => {
    await push('team/app:1.0');
    acr.requests.clear();
    await skopeo('copy', '--all', ...side('src'), ...side('dest'), at('team/app:1.0'), at('other/app:2.0'));
    assert.equal(acr.world.digest('other/app', '2.0'), digest);
    assert.equal(acr.requests.count({ operation: 'upload.start', status: 201 }), 2, 'both layers were mounted');
    const inspected = JSON.parse(await skopeo('inspect', ...credentials, at('other/app:2.0'))) as {
      Architecture: string;
    };
    assert.match(inspected.Architecture, /^a/);
    acr.world.tag('other/app', '3.0', digest);
    const { Tags } = JSON.parse(await skopeo('list-tags', ...credentials, at('other/app'))) as { Tags: string[] };
    assert.deepEqual(Tags, ['2.0', '3.0']);
  });

  it('lists more tags than a page holds', async () => {
    const image = acr.world.putImage('many');
    const names = Array.from({ length: 250 }, (_, index) => `t${index}`);
    acr.world.seedTags('many', image.digest, names);
    const { Tags } = JSON.parse(await skopeo('list-tags', ...credentials, at('many'))) as { Tags: string[] };
    assert.deepEqual(Tags, names.sort());
  });

  it('deletes by tag what the tag points at, and its siblings with it', async () => {
    await push('team/app:1.0');
    acr.world.tag('team/app', 'latest', digest);
    await skopeo('delete', ...credentials, at('team/app:1.0'));
    assert.deepEqual(acr.world.tags('team/app'), {});
    assert.equal(acr.world.manifests('team/app').length, 2, 'the children of the index stay');
  });

  it('is refused by a lock and by a wrong password', async () => {
    await push('team/app:1.0');
    acr.world.setAttributes('team/app', '1.0', { writeEnabled: false });
    await assert.rejects(push('team/app:1.0'));
    assert.equal(acr.requests.count({ operation: 'manifest.put', reference: '1.0', status: 405 }), 1);
    credentials[1] = 'admin:wrong';
    await assert.rejects(push('team/app:2.0'), /authentication required|unauthorized/i);
    assert.deepEqual(Object.keys(acr.world.tags('team/app')), ['1.0']);
  });

  it('sends the length of a layer that it knows, so that the strictest registry takes it', async () => {
    acr.behaviour.chunkedPatch = 'refuse';
    await push('team/app:1.0');
    assert.ok(acr.requests.count({ operation: 'upload.chunk', status: 202 }) > 0);
  });

  it('streams a layer that it compresses on the way, which only the lenient take', async () => {
    const plain = join(directory, 'plain');
    const source = `oci:${join(directory, 'layout')}:1.0`;
    await skopeo('copy', '--dest-decompress', source, `dir:${plain}`);
    const compress = () => skopeo('copy', '--dest-compress', ...side('dest'), `dir:${plain}`, at('team/app:2.0'));
    acr.behaviour.chunkedPatch = 'refuse';
    await assert.rejects(compress(), /Content-Length/);
    acr.behaviour.chunkedPatch = 'refuse-with-range';
    await compress();
    assert.equal(acr.world.has('team/app', '2.0'), true);
  });
});
