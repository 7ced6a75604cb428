import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { type CleanPlan, formatCleanPlan, hashDeletions } from '../../core/lifecycle/cleaning/clean-plan.ts';
import { type Cleaning, openCleaning, writeSource } from './cleaning.ts';
import { adminOf } from './promotion-azure.ts';
import { assertFailed } from './step.ts';

/** A plan that would do nothing, of these registries and organizations. */
function emptyPlan(registries: CleanPlan['registries'], organizations: string[]): CleanPlan {
  const content = { registries, organizations, deletions: [] };
  return {
    schema: 1,
    hash: hashDeletions(content),
    madeAt: '2026-11-23T00:00:00.000Z',
    ...content,
    waiting: [],
    kept: { images: 0, reasons: [] },
    unread: [],
    unparsed: [],
  };
}

describe('CleanImages and inputs that are wrong', () => {
  let cleaning: Cleaning;
  before(async () => {
    cleaning = await openCleaning();
    const { agent, ci, prod, devOps } = cleaning;
    await cleaning.configure();
    await writeSource(
      agent,
      'wrong.yml',
      'organization: https://dev.azure.com/contoso\nprojects: [Web Shop]\nkeep: {\n',
    );
    await writeSource(agent, 'unknown.yml', 'organization: nowhere\nprojects: [Web Shop]\nregistries: []\nkep: {}\n');
    const registries = `registries: [{ url: "${ci.host}" }]\n`;
    await writeSource(agent, 'other.yml', `organization: https://dev.azure.com/x\nprojects: [A]\n${registries}`);
    await writeSource(agent, 'server.yml', `organization: https://tfs.example/tfs/x\nprojects: [A]\n${registries}`);
    await writeSource(
      agent,
      'three.yml',
      `organization: ${devOps.url}\nprojects: [A]\nregistries: [{ url: a.example }]\n`,
    );
    await writeSource(agent, 'junk.json', '<html>');
    const asCi = { name: 'ci', host: ci.host };
    const planned = [asCi, { name: 'prod', host: prod.host }];
    const plan = emptyPlan(planned, [devOps.url]);
    await writeSource(agent, 'plan.json', formatCleanPlan(plan));
    await writeSource(agent, 'changed.json', formatCleanPlan({ ...plan, registries: [asCi] }));
    const other = [asCi, { name: 'qa', host: 'contosoqa.azurecr.io' }];
    await writeSource(agent, 'qa.json', formatCleanPlan(emptyPlan(other, [devOps.url])));
    const swapped = [
      { name: 'ci', host: prod.host },
      { name: 'prod', host: ci.host },
    ];
    await writeSource(agent, 'swapped.json', formatCleanPlan(emptyPlan(swapped, [devOps.url])));
    await writeSource(agent, 'fabrikam.json', formatCleanPlan(emptyPlan(planned, ['https://dev.azure.com/f'])));
  });
  after(() => cleaning.close());

  const apply = { mode: 'apply', planFile: 'plan.json' };
  const wrong: [what: string, inputs: Record<string, string>, message: RegExp][] = [
    [
      'an unknown mode',
      { mode: 'delete' },
      /input mode is "delete"; it must be one of plan, audit, apply, plan-and-appl/,
    ],
    ['no configuration', { configuration: '' }, /input configuration is required where mode is plan\./],
    [
      'no configuration to apply with',
      { ...apply, configuration: '' },
      /configuration is required where mode is apply/,
    ],
    [
      'a configuration that is not there',
      { configuration: 'none.yml' },
      /input configuration: the file ".*none\.yml" can/,
    ],
    ['a folder for it', { configuration: '..' }, /input configuration: the file ".*" is not a file/],
    ['a configuration whose variable is not set', { configuration: '$(Where)/a.yml' }, /names the variable "Where"/],
    ['a configuration that is not YAML', { configuration: 'wrong.yml' }, /wrong\.yml:\d+:\d+: /],
    [
      'a configuration with faults, each with its line and column',
      { configuration: 'unknown.yml' },
      /unknown\.yml:1:1: organization .*; \S*unknown\.yml:3:\d+: registries .*; \S*unknown\.yml:4:1: kep is not a key/,
    ],
    [
      'registries beside a configuration',
      { registries: 'a.example' },
      /input registries is for an audit without a conf/,
    ],
    ['a registry that is a name', { registries: 'prod', configuration: '' }, /input registries is "prod"; it must be/],
    [
      'an audit of nothing',
      { mode: 'audit', configuration: '', containerRegistries: '' },
      /needs registries to look at: name login servers in the input registries, or connections in containerRegistri/,
    ],
    [
      'no connection for a registry',
      { containerRegistries: 'ci-connection' },
      /No connection is for the registry prod: /,
    ],
    [
      'a connection for no registry',
      { configuration: 'three.yml' },
      /connection 1 of containerRegistries is for localhost/,
    ],
    [
      'two connections for one registry',
      { containerRegistries: 'ci-connection, second' },
      /connection 1 of containerRegistries and connection 2 of containerRegistries are both for localhost:\d+/,
    ],
    [
      'a connection that is not there',
      { containerRegistries: 'ci-connection,gone' },
      /input containerRegistries: there is no service connection "gone"/,
    ],
    [
      'an Azure connection that is not there',
      { containerRegistries: 'ci-connection', azureSubscriptions: 'gone' },
      /input azureSubscriptions: there is no service connection "gone"/,
    ],
    [
      'too many connections',
      { azureSubscriptions: Array.from({ length: 101 }, () => randomUUID()).join(',') },
      /input azureSubscriptions names 101; 100 are the most/,
    ],
    [
      'an organization that the job is not of',
      { configuration: 'other.yml', containerRegistries: 'ci-connection' },
      /names https:\/\/dev\.azure\.com\/x, and this job is of https:\/\/localhost:.*in the input azureDevOpsConnection/,
    ],
    [
      'a server for which there is an identity',
      { configuration: 'server.yml', containerRegistries: 'ci-connection', azureDevOpsConnection: 'ci-connection' },
      /input azureDevOpsConnection: https:\/\/tfs\.example\/tfs\/x is no organization of Azure DevOps Services/,
    ],
    [
      'a connection for Azure DevOps that is not there',
      { azureDevOpsConnection: 'gone' },
      /input azureDevOpsConnection: there is no service connection "gone"/,
    ],
    ['no plan to apply', { mode: 'apply' }, /input planFile is required where mode is apply/],
    ['a plan that is not there', { ...apply, planFile: 'none.json' }, /input planFile: the file ".*none\.json" cannot/],
    ['a plan that is something else', { ...apply, planFile: 'junk.json' }, /input planFile: .*junk\.json is not JSON/],
    ['a plan that was changed', { ...apply, planFile: 'changed.json' }, /input planFile: .*changed\.json was changed/],
    [
      'no hash',
      { ...apply, planHash: '$(planHash)' },
      /input planHash is "\$\(planHash\)", which is no hash of a plan/,
    ],
    [
      'the hash of another plan',
      { ...apply, planHash: 'a'.repeat(64) },
      /input planHash is a{64}, and .* is the plan [0-9a-f]{64}/,
    ],
    [
      'a plan of other registries',
      { ...apply, planFile: 'qa.json' },
      /qa\.json is a plan of the registries ci \(\S+\), qa \(contosoqa\.azurecr\.io\), and the configuration names ci \(\S+\), prod \(\S+\)\./,
    ],
    [
      'a plan of other registries that have the same names',
      { ...apply, planFile: 'swapped.json' },
      /swapped\.json is a plan of the registries ci \(localhost:\d+\), prod \(localhost:\d+\), and the configuration n/,
    ],
    [
      'a plan of another organization',
      { ...apply, planFile: 'fabrikam.json' },
      /fabrikam\.json is a plan of the organizations https:\/\/dev\.azure\.com\/f, and the configuration names https:\/\/l/,
    ],
    [
      'no number of minutes',
      { maxMinutes: 'long' },
      /input maxMinutes is "long"; it must be a whole number from 0 to 10080/,
    ],
    ['minutes before the beginning', { maxMinutes: '-1' }, /input maxMinutes is "-1"/],
    [
      'a folder whose variable is not set',
      { outputDirectory: '$(Nowhere)/x' },
      /input outputDirectory names the variable/,
    ],
    ['no folder', { outputDirectory: '' }, /input outputDirectory is empty, or the folder of the sources, all of whi/],
    [
      'the folder of the sources',
      { outputDirectory: '.' },
      /input outputDirectory is empty, or the folder of the sour/,
    ],
    [
      'neither true nor false',
      { publishArtifact: 'maybe' },
      /input publishArtifact is "maybe"; it must be true or false/,
    ],
    [
      'a name that no artifact can have',
      { artifactName: '../x' },
      /input artifactName is "\.\.\/x", which is no name of/,
    ],
    ['too many questions', { why: 'web:1\n'.repeat(101) }, /input why has 101 lines; 100 are the most/],
  ];
  for (const [what, inputs, message] of wrong) {
    it(`refuses ${what} before any request`, async () => {
      const outcome = await cleaning.clean(inputs, { endpoints: { second: adminOf(cleaning.ci) } });
      assertFailed(outcome, message);
      for (const { requests } of [cleaning.ci, cleaning.prod]) assert.deepEqual(requests.all(), []);
      assert.deepEqual([cleaning.devOps.requests.entries, cleaning.entra.requests], [[], []]);
      assert.ok(outcome.message.length < 1000, outcome.message);
    });
  }
});
