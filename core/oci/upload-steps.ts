/** The requests that bring a blob's bytes into an upload that has begun: one PUT, or PATCHes and a PUT behind them. */
import { AppError } from '../base/errors.ts';
import type { Attempt } from '../base/retry.ts';
import { readUpload, type Upload } from './begin-upload.ts';
import type { Digest } from './digest.ts';
import type { HttpAnswer } from './http.ts';
import { errorCodes, type Repository, unexpectedAnswer } from './repository.ts';

/** What is sent, and how. */
export interface Sending {
  readonly target: Repository;
  readonly digest: Digest;
  /** Bytes. */
  readonly size: number;
  readonly signal: AbortSignal | undefined;
}

/** How a request, or all of them, ended: as it should, or in a way that another upload may make good. */
export type Step =
  | { readonly answer: HttpAnswer }
  | {
      readonly failed: Error;
      /** What the registry asked us to wait, in milliseconds. */
      readonly waitMs?: number;
      /** Of an answer that is not one of overload. */
      readonly status?: number;
    };

/** Sends the whole blob with the request that ends the upload. */
export async function sendWhole(sending: Sending, upload: Upload, content: AsyncIterable<Uint8Array>): Promise<Step> {
  return finish(sending, upload, content, sending.size);
}

/**
 * Sends the blob in chunks of `bytes`, and ends the upload. The range has no unit here.
 * https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#pushing-a-blob-in-chunks
 */
export async function sendChunks(
  sending: Sending,
  begun: Upload,
  content: AsyncIterable<Uint8Array>,
  bytes: number,
): Promise<Step> {
  const { target, size, signal } = sending;
  const take = divide(content);
  const chunkBytes = Math.max(bytes, begun.minChunkBytes);
  let upload = begun;
  for (let offset = 0; offset < size; offset += chunkBytes) {
    const length = Math.min(chunkBytes, size - offset);
    const headers = {
      ...headersOf(length),
      'content-range': `${offset}-${offset + length - 1}`,
    };
    const request = { url: upload.url, scope: target.scope, headers, body: take(length), signal };
    const step = judge(sending, await target.registry.upload({ method: 'PATCH', ...request }), 202);
    if (!('answer' in step)) return step;
    upload = readUpload(step.answer, nameOf(sending));
  }
  return finish(sending, upload, take(0), 0);
}

async function finish(
  sending: Sending,
  { url }: Upload,
  body: AsyncIterable<Uint8Array>,
  length: number,
): Promise<Step> {
  const { target, digest, signal } = sending;
  const request = { url: withDigest(url, digest), scope: target.scope, headers: headersOf(length), body, signal };
  return judge(sending, await target.registry.upload({ method: 'PUT', ...request }), 201);
}

function headersOf(length: number): Record<string, string> {
  return { 'content-type': 'application/octet-stream', 'content-length': String(length) };
}

/** The query that is there is kept byte for byte: it may be signed. */
function withDigest(url: URL, digest: Digest): URL {
  const whole = new URL(url);
  whole.hash = '';
  whole.search = `${url.search ? `${url.search}&` : ''}digest=${encodeURIComponent(digest)}`;
  return whole;
}

/** An upload that got lost, and bytes that changed on their way, are no reason to give up. */
const mendable = new Set(['BLOB_UPLOAD_UNKNOWN', 'BLOB_UPLOAD_INVALID', 'DIGEST_INVALID']);

function judge(sending: Sending, tried: Attempt<HttpAnswer>, expected: number): Step {
  if (!('done' in tried)) return tried;
  const { status, bytes } = tried.done;
  if (status === expected) return { answer: tried.done };
  if (status === 413) return { failed: tooLarge(sending), status };
  const failed = unexpectedAnswer(nameOf(sending), tried.done);
  if ([404, 416].includes(status) || errorCodes(bytes).some(code => mendable.has(code))) return { failed, status };
  throw failed;
}

function tooLarge(sending: Sending): AppError {
  return new AppError(
    `${nameOf(sending)}: the registry, or a proxy in front of it, refuses even small bodies as too large (413).`,
    { code: 'TOO_LARGE' },
  );
}

function nameOf({ target, digest }: Sending): string {
  return `${target.label}, blob ${digest}`;
}

/** Divides parts anew: each call takes so many of the bytes that come next. */
function divide(content: AsyncIterable<Uint8Array>): (bytes: number) => AsyncGenerator<Uint8Array> {
  const parts = content[Symbol.asyncIterator]();
  let rest: Uint8Array = new Uint8Array();
  return async function* take(bytes) {
    for (let left = bytes; left > 0; ) {
      if (rest.byteLength === 0) {
        const next = await parts.next();
        if (next.done) return;
        rest = next.value;
      }
      const part = rest.subarray(0, left);
      rest = rest.subarray(part.byteLength);
      left -= part.byteLength;
      yield part;
    }
  };
}
