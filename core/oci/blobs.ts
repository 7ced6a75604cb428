/** Small blobs whole, any blob as a verified stream. https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#pulling-blobs */
import { createHash } from 'node:crypto';
import { AppError, errorMessage } from '../base/errors.ts';
import { computeDigest, type Digest, verifyDigest } from './digest.ts';
import { type Repository, unexpectedAnswer } from './repository.ts';

/** Whether the repository has the blob. */
export async function hasBlob(repository: Repository, digest: Digest): Promise<boolean> {
  const answer = await repository.registry.exchange({
    method: 'HEAD',
    path: blobPath(repository, digest),
    scope: repository.scope,
  });
  if (answer.status === 200) return true;
  if (answer.status === 404) return false;
  throw unexpectedAnswer(`${repository.label}, blob ${digest}`, answer);
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

/** The bytes of a blob, on their way. Whoever stops reading in the middle destroys it, so that its connection is given up. */
export interface BlobBody extends AsyncIterable<Uint8Array> {
  destroy(): unknown;
}

/**
 * Opens a blob from `offset` on, in bytes; nothing is verified. Throws `IMAGE_NOT_FOUND` where there is none, and
 * `REGISTRY_UNEXPECTED` where the registry cannot begin there. https://www.rfc-editor.org/rfc/rfc9110#section-14
 */
export async function openBlob(repository: Repository, digest: Digest, offset = 0): Promise<BlobBody> {
  const what = `${repository.label}, blob ${digest}`;
  const answer = await repository.registry.open({
    method: 'GET',
    path: blobPath(repository, digest),
    scope: repository.scope,
    ...(offset > 0 && { headers: { range: `bytes=${offset}-` } }),
  });
  if (answer.status === (offset > 0 ? 206 : 200)) return answer.body;
  await answer.body.dump();
  if (answer.status === 404) throw new AppError(`${what} is not in the registry.`, { code: 'IMAGE_NOT_FOUND' });
  throw unexpectedAnswer(what, { status: answer.status, bytes: new Uint8Array() });
}

/**
 * A blob as a stream of parts. The last part comes before the digest is known to be right: when it is wrong the stream
 * ends with `DIGEST_MISMATCH`, and where the connection broke with `REGISTRY_UNAVAILABLE`; the reader must discard what it had.
 */
export async function* streamBlob(repository: Repository, digest: Digest): AsyncGenerator<Uint8Array> {
  const what = `${repository.label}, blob ${digest}`;
  const answer = await repository.registry.open({
    method: 'GET',
    path: blobPath(repository, digest),
    scope: repository.scope,
  });
  if (answer.status !== 200) {
    await answer.body.dump();
    throw unexpectedAnswer(what, { status: answer.status, bytes: new Uint8Array() });
  }
  const hash = createHash('sha256');
  try {
    for await (const part of answer.body as AsyncIterable<Uint8Array>) {
      hash.update(part);
      yield part;
    }
  } catch (cause) {
    throw new AppError(`${what}: the connection broke in the middle: ${errorMessage(cause)}.`, {
      code: 'REGISTRY_UNAVAILABLE',
      retryable: true,
      cause,
    });
  }
  const actual = `sha256:${hash.digest('hex')}`;
  if (actual !== digest) {
    throw new AppError(`${what}: the bytes that arrived have the digest ${actual}.`, {
      code: 'DIGEST_MISMATCH',
      retryable: true,
    });
  }
}

/** Uploads bytes as one blob, in one POST and one PUT, and gives their digest. */
export async function putBlob(repository: Repository, bytes: Uint8Array): Promise<Digest> {
  const digest = computeDigest(bytes);
  const what = `${repository.label}, blob ${digest}`;
  const { scope, registry } = repository;
  const start = await registry.exchange({ method: 'POST', path: `/v2/${repository.name}/blobs/uploads/`, scope });
  const location = start.headers['location'];
  if (start.status !== 202 || !location) throw unexpectedAnswer(what, start);
  const end = await registry.exchange({
    method: 'PUT',
    path: withDigest(location, digest),
    scope,
    headers: { 'content-type': 'application/octet-stream' },
    body: bytes,
  });
  // Where the answer to the first of several attempts was lost, the upload is over, and the blob is there.
  if (end.status === 201 || (await hasBlob(repository, digest))) return digest;
  throw unexpectedAnswer(what, end);
}

/** `Location` may carry a query of its own, which must survive. */
function withDigest(location: string, digest: Digest): string {
  return `${location}${location.includes('?') ? '&' : '?'}digest=${encodeURIComponent(digest)}`;
}

function blobPath(repository: Repository, digest: Digest): string {
  return `/v2/${repository.name}/blobs/${digest}`;
}
