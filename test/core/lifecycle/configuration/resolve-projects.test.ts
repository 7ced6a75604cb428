/** From names of projects to their ids, and what a plan is told of a configuration. */
import { deepEqual, equal, match, rejects } from 'node:assert/strict';
import type { AzureDevOps } from '../../../../core/azure-devops/connection.ts';
import { AppError } from '../../../../core/base/errors.ts';
import { parseConfiguration } from '../../../../core/lifecycle/configuration/configuration.ts';
import { toPlanRules } from '../../../../core/lifecycle/configuration/plan-rules.ts';
import { resolveProjects } from '../../../../core/lifecycle/configuration/resolve-projects.ts';
import { planImages } from '../../../../core/lifecycle/keep-policy/keep-plan.ts';
import { type AzureDevOpsEmulator, startAzureDevOps } from '../../../emulators/azure-devops/azure-devops.ts';
import { connect } from '../../azure-devops/connect.ts';

const nobody = '99999999-8888-4777-8666-555555555555';

describe('the projects of a configuration', () => {
  let emulator: AzureDevOpsEmulator;
  let ado: AzureDevOps;
  let shop: string;
  let pay: string;
  beforeEach(async () => {
    emulator = await startAzureDevOps();
    ado = connect(emulator).ado;
    shop = emulator.world.addProject({ name: 'Shop' }).id;
    pay = emulator.world.addProject({ name: 'Pay & Co' }).id;
  });
  afterEach(() => emulator.close());

  const short = (projects: string) =>
    parseConfiguration(
      `organization: "${emulator.url}"\nprojects: [${projects}]\nregistries: [{ url: contoso.azurecr.io }]`,
      'c.yaml',
    );
  const resolve = (projects: string, options = {}) => resolveProjects(short(projects), () => ado, options);
  const asked = (): number => emulator.requests.count('projects.get');

  it('are found by their names, and those written by their ids are called by their names', async () => {
    const [organization] = await resolve(`shop, { name: PAY & CO, repositories: [pay] }, ${nobody}`);
    deepEqual(organization?.projects, [
      { id: shop, name: 'Shop', repositories: ['*'] },
      { id: pay, name: 'Pay & Co', repositories: ['pay'] },
      { id: nobody, name: nobody, repositories: ['*'] },
    ]);
    equal(organization?.url, emulator.url);
    equal(asked(), 3);
  });

  it('are not asked about where they are written by their ids and nobody needs the names', async () => {
    const [organization] = await resolve(`${shop}, ${nobody}`, { askNames: false });
    deepEqual(
      organization?.projects.map(each => each.name),
      [shop, nobody],
    );
    equal(asked(), 0);
  });

  const fails = async (projects: string, code: string, message: RegExp): Promise<void> => {
    await rejects(resolve(projects), (thrown: unknown) => {
      match((thrown as Error).message, message);
      return thrown instanceof AppError && thrown.code === code;
    });
  };

  it('are refused where one of a name is not there, naming the key', () =>
    fails(
      'shop, store',
      'INPUT_INVALID',
      /^projects\[1\]: .* has no project store that this sign-in may see\. Correct/,
    ));

  it('are refused where two keys mean one, by name and by id', () =>
    fails(`${shop}, SHOP`, 'INPUT_INVALID', /^projects\[1\] names the same project as projects\[0\]: /));

  for (const [what, spoil] of [
    ['an error', () => emulator.faults.add({ operation: 'projects.get', effect: { kind: 'status', status: 500 } })],
    ['a denial', () => emulator.world.denyProject(shop, 'forbidden')],
    ['half an answer', () => emulator.faults.add({ operation: 'projects.get', effect: { kind: 'truncated' } })],
  ] as const) {
    it(`are not guessed after ${what}: nothing is resolved, and the key is named`, async () => {
      spoil();
      await fails('shop', 'AZURE_DEVOPS_UNAVAILABLE', /^projects\[0\] could not be looked up: project shop: /);
    });
  }
});

describe('the rules of a plan', () => {
  const text = `
    organization: https://dev.azure.com/contoso
    projects: [shop]
    registries:
      - { name: ci, url: ci.azurecr.io, onBuildDeleted: delete }
      - { name: prod, url: prod.azurecr.io, usage: { report: required, maxAge: 12h } }
    clusters: [{ name: qa }]
    keep: { newerThan: 2h }
    delete: { untagged: { olderThan: 48h } }`;
  const configuration = parseConfiguration(text, 'c.yaml');
  const rules = toPlanRules(
    configuration,
    configuration.organizations.map(each => ({
      ...each,
      projects: [{ id: nobody, name: 'Shop', repositories: ['web'] }],
    })),
  );

  it('name each registry, organization and project, cluster and report as the facts do', () => {
    deepEqual(rules, {
      keep: configuration.keep,
      delete: { untagged: { olderThan: 48 * 3_600_000 }, withoutRecord: 'keep' },
      registries: [
        { name: 'ci', onBuildDeleted: 'delete' },
        { name: 'prod', onBuildDeleted: undefined },
      ],
      organizations: [
        {
          name: 'https://dev.azure.com/contoso',
          buildTagPrefix: '',
          alsoOwn: [],
          projects: [{ name: 'Shop', repositories: ['web'] }],
        },
      ],
      usage: [{ name: 'qa' }, { name: 'prod', maxAge: 12 * 3_600_000 }],
    });
  });

  it('make everything that was not read stay', () => {
    const nothing = { now: 0, registries: [], builds: [], organizations: [], sources: [], usage: [] };
    deepEqual(planImages(rules, nothing).unread, [
      'the registry ci was not read',
      'the registry prod was not read',
      'what prod runs was not read',
      'what qa runs was not read',
    ]);
  });
});
