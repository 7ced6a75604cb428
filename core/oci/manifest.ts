/**
 * Manifests and indexes as bytes: read to follow them, never written again from what was read.
 * https://github.com/opencontainers/image-spec/blob/v1.1.1/manifest.md and image-index.md
 */
import { z } from 'zod';
import { AppError } from '../base/errors.ts';
import { computeDigest, type Digest, isDigest } from './digest.ts';
import { isIndexType } from './media-types.ts';

/** What a registry must accept at least, and what Azure Container Registry accepts at most. */
export const maxManifestBytes = 4 * 1024 * 1024;

const digestText = z.string().refine(isDigest, 'not a sha256 digest') as unknown as z.ZodType<Digest>;

const descriptor = z.object({
  mediaType: z.string(),
  digest: digestText,
  size: z.number().int().nonnegative(),
  artifactType: z.string().optional(),
  platform: z.object({ os: z.string().optional(), architecture: z.string().optional() }).optional(),
  annotations: z.record(z.string(), z.string()).nullish(),
  /** The content itself in base64, where it is small. */
  data: z.string().optional(),
});

const document = z.object({
  mediaType: z.string().optional(),
  artifactType: z.string().optional(),
  config: descriptor.optional(),
  layers: z.array(descriptor).optional(),
  manifests: z.array(descriptor).nullish(),
  subject: descriptor.nullish(),
  annotations: z.record(z.string(), z.string()).nullish(),
});

/** Points at content: media type, digest, size in bytes. */
export type Descriptor = z.infer<typeof descriptor>;

/** One manifest or index: its exact bytes, and what they say. */
export interface Manifest {
  readonly digest: Digest;
  readonly mediaType: string;
  readonly bytes: Uint8Array;
  readonly artifactType?: string | undefined;
  readonly config?: Descriptor | undefined;
  readonly layers: readonly Descriptor[];
  /** The manifests an index holds; empty for an image manifest. */
  readonly children: readonly Descriptor[];
  readonly subject?: Descriptor | undefined;
  readonly annotations: Readonly<Record<string, string>>;
}

/**
 * Reads a manifest's bytes. `mediaType` is what the registry or the descriptor called it; `what` names it in errors.
 * Throws `REGISTRY_UNEXPECTED` when the bytes are not a manifest, or call themselves something else.
 */
export function parseManifest(bytes: Uint8Array, mediaType: string, what: string): Manifest {
  const parsed = document.safeParse(parseJson(bytes, what));
  // What a large one has wrong is told in part.
  if (!parsed.success) {
    throw unexpected(`${what} is not a valid manifest: ${z.prettifyError(parsed.error).slice(0, 500)}`);
  }
  const { data } = parsed;
  if (data.mediaType !== undefined && data.mediaType !== mediaType) {
    // The specification warns of documents that are an image to one reader and an index to another.
    throw unexpected(`${what} calls itself ${data.mediaType}, but was delivered as ${mediaType}.`);
  }
  const isIndex = isIndexType(mediaType);
  if (isIndex ? data.layers || data.config : data.manifests) {
    throw unexpected(`${what} has both layers and manifests, or those of the other kind.`);
  }
  // An index without the list is not an empty one. https://github.com/opencontainers/image-spec/blob/v1.1.1/image-index.md#image-index-property-descriptions
  if (isIndex && data.manifests === undefined) throw unexpected(`${what} is an index without "manifests".`);
  return {
    digest: computeDigest(bytes),
    mediaType,
    bytes,
    artifactType: data.artifactType,
    config: data.config,
    layers: data.layers ?? [],
    children: data.manifests ?? [],
    subject: data.subject ?? undefined,
    annotations: data.annotations ?? {},
  };
}

/** Writes a manifest of our own making; from then on only the bytes count. */
export function encodeManifest(content: Readonly<Record<string, unknown>> & { mediaType: string }): Manifest {
  return parseManifest(Buffer.from(JSON.stringify(content)), content.mediaType, 'a manifest of our own');
}

function parseJson(bytes: Uint8Array, what: string): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (cause) {
    throw unexpected(`${what} is not JSON.`, cause);
  }
}

function unexpected(message: string, cause?: unknown): AppError {
  return new AppError(message, { code: 'REGISTRY_UNEXPECTED', cause });
}
