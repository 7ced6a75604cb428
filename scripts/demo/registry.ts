/** What a developer's tools would do in the registry of the demo: push, lock, look. */
import { putBlob } from '../../core/oci/blobs.ts';
import type { Digest } from '../../core/oci/digest.ts';
import { createHttp } from '../../core/oci/http.ts';
import { parseManifest } from '../../core/oci/manifest.ts';
import { putManifest } from '../../core/oci/manifests.ts';
import { isIndexType, isManifestType } from '../../core/oci/media-types.ts';
import { openRegistry, type Registry } from '../../core/oci/registry.ts';
import { openRepository } from '../../core/oci/repository.ts';
import type { Content } from '../../test/support/images.ts';

/** The registry's content, by its own account. */
export interface RegistryState {
  readonly repositories: Readonly<
    Record<string, { readonly tags: Readonly<Record<string, Digest>>; readonly manifests: readonly Digest[] }>
  >;
  /** Digests of every blob, and their bytes added up. */
  readonly blobs: readonly string[];
  readonly blobBytes: number;
}

/** The demo's hands on the registry. */
export interface Hands {
  /** As `docker push` does: parts first, then the tag. Without a tag: by digest. */
  push(repository: string, content: Content, tag?: string): Promise<void>;
  /** As `az acr repository update --delete-enabled false` does, for a manifest. */
  lock(repository: string, digest: Digest): Promise<void>;
  look(): Promise<RegistryState>;
  /** Moves the emulated registry's time. */
  advance(ms: number): Promise<void>;
  close(): Promise<void>;
}

/** Signs in as the emulator's one user. */
export function takeHands(host: string, ca: string): Hands {
  const http = createHttp({ ca });
  const credentials = { kind: 'password', username: 'admin', password: 'admin-password' } as const;
  const registry = openRegistry({ address: host, credentials, http });
  const control = async (method: 'GET' | 'POST', path: string, body = ''): Promise<unknown> => {
    const url = new URL(`https://${host}/_emulator/${path}`);
    const { bytes } = await http.exchange({ method, url, body, maxBytes: 64 * 1024 * 1024 });
    return JSON.parse(Buffer.from(bytes).toString('utf8'));
  };
  return {
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
    look: async () => (await control('GET', 'state')) as RegistryState,
    advance: async ms => void (await control('POST', 'clock', JSON.stringify({ advanceMs: ms }))),
    close: () => http.close(),
  };
}

async function push(registry: Registry, name: string, content: Content, tag?: string): Promise<void> {
  const repository = openRepository(registry, name, ['pull', 'push']);
  for (const part of content.parts) await push(registry, name, part);
  if (!isIndexType(content.mediaType) && !isManifestType(content.mediaType))
    return void (await putBlob(repository, content.bytes));
  await putManifest(repository, tag ?? content.digest, parseManifest(content.bytes, content.mediaType, content.digest));
}
