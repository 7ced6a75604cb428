/** Where the program's messages go: one JSON object a line, or lines for a person at a terminal. */
import type { Clock } from '../core/base/clock.ts';
import { AppError, errorMessage } from '../core/base/errors.ts';
import type { LogFields, Logger } from '../core/base/log.ts';

/** A logger that reports failures too: core throws them, and this is the top. */
export interface ErrorLogger extends Logger {
  error(message: string, thrown: unknown, fields?: LogFields): void;
}

/** What a log is made of. */
export interface LogOptions {
  /** Takes one line, its end included. */
  readonly write: (line: string) => void;
  readonly clock: Clock;
  /** `debug` is left out unless it is the level. */
  readonly level: 'debug' | 'info' | 'warn';
}

const ranks = { debug: 0, info: 1, warn: 2, error: 3 };
type Level = keyof typeof ranks;

/** JSON escapes the C0 controls alone; terminals obey the C1 ones too, and people are fooled by bidirectional ones. */
const unsafe = /[\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;

function escape(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}

/** Makes every control character visible, and keeps a text on its line. */
export function showControls(text: string): string {
  return text.replace(/\p{Cc}/gu, escape).replace(unsafe, escape);
}

/** Makes a log of JSON lines: `time`, `level`, `message`, the fields, and `err` with `code` and `message`. */
export function createJsonLog(options: LogOptions): ErrorLogger {
  return createLog(options, (level, message, { fields, err }) => {
    const time = new Date(options.clock.now()).toISOString();
    return JSON.stringify({ time, level, message, ...fields, ...(err && { err }) }).replace(unsafe, escape);
  });
}

/** Makes a log for people: the message, its fields, and the failure. */
export function createTextLog(options: LogOptions): ErrorLogger {
  return createLog(options, (level, message, { fields, err }) => {
    const facts = Object.entries(fields ?? {}).flatMap(([key, value]) =>
      value === undefined ? [] : `${key}=${value}`,
    );
    const text = `${message}${facts.length > 0 ? ` (${facts.join(', ')})` : ''}${err ? `: ${err.message}` : ''}`;
    return `${level === 'info' ? '' : `${level}: `}${showControls(text)}`;
  });
}

interface Detail {
  readonly fields: LogFields | undefined;
  readonly err?: { readonly code: string; readonly message: string };
}

function createLog(
  options: LogOptions,
  format: (level: Level, message: string, detail: Detail) => string,
): ErrorLogger {
  const say = (level: Level, message: string, detail: Detail): void => {
    if (ranks[level] >= ranks[options.level]) options.write(`${format(level, message, detail)}\n`);
  };
  return {
    debug: (message, fields) => say('debug', message, { fields }),
    info: (message, fields) => say('info', message, { fields }),
    warn: (message, fields) => say('warn', message, { fields }),
    error: (message, thrown, fields) => {
      const code = thrown instanceof AppError ? thrown.code : 'DEFECT';
      say('error', message, { fields, err: { code, message: errorMessage(thrown) } });
    },
  };
}
