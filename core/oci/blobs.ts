/** Blobs of a repository: looked for, read whole where they are small, opened where they are not. https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#pulling-blobs */
import { AppError, errorMessage } from '../base/errors.ts';
import { type Digest, verifyDigest } from './digest.ts';
import type { HttpStream } from './http.ts';
import { type Repository, unexpectedAnswer } from './repository.ts';

/** What a HEAD tells of a blob. */
export interface BlobHead {
  /** Bytes, where the registry says so. */
  readonly size: number | undefined;
}

/** The head of a blob; undefined where the repository has none. */
export async function headBlob(
  repository: Repository,
  digest: Digest,
  signal?: AbortSignal,
): Promise<BlobHead | undefined> {
  const answer = await repository.registry.exchange({
    method: 'HEAD',
    path: blobPath(repository, digest),
    scope: repository.scope,
    signal,
  });
  if (answer.status === 404) return undefined;
  if (answer.status !== 200) throw unexpectedAnswer(`${repository.label}, blob ${digest}`, answer);
  const length = answer.headers['content-length'];
  return { size: length === undefined ? undefined : Number(length) };
}

/** Whether the repository has the blob. */
export async function hasBlob(repository: Repository, digest: Digest): Promise<boolean> {
  return (await headBlob(repository, digest)) !== undefined;
}

/** A blob of at most `maxBytes`, verified; undefined where there is none. Throws `TOO_LARGE` or `DIGEST_MISMATCH`. */
export async function getSmallBlob(
  repository: Repository,
  digest: Digest,
  maxBytes: number,
): Promise<Uint8Array | undefined> {
  const what = `${repository.label}, blob ${digest}`;
  const answer = await repository.registry.exchange({
    method: 'GET',
    path: blobPath(repository, digest),
    scope: repository.scope,
    maxBytes,
  });
  if (answer.status === 404) return undefined;
  if (answer.status !== 200) throw unexpectedAnswer(what, answer);
  verifyDigest(answer.bytes, digest, what);
  return answer.bytes;
}

/**
 * The bytes of a blob, on their way. A part is its reader's until the next one is asked for: its memory may then be used
 * again. Whoever stops reading in the middle destroys it, so that its connection is given up.
 */
export interface BlobBody extends AsyncIterable<Uint8Array> {
  destroy(): unknown;
}

/**
 * Opens a blob from `offset` on, in bytes; nothing is verified. Throws `IMAGE_NOT_FOUND` where there is none. Reading
 * ends with `REGISTRY_UNAVAILABLE` where the connection breaks.
 */
export async function openBlob(
  repository: Repository,
  digest: Digest,
  offset = 0,
  signal?: AbortSignal,
): Promise<BlobBody> {
  const what = `${repository.label}, blob ${digest}`;
  const answer = await repository.registry.open({
    method: 'GET',
    path: blobPath(repository, digest),
    scope: repository.scope,
    // https://www.rfc-editor.org/rfc/rfc9110#section-14.1.2
    ...(offset > 0 && { headers: { range: `bytes=${offset}-` } }),
    signal,
  });
  if (answer.status === 200) return bodyOf(answer, offset, what);
  if (answer.status === 206 && rangeStart(answer) === offset) return bodyOf(answer, 0, what);
  await answer.body.dump();
  if (answer.status === 404) throw new AppError(`${what} is not in the registry.`, { code: 'IMAGE_NOT_FOUND' });
  throw unexpectedAnswer(what, { status: answer.status, bytes: new Uint8Array() });
}

/** https://www.rfc-editor.org/rfc/rfc9110#field.content-range */
function rangeStart({ headers }: HttpStream): number | undefined {
  const start = /^bytes (\d+)-\d+\//.exec(headers['content-range'] ?? '')?.[1];
  return start === undefined ? undefined : Number(start);
}

/** Who knows no ranges begins at the beginning, and so much of it is left out. */
function bodyOf({ body }: HttpStream, skipped: number, what: string): BlobBody {
  async function* read(): AsyncGenerator<Uint8Array> {
    let left = skipped;
    try {
      for await (const part of body) {
        if (part.byteLength > left) yield left > 0 ? part.subarray(left) : part;
        left = Math.max(left - part.byteLength, 0);
      }
    } catch (cause) {
      throw new AppError(`${what}: the connection broke in the middle: ${errorMessage(cause)}.`, {
        code: 'REGISTRY_UNAVAILABLE',
        retryable: true,
        cause,
      });
    }
  }
  return { [Symbol.asyncIterator]: read, destroy: () => body.destroy() };
}

function blobPath(repository: Repository, digest: Digest): string {
  return `/v2/${repository.name}/blobs/${digest}`;
}
