/** The one place where a task ends. A failing task exits with 0: its verdict is the `task.complete` line. */

import { AppError, errorMessage } from '../../core/base/errors.ts';
import { agentLog } from './log.ts';
import { guardOutput, neutralise } from './output.ts';
import { tl } from './task-lib.ts';

/** What a task that succeeded tells of, for somebody to look at: a sentence. */
export interface Issues {
  readonly issues: string;
}

/**
 * Runs `task`, tells the agent how it ended, and ends the process: requests that a failure left behind are not waited
 * for. A task that gives issues has succeeded with them.
 */
export async function runTask(task: () => Promise<Issues | void>): Promise<void> {
  guardOutput();
  try {
    const ended = await task();
    if (ended) tl.setResult(tl.TaskResult.SucceededWithIssues, neutralise(ended.issues));
    else tl.setResult(tl.TaskResult.Succeeded, '');
  } catch (thrown) {
    for (const cause of causesOf(thrown)) agentLog.debug(cause);
    tl.setResult(tl.TaskResult.Failed, neutralise(describe(thrown)));
  }
  // Where standard output is a pipe of Windows it is written behind our back; the callback waits for it.
  process.stdout.write('', () => process.exit());
}

/** A verdict is one line: where a message has several, as a configuration with several faults, they stay apart. */
function describe(thrown: unknown): string {
  const ours = thrown instanceof AppError && thrown.code !== 'DEFECT';
  return ours
    ? thrown.message.trim().replace(/\s*\n\s*/g, '; ')
    : `${errorMessage(thrown)} (This was not foreseen. Please report it, with a log of a run where System.Debug is true.)`;
}

/** The error itself with its stack, then what caused it, as deep as it goes. */
function causesOf(thrown: unknown): string[] {
  const causes: string[] = [];
  let each = thrown;
  while (each instanceof Error && causes.length < 10) {
    causes.push(each.stack ?? each.message);
    each = each.cause;
  }
  return each === undefined || each instanceof Error ? causes : [...causes, errorMessage(each)];
}
