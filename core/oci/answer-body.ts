/**
 * One request on the wire, and the body of its answer in parts as they come. There is no stream in between: for blobs it
 * costs more than the bytes do.
 */
import type { Dispatcher } from 'undici';

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

/** TLS brings 16 KB at a time; hashing and sending so little costs as much again as the bytes. */
const gatheredBytes = 256 * 1024;
const enoughBytes = gatheredBytes / 2;
/** A part of so many bytes is passed on as it came. */
const largeBytes = 64 * 1024;
const dumpedBytes = 64 * 1024;

/** Sends one request, and gives the answer when its headers are there. Throws whatever broke the connection. */
export function dispatch(dispatcher: Dispatcher, { signal, ...sent }: Sent): Promise<OpenAnswer> {
  return new Promise((resolve, reject) => {
    let controller: Dispatcher.DispatchController | undefined;
    const queue = createQueue({
      resume: () => controller?.paused && controller.resume(),
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
        if (queue.add(chunk) >= gatheredBytes) receiving.pause();
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
  /** There is room again. */
  readonly resume: () => void;
  /** Nobody reads on; nothing where all was read. */
  readonly leave: () => void;
}

interface Queue {
  /** Adds a chunk; gives how many bytes wait. */
  add(chunk: Uint8Array): number;
  /** Nothing more comes; false where that was known. What has come is read before the failure is. */
  end(failure?: unknown): boolean;
  read(): AsyncGenerator<Uint8Array>;
  leave(): void;
}

/** Chunks that wait for their reader, who takes them gathered. */
function createQueue({ resume, leave }: Ends): Queue {
  const chunks: Uint8Array[] = [];
  let waiting = 0;
  let end: { readonly failure: unknown } | undefined;
  let wake: (() => void) | undefined;
  let buffer: Buffer | undefined;

  function take(first: Uint8Array): Uint8Array {
    if (chunks.length === 1 || first.byteLength >= largeBytes) {
      chunks.shift();
      waiting -= first.byteLength;
      return first;
    }
    buffer ??= Buffer.allocUnsafeSlow(gatheredBytes);
    let at = 0;
    for (let next = chunks[0]; next && at + next.byteLength <= gatheredBytes; next = chunks[0]) {
      buffer.set(next, at);
      at += next.byteLength;
      chunks.shift();
    }
    waiting -= at;
    return buffer.subarray(0, at);
  }

  async function* read(): AsyncGenerator<Uint8Array> {
    try {
      for (;;) {
        if (!end && waiting < enoughBytes) await new Promise<void>(resolve => (wake = resolve));
        const [first] = chunks;
        if (first) {
          const part = take(first);
          resume();
          yield part;
        } else if (end) break;
      }
      if (end.failure !== undefined) throw end.failure as Error;
    } finally {
      leave();
    }
  }

  return {
    add(chunk) {
      chunks.push(chunk);
      waiting += chunk.byteLength;
      if (waiting >= enoughBytes) wake?.();
      return waiting;
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
