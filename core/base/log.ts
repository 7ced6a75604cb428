/** Where core says what happened. Facts in the past tense, naming the full `repository@digest`; never a secret. */

/** Structured facts that belong to a message. */
export type LogFields = Readonly<Record<string, string | number | boolean | undefined>>;

/** A sink for messages. There is no `error`: core throws, and a failure is reported once, at the top. */
export interface Logger {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
}

/** Says nothing. */
export const silentLog: Logger = { debug: () => {}, info: () => {}, warn: () => {} };
