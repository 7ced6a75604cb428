/** The service: listens, reconciles, and stops when it is told to. */
import type { AddressInfo } from 'node:net';
import type { Clock } from '../core/base/clock.ts';
import { AppError, errorMessage, inputError } from '../core/base/errors.ts';
import type { Configuration } from '../core/lifecycle/configuration/configuration.ts';
import { createApp } from './app.ts';
import { createAuthenticate } from './authenticate.ts';
import { createCounters } from './counters.ts';
import type { Entry } from './entries.ts';
import type { ErrorLogger } from './log.ts';
import { createReceive } from './receive.ts';
import { createReconciler, type RunReport } from './reconciler.ts';
import { readSecret, type SecretSource } from './secrets.ts';

/** What the service runs with. */
export interface ServeOptions {
  readonly configuration: Configuration;
  readonly entries: readonly Entry[];
  readonly secrets: SecretSource;
  readonly clock: Clock;
  readonly log: ErrorLogger;
  /** Stops the service. */
  readonly signal: AbortSignal;
}

/** Kubernetes kills after 30 s. */
const stopMs = 25_000;

/**
 * Serves until the signal; then finishes the requests and the changes in hand, and resolves.
 * Throws INPUT_INVALID where the configuration does not say how to listen, or cannot be listened to.
 */
export async function serve(options: ServeOptions): Promise<void> {
  const { configuration, entries, clock, log, signal } = options;
  const { server } = configuration;
  if (!server)
    throw inputError('server is missing in the configuration: the webhook handler cannot listen without it.');
  const password = await readSecret(server.password, 'server.password', options.secrets);
  const counters = createCounters();
  const queueOf = createQueues();
  const reconcilers = entries.map(({ name, queue, projects, isWhole, run }) => {
    const inTurn = queueOf(queue);
    const reconciler = createReconciler({
      name,
      reconcile: request =>
        inTurn(() => {
          request.signal.throwIfAborted();
          return run(request);
        }),
      everyMs: configuration.reconcile.every,
      minimumIntervalMs: configuration.reconcile.minimumInterval,
      clock,
      counters,
      log,
    });
    const { hints } = reconciler;
    return { ...reconciler, projects, hints: isWhole ? { ...hints, addBuild: () => hints.addWhole() } : hints };
  });
  const app = createApp({
    authenticate: createAuthenticate({ username: server.username, password }),
    receive: createReceive({ targets: reconcilers, counters, log }),
    isReady: () => reconcilers.every(reconciler => reconciler.started()),
    counters,
    log,
  });
  try {
    await app.listen({ host: server.host, port: server.port });
  } catch (cause) {
    throw explainListening(cause, server.port);
  }
  const { address, port } = app.server.address() as AddressInfo;
  log.info('listening', { host: address, port });
  const running = Promise.all(reconcilers.map(reconciler => reconciler.run(signal)));
  await aborted(signal);
  log.info('stopping');
  const patience = new AbortController();
  const stopped = Promise.all([app.close(), running]).then(() => 'stopped');
  const ended = await Promise.race([
    stopped,
    clock.sleep(stopMs, patience.signal).then(() => 'stopped before its work was done'),
  ]);
  patience.abort();
  log.info(ended);
}

/** Runs of one queue never overlap. */
function createQueues(): (queue: string) => (work: () => Promise<RunReport>) => Promise<RunReport> {
  const last = new Map<string, Promise<unknown>>();
  return queue => work => {
    const next = (last.get(queue) ?? Promise.resolve()).then(work);
    last.set(
      queue,
      next.catch(() => {}),
    );
    return next;
  };
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise(resolve => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}

function explainListening(cause: unknown, port: number): AppError {
  const code = (cause as { code?: string } | null)?.code;
  if (code === 'EADDRINUSE') {
    return inputError(`server.port: another program listens on ${port}; stop it, or configure another port.`, cause);
  }
  if (code === 'EACCES') {
    return inputError(`server.port: this user may not listen on ${port}; configure a port above 1023.`, cause);
  }
  return inputError(`server.host: cannot listen there: ${errorMessage(cause)}`, cause);
}
