import assert from 'node:assert/strict';
import type { Credentials } from '../../../core/oci/credentials.ts';
import { parseManifest } from '../../../core/oci/manifest.ts';
import { putManifest } from '../../../core/oci/manifests.ts';
import { moveBlob } from '../../../core/oci/move-blob.ts';
import { openRegistry } from '../../../core/oci/registry.ts';
import { openRepository, type Repository } from '../../../core/oci/repository.ts';
import { repositorySource } from '../../../core/oci/source.ts';
import { putBlob } from '../../../core/oci/upload.ts';
import { createTls } from '../../emulators/tls.ts';
import { account, type DockerRegistry, startDockerRegistry } from '../../support/docker-registry.ts';
import { makeImage, pointTo } from '../../support/images.ts';
import { inspectDigest, pushImage, skopeo } from '../../support/skopeo.ts';
import { type BlobWorld, describeBlob, kilobyte, makeBytes, megabyte, startBlobWorld } from './blob-world.ts';
import { anonymous, type Client, createClient, fails, missing } from './world.ts';

const password: Credentials = { kind: 'password', ...account };

describe('a blob that moves between two docker-registries', () => {
  let client: Client;
  let open: DockerRegistry;
  let closed: DockerRegistry;
  before(async () => {
    client = createClient();
    open = await startDockerRegistry();
    closed = await startDockerRegistry({ password: true });
  });
  after(async () => {
    await client.http.close();
    await open.stop();
    await closed.stop();
  });
  const repository = (registry: DockerRegistry, name: string): Repository => {
    const credentials = registry === open ? anonymous : password;
    const opened = openRegistry({ address: `http://${registry.host}`, credentials, http: client.http });
    return openRepository(opened, name, ['pull', 'push']);
  };

  it('is what skopeo pushed, and skopeo reads the image that they make', async () => {
    const image = makeImage('moved');
    await pushImage(open, 'team/moved:v1', image);
    const target = repository(closed, 'team/moved');
    for (const part of image.parts) {
      assert.equal(await moveBlob(repositorySource(repository(open, 'team/moved')), target, pointTo(part)), 'copied');
    }
    await putManifest(target, 'v1', parseManifest(image.bytes, image.mediaType, 'it'));
    assert.equal(await inspectDigest(closed, 'team/moved:v1'), image.digest);
    const flags = [
      '--src-tls-verify=false',
      '--dest-tls-verify=false',
      '--src-creds',
      Object.values(account).join(':'),
    ];
    const [from, to] = [`docker://${closed.host}/team/moved:v1`, `docker://${open.host}/team/returned:v1`];
    await skopeo('copy', '--preserve-digests', ...flags, from, to);
    assert.equal(await inspectDigest(open, 'team/returned:v1'), image.digest);
  });

  it('is not moved again, and costs one request then', async () => {
    const bytes = makeBytes(3 * megabyte);
    await putBlob(repository(open, 'team/one'), bytes);
    const move = () =>
      moveBlob(repositorySource(repository(open, 'team/one')), repository(closed, 'team/one'), describeBlob(bytes));
    assert.equal(await move(), 'copied');
    client.log.lines.length = 0;
    assert.equal(await move(), 'present');
    // The first is asked for a password.
    assert.deepEqual(
      client.log.lines.map(line => /HEAD|GET|PUT|POST/.exec(line)?.[0]),
      ['HEAD', 'HEAD'],
    );
  });

  it('is mounted inside one of them, without a byte, whoever asks', async () => {
    const bytes = makeBytes(2 * megabyte);
    for (const registry of [open, closed]) {
      await putBlob(repository(registry, 'team/here'), bytes);
      client.log.lines.length = 0;
      const source = repositorySource(repository(registry, 'team/here'));
      let sent = 0;
      const onBytes = (count: number): void => void (sent += count);
      const there = repository(registry, 'team/there');
      assert.equal(await moveBlob(source, there, describeBlob(bytes), { onBytes }), 'mounted');
      assert.equal(await moveBlob(source, there, describeBlob(bytes)), 'present');
      assert.deepEqual([sent, client.log.lines.filter(line => /PUT|GET/.test(line))], [0, []]);
    }
  });

  it('may be empty', async () => {
    const bytes = Buffer.alloc(0);
    await putBlob(repository(open, 'team/empty'), bytes);
    const [source, target] = [repository(open, 'team/empty'), repository(closed, 'team/empty')];
    assert.equal(await moveBlob(repositorySource(source), target, describeBlob(bytes)), 'copied');
    assert.equal(await moveBlob(repositorySource(source), target, describeBlob(bytes)), 'present');
  });

  it('is an error that names it where the source has none', async () => {
    const [source, target] = [repository(open, 'team/none'), repository(closed, 'team/none')];
    const blob = { mediaType: 'a/b', digest: missing, size: 3 };
    const thrown = await fails(moveBlob(repositorySource(source), target, blob), 'IMAGE_NOT_FOUND');
    assert.equal(thrown.message, `${open.host}/team/none, blob ${missing} is not in the registry.`);
  });

  it('of a size that a manifest lies about is an error, also where it is there', async () => {
    const bytes = makeBytes(1000);
    await putBlob(repository(open, 'team/lied'), bytes);
    const [source, target] = [repository(open, 'team/lied'), repository(closed, 'team/lied')];
    for (const size of [0, 999, 1001]) {
      const lied = { ...describeBlob(bytes), size };
      await fails(moveBlob(repositorySource(source), target, lied), 'DIGEST_MISMATCH');
    }
    await putBlob(target, bytes);
    const thrown = await fails(
      moveBlob(repositorySource(source), target, { ...describeBlob(bytes), size: 999 }),
      'DIGEST_MISMATCH',
    );
    assert.match(thrown.message, /a manifest says that it has 999 bytes, but the 1000 that are there/);
  });
});

