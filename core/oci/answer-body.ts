/**
 * One request on the wire, and the body of its answer in parts as they come. There is no stream in between: for blobs it
 * costs more than the bytes do.
 */
import type { Dispatcher } from 'undici';
import { isLent } from './wire.ts';

/** Bytes on their way. A part is its reader's until the next one is asked for: its memory may then be used again. */
export interface AnswerBody extends AsyncIterable<Uint8Array> {
  /** Gives up the connection, unless everything has come already. */
  destroy(): void;
  /** Lets go of what nobody reads: a short rest is read, so that the connection is used again. */
  dump(): Promise<void>;
}

/** An answer whose body is still to be read, exactly once. */
export interface OpenAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: AnswerBody;
}

/** What is sent. A body in parts is sent once, and `Content-Length` must be among the headers then. */
export interface Sent extends Omit<Dispatcher.DispatchOptions, 'body'> {
  readonly body?: Uint8Array | string | AsyncIterable<Uint8Array>;
  readonly signal?: AbortSignal | undefined;
}

/** So many bytes may wait for their reader, where they are not lent. */
const maxWaiting = 256 * 1024;
const dumpedBytes = 64 * 1024;

/** Sends one request, and gives the answer when its headers are there. Throws whatever broke the connection. */
export function dispatch(dispatcher: Dispatcher, { signal, ...sent }: Sent): Promise<OpenAnswer> {
  return new Promise((resolve, reject) => {
    let controller: Dispatcher.DispatchController | undefined;
    const queue = createQueue({
      resume() {
        if (!controller?.paused) return false;
        controller.resume();
        return true;
      },
      leave: () => abort(new Error('the rest was left unread')),
    });
    const abort = (reason: unknown): void => {
      if (!queue.end(reason)) return;
      signal?.removeEventListener('abort', stop);
      reject(reason);
      controller?.abort(reason as Error);
    };
    const stop = (): void => abort(signal?.reason);
    signal?.addEventListener('abort', stop);
    // undici takes any iterable for a body; its types name some of them.
    dispatcher.dispatch(sent as Dispatcher.DispatchOptions, {
      onRequestStart(started) {
        controller = started;
        if (signal?.aborted) started.abort(signal.reason as Error);
      },
      onResponseStart(_, status, headers) {
        if (status >= 200) resolve({ status, headers, body: bodyOf(queue) });
      },
      onResponseData(receiving, chunk) {
        if (!queue.add(chunk)) receiving.pause();
      },
      onResponseEnd() {
        signal?.removeEventListener('abort', stop);
        queue.end();
      },
      onResponseError: (_, error) => abort(error),
    });
  });
}

function bodyOf(queue: Queue): AnswerBody {
  return {
    [Symbol.asyncIterator]: () => queue.read(),
    destroy: () => queue.leave(),
    async dump() {
      let left = dumpedBytes;
      try {
        for await (const part of queue.read()) {
          left -= part.byteLength;
          if (left < 0) return;
        }
      } catch {
        // Nobody wanted it.
      }
    },
  };
}

interface Ends {
  /** Goes on where that was paused, and gives whether it was. */
  readonly resume: () => boolean;
  /** Nobody reads on; nothing where all was read. */
  readonly leave: () => void;
}

interface Queue {
  /** Adds a chunk; gives whether more may come before it is read. */
  add(chunk: Uint8Array): boolean;
  /** Nothing more comes; false where that was known. What has come is read before the failure is. */
  end(failure?: unknown): boolean;
  read(): AsyncGenerator<Uint8Array>;
  leave(): void;
}

/** Chunks that wait for their reader. */
function createQueue({ resume, leave }: Ends): Queue {
  const chunks: Uint8Array[] = [];
  let waiting = 0;
  let end: { readonly failure: unknown } | undefined;
  let wake: (() => void) | undefined;

  async function* read(): AsyncGenerator<Uint8Array> {
    try {
      for (;;) {
        const chunk = chunks.shift();
        if (chunk) {
          waiting -= chunk.byteLength;
          yield chunk;
        } else if (end) break;
        // Only now: what was lent is taken back when more comes.
        else if (!resume()) await new Promise<void>(resolve => (wake = resolve));
      }
      if (end.failure !== undefined) throw end.failure as Error;
    } finally {
      leave();
    }
  }

  return {
    add(chunk) {
      // The parser gives an empty one when it goes on after a pause.
      if (chunk.byteLength === 0) return true;
      chunks.push(chunk);
      waiting += chunk.byteLength;
      wake?.();
      return waiting < maxWaiting && !isLent(chunk);
    },
    end(failure) {
      if (end) return false;
      end = { failure };
      wake?.();
      return true;
    },
    read,
    leave,
  };
}
