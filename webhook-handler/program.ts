/** The program without the process around it: arguments in, exit code out. */
import { readFile, writeFile } from 'node:fs/promises';
import { systemClock } from '../core/base/clock.ts';
import { AppError, errorMessage, hasCode, inputError } from '../core/base/errors.ts';
import {
  type Command,
  help,
  parseCommandLine,
  type ReconcileCommand,
  type ReportUsageCommand,
} from './command-line.ts';
import { readConfiguration } from './config.ts';
import { connectPairings, type Reconcile } from './connect.ts';
import { createJsonLog, createTextLog, type ErrorLogger, showControls } from './log.ts';
import { type FiledPlan, formatPlanFile, parsePlanFile } from './plan-file.ts';
import { exitCodeOf, reconcileOnce } from './reconcile-once.ts';
import { formatResult, type PairingResult } from './report-text.ts';
import { formatPushedReport, reportUsage } from './report-usage.ts';
import { serve } from './serve.ts';

/** The process as the program sees it. */
export interface ProgramWorld {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly out: (text: string) => void;
  readonly err: (text: string) => void;
  /** Aborted by SIGTERM and SIGINT. */
  readonly signal: AbortSignal;
  readonly version: string;
  readonly reconcile: Reconcile;
}

/** Runs the program; gives the exit code that `--help` explains. Never throws. */
export async function runProgram(args: readonly string[], world: ProgramWorld): Promise<number> {
  try {
    return await runCommand(parseCommandLine(args), world);
  } catch (thrown) {
    const message = errorMessage(thrown).split('\n').map(showControls).join('\n');
    world.err(`webhook-handler: ${message}\n`);
    return hasCode(thrown, 'INPUT_INVALID') ? 2 : 1;
  }
}

async function runCommand(command: Command, world: ProgramWorld): Promise<number> {
  switch (command.kind) {
    case 'help':
      world.out(help);
      return 0;
    case 'version':
      world.out(`${world.version}\n`);
      return 0;
    case 'serve': {
      const level = command.verbose ? 'debug' : 'info';
      const log = createJsonLog({ write: world.out, clock: systemClock, level });
      await serve({ ...(await connect(command, world, log)), log, signal: world.signal });
      return 0;
    }
    case 'reconcile':
      return runReconcile(command, world);
    case 'report-usage':
      return runReportUsage(command, world);
  }
}

async function connect(command: { readonly config: string }, { env, reconcile }: ProgramWorld, log: ErrorLogger) {
  const { configuration, folder } = await readConfiguration(command.config);
  const secrets = { env, folder };
  const clock = systemClock;
  return {
    configuration,
    secrets,
    clock,
    pairings: await connectPairings(configuration, { secrets, reconcile, clock, log }),
  };
}

async function runReconcile(command: ReconcileCommand, world: ProgramWorld): Promise<number> {
  const { dryRun, json } = command;
  const createLog = json ? createJsonLog : createTextLog;
  const log = createLog({ write: world.err, clock: systemClock, level: command.verbose ? 'debug' : 'warn' });
  const { pairings } = await connect(command, world, log);
  const approved = command.approve === undefined ? [] : parsePlanFile(await readPlan(command.approve), command.approve);
  const results = await reconcileOnce(pairings, { dryRun, approved, signal: world.signal });
  const code = exitCodeOf(results);
  if (json) world.out(`${JSON.stringify({ dryRun, results }, undefined, 2)}\n`);
  else for (const result of results) world.out(`${formatResult(result, dryRun)}\n`);
  if (command.plan !== undefined) await writePlan(command.plan, results);
  if (code === 3) world.err(explainBrake(command));
  return code;
}

async function runReportUsage(command: ReportUsageCommand, world: ProgramWorld): Promise<number> {
  const log = createTextLog({ write: world.err, clock: systemClock, level: command.verbose ? 'debug' : 'info' });
  const { env, version, signal } = world;
  const pushed = await reportUsage(command, { env, version, signal, log });
  world.out(`${showControls(formatPushedReport(pushed))}\n`);
  return 0;
}

async function readPlan(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (cause) {
    throw inputError(`The plan ${path} cannot be read: ${errorMessage(cause)}.`, cause);
  }
}

async function writePlan(path: string, results: readonly PairingResult[]): Promise<void> {
  const plans = results.flatMap(({ registry, organization, report }): FiledPlan[] =>
    report ? [{ registry, organization, plan: report.plan }] : [],
  );
  try {
    await writeFile(path, formatPlanFile(plans));
  } catch (cause) {
    throw new AppError(`The plan could not be written to ${path}: ${errorMessage(cause)}.`, {
      code: 'INPUT_INVALID',
      cause,
    });
  }
}

/** The brake needs a person, so it says the commands that go on. */
function explainBrake({ config, dryRun, plan }: ReconcileCommand): string {
  const file = plan ?? 'plan.json';
  const command = `  webhook-handler reconcile --config ${quote(config)}`;
  const write = `${command} --dry-run --plan ${quote(file)}\n`;
  const approve = `${command} --approve ${quote(file)}\n`;
  const steps = dryRun && plan !== undefined ? approve : `${write}${approve}`;
  return `webhook-handler: the brake stops deletions that are many at once. Look at the plan; where it is right, go on with\n${steps}`;
}

function quote(word: string): string {
  return /^[\w./:@%+=-]+$/.test(word) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`;
}
