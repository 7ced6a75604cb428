/**
 * Connections whose bytes are read into memory that is used again. Node allocates for every read, and over TLS for every
 * 16 KB; to collect that costs a third of the time of a copy. undici takes any duplex stream for a socket.
 */
import { Duplex } from 'node:stream';
import { buildConnector } from 'undici';

/** What undici's `connect` option takes. */
export type Connector = buildConnector.connector;

type Socket = NonNullable<Parameters<buildConnector.Callback>[1]>;

/** Where every read lands, to be taken from there at once. The kernel is asked for no more at one time. */
const landing = Buffer.allocUnsafeSlow(64 * 1024);
const slabBytes = 4 * landing.byteLength;
/** A pause is asked for when there is room for one more read, since TLS decrypts to its end what it has. */
const fullBytes = slabBytes - 2 * landing.byteLength;

/** The memory that answers are lent in. */
const lent = new WeakSet<ArrayBufferLike>();

/** Whether `bytes` are lent: whoever has them pauses their connection, and goes on when they are not needed any more. */
export function isLent(bytes: Uint8Array): boolean {
  return lent.has(bytes.buffer);
}

/** Makes connections whose answers are lent, trusting further authorities (PEM) where told. */
export function createConnector(options: { readonly ca?: string | readonly string[] } = {}): Connector {
  const takers = new WeakMap<object, (bytes: Uint8Array) => void>();
  function take(this: object, count: number): boolean {
    takers.get(this)?.(landing.subarray(0, count));
    return true;
  }
  const ca = typeof options.ca === 'object' ? [...options.ca] : options.ca;
  const connect = buildConnector({
    ...(ca && { ca }),
    onread: { buffer: landing, callback: take },
  });
  return (target, callback) =>
    connect(target, (...ends: Parameters<buildConnector.Callback>) => {
      const [error, socket] = ends;
      if (error) return callback(error, null);
      const { wire, receive } = createWire(socket);
      takers.set(socket, receive);
      callback(null, wire as unknown as Socket);
    });
}

/** The socket as undici sees it: what has arrived since it last asked comes as one part. */
function createWire(socket: Socket): { wire: Duplex; receive: (bytes: Uint8Array) => void } {
  const slabs = createSlabs();
  let isWanted = false;
  let isScheduled = false;
  let end: { readonly failure?: Error } | undefined;

  /** Not at once: the records of TLS come one by one, but in a row. */
  function schedule(): void {
    if (isScheduled || !isWanted || (slabs.isEmpty() && !end)) return;
    isScheduled = true;
    setImmediate(deliver);
  }
  function deliver(): void {
    isScheduled = false;
    if (wire.destroyed) return;
    const part = slabs.take();
    if (part) {
      isWanted = false;
      wire.push(part);
      if (socket.isPaused()) socket.resume();
    } else if (end?.failure) wire.destroy(end.failure);
    else wire.push(null);
  }
  function close(failure?: Error): void {
    end ??= failure ? { failure } : {};
    schedule();
  }

  const wire = new Duplex({
    // So that more is wanted only when everything was taken.
    readableHighWaterMark: 1,
    writableHighWaterMark: landing.byteLength,
    allowHalfOpen: false,
    read() {
      isWanted = true;
      schedule();
    },
    writev(parts, done) {
      socket.cork();
      for (const { chunk } of parts.slice(0, -1)) socket.write(chunk as Buffer);
      socket.write(parts.at(-1)?.chunk as Buffer, error => done(plain(error)));
      socket.uncork();
    },
    final: done => void socket.end(done),
    destroy(error, done) {
      socket.destroy();
      done(error);
    },
  });
  socket.on('end', () => close());
  socket.on('error', error => close(plain(error)));
  socket.on('close', () => close(new Error('the connection was closed')));
  const receive = (bytes: Uint8Array): void => {
    if (slabs.add(bytes)) socket.pause();
    schedule();
  };
  return { wire: Object.assign(wire, { ref: () => socket.ref(), unref: () => socket.unref() }), receive };
}

/** Without its code: for some undici would finish a parser that is paused, which is a defect to it. */
function plain(error?: Error | null): Error | undefined {
  return error ? new Error(error.message, { cause: error }) : undefined;
}

/** Memory for what arrives: one slab is filled, one is on its way to the parser, and one is lent. */
function createSlabs() {
  const slabs: Buffer[] = [];
  let filling = 0;
  let filled = 0;
  return {
    isEmpty: () => filled === 0,
    /** Copies bytes; gives whether there is hardly any more room. */
    add(bytes: Uint8Array): boolean {
      const slab = (slabs[filling] ??= makeSlab());
      slab.set(bytes, filled);
      filled += bytes.byteLength;
      return filled > fullBytes;
    },
    /** All that was added, lent until the next but one is taken. */
    take(): Uint8Array | undefined {
      if (filled === 0) return undefined;
      const part = slabs[filling]?.subarray(0, filled);
      filling = (filling + 1) % 3;
      filled = 0;
      return part;
    },
  };
}

function makeSlab(): Buffer {
  const slab = Buffer.allocUnsafeSlow(slabBytes);
  lent.add(slab.buffer);
  return slab;
}
