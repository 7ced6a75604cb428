/** A server of a test's own on loopback: it answers as the test says, and keeps what it saw. */
import { createServer, type IncomingHttpHeaders, type RequestListener, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { TlsMaterial } from '../../emulators/tls.ts';

/** One request, read whole. */
export interface Seen {
  readonly method: string;
  /** With its query, as it was sent. */
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

export interface Loopback {
  /** `localhost:PORT`. */
  readonly host: string;
  /** `http://localhost:PORT` or `https://…`: what `openRegistry` and a `Location` take. */
  readonly url: string;
  readonly requests: Seen[];
  /** Connections that were made so far. */
  sockets(): number;
  close(): Promise<void>;
}

/** Answers one request; `request.index` counts from 0. */
export type Reply = (request: Seen & { readonly index: number }, response: ServerResponse) => void;

export async function startLoopback(reply: Reply, tls?: TlsMaterial): Promise<Loopback> {
  const requests: Seen[] = [];
  let sockets = 0;
  const listener: RequestListener = (request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const { method = '', url: path = '', headers } = request;
      const seen = { method, path, headers, body: Buffer.concat(chunks).toString() };
      requests.push(seen);
      reply({ ...seen, index: requests.length - 1 }, response);
    });
  };
  const server = tls ? createTlsServer({ key: tls.key, cert: tls.cert }, listener) : createServer(listener);
  server.on('connection', () => {
    sockets += 1;
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  const host = `localhost:${(server.address() as AddressInfo).port}`;
  return {
    host,
    url: `${tls ? 'https' : 'http'}://${host}`,
    requests,
    sockets: () => sockets,
    close: () =>
      new Promise(resolve => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** Answers with JSON. */
export function sendJson(
  response: ServerResponse,
  body: unknown,
  headers: Readonly<Record<string, string>> = {},
  status = 200,
): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers });
  response.end(typeof body === 'string' ? body : JSON.stringify(body));
}
