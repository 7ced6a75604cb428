/**
 * Puts a blob into a repository: whole, or in chunks where bodies are bounded. An upload that breaks is begun again, since
 * not every registry can go on with one. https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#pushing-blobs
 */
import { hasCode } from '../base/errors.ts';
import { type Attempt, retry } from '../base/retry.ts';
import { beginUpload, type Upload } from './begin-upload.ts';
import { type BlobBody, headBlob } from './blobs.ts';
import { computeDigest, type Digest } from './digest.ts';
import type { Descriptor } from './manifest.ts';
import type { Registry } from './registry.ts';
import type { Repository } from './repository.ts';
import { type Step, sendChunks, sendWhole } from './upload-steps.ts';

/** A blob to put: what it is, and its bytes, which are asked for again when an upload broke. */
export interface BlobToPut extends Pick<Descriptor, 'digest' | 'size'> {
  /** Its bytes, verified; whoever takes them destroys them in the end. */
  readonly open: () => BlobBody;
}

/** How to put it. */
export interface UploadOptions {
  /** An upload that has begun already. */
  readonly begun?: Upload | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** What is tried where a body was too large; Azure takes about 20 MB. https://github.com/goharbor/harbor/issues/23015 */
const smallerBodies = [16, 4, 1].map(megabytes => megabytes * 1024 * 1024);
const largestChunk = Math.max(...smallerBodies);

/** The largest body that a registry may be sent, where that is known. */
const bounds = new WeakMap<Registry, number>();

/** Uploads bytes as one blob, and gives their digest. */
export async function putBlob(repository: Repository, bytes: Uint8Array): Promise<Digest> {
  const digest = computeDigest(bytes);
  async function* read(): AsyncGenerator<Uint8Array> {
    yield bytes;
  }
  const open = (): BlobBody => ({ [Symbol.asyncIterator]: read, destroy() {} });
  await uploadBlob(repository, { digest, size: bytes.byteLength, open });
  return digest;
}

/**
 * Uploads a blob, and tries again from its beginning where that may help. What reading it throws is thrown as it is, and
 * nothing is stored then. Throws `TOO_LARGE` where the registry takes not even the smallest bodies.
 */
export function uploadBlob(target: Repository, blob: BlobToPut, options: UploadOptions = {}): Promise<void> {
  const { registry } = target;
  const { signal } = options;
  let { begun } = options;
  let bound = Number.POSITIVE_INFINITY;
  let isAgain = false;
  const attempt = async (): Promise<Attempt<void>> => {
    // The answer may be all that was lost.
    if (isAgain && (await headBlob(target, blob.digest, signal))) return { done: undefined };
    isAgain = true;
    const upload = begun ?? (await beginUpload(target, blob.digest, signal));
    begun = undefined;
    bound = Math.min(bound, bounds.get(registry) ?? bound);
    const step = await send(target, blob, upload, { bound, signal });
    if ('answer' in step) return { done: undefined };
    if (step.status === 413) {
      bound = smallerThan(Math.min(bound, blob.size), step.failed);
      bounds.set(registry, bound);
      return { failed: step.failed, waitMs: 0 };
    }
    // Whoever cuts a large body off may have meant that it is too large.
    if (hasCode(step.failed, 'REGISTRY_UNAVAILABLE') && step.waitMs === undefined)
      bound = Math.min(bound, largestChunk);
    return step;
  };
  return retry(attempt, registry.http.clock, registry.http.retryPolicy, signal);
}

async function send(
  target: Repository,
  { digest, size, open }: BlobToPut,
  upload: Upload,
  { bound, signal }: { readonly bound: number; readonly signal: AbortSignal | undefined },
): Promise<Step> {
  const sending = { target, digest, size, signal };
  const content = open();
  try {
    return size <= bound
      ? await sendWhole(sending, upload, content)
      : await sendChunks(sending, upload, content, bound);
  } finally {
    content.destroy();
  }
}

/** The next smaller bound. Throws `refusal` where there is none. */
function smallerThan(bound: number, refusal: Error): number {
  const smaller = smallerBodies.find(each => each < bound);
  if (smaller === undefined) throw refusal;
  return smaller;
}
