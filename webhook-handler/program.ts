/** The program without the process around it: arguments in, exit code out. */
import { systemClock } from '../core/base/clock.ts';
import { errorMessage, hasCode } from '../core/base/errors.ts';
import type { Http } from '../core/oci/http.ts';
import { type Command, help, parseCommandLine, type ReportUsageCommand, type ServeCommand } from './command-line.ts';
import { readConfiguration } from './config.ts';
import { connectPairings, type Reconcile } from './connect.ts';
import { entryOfEstate, entryOfPairing } from './entries.ts';
import { connectEstate } from './estate.ts';
import { needsPlan } from './handler-checks.ts';
import { createJsonLog, createTextLog, showControls } from './log.ts';
import { runReconcile } from './reconcile-command.ts';
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
  /** How registries are reached; as everything else unless told. */
  readonly http?: Http;
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
    case 'serve':
      return runServe(command, world);
    case 'reconcile':
      return runReconcile(command, world);
    case 'report-usage':
      return runReportUsage(command, world);
  }
}

async function runServe(command: ServeCommand, world: ProgramWorld): Promise<number> {
  const { env, reconcile, signal, http } = world;
  const log = createJsonLog({ write: world.out, clock: systemClock, level: command.verbose ? 'debug' : 'info' });
  const { configuration, folder } = await readConfiguration(command.config);
  const options = { secrets: { env, folder }, reconcile, clock: systemClock, log, http };
  const entries = needsPlan(configuration)
    ? [entryOfEstate(await connectEstate(configuration, options))]
    : (await connectPairings(configuration, options)).map(entryOfPairing);
  await serve({ ...options, configuration, entries, signal });
  return 0;
}

async function runReportUsage(command: ReportUsageCommand, world: ProgramWorld): Promise<number> {
  const log = createTextLog({ write: world.err, clock: systemClock, level: command.verbose ? 'debug' : 'info' });
  const { env, version, signal, http } = world;
  const pushed = await reportUsage(command, { env, version, signal, log, ...(http && { http }) });
  world.out(`${showControls(formatPushedReport(pushed))}\n`);
  return 0;
}
