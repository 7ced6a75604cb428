import assert from 'node:assert/strict';
import { getArtifact, putArtifact } from '../../../core/oci/artifact.ts';
import { hasBlob, openBlob } from '../../../core/oci/blobs.ts';
import type { Credentials } from '../../../core/oci/credentials.ts';
import { parseManifest } from '../../../core/oci/manifest.ts';
import { deleteManifest, getManifest, headManifest, putManifest } from '../../../core/oci/manifests.ts';
import { ociIndex } from '../../../core/oci/media-types.ts';
import { listReferrers, referrersTag } from '../../../core/oci/referrers.ts';
import { openRegistry } from '../../../core/oci/registry.ts';
import { openRepository, type Repository } from '../../../core/oci/repository.ts';
import { listTags, listTagsWithPrefix } from '../../../core/oci/tags.ts';
import { putBlob } from '../../../core/oci/upload.ts';
import { account, type DockerRegistry, startDockerRegistry } from '../../support/docker-registry.ts';
import { type Content, flatten, makeImage, makeIndex, makeSignature } from '../../support/images.ts';
import { inspectDigest, pushImage, skopeo } from '../../support/skopeo.ts';
import { anonymous, type Client, createClient, fails, missing, readAll } from './world.ts';

const password: Credentials = { kind: 'password', ...account };

for (const { title, credentials, isOpen } of [
  { title: 'open to all', credentials: anonymous, isOpen: true },
  { title: 'with a password', credentials: password, isOpen: false },
]) {
  describe(`a docker-registry ${title}, and skopeo beside us`, () => {
    let registry: DockerRegistry;
    let client: Client;
    before(async () => {
      client = createClient();
      registry = await startDockerRegistry({ password: !isOpen });
    });
    after(async () => {
      await client.http.close();
      await registry.stop();
    });
    const open = (name: string, as: Credentials = credentials): Repository => {
      const address = `http://${registry.host}`;
      return openRepository(openRegistry({ address, credentials: as, http: client.http }), name, ['pull', 'push']);
    };
    /** Puts everything as skopeo would: blobs, children, root. */
    const put = async (repository: Repository, root: Content, reference: string): Promise<void> => {
      for (const part of root.parts) {
        if (part.parts.length > 0) await put(repository, part, part.digest);
        else if (!(await hasBlob(repository, part.digest)))
          assert.equal(await putBlob(repository, part.bytes), part.digest);
      }
      await putManifest(repository, reference, parseManifest(root.bytes, root.mediaType, 'mine'));
    };

    it('what skopeo pushes we read, byte for byte', async () => {
      const index = makeIndex('pushed');
      await pushImage(registry, 'team/pushed:v1', index);
      const repository = open('team/pushed');
      for (const content of flatten(index)) {
        if (content.parts.length === 0) {
          assert.deepEqual(await readAll(await openBlob(repository, content.digest)), content.bytes);
        } else {
          const read = await getManifest(repository, content.digest);
          assert.deepEqual([read?.digest, read?.mediaType], [content.digest, content.mediaType]);
          assert.deepEqual(Buffer.from(read?.bytes ?? []), content.bytes);
        }
      }
      const expected = { digest: index.digest, mediaType: ociIndex, size: index.bytes.byteLength };
      assert.deepEqual(await headManifest(repository, 'v1'), expected);
    });

    it('what we put skopeo reads and copies, byte for byte', async () => {
      const index = makeIndex('put');
      await put(open('team/put'), index, 'v1');
      assert.equal(await inspectDigest(registry, 'team/put:v1'), index.digest);
      const creds = isOpen
        ? []
        : [
            '--src-creds',
            `${account.username}:${account.password}`,
            '--dest-creds',
            `${account.username}:${account.password}`,
          ];
      const [from, to] = ['put', 'copy'].map(name => `docker://${registry.host}/team/${name}:v1`);
      const flags = ['--all', '--preserve-digests', '--src-tls-verify=false', '--dest-tls-verify=false', ...creds];
      await skopeo('copy', ...flags, from ?? '', to ?? '');
      assert.equal((await headManifest(open('team/copy'), 'v1'))?.digest, index.digest);
    });

    it('tags of both are listed, null where there are none, and one more tag is one more PUT', async () => {
      const image = makeImage('tags');
      await pushImage(registry, 'team/tags:47.a', image);
      const repository = open('team/tags');
      const read = await getManifest(repository, '47.a');
      assert.ok(read);
      for (const tag of ['471.a', '47.b', '46']) await putManifest(repository, tag, read);
      assert.deepEqual((await listTags(repository)).sort(), ['46', '47.a', '47.b', '471.a']);
      assert.deepEqual((await listTagsWithPrefix(repository, '47.')).sort(), ['47.a', '47.b']);
      assert.equal(await inspectDigest(registry, 'team/tags:471.a'), image.digest);
      assert.equal(await deleteManifest(repository, image.digest), 'deleted');
      assert.deepEqual(await listTags(repository), []);
      assert.equal(await deleteManifest(repository, image.digest), 'alreadyGone');
      assert.equal(await inspectDigest(registry, 'team/tags:47.a'), undefined);
    });

    it('referrers are those of the tag, for it has no such API', async () => {
      const image = makeImage('signed');
      const signature = makeSignature(image);
      await pushImage(registry, 'team/signed:v1', image);
      const repository = open('team/signed');
      assert.deepEqual(await listReferrers(repository, image.digest), []);
      await put(repository, signature, signature.digest);
      const child = { mediaType: signature.mediaType, digest: signature.digest, size: signature.bytes.byteLength };
      const list = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: ociIndex, manifests: [child] }));
      await putManifest(repository, referrersTag(image.digest), parseManifest(list, ociIndex, 'the list'));
      assert.deepEqual(
        (await listReferrers(repository, image.digest)).map(each => each.digest),
        [signature.digest],
      );
    });

    it('an artifact comes back, and nothing else does in its place', async () => {
      const type = 'application/vnd.test.v1+json';
      const repository = open('team/artifact');
      const digest = await putArtifact(repository, 'note', { type, json: { a: ['ä', 1] } });
      assert.deepEqual(await getArtifact(repository, 'note', type, 1000), { digest, json: { a: ['ä', 1] } });
      assert.equal(await inspectDigest(registry, 'team/artifact:note'), digest);
      assert.equal(await getArtifact(repository, 'nothing', type, 1000), undefined);
      await fails(getArtifact(repository, 'note', 'application/other', 1000), 'RECORD_UNREADABLE');
      await fails(getArtifact(repository, 'note', type, 5), 'TOO_LARGE');
      await pushImage(registry, 'team/artifact:image', makeImage('not-a-note'));
      await fails(getArtifact(repository, 'image', type, 1000), 'RECORD_UNREADABLE');
    });

    it('what is not there is a value', async () => {
      assert.equal(await headManifest(open('no/such'), 'v1'), undefined);
      assert.equal(await getManifest(open('no/such'), missing), undefined);
      assert.deepEqual(await listTags(open('no/such')), []);
    });

    if (!isOpen) {
      it('a wrong password, and none, are said to be so', async () => {
        const before = await registry.fingerprint();
        for (const as of [anonymous, { ...password, password: 'wrong' } as Credentials]) {
          await fails(headManifest(open('team/pushed', as), 'v1'), 'REGISTRY_DENIED');
          await fails(putBlob(open('team/pushed', as), Buffer.from('x')), 'REGISTRY_DENIED');
        }
        assert.equal(await registry.fingerprint(), before);
      });
    }
  });
}
