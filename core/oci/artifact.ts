/**
 * A small JSON document as an OCI artifact: image manifest, empty config, one layer.
 * https://github.com/opencontainers/image-spec/blob/v1.1.1/manifest.md#guidelines-for-artifact-usage
 */
import { AppError } from '../base/errors.ts';
import { getSmallBlob, hasBlob } from './blobs.ts';
import { computeDigest, type Digest } from './digest.ts';
import { type Descriptor, encodeManifest } from './manifest.ts';
import { getManifest, putManifest } from './manifests.ts';
import { emptyConfig, ociManifest } from './media-types.ts';
import type { Repository } from './repository.ts';
import { putBlob } from './upload.ts';

/** A document that was read, and the digest of the manifest that carries it. */
export interface Artifact {
  readonly digest: Digest;
  readonly json: unknown;
}

const emptyJson = Buffer.from('{}');

/** A document of up to so many bytes stands in its manifest as well, which saves whoever reads thousands the second request. */
const maxInlineBytes = 64 * 1024;

/** Writes `json` under `tag` and gives the manifest's digest. Blobs first, the tag last. */
export async function putArtifact(
  repository: Repository,
  tag: string,
  document: { type: string; json: unknown },
): Promise<Digest> {
  const layer = Buffer.from(JSON.stringify(document.json));
  if (!(await hasBlob(repository, computeDigest(emptyJson)))) await putBlob(repository, emptyJson);
  const digest = await putBlob(repository, layer);
  const manifest = encodeManifest({
    schemaVersion: 2,
    mediaType: ociManifest,
    // Azure answers 400 to an empty config without it.
    artifactType: document.type,
    config: { mediaType: emptyConfig, digest: computeDigest(emptyJson), size: emptyJson.byteLength },
    layers: [{ mediaType: document.type, digest, size: layer.byteLength, ...inline(layer) }],
  });
  await putManifest(repository, tag, manifest);
  return manifest.digest;
}

/**
 * Reads the document of `type` under `tag`, of at most `maxBytes`; undefined where the tag is not there.
 * Throws `RECORD_UNREADABLE` when something else is there, or its content is missing or is not JSON.
 */
export async function getArtifact(
  repository: Repository,
  tag: string,
  type: string,
  maxBytes: number,
): Promise<Artifact | undefined> {
  const manifest = await getManifest(repository, tag);
  if (!manifest) return undefined;
  const what = `${repository.label}:${tag}`;
  const [layer, ...more] = manifest.layers;
  if (manifest.artifactType !== type || !layer || layer.mediaType !== type || more.length > 0) {
    throw unreadable(`${what} is not an artifact of the type ${type}.`);
  }
  const bytes = readInline(layer, maxBytes, what) ?? (await getSmallBlob(repository, layer.digest, maxBytes));
  if (!bytes) throw unreadable(`${what}: its content ${layer.digest} is missing.`);
  try {
    return { digest: manifest.digest, json: JSON.parse(Buffer.from(bytes).toString('utf8')) };
  } catch (cause) {
    throw unreadable(`${what}: its content is not JSON.`, cause);
  }
}

/** https://github.com/opencontainers/image-spec/blob/v1.1.1/descriptor.md#embedded-content */
function inline(layer: Buffer): { readonly data?: string } {
  return layer.byteLength <= maxInlineBytes ? { data: layer.toString('base64') } : {};
}

/** What the descriptor holds of its content. As the specification demands, it counts only where its digest agrees. */
function readInline({ data, digest, size }: Descriptor, maxBytes: number, what: string): Uint8Array | undefined {
  if (data === undefined) return undefined;
  if (size > maxBytes) {
    throw new AppError(`${what}: its content has ${size} bytes, and no more than ${maxBytes} are read.`, {
      code: 'TOO_LARGE',
    });
  }
  const bytes = Buffer.from(data, 'base64');
  if (bytes.byteLength === size && computeDigest(bytes) === digest) return bytes;
  throw unreadable(`${what}: the content that stands in its manifest is not ${digest}.`);
}

function unreadable(message: string, cause?: unknown): AppError {
  return new AppError(message, { code: 'RECORD_UNREADABLE', cause });
}
