/**
 * A registry of blobs alone, on loopback, which sees a request when its headers are there: so that a test can answer,
 * cut or linger before the body has come. What a test leaves alone goes as the specification says.
 * https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md
 */
import { createHash } from 'node:crypto';
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import type { TlsMaterial } from '../../emulators/tls.ts';

/** One request, as far as it has come. */
export interface BlobRequest {
  readonly method: string;
  /** With its query, as it was sent. */
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  /** Bytes of the body that have come. */
  bytes: number;
}

/** What a test may do with a request instead: answer it, cut it, or `go` on with it. */
export interface Moment {
  readonly request: BlobRequest;
  /** Among those of its method, from 0. */
  readonly nth: number;
  readonly response: ServerResponse;
  /** Resolves when so many bytes of the body have come. */
  readonly received: (bytes: number) => Promise<void>;
  /** Ends the connection without a word. */
  readonly cut: () => void;
  /** Does what the specification says. */
  readonly go: () => Promise<void>;
}

/** What a test does with a request. */
export type ReplyToMoment = (moment: Moment) => void | Promise<void>;

/** How it differs from others. */
export interface BlobRegistryOptions {
  readonly tls?: TlsMaterial;
  /** Given every request; those it does nothing with stay unanswered. */
  readonly reply?: ReplyToMoment;
  /** Where an upload goes. */
  readonly location?: (id: number) => string;
  readonly minChunkBytes?: number;
}

export interface BlobRegistry {
  /** `localhost:PORT`. */
  readonly host: string;
  /** With its scheme. */
  readonly url: string;
  readonly requests: BlobRequest[];
  /** By digest. */
  readonly blobs: Map<string, Buffer>;
  /** Connections that are open. */
  sockets(): number;
  close(): Promise<void>;
}

export function digestOf(bytes: Uint8Array): `sha256:${string}` {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}

export async function startBlobRegistry(options: BlobRegistryOptions = {}): Promise<BlobRegistry> {
  const { tls, reply = ({ go }) => go() } = options;
  const requests: BlobRequest[] = [];
  const blobs = new Map<string, Buffer>();
  const uploads = new Map<number, Buffer>();
  const sockets = new Set<Socket>();

  function go(request: BlobRequest, body: Promise<Buffer>, response: ServerResponse): Promise<void> {
    const { pathname, searchParams } = new URL(request.path, 'http://registry');
    const digest = /\/blobs\/(sha256:.*)$/.exec(pathname)?.[1];
    if (digest !== undefined) return Promise.resolve(serve(request, blobs.get(digest), response));
    if (request.method === 'POST') return Promise.resolve(begin(response));
    return take(request, Number(pathname.split('/').at(-1)), searchParams.get('digest'), { body, response });
  }

  function begin(response: ServerResponse): void {
    const id = uploads.size + 1;
    uploads.set(id, Buffer.alloc(0));
    const { minChunkBytes, location = at => `/v2/team/app/blobs/uploads/${at}` } = options;
    const least = minChunkBytes === undefined ? {} : { 'oci-chunk-min-length': String(minChunkBytes) };
    response.writeHead(202, { location: location(id), ...least }).end();
  }

  async function take(
    { method, headers, path }: BlobRequest,
    id: number,
    digest: string | null,
    { body, response }: { readonly body: Promise<Buffer>; readonly response: ServerResponse },
  ): Promise<void> {
    const bytes = await body;
    const upload = uploads.get(id);
    const length = headers['content-length'];
    if (!upload || length === undefined) return void response.writeHead(upload ? 411 : 404).end();
    // Node gives what has come also where the rest never will.
    if (Number(length) !== bytes.byteLength) return;
    const range = headers['content-range'];
    const start = Number(/^(\d+)-\d+$/.exec(range ?? '')?.[1] ?? Number.NaN);
    if (method === 'PATCH' && start !== upload.byteLength) return void response.writeHead(416).end();
    const whole = Buffer.concat([upload, bytes]);
    uploads.set(id, whole);
    if (method === 'PATCH') return void response.writeHead(202, { location: path.split('?')[0] ?? '' }).end();
    uploads.delete(id);
    if (digestOf(whole) !== digest) {
      return void response.writeHead(400).end(JSON.stringify({ errors: [{ code: 'DIGEST_INVALID' }] }));
    }
    blobs.set(digest, whole);
    response.writeHead(201).end();
  }

  const listener = (incoming: IncomingMessage, response: ServerResponse): void => {
    const { method = '', url: path = '', headers } = incoming;
    const request: BlobRequest = { method, path, headers, bytes: 0 };
    const nth = requests.filter(each => each.method === method).length;
    requests.push(request);
    const { body, received } = collect(incoming, request);
    const cut = (): void => void incoming.socket.destroy();
    void reply({ request, nth, response, received, cut, go: () => go(request, body, response) });
  };
  const server = tls ? createTlsServer({ key: tls.key, cert: tls.cert }, listener) : createServer(listener);
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  const host = `localhost:${(server.address() as AddressInfo).port}`;
  return {
    host,
    url: `${tls ? 'https' : 'http'}://${host}`,
    requests,
    blobs,
    sockets: () => sockets.size,
    close: () =>
      new Promise(resolve => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
}

function collect(incoming: IncomingMessage, request: BlobRequest) {
  const chunks: Buffer[] = [];
  const waiting: { readonly bytes: number; readonly resolve: () => void }[] = [];
  incoming.on('data', (chunk: Buffer) => {
    chunks.push(chunk);
    request.bytes += chunk.byteLength;
    for (const each of waiting) if (request.bytes >= each.bytes) each.resolve();
  });
  const body = new Promise<Buffer>(resolve => incoming.once('close', () => resolve(Buffer.concat(chunks))));
  incoming.on('error', () => {});
  const received = (bytes: number): Promise<void> =>
    request.bytes >= bytes ? Promise.resolve() : new Promise(resolve => waiting.push({ bytes, resolve }));
  return { body, received };
}

function serve({ method, headers }: BlobRequest, bytes: Buffer | undefined, response: ServerResponse): void {
  if (!bytes) return void response.writeHead(404).end();
  const start = Number(/^bytes=(\d+)-$/.exec(headers.range ?? '')?.[1] ?? 0);
  const part = bytes.subarray(start);
  const range = { 'content-range': `bytes ${start}-${bytes.byteLength - 1}/${bytes.byteLength}` };
  response.writeHead(start > 0 ? 206 : 200, { 'content-length': part.byteLength, ...(start > 0 && range) });
  response.end(method === 'HEAD' ? undefined : part);
}
