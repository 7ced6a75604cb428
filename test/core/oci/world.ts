/** What the tests of core/oci and core/acr share: a client whose clock, log and credentials they hold in hand. */
import assert from 'node:assert/strict';
import type { Clock } from '../../../core/base/clock.ts';
import { AppError, type ErrorCode } from '../../../core/base/errors.ts';
import type { Logger } from '../../../core/base/log.ts';
import type { Credentials } from '../../../core/oci/credentials.ts';
import { createHttp, type Http, type HttpOptions } from '../../../core/oci/http.ts';
import { openRegistry, type Registry } from '../../../core/oci/registry.ts';
import { openRepository, type Repository, type RepositoryAction } from '../../../core/oci/repository.ts';
import { type AcrEmulator, type AcrOptions, startAcr } from '../../emulators/acr/acr.ts';
import { createClock, type SettableClock } from '../../emulators/settable-clock.ts';
import type { Loopback } from './loopback.ts';

export const admin: Credentials = { kind: 'password', username: 'admin', password: 'admin-password' };
export const anonymous: Credentials = { kind: 'anonymous' };
export const missing = `sha256:${'0'.repeat(64)}` as const;

/** A clock that sleeps by moving on at once, and remembers for how long. */
export interface RecordingClock extends Clock {
  readonly sleeps: number[];
}

export function createRecordingClock(time: SettableClock = createClock()): RecordingClock {
  const sleeps: number[] = [];
  return {
    sleeps,
    now: () => time.now(),
    sleep: async ms => {
      sleeps.push(ms);
      time.advance(ms);
    },
  };
}

/** A log that keeps every word of every level. */
export function createCollectingLog(): Logger & { readonly lines: string[] } {
  const lines: string[] = [];
  const keep = (message: string, fields?: object): void => {
    lines.push(`${message} ${JSON.stringify(fields ?? {})}`);
  };
  return { lines, debug: keep, info: keep, warn: keep };
}

/** A client, and what it did. */
export interface Client {
  readonly http: Http;
  readonly clock: RecordingClock;
  readonly log: ReturnType<typeof createCollectingLog>;
}

export function createClient(options: HttpOptions = {}, time?: SettableClock): Client {
  const clock = createRecordingClock(time);
  const log = createCollectingLog();
  return { http: createHttp({ clock, log, ...options }), clock, log };
}

/** An emulator and a client of it, which share one clock. */
export interface AcrWorld extends Client {
  readonly acr: AcrEmulator;
  /** Another process, so to say: nothing is known of tokens yet. */
  connect(credentials?: Credentials): Registry;
  open(name: string, actions?: readonly RepositoryAction[], credentials?: Credentials): Repository;
  close(): Promise<void>;
}

export const everyAction = ['pull', 'push', 'delete', 'metadata_read', 'metadata_write'] as const;

export async function startAcrWorld(options: AcrOptions = {}): Promise<AcrWorld> {
  const acr = await startAcr(options);
  const client = createClient({ ca: acr.ca }, acr.clock);
  const connect = (credentials: Credentials = admin): Registry =>
    openRegistry({ address: acr.host, credentials, http: client.http });
  return {
    acr,
    ...client,
    connect,
    open: (name, actions = everyAction, credentials = admin) => openRepository(connect(credentials), name, actions),
    async close() {
      await client.http.close();
      await acr.close();
    },
  };
}

/** A repository of a server on loopback. */
export function openOn(server: Loopback, client: Client, credentials: Credentials = anonymous): Repository {
  const registry = openRegistry({ address: server.url, credentials, http: client.http });
  return openRepository(registry, 'team/app', ['pull', 'push']);
}

/** Waits for an {@link AppError} of this code, and gives it. */
export async function fails(work: Promise<unknown>, code: ErrorCode): Promise<AppError> {
  const thrown: unknown = await work.then(
    value => assert.fail(`it did not fail, but gave ${JSON.stringify(value)}`),
    (reason: unknown) => reason,
  );
  if (!(thrown instanceof AppError)) throw thrown;
  assert.equal(thrown.code, code, thrown.message);
  return thrown;
}

/** Everything that an error says, down to its last cause. */
export function everyWord(thrown: unknown): string {
  if (!(thrown instanceof Error)) return String(thrown);
  const properties = JSON.stringify(thrown, Object.getOwnPropertyNames(thrown));
  return `${thrown.stack ?? ''} ${properties} ${thrown.cause === undefined ? '' : everyWord(thrown.cause)}`;
}

/** All parts of a stream, joined. */
export async function readAll(parts: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const found: Uint8Array[] = [];
  for await (const part of parts) found.push(Buffer.from(part));
  return Buffer.concat(found);
}
