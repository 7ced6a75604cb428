/** What could not be read says so, and why, where it would have stood: then it keeps everything. */
import { AppError, errorMessage } from '../../base/errors.ts';
import type { Reading } from '../../base/reading.ts';

/** A source that was not read. */
export type Unread = Extract<Reading<never>, { kind: 'unread' }>;

/**
 * All that `read` gives, or why it failed. Throws what is no {@link AppError}, because that is a defect of ours, and the
 * reason of the signal where the whole run is ended.
 */
export async function readWhole<T>(read: () => Promise<readonly T[]>, signal?: AbortSignal): Promise<Reading<T>> {
  try {
    return { kind: 'whole', items: await read() };
  } catch (thrown) {
    signal?.throwIfAborted();
    if (!(thrown instanceof AppError)) throw thrown;
    return { kind: 'unread', reason: clauseOf(thrown) };
  }
}

/** The message of an error as it can stand in the middle of a sentence. */
export function clauseOf(thrown: unknown): string {
  return errorMessage(thrown).replaceAll(/\s+/g, ' ').replace(/\.$/, '');
}
