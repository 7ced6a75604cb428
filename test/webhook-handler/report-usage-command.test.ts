import { deepEqual, match, ok } from 'node:assert/strict';
import { help, parseCommandLine, type ReportUsageCommand } from '../../webhook-handler/command-line.ts';
import { fails } from '../core/oci/world.ts';

const least = ['report-usage', '--registry', 'contosoprod.azurecr.io', '--cluster', 'aks-prod-1'];

function parse(...more: string[]): ReportUsageCommand {
  const command = parseCommandLine([...least, ...more]);
  ok(command.kind === 'report-usage');
  return command;
}

describe('webhook-handler report-usage, as it is called', () => {
  it('needs a registry and a name alone: it runs in a pod, and signs in with what that has', () => {
    deepEqual(parse(), {
      kind: 'report-usage',
      verbose: false,
      registry: 'contosoprod.azurecr.io',
      cluster: 'aks-prod-1',
      helm: true,
      customResources: [],
      kubeconfig: undefined,
      context: undefined,
      signIn: { kind: 'azure', clientId: undefined, tenantId: undefined },
    });
  });

  it('takes a password from a variable, another cluster by its kubeconfig, and images in objects of other kinds', () => {
    const path = '{.spec.template.spec.containers[*].image}';
    const command = parse(
      '--username=aks-prod-1',
      '--password-env=PASSWORD',
      '--kubeconfig=config',
      '--context=prod',
      `--custom-resource=rollouts.v1alpha1.argoproj.io=${path}`,
      '--custom-resource=jobs.v1.x.dev={.image}',
      '--no-helm',
    );
    deepEqual(command.signIn, { kind: 'password', username: 'aks-prod-1', passwordEnv: 'PASSWORD' });
    deepEqual([command.kubeconfig, command.context, command.helm], ['config', 'prod', false]);
    deepEqual(command.customResources, [
      { resource: 'rollouts', version: 'v1alpha1', group: 'argoproj.io', images: [path] },
      { resource: 'jobs', version: 'v1', group: 'x.dev', images: ['{.image}'] },
    ]);
  });

  const faults: readonly (readonly [args: readonly string[], message: RegExp])[] = [
    [['report-usage', '--cluster', 'x'], /^--registry is missing/],
    [['report-usage', '--registry', 'x'], /^--cluster is missing/],
    [[...least, '--cluster', 'Prod 1'], /^"Prod 1" cannot be the name of a cluster in a registry/],
    [[...least, '--cluster', '../builds/x'], /cannot be the name of a cluster/],
    [[...least, '--cluster', ''], /^--cluster needs a value/],
    [[...least, '--config', 'x'], /^--config goes with serve and reconcile alone/],
    [[...least, '--dry-run'], /^--dry-run goes with reconcile alone/],
    [['reconcile', '--config', 'x', '--no-helm'], /^--no-helm goes with report-usage alone/],
    [['serve', '--config', 'x', '--registry', 'x'], /^--registry goes with report-usage alone/],
    [[...least, '--username', 'x'], /^--username and --password-env need each other/],
    [[...least, '--password-env', 'x'], /^--username and --password-env need each other/],
    [[...least, '--username', 'x', '--password-env', 'X', '--client-id', 'x'], /do not go with --username/],
    [[...least, '--context', 'x'], /^--context needs --kubeconfig/],
    [[...least, '--custom-resource', 'rollouts={.x}'], /^--custom-resource "rollouts=\{\.x\}" is not of the form/],
    [[...least, 'more'], /^"more" is one argument too many/],
  ];
  for (const [args, message] of faults) {
    it(`says what is wrong with ${args.slice(1).join(' ')}`, async () => {
      match(
        (
          await fails(
            Promise.resolve().then(() => parseCommandLine(args)),
            'INPUT_INVALID',
          )
        ).message,
        message,
      );
    });
  }

  it('explains each of its options', () => {
    for (const option of [
      'registry',
      'cluster',
      'no-helm',
      'custom-resource',
      'kubeconfig',
      'context',
      'username',
      'password-env',
      'client-id',
      'tenant-id',
    ])
      ok(help.includes(`--${option}`), option);
  });
});
