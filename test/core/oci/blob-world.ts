/** What the tests of moving a blob share: two registries of blobs, a client whose clock stands in hand, and one repository of each. */
import { randomFillSync } from 'node:crypto';
import type { Credentials } from '../../../core/oci/credentials.ts';
import type { Http } from '../../../core/oci/http.ts';
import type { Descriptor } from '../../../core/oci/manifest.ts';
import { type BlobMove, type MoveOptions, moveBlob } from '../../../core/oci/move-blob.ts';
import { openRegistry } from '../../../core/oci/registry.ts';
import { openRepository, type Repository } from '../../../core/oci/repository.ts';
import { repositorySource } from '../../../core/oci/source.ts';
import type { TlsMaterial } from '../../emulators/tls.ts';
import { type BlobRegistry, type BlobRegistryOptions, digestOf, startBlobRegistry } from './blob-registry.ts';
import { anonymous, type Client, createClient } from './world.ts';

export const octets = 'application/octet-stream';
export const kilobyte = 1024;
export const megabyte = 1024 * 1024;

/** Bytes that nobody can guess, so that none of them can be somewhere by chance. */
export function makeBytes(size: number): Buffer {
  return randomFillSync(Buffer.alloc(size));
}

export function describeBlob(bytes: Uint8Array): Descriptor {
  return { mediaType: octets, digest: digestOf(bytes), size: bytes.byteLength };
}

export function openOn(
  http: Http,
  { url }: { readonly url: string },
  credentials: Credentials = anonymous,
): Repository {
  return openRepository(openRegistry({ address: url, credentials, http }), 'team/app', ['pull', 'push']);
}

export interface BlobWorld extends Client {
  readonly source: BlobRegistry;
  readonly target: BlobRegistry;
  /** Puts bytes into the source, and moves them. */
  move(bytes: Buffer, options?: MoveOptions, blob?: Descriptor): Promise<BlobMove>;
  /** What the target was asked, as `METHOD bytes-of-its-body`, looks aside. */
  sent(): string[];
  /** The ranges that the source was asked for. */
  ranges(): (string | undefined)[];
  close(): Promise<void>;
}

export interface BlobWorldOptions {
  readonly source?: BlobRegistryOptions;
  readonly target?: BlobRegistryOptions;
  readonly tls?: TlsMaterial;
  readonly credentials?: Credentials;
}

export async function startBlobWorld(options: BlobWorldOptions = {}): Promise<BlobWorld> {
  const { tls, credentials } = options;
  const source = await startBlobRegistry({ ...options.source, ...(tls && { tls }) });
  const target = await startBlobRegistry({ ...options.target, ...(tls && { tls }) });
  const client = createClient(tls ? { ca: tls.ca } : {});
  const from = repositorySource(openOn(client.http, source, credentials));
  const to = openOn(client.http, target, credentials);
  return {
    ...client,
    source,
    target,
    move(bytes, moveOptions, blob = describeBlob(bytes)) {
      source.blobs.set(blob.digest, bytes);
      return moveBlob(from, to, blob, moveOptions);
    },
    sent: () =>
      target.requests.filter(({ method }) => method !== 'HEAD').map(({ method, bytes }) => `${method} ${bytes}`),
    ranges: () => source.requests.map(({ headers }) => headers.range),
    async close() {
      await client.http.close();
      await Promise.all([source.close(), target.close()]);
    },
  };
}
