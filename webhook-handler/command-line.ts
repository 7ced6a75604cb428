/** What the user asked for on the command line. */
import { parseArgs } from 'node:util';
import { errorMessage, inputError } from '../core/base/errors.ts';
import type { CustomResource } from '../core/kubernetes/custom-resources.ts';
import { usageRepository } from '../core/lifecycle/facts/usage-report.ts';

/** A command, with its options. */
export type Command = { readonly kind: 'help' | 'version' } | ServeCommand | ReconcileCommand | ReportUsageCommand;

/** The service. */
export interface ServeCommand {
  readonly kind: 'serve';
  readonly config: string;
  readonly verbose: boolean;
}

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

/** One report of what a cluster runs. */
export interface ReportUsageCommand {
  readonly kind: 'report-usage';
  readonly verbose: boolean;
  /** Host of the registry, as `openRegistry` takes it. */
  readonly registry: string;
  /** The name of the report. */
  readonly cluster: string;
  /** Whether Helm's releases are looked at. */
  readonly helm: boolean;
  readonly customResources: readonly CustomResource[];
  /** Its path; without it the program runs in a pod of the cluster. */
  readonly kubeconfig: string | undefined;
  readonly context: string | undefined;
  /** To the registry; the password stands in a variable of the environment. */
  readonly signIn:
    | { readonly kind: 'password'; readonly username: string; readonly passwordEnv: string }
    | { readonly kind: 'azure'; readonly clientId: string | undefined; readonly tenantId: string | undefined };
}

/** What `--help` prints. */
export const help = `Deletes the images of builds that Azure DevOps has deleted.

  webhook-handler serve --config FILE
      Takes notifications of Azure DevOps, and reconciles at start, on a timer and when notified.

  webhook-handler reconcile --config FILE [--dry-run] [--plan FILE] [--approve FILE] [--json]
      Reconciles once, tells what became of each image and why, and ends.
      --dry-run        changes nothing, tells what would be done
      --plan FILE      writes the plan: with --dry-run, what would be done
      --approve FILE   lets what stands in this plan pass the brake, as far as it is still to be done; where the
                       configuration has a policy, nothing else is done
      --json           prints the report as JSON

  webhook-handler report-usage --registry HOST --cluster NAME [--no-helm] [--custom-resource RESOURCE.VERSION.GROUP=PATH]...
      Reports once what the cluster runs and could roll back to, and ends. What is not read whole is not reported.
      Runs in a pod of the cluster; docs/usage-report.md explains the right that each part needs.
      --registry HOST        the registry that the cluster pulls from, such as contosoprod.azurecr.io
      --cluster NAME         what the report is called: each cluster has a name of its own
      --no-helm              says nothing of Helm, and needs no right to list Secrets
      --custom-resource …    where objects of other kinds name images: rollouts.v1alpha1.argoproj.io={.spec.image}
      --kubeconfig FILE      asks the cluster of this kubeconfig instead; --context NAME picks one
      --username NAME --password-env NAME
                             signs in to the registry with the password in this variable; else with Microsoft Entra,
                             by workload identity or what else the environment has; --client-id ID, --tenant-id ID

  --config FILE   the configuration; docs/configuration.md explains its keys
  --verbose       logs every request
  --help, --version

Exit codes: 0 done, 1 something failed or was not read (report-usage: nothing was reported), 2 wrong usage or
configuration, 3 the brake stopped the deletion.
`;

const options = {
  config: { type: 'string' },
  verbose: { type: 'boolean' },
  'dry-run': { type: 'boolean' },
  plan: { type: 'string' },
  approve: { type: 'string' },
  json: { type: 'boolean' },
  registry: { type: 'string' },
  cluster: { type: 'string' },
  'no-helm': { type: 'boolean' },
  'custom-resource': { type: 'string', multiple: true },
  kubeconfig: { type: 'string' },
  context: { type: 'string' },
  username: { type: 'string' },
  'password-env': { type: 'string' },
  'client-id': { type: 'string' },
  'tenant-id': { type: 'string' },
  help: { type: 'boolean', short: 'h' },
  version: { type: 'boolean' },
} as const;

