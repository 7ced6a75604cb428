/** What the user asked for on the command line. */
import { parseArgs } from 'node:util';
import { errorMessage, inputError } from '../core/base/errors.ts';

/** A command, with its options. */
export type Command =
  | { readonly kind: 'help' | 'version' }
  | { readonly kind: 'serve'; readonly config: string; readonly verbose: boolean }
  | ReconcileCommand;

/** One reconciliation of everything that is configured. */
export interface ReconcileCommand {
  readonly kind: 'reconcile';
  readonly config: string;
  readonly verbose: boolean;
  readonly json: boolean;
  readonly dryRun: boolean;
  /** Where to write the plan. */
  readonly plan: string | undefined;
  /** A plan that a person approved. */
  readonly approve: string | undefined;
}

/** What `--help` prints. */
export const help = `Deletes the images of builds that Azure DevOps has deleted.

  webhook-handler serve --config FILE
      Takes notifications of Azure DevOps, and reconciles at start, on a timer and when notified.

  webhook-handler reconcile --config FILE [--dry-run] [--plan FILE] [--approve FILE] [--json]
      Reconciles once, tells what became of each image and why, and ends.
      --dry-run        changes nothing, tells what would be done
      --plan FILE      writes the plan: with --dry-run, what would be done
      --approve FILE   lets what stands in this plan pass the brake, as far as it is still to be done
      --json           prints the report as JSON

  --config FILE   the configuration; docs/configuration.md explains its keys
  --verbose       logs every request
  --help, --version

Exit codes: 0 done, 1 something failed, 2 wrong usage or configuration, 3 the brake stopped the deletion.
`;

const options = {
  config: { type: 'string' },
  verbose: { type: 'boolean' },
  'dry-run': { type: 'boolean' },
  plan: { type: 'string' },
  approve: { type: 'string' },
  json: { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
  version: { type: 'boolean' },
} as const;

/** Reads the arguments after the program's name. Throws INPUT_INVALID, naming the argument. */
export function parseCommandLine(args: readonly string[]): Command {
  const { values, positionals } = read(args);
  if (values.help) return { kind: 'help' };
  if (values.version) return { kind: 'version' };
  const [command, ...more] = positionals;
  if (command !== 'serve' && command !== 'reconcile') {
    throw inputError(command === undefined ? 'Say serve or reconcile.' : `"${command}" is not a command.`);
  }
  if (more.length > 0) throw inputError(`"${more[0]}" is one argument too many.`);
  if (!values.config) throw inputError('--config is missing: the path of the configuration.');
  const common = { config: values.config, verbose: values.verbose === true };
  return command === 'serve' ? { kind: 'serve', ...checkServe(common, values) } : readReconcile(common, values);
}

type Values = ReturnType<typeof read>['values'];
type Common = Pick<ReconcileCommand, 'config' | 'verbose'>;

function checkServe(common: Common, values: Values): Common {
  for (const name of ['dry-run', 'plan', 'approve', 'json'] as const) {
    if (values[name] !== undefined) throw inputError(`--${name} goes with reconcile alone.`);
  }
  return common;
}

function readReconcile(common: Common, values: Values): ReconcileCommand {
  const { json = false, 'dry-run': dryRun = false, plan, approve } = values;
  if (plan === '' || approve === '') throw inputError(`${plan === '' ? '--plan' : '--approve'} needs a path.`);
  return { kind: 'reconcile', ...common, json, dryRun, plan, approve };
}

function read(args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], options, allowPositionals: true });
  } catch (cause) {
    throw inputError(errorMessage(cause), cause);
  }
}
