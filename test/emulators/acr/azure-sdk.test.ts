import assert from 'node:assert/strict';
import { ContainerRegistryClient, ContainerRegistryContentClient } from '@azure/container-registry';
import { type AcrEmulator, type AcrOptions, startAcr } from './acr.ts';
import { entraToken } from './client.ts';
import { digestOf, mediaTypes } from './content.ts';

interface Sdk {
  readonly acr: AcrEmulator;
  readonly registry: ContainerRegistryClient;
  readonly content: (repository: string) => ContainerRegistryContentClient;
}

async function withSdk(work: (sdk: Sdk) => Promise<void>, options: AcrOptions = {}): Promise<void> {
  const acr = await startAcr(options);
  const expiresOnTimestamp = acr.clock.now() + 3_600_000;
  const credential = { getToken: async () => ({ token: entraToken(acr), expiresOnTimestamp }) };
  const settings = { tlsOptions: { ca: acr.ca }, retryOptions: { maxRetries: 0 } };
  const endpoint = `https://${acr.host}`;
  try {
    await work({
      acr,
      registry: new ContainerRegistryClient(endpoint, credential, settings),
      content: name => new ContainerRegistryContentClient(endpoint, name, credential, settings),
    });
  } finally {
    await acr.close();
  }
}

async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}

function isStatus(status: number) {
  return (thrown: unknown): boolean => (thrown as { statusCode?: number }).statusCode === status;
}

function descriptorOf(mediaType: string, blob: { digest: string; sizeInBytes: number }) {
  return { mediaType, digest: blob.digest, size: blob.sizeInBytes };
}

describe('emulated registry: judged by the Azure SDK', () => {
  it('lists repositories, manifests and tags over several pages, with all that it reads of them', () =>
    withSdk(async ({ acr, registry }) => {
      const { digest } = acr.world.putImage('team/app', { tags: ['a'] });
      const names = Array.from({ length: 120 }, (_, index) => `t${index}`);
      acr.world.seedTags('team/app', digest, names);
      const child = acr.world.putImage('team/app', { architecture: 'arm64' });
      acr.world.putImage('other');
      assert.deepEqual(await collect(registry.listRepositoryNames()), ['other', 'team/app']);
      const manifests = await collect(registry.getRepository('team/app').listManifestProperties());
      assert.deepEqual(manifests.map(item => item.digest).sort(), [digest, child.digest].sort());
      const arm = manifests.find(item => item.digest === child.digest);
      assert.deepEqual([arm?.architecture, arm?.operatingSystem, arm?.tags], ['arm64', 'linux', []]);
      const tags = await collect(registry.getArtifact('team/app', digest).listTagProperties());
      assert.deepEqual(
        tags.map(tag => tag.name),
        ['a', ...names].sort(),
      );
      assert.ok((tags[0]?.createdOn.getTime() ?? 0) > 0);
      const newest = registry.getArtifact('team/app', digest).listTagProperties({ order: 'LastUpdatedOnDescending' });
      assert.equal((await newest.next()).value?.name, 't119');
    }));

  it('reads and changes attributes on every level', () =>
    withSdk(async ({ acr, registry }) => {
      const { digest } = acr.world.putImage('team/app', { tags: ['1'] });
      const repository = registry.getRepository('team/app');
      const artifact = registry.getArtifact('team/app', digest);
      assert.equal((await repository.getProperties()).manifestCount, 1);
      assert.equal((await repository.updateProperties({ canWrite: false })).canWrite, false);
      assert.equal((await artifact.updateManifestProperties({ canDelete: false })).canDelete, false);
      assert.equal((await artifact.updateTagProperties('1', { canList: false })).canList, false);
      assert.equal((await artifact.getTagProperties('1')).digest, digest);
      assert.equal((await artifact.getManifestProperties()).tags.length, 0, 'its only tag is hidden');
    }));

  it('untags, deletes an artifact by tag with its siblings, deletes a repository, and takes a 404 for done', () =>
    withSdk(async ({ acr, registry }) => {
      const { digest } = acr.world.putImage('team/app', { tags: ['1', '2', '3'] });
      await registry.getArtifact('team/app', digest).deleteTag('1');
      assert.deepEqual(Object.keys(acr.world.tags('team/app')), ['2', '3']);
      await registry.getArtifact('team/app', digest).deleteTag('1');
      await registry.getArtifact('team/app', '2').delete();
      assert.deepEqual(acr.world.repositories(), []);
      acr.world.putImage('team/app', { tags: ['4'] });
      await registry.deleteRepository('team/app');
      assert.deepEqual(acr.world.repositories(), []);
    }));

  it('meets locks, missing rights and 429 as the errors that it knows', () =>
    withSdk(
      async ({ acr, registry }) => {
        acr.world.putImage('app', { tags: ['1'] });
        acr.world.setAttributes('app', '1', { deleteEnabled: false });
        await assert.rejects(registry.getArtifact('app', '1').deleteTag('1'), isStatus(405));
        await assert.rejects(registry.getRepository('app').updateProperties({ canWrite: true }), isStatus(401));
        acr.setBudgets({ Read: 0 });
        await assert.rejects(registry.getRepository('app').getProperties(), isStatus(429));
      },
      {
        identities: [
          {
            name: 'cleaner',
            objectId: 'an-object',
            rights: [{ repository: '*', actions: ['delete', 'metadata_read'] }],
          },
        ],
      },
    ));

  it('pushes blobs in chunks and a manifest, and fetches them back from the second host', () =>
    withSdk(async ({ acr, content }) => {
      const client = content('team/app');
      const bytes = Buffer.alloc(9 * 1024 * 1024, 'layer');
      const layer = await client.uploadBlob(bytes);
      assert.equal(layer.digest, digestOf(bytes));
      assert.equal(acr.requests.count({ operation: 'upload.chunk', status: 202 }), 3);
      const config = await client.uploadBlob(Buffer.from('{"architecture":"amd64","os":"linux"}'));
      const manifest = {
        schemaVersion: 2 as const,
        config: descriptorOf(mediaTypes.ociConfig, config),
        layers: [descriptorOf(mediaTypes.ociLayer, layer)],
      };
      const { digest } = await client.setManifest(manifest, { tag: '1' });
      assert.equal(acr.world.digest('team/app', '1'), digest);
      assert.equal((await client.getManifest('1')).digest, digest);
      const download = await client.downloadBlob(layer.digest);
      const chunks = await collect(download.content as AsyncIterable<Buffer>);
      assert.deepEqual(Buffer.concat(chunks), bytes);
      await client.deleteManifest(digest);
      assert.deepEqual(acr.world.manifests('team/app'), []);
    }));
});
