/** What the routes share: the emulator's inner side, and one request on its way through it. */
import type { IncomingMessage } from 'node:http';
import type { SettableClock } from '../settable-clock.ts';
import type { Access, Identity } from './access.ts';
import type { Behaviour } from './behaviour.ts';
import type { Distortion, FaultSource } from './faults.ts';
import type { RequestRecorder } from './request-log.ts';
import type { Throttle } from './throttle.ts';
import type { Uploads } from './uploads.ts';
import type { World } from './world.ts';

/** The emulator's inner side. */
export interface Core {
  host: string;
  dataHost: string;
  readonly abac: boolean;
  readonly clock: SettableClock;
  readonly behaviour: Behaviour;
  readonly world: World;
  readonly faults: FaultSource;
  readonly requests: RequestRecorder;
  throttle: Throttle;
  readonly uploads: Uploads;
  readonly identities: readonly Identity[];
  /** Whether every valid Entra token has every right. */
  readonly entraOpen: boolean;
  /** Aborted when the emulator closes, so that nothing slow outlives it. */
  readonly closing: AbortSignal;
}

/** One request, when its route has been found. */
export interface Call {
  readonly core: Core;
  readonly request: IncomingMessage;
  readonly query: URLSearchParams;
  /** Empty where the path names none. */
  readonly repository: string;
  /** The tag, digest or upload in the path; empty where there is none. */
  readonly reference: string;
  /** Rights of the caller; none on the routes that need none. */
  readonly access: Access | undefined;
  readonly distortion: Distortion;
  /** Reads the body, up to the limit of that switch. */
  body(): Promise<Buffer>;
  /** Writes down who called, on routes that find out themselves. */
  identify(identity: string): void;
}
