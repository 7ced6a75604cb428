/** What people and their tools do in the registries of the demo: push, lock, look. */

import { getSmallBlob } from '../../core/oci/blobs.ts';
import type { Digest } from '../../core/oci/digest.ts';
import type { Http } from '../../core/oci/http.ts';
import { parseManifest } from '../../core/oci/manifest.ts';
import { getManifest, headManifest, putManifest } from '../../core/oci/manifests.ts';
import { isIndexType, isManifestType } from '../../core/oci/media-types.ts';
import { openRegistry, type Registry } from '../../core/oci/registry.ts';
import { openRepository, type Repository } from '../../core/oci/repository.ts';
import { putBlob } from '../../core/oci/upload.ts';
import type { Content } from '../../test/support/images.ts';
import { control } from './control.ts';

const maxLayerBytes = 5 * 1024 * 1024;

/** A registry's content, by its own account. */
export interface RegistryState {
  readonly repositories: Readonly<
    Record<string, { readonly tags: Readonly<Record<string, Digest>>; readonly manifests: readonly Digest[] }>
  >;
  /** Digests of every blob, and their bytes added up. */
  readonly blobs: readonly string[];
  readonly blobBytes: number;
}

/** The demo's hands on one registry. */
export interface Hands {
  /** By which the story calls it. */
  readonly name: string;
  /** Its login server. */
  readonly host: string;
  /** As `docker push` does: parts first, then the tag. Without a tag: by digest. */
  push(repository: string, content: Content, tag?: string): Promise<void>;
  /** As `az acr repository update --delete-enabled false` does, for a manifest. */
  lock(repository: string, digest: Digest): Promise<void>;
  /** What any client is told of a tag or a digest; undefined where it is not there. */
  resolve(repository: string, reference: string): Promise<Digest | undefined>;
  look(): Promise<RegistryState>;
  /** The content of an artifact's one layer. */
  readLayer(repository: string, digest: Digest): Promise<Uint8Array>;
  /** How often clients have read or written a blob of a repository so far. */
  countBlobs(repository: string): Promise<number>;
}

/** Signs in as the emulator's one user. */
export function takeHands(name: string, host: string, http: Http): Hands {
  const credentials = { kind: 'password', username: 'admin', password: 'admin-password' } as const;
  const registry = openRegistry({ address: host, credentials, http });
  return {
    name,
    host,
    push: (repository, content, tag) => push(registry, repository, content, tag),
    lock: async (repository, digest) => {
      await registry.exchange({
        method: 'PATCH',
        path: `/acr/v1/${repository}/_manifests/${digest}`,
        scope: `repository:${repository}:metadata_write`,
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ deleteEnabled: false }),
      });
    },
    resolve: async (repository, reference) =>
      (await headManifest(openRepository(registry, repository, ['pull']), reference))?.digest,
    readLayer: (repository, digest) => readLayer(openRepository(registry, repository, ['pull']), digest),
    look: async () => (await control(http, `https://${host}`, 'state')) as unknown as RegistryState,
    countBlobs: async repository => {
      const { requests } = (await control(http, `https://${host}`, 'requests')) as { requests: LoggedRequest[] };
      return requests.filter(each => each.repository === repository && /^(?:blob|upload)\./.test(each.operation))
        .length;
    },
  };
}

async function readLayer(repository: Repository, digest: Digest): Promise<Uint8Array> {
  const layer = (await getManifest(repository, digest))?.layers[0];
  const bytes = layer && (await getSmallBlob(repository, layer.digest, maxLayerBytes));
  if (!bytes) throw new Error(`${repository.label}@${digest} has no layer.`);
  return bytes;
}

interface LoggedRequest {
  readonly operation: string;
  readonly repository?: string;
}

async function push(registry: Registry, name: string, content: Content, tag?: string): Promise<void> {
  const repository = openRepository(registry, name, ['pull', 'push']);
  for (const part of content.parts) await push(registry, name, part);
  if (!isIndexType(content.mediaType) && !isManifestType(content.mediaType))
    return void (await putBlob(repository, content.bytes));
  await putManifest(repository, tag ?? content.digest, parseManifest(content.bytes, content.mediaType, content.digest));
}

/** The tags in a repository, with spaces between them. */
export function tagsOf({ repositories }: RegistryState, repository: string): string {
  return Object.keys(repositories[repository]?.tags ?? {}).join(' ');
}

/** Whether a registry holds an image, under whatever tag. */
export function has(
  { repositories }: RegistryState,
  image: { readonly repository: string; readonly digest: string },
): boolean {
  return repositories[image.repository]?.manifests.some(each => each === image.digest) ?? false;
}
