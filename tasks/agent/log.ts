/** Core's messages, in the agent's log. */

import type { LogFields, Logger } from '../../core/base/log.ts';
import { neutralise, writeLine } from './output.ts';
import { tl } from './task-lib.ts';

/** Facts become lines, warnings stand on the build's page, and the rest is seen with `System.Debug`. */
export const agentLog: Logger = {
  debug: (message, fields) => tl.debug(withFields(message, fields)),
  info: (message, fields) => writeLine(withFields(message, fields)),
  warn: (message, fields) => tl.logIssue(tl.IssueType.Warning, neutralise(withFields(message, fields))),
};

/** Shows how far the task is: `percent` of 100, and what it does now. */
export function showProgress(percent: number, what: string): void {
  tl.setProgress(Math.round(percent), neutralise(what));
}

function withFields(message: string, fields: LogFields = {}): string {
  const known = Object.entries(fields).filter(([, value]) => value !== undefined);
  return [message, ...known.map(([name, value]) => `${name}=${String(value)}`)].join(' ');
}
