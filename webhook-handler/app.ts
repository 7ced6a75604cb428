/** The HTTP side of the webhook handler, which never listens by itself. */
import { type FastifyInstance, type FastifyReply, type FastifyRequest, fastify } from 'fastify';
import type { Authenticate } from './authenticate.ts';
import type { Counters } from './counters.ts';
import type { ErrorLogger } from './log.ts';
import { maxPayloadBytes, type Receive, type Refusal, refuse, routes, tooLarge } from './receive.ts';

/** What the app serves with. */
export interface AppOptions {
  readonly authenticate: Authenticate;
  readonly receive: Receive;
  /** Whether the first reconciliation has at least begun. */
  readonly isReady: () => boolean;
  readonly counters: Counters;
  readonly log: ErrorLogger;
}

/** How long a client may take for one request, so that a slow one does not keep us from stopping. */
const requestTimeoutMs = 15_000;

/**
 * Makes the app. Once it is closed it finishes the requests in hand and answers 503 to what still comes on an open
 * connection, which Azure DevOps sends again.
 */
export function createApp(options: AppOptions): FastifyInstance {
  const { receive, isReady, counters } = options;
  const app = fastify({
    logger: false,
    bodyLimit: maxPayloadBytes,
    requestTimeout: requestTimeoutMs,
    connectionTimeout: 2 * requestTimeoutMs,
    forceCloseConnections: 'idle',
    return503OnClosing: true,
    // A path that cannot even be decoded is one that is not here.
    frameworkErrors: (_error, request, reply) => void send(options, request, reply),
  });
  let closing = false;
  app.addHook('preClose', async () => {
    closing = true;
  });
  // Else a connection that was in use when we closed would stay open, idle, and keep the process from ending.
  app.addHook('onSend', async (_request, reply) => {
    if (closing) reply.header('connection', 'close');
  });
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));
  app.addHook('onRequest', async (request, reply) => send(options, request, reply));
  app.setNotFoundHandler((request, reply) => send(options, request, reply));
  app.setErrorHandler((error: { statusCode?: number }, request, reply) => {
    if (error.statusCode === 413) return answer(options, { request, reply, refusal: tooLarge });
    // The body broke off, so nobody may be there to read this; if so, sending again is right.
    return reply.code(503).header('connection', 'close').send({ error: 'The request could not be read.' });
  });
  for (const url of Object.keys(routes).filter(path => routes[path] === 'POST')) {
    app.post(url, (request, reply) => {
      const bytes = request.body instanceof Uint8Array ? request.body : new Uint8Array();
      return reply.code(202).send({ accepted: receive(bytes) });
    });
  }
  app.get('/healthz', () => ({ status: 'alive' }));
  app.get('/readyz', (_request, reply) =>
    isReady() ? { status: 'ready' } : reply.code(503).send({ status: 'starting' }),
  );
  app.get('/metrics', (_request, reply) =>
    reply.type('text/plain; version=0.0.4; charset=utf-8').send(counters.text()),
  );
  return app;
}

/** Sends the refusal that the request's head deserves; gives undefined where it deserves none. */
function send(options: AppOptions, request: FastifyRequest, reply: FastifyReply): FastifyReply | undefined {
  const { url = '/', method = 'GET', headers } = request.raw;
  const refusal = refuse({ url, method, headers }, options.authenticate);
  return refusal && answer(options, { request, reply, refusal });
}

interface Answer {
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
  readonly refusal: Refusal;
}

function answer({ counters, log }: AppOptions, { request, reply, refusal }: Answer): FastifyReply {
  const { status, message, allow, challenge } = refusal;
  counters.count('refusals', String(status));
  log.info('refused a request', { status, method: request.method, from: request.ip });
  if (allow) reply.header('allow', allow);
  if (challenge) reply.header('www-authenticate', challenge);
  // A small body is read and forgotten, so that the client gets to see the answer; a large one or one without end is not.
  const length = Number(request.headers['content-length'] ?? 0);
  if (length > maxPayloadBytes || request.headers['transfer-encoding'] !== undefined)
    reply.header('connection', 'close');
  return reply.code(status).send({ error: message });
}
