/** What the tests of the handler put in place of the world: a clock that stands still, a log in memory, raw sockets. */

import type { AddressInfo } from 'node:net';
import { connect, type Socket } from 'node:net';
import type { FastifyInstance } from 'fastify';
import type { Clock } from '../../core/base/clock.ts';
import type { Report, ReportItem } from '../../core/lifecycle/report.ts';
import { createApp } from '../../webhook-handler/app.ts';
import { createAuthenticate } from '../../webhook-handler/authenticate.ts';
import { type Counters, createCounters } from '../../webhook-handler/counters.ts';
import { createHints, type Hints } from '../../webhook-handler/hints.ts';
import { createJsonLog, type ErrorLogger } from '../../webhook-handler/log.ts';
import { createReceive } from '../../webhook-handler/receive.ts';

export const projectId = '11111111-2222-4333-8444-555555555555';
export const otherProjectId = '99999999-2222-4333-8444-555555555555';
export const username = 'azure-devops';
export const password = 'correct horse: battery staple';
export const authorization = `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;

/** Lets everything that is ready run. */
export async function settle(): Promise<void> {
  for (let round = 0; round < 5; round += 1) await new Promise(resolve => setImmediate(resolve));
}

/** A clock that moves when it is told to. */
export interface StillClock extends Clock {
  advance(ms: number): Promise<void>;
}

export function createStillClock(): StillClock {
  let now = 1_000_000;
  const sleepers = new Set<{ until: number; wake: () => void }>();
  return {
    now: () => now,
    sleep: (ms, signal) =>
      new Promise((resolve, reject) => {
        const sleeper = { until: now + ms, wake: resolve };
        sleepers.add(sleeper);
        signal?.addEventListener('abort', () => {
          sleepers.delete(sleeper);
          reject(signal.reason as Error);
        });
      }),
    advance: async ms => {
      now += ms;
      for (const sleeper of [...sleepers].filter(one => one.until <= now)) {
        sleepers.delete(sleeper);
        sleeper.wake();
      }
      await settle();
    },
  };
}

/** A log whose lines can be read back. */
export function createMemoryLog(): ErrorLogger & { readonly lines: string[] } {
  const lines: string[] = [];
  const log = createJsonLog({
    write: line => lines.push(line),
    clock: { ...createStillClock(), now: () => 0 },
    level: 'debug',
  });
  return { ...log, lines };
}

export function createReport(items: readonly Partial<ReportItem>[] = [], braked?: string): Report {
  const whole = items.map(item => ({
    projectId,
    buildId: 1,
    subject: 'build 1',
    outcome: 'kept' as const,
    reason: 'because',
    ...item,
  }));
  return { items: whole, plan: { release: [], collect: [] }, braked, builds: 1 };
}

/** An app with one target, which looks after `projectId`. */
export interface TestApp {
  readonly app: FastifyInstance;
  readonly hints: Hints;
  readonly counters: Counters;
  readonly log: ReturnType<typeof createMemoryLog>;
}

export function createTestApp(isReady: () => boolean = () => true): TestApp {
  const counters = createCounters();
  const log = createMemoryLog();
  const hints = createHints(() => {});
  const receive = createReceive({ targets: [{ projects: new Set([projectId]), hints }], counters, log });
  const app = createApp({ authenticate: createAuthenticate({ username, password }), receive, isReady, counters, log });
  return { app, hints, counters, log };
}

/** Listens on a free port and gives it. */
export async function listen(app: FastifyInstance): Promise<number> {
  await app.listen({ host: '127.0.0.1', port: 0 });
  return (app.server.address() as AddressInfo).port;
}

/** A connection on which a test writes what it likes. `answer` gives all that came until the other side closed. */
export function openSocket(port: number): {
  readonly socket: Socket;
  readonly answer: Promise<string>;
  readonly text: () => string;
} {
  const socket = connect(port, '127.0.0.1');
  let text = '';
  socket.on('data', chunk => {
    text += chunk.toString('latin1');
  });
  // A reset tells the same as an end: nobody reads any more.
  socket.on('error', () => {});
  const answer = new Promise<string>(resolve => socket.on('close', () => resolve(text)));
  return { socket, answer, text: () => text };
}

/** A notification as Azure DevOps wraps it. */
export function createNotification(event: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return {
    subscriptionId: '00000000-0000-4000-8000-000000000001',
    notificationId: 7,
    id: '00000000-0000-4000-8000-000000000002',
    eventType: 'build.deleted',
    publisherId: 'tfs',
    message: { text: 'text' },
    resourceVersion: '1.0',
    resourceContainers: { project: { id: projectId, baseUrl: 'https://evil.example/' } },
    createdDate: '2026-11-22T00:00:00Z',
    ...event,
  };
}