const commands = ['serve', 'reconcile', 'report-usage'] as const;

/** Options that go with some commands alone; all others go with report-usage. */
const owners: Readonly<Record<string, readonly string[]>> = {
  config: ['serve', 'reconcile'],
  ...Object.fromEntries(['dry-run', 'plan', 'approve', 'json'].map(name => [name, ['reconcile']])),
  verbose: commands,
};

/** Reads the arguments after the program's name. Throws INPUT_INVALID, naming the argument. */
export function parseCommandLine(args: readonly string[]): Command {
  const { values, positionals } = read(args);
  if (values.help) return { kind: 'help' };
  if (values.version) return { kind: 'version' };
  const [given, ...more] = positionals;
  const command = commands.find(each => each === given);
  if (!command) throw inputError(given === undefined ? `Say ${wordsOf(commands)}.` : `"${given}" is not a command.`);
  if (more.length > 0) throw inputError(`"${more[0]}" is one argument too many.`);
  for (const [name, value] of Object.entries(values)) {
    const { [name]: takers = ['report-usage'] } = owners;
    if (!takers.includes(command)) throw inputError(`--${name} goes with ${takers.join(' and ')} alone.`);
    if ([value].flat().includes('')) throw inputError(`--${name} needs a value.`);
  }
  const verbose = values.verbose === true;
  if (command === 'report-usage') return { kind: command, verbose, ...readReportUsage(values) };
  const { config } = values;
  if (!config) throw inputError('--config is missing: the path of the configuration.');
  return command === 'serve' ? { kind: command, config, verbose } : readReconcile({ config, verbose }, values);
}

type Values = ReturnType<typeof read>['values'];

function readReconcile(common: Pick<ReconcileCommand, 'config' | 'verbose'>, values: Values): ReconcileCommand {
  const { json = false, 'dry-run': dryRun = false, plan, approve } = values;
  return { kind: 'reconcile', ...common, json, dryRun, plan, approve };
}

function readReportUsage(values: Values): Omit<ReportUsageCommand, 'kind' | 'verbose'> {
  const { registry, cluster, kubeconfig, context } = values;
  if (!registry) throw inputError('--registry is missing: the host of the registry that the cluster pulls from.');
  if (!cluster) throw inputError('--cluster is missing: the name of the report.');
  usageRepository(cluster);
  if (context && !kubeconfig) throw inputError('--context needs --kubeconfig.');
  return {
    registry,
    cluster,
    helm: values['no-helm'] !== true,
    customResources: (values['custom-resource'] ?? []).map(readCustomResource),
    kubeconfig,
    context,
    signIn: readSignIn(values),
  };
}

function readSignIn(values: Values): ReportUsageCommand['signIn'] {
  const { username, 'password-env': passwordEnv, 'client-id': clientId, 'tenant-id': tenantId } = values;
  if (username === undefined && passwordEnv === undefined) return { kind: 'azure', clientId, tenantId };
  if (!username || !passwordEnv) throw inputError('--username and --password-env need each other.');
  if (clientId || tenantId) throw inputError('--client-id and --tenant-id do not go with --username.');
  return { kind: 'password', username, passwordEnv };
}

/** As `kubectl get` takes a resource, and a path as `kubectl -o jsonpath` does. */
function readCustomResource(text: string): CustomResource {
  const [, resource, version, group, path] = /^([a-z0-9-]+)\.([a-z0-9]+)\.([a-z0-9.-]+)=(.+)$/.exec(text) ?? [];
  if (resource && version && group && path) return { resource, version, group, images: [path] };
  throw inputError(
    `--custom-resource "${text}" is not of the form RESOURCE.VERSION.GROUP=PATH, such as rollouts.v1alpha1.argoproj.io={.spec.template.spec.containers[*].image}.`,
  );
}

function wordsOf(words: readonly string[]): string {
  return `${words.slice(0, -1).join(', ')} or ${words.at(-1)}`;
}

function read(args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], options, allowPositionals: true });
  } catch (cause) {
    throw inputError(errorMessage(cause), cause);
  }
}