/** Sizes around every bound at which parts are gathered, passed on or held back. */
const sizes = [0, 1, 100, ...[16, 64, 128, 256, 1024].flatMap(each => [-1, 0, 1].map(more => each * kilobyte + more))];

for (const scheme of ['http', 'https'] as const) {
  describe(`a blob of any size over ${scheme}`, () => {
    let world: BlobWorld;
    before(async () => {
      world = await startBlobWorld(scheme === 'https' ? { tls: await createTls() } : {});
    });
    after(() => world.close());

    it('arrives as it was, with its length told before it', async () => {
      for (const size of [...sizes, 5 * megabyte + 7]) {
        const bytes = makeBytes(size);
        world.target.requests.length = 0;
        assert.equal(await world.move(bytes), 'copied');
        assert.ok(world.target.blobs.get(describeBlob(bytes).digest)?.equals(bytes), `${size} bytes`);
        assert.deepEqual(world.sent(), ['POST 0', `PUT ${size}`]);
        const put = world.target.requests.find(({ method }) => method === 'PUT');
        assert.deepEqual(
          [put?.headers['content-length'], put?.headers['transfer-encoding']],
          [String(size), undefined],
        );
      }
    });

    it('is told of while it moves, in bytes that add up', async () => {
      const bytes = makeBytes(3 * megabyte + 11);
      const told: number[] = [];
      await world.move(bytes, { onBytes: count => told.push(count) });
      assert.ok(told.length > 5, `told ${told.length} times`);
      assert.equal(
        told.reduce((sum, count) => sum + count),
        bytes.byteLength,
      );
    });

    it('arrives as it was beside others, though each end stops and goes on', async () => {
      const blobs = Array.from({ length: 6 }, (_, at) => makeBytes(at * 700 * kilobyte + 7));
      assert.deepEqual(await Promise.all(blobs.map(bytes => world.move(bytes))), Array(6).fill('copied'));
      for (const bytes of blobs) assert.ok(world.target.blobs.get(describeBlob(bytes).digest)?.equals(bytes));
    });
  });
}
