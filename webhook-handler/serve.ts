/** The service: listens, reconciles, and stops when it is told to. */
import type { AddressInfo } from 'node:net';
import type { Clock } from '../core/base/clock.ts';
import { AppError, errorMessage, inputError } from '../core/base/errors.ts';
import type { Configuration } from '../core/lifecycle/configuration/configuration.ts';
import type { Report } from '../core/lifecycle/report.ts';
import { createApp } from './app.ts';
import { createAuthenticate } from './authenticate.ts';
import type { ConnectedPairing } from './connect.ts';
import { createCounters } from './counters.ts';
import type { ErrorLogger } from './log.ts';
import { createReceive } from './receive.ts';
import { createReconciler } from './reconciler.ts';
import { readSecret, type SecretSource } from './secrets.ts';

/** What the service runs with. */
export interface ServeOptions {
  readonly configuration: Configuration;
  readonly pairings: readonly ConnectedPairing[];
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
  const { configuration, pairings, clock, log, signal } = options;
  const { server } = configuration;
  if (!server)
    throw inputError('server is missing in the configuration: the webhook handler cannot listen without it.');
  const password = await readSecret(server.password, 'server.password', options.secrets);
  const counters = createCounters();
  const queueOf = createQueues();
  const reconcilers = pairings.map(({ registry, organization, rules, reconcile }) => {
    const queue = queueOf(registry.url);
    const reconciler = createReconciler({
      name: `${registry.url} and ${organization.url}`,
      reconcile: request =>
        queue(() => {
          request.signal?.throwIfAborted();
          return reconcile(request);
        }),
      everyMs: configuration.reconcile.every,
      minimumIntervalMs: configuration.reconcile.minimumInterval,
      clock,
      counters,
      log,
    });
    return { ...reconciler, projects: new Set(rules.projects.map(project => project.projectId)) };
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

/** Two runs on one registry never overlap, whatever their organizations. */
function createQueues(): (registry: string) => (work: () => Promise<Report>) => Promise<Report> {
  const last = new Map<string, Promise<unknown>>();
  return registry => work => {
    const next = (last.get(registry) ?? Promise.resolve()).then(work);
    last.set(
      registry,
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
