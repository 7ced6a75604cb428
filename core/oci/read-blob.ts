/** Reads a blob of a source for one upload: goes on where a connection broke, and verifies before the last byte is given. */
import { createHash } from 'node:crypto';
import { AppError, hasCode } from '../base/errors.ts';
import { pauseAfter } from '../base/retry.ts';
import type { BlobBody } from './blobs.ts';
import type { Http } from './http.ts';
import type { Descriptor } from './manifest.ts';
import type { ImageSource } from './source.ts';

/** Whoever brings so much before it breaks is tried again as if for the first time, for a layer may have gigabytes. */
const progressBytes = 1024 * 1024;

/**
 * The bytes of `blob`. The last of them come when all have been counted and hashed: before that, reading ends with
 * `DIGEST_MISMATCH` where they are others, more or fewer, and so nobody is ever given the whole of something wrong.
 * `http` says how often, and after which pauses, a broken connection is taken up again.
 */
export function readBlob(source: ImageSource, blob: Descriptor, http: Http): BlobBody {
  const leaving = new AbortController();
  let current: BlobBody | undefined;
  async function* read(): AsyncGenerator<Uint8Array> {
    let offset = 0;
    let failures = 0;
    for (;;) {
      current = await source.openBlob(blob, offset, leaving.signal);
      const from = offset;
      try {
        for await (const part of current) {
          offset += part.byteLength;
          yield part;
        }
        return;
      } catch (thrown) {
        leaving.signal.throwIfAborted();
        if (offset === blob.size) return;
        failures = offset - from >= progressBytes ? 1 : failures + 1;
        const isCut = hasCode(thrown, 'REGISTRY_UNAVAILABLE') && thrown.retryable;
        if (!isCut || failures >= http.retryPolicy.attempts) throw thrown;
        http.log.debug(`${source.label}, blob ${blob.digest}: broke after ${offset} bytes of ${blob.size}.`);
        await http.clock.sleep(pauseAfter(failures, http.retryPolicy), leaving.signal);
      }
    }
  }
  return {
    [Symbol.asyncIterator]: () => verify(read(), blob, `${source.label}, blob ${blob.digest}`),
    destroy() {
      leaving.abort(new Error('the upload is over'));
      current?.destroy();
    },
  };
}

async function* verify(
  parts: AsyncIterable<Uint8Array>,
  blob: Descriptor,
  what: string,
): AsyncGenerator<Uint8Array, void, undefined> {
  const hash = createHash('sha256');
  let size = 0;
  let last: Uint8Array | undefined;
  for await (const part of parts) {
    size += part.byteLength;
    if (size > blob.size) throw wrong(`${what}: more bytes came than the ${blob.size} that its manifest says.`);
    hash.update(part);
    if (size < blob.size) yield part;
    else last ??= Buffer.from(part);
  }
  if (size < blob.size) throw wrong(`${what}: ${size} bytes came, not the ${blob.size} that its manifest says.`);
  const actual = `sha256:${hash.digest('hex')}`;
  if (actual !== blob.digest) throw wrong(`${what}: the bytes that came have the digest ${actual}.`);
  if (last) yield last;
}

function wrong(message: string): AppError {
  return new AppError(`${message} Nothing was stored.`, { code: 'DIGEST_MISMATCH', retryable: true });
}
