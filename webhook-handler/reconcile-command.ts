/** The command `reconcile`: once over everything that is configured, then the report and the exit code. */
import { writeFile } from 'node:fs/promises';
import { systemClock } from '../core/base/clock.ts';
import { errorMessage, inputError } from '../core/base/errors.ts';
import { checkScope } from '../core/lifecycle/cleaning/agreement.ts';
import {
  type CleanPlan,
  formatCleanPlan,
  maxPlanCharacters,
  parseCleanPlan,
} from '../core/lifecycle/cleaning/clean-plan.ts';
import type { Configuration } from '../core/lifecycle/configuration/configuration.ts';
import { clean, exitCodeOfClean } from './clean.ts';
import { formatClean } from './clean-text.ts';
import type { ReconcileCommand } from './command-line.ts';
import { readConfiguration } from './config.ts';
import { type ConnectOptions, connectPairings } from './connect.ts';
import { connectEstate } from './estate.ts';
import { readTextFile } from './files.ts';
import { needsPlan } from './handler-checks.ts';
import { createJsonLog, createTextLog } from './log.ts';
import { type FiledPlan, formatPlanFile, parsePlanFile } from './plan-file.ts';
import type { ProgramWorld } from './program.ts';
import { exitCodeOf, reconcileOnce } from './reconcile-once.ts';
import { formatResult, type PairingResult } from './report-text.ts';

/** What both ways of reconciling work with. */
interface Job {
  readonly command: ReconcileCommand;
  readonly world: ProgramWorld;
  readonly configuration: Configuration;
  readonly options: ConnectOptions;
}

/** Runs it; gives the exit code. Throws INPUT_INVALID for what is wrong with the files that it is given. */
export async function runReconcile(command: ReconcileCommand, world: ProgramWorld): Promise<number> {
  const createLog = command.json ? createJsonLog : createTextLog;
  const log = createLog({ write: world.err, clock: systemClock, level: command.verbose ? 'debug' : 'warn' });
  const { configuration, folder } = await readConfiguration(command.config);
  const { env, reconcile, http } = world;
  const options = { secrets: { env, folder }, reconcile, clock: systemClock, log, http };
  const run = needsPlan(configuration) ? runAsOne : runPairings;
  const code = await run({ command, world, configuration, options });
  if (code === 3) world.err(explainBrake(command));
  return code;
}

/** Registry by registry. */
async function runPairings({ command, world, configuration, options }: Job): Promise<number> {
  const { dryRun, json, plan, approve } = command;
  const pairings = await connectPairings(configuration, options);
  const approved = approve === undefined ? [] : parsePlanFile(await readPlan(approve), approve);
  const results = await reconcileOnce(pairings, { dryRun, approved, signal: world.signal });
  if (json) world.out(toJson({ dryRun, results }));
  else for (const result of results) world.out(`${formatResult(result, dryRun)}\n`);
  if (plan !== undefined) await writePlan(plan, formatPlanFile(plansOf(results)));
  return exitCodeOf(results);
}

/** By one plan over all registries. */
async function runAsOne({ command, world, configuration, options }: Job): Promise<number> {
  const { dryRun, json, plan: path, approve } = command;
  const connected = await connectEstate(configuration, options);
  const approved = approve === undefined ? undefined : await readApproved(approve, configuration);
  const result = await clean(connected, {
    dryRun,
    approved,
    signal: world.signal,
    onPlan: async plan => {
      if (path !== undefined) await writePlan(path, formatCleanPlan(plan));
    },
  });
  const { plan, notRead, report } = result;
  world.out(json ? toJson({ dryRun, plan, notRead, report }) : formatClean(result, approved));
  return exitCodeOfClean(result);
}

async function readApproved(path: string, configuration: Configuration): Promise<CleanPlan> {
  const plan = parseCleanPlan(await readPlan(path), path);
  checkScope(plan, configuration, path);
  return plan;
}

function readPlan(path: string): Promise<string> {
  // A character has at most three bytes in UTF-8, and nearly all of a plan's have one.
  return readTextFile(path, 'plan', 3 * maxPlanCharacters);
}

function plansOf(results: readonly PairingResult[]): FiledPlan[] {
  return results.flatMap(({ registry, organization, report }) =>
    report ? [{ registry, organization, plan: report.plan }] : [],
  );
}

async function writePlan(path: string, text: string): Promise<void> {
  try {
    await writeFile(path, text);
  } catch (cause) {
    throw inputError(`The plan could not be written to ${path}: ${errorMessage(cause)}.`, cause);
  }
}

function toJson(value: unknown): string {
  return `${JSON.stringify(value, undefined, 2)}\n`;
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
