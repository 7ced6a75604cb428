import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import type { TaskOutcome } from '../support/run-task.ts';
import { linesOf, readSummary, warningsOf } from './promotion.ts';
import { type AzureBench, adminOf, azureConnection, openAzure, type PutImage, tenantId } from './promotion-azure.ts';
import { assertFailed, assertKept, assertMasked, assertSucceeded } from './step.ts';

/** Tokens of Entra, of registries and of Azure DevOps are all of one form. */
function assertNoToken(outcome: TaskOutcome): void {
  const said = outcome.output.split('\n').filter(line => !line.startsWith('##vso[task.setsecret]'));
  assert.doesNotMatch(said.join('\n'), /eyJ/);
}

describe('PromoteImage on Azure', () => {
  let bench: AzureBench;
  before(async () => {
    bench = await openAzure();
  });
  after(() => bench.close());
  beforeEach(() => {
    for (const { requests } of [bench.ci, bench.stage, bench.arm, bench.devOps]) requests.clear();
    bench.arm.access.assignments.length = 0;
  });

  /** Reads and writes of blobs in a repository, records aside. */
  const blobs = (acr: 'ci' | 'stage', repository: string) =>
    bench[acr].requests.all({ repository }).filter(({ operation }) => /^(?:blob|upload)\./.test(operation));

  function assertThere(repository: string, put: PutImage | undefined, tag: string): void {
    const { digest, children, signature } = put ?? assert.fail('nothing was put');
    const { world } = bench.stage;
    assert.equal(world.digest(repository, tag), digest);
    assert.deepEqual(new Set(world.manifests(repository)), new Set([digest, ...children, signature]));
  }

  it('imports without a byte through the agent: the index, its platforms, its signature', async () => {
    const [put] = await bench.record({ id: 500 }, 'import/app');
    const target = randomUUID();
    const endpoints = { [target]: bench.federate(target) };
    const { requests } = bench.ci;
    requests.clear();
    const outcome = await bench.step(
      500,
      { azureSubscription: target, sourceAzureSubscription: azureConnection },
      { endpoints },
    );
    assertSucceeded(outcome);
    assertThere('import/app', put, '500');
    assert.equal(bench.arm.requests.count('registries.importImage'), 2);
    assert.deepEqual([blobs('ci', 'import/app'), blobs('stage', 'import/app')], [[], []]);
    const bytes = requests.all({ operation: 'blob.data' }).map(({ reference }) => reference);
    // The record stands in its manifest.
    assert.deepEqual(bytes, []);
    assert.equal(linesOf(outcome).filter(line => line.startsWith('Imported ')).length, 2);
    assert.ok(bench.devOps.requests.count('oidcToken') > 0);
    const text = await readSummary(outcome);
    assert.match(text, /\| 1 referrer \| imported \|/);
    assert.match(text, /Azure imported 2 images and referrers, without a byte through this agent\./);
    assert.deepEqual(warningsOf(outcome), []);
    assertMasked(outcome, bench.secret);
    assertKept(outcome, bench.secret);
    assertNoToken(outcome);
    // The second time nobody is asked to import anything.
    const again = await bench.step(500);
    assertSucceeded(again);
    assert.equal(bench.arm.requests.count('registries.importImage'), 2);
    assert.ok(linesOf(again).includes('Nothing had to be moved.'), again.output);
  });

  it('copies where the import is not permitted, and says so in one line for any number of images', async () => {
    const put = await bench.record({ id: 510 }, 'denied/one', 'denied/two');
    allow('Microsoft.ContainerRegistry/registries/read');
    const outcome = await bench.step(510);
    assertSucceeded(outcome);
    assertThere('denied/one', put[0], '510');
    assertThere('denied/two', put[1], '510');
    const said = linesOf(outcome).filter(line => /import/i.test(line));
    assert.equal(said.length, 1, said.join('\n'));
    assert.match(
      said[0] ?? '',
      /^Copying through this agent, without an import by Azure: .*may not import into localhost:\d+ .*importImage\/action.*Grant it the role "Container Registry Data Importer and Data Reader" on both registries\.$/,
    );
    assert.equal(bench.arm.requests.count('registries.importImage'), 1, 'asked once, not for each image');
    assert.deepEqual(warningsOf(outcome), []);
    assertNoToken(outcome);
  });

  it('copies where the identity sees no such registry, and says so in one line', async () => {
    const [put] = await bench.record({ id: 511 }, 'unseen/app');
    allow('Microsoft.ContainerRegistry/registries/read', 'nowhere');
    const outcome = await bench.step(511);
    assertSucceeded(outcome);
    assertThere('unseen/app', put, '511');
    const said = linesOf(outcome).filter(line => /cop(?:y|ied)/i.test(line));
    assert.equal(said.length, 1, said.join('\n'));
    const both = [bench.ci, bench.stage].map(({ host }) => `shows no registry ${host} to this identity`);
    for (const each of both) assert.ok(said[0]?.includes(each), said[0]);
    assert.match(said[0] ?? '', /the identity of azureSubscription needs the role "Container Registry Data Importer/);
    assert.equal(bench.arm.requests.count('registries.importImage'), 0);
  });

  it('fails where only an import will do and Azure declines, with nothing tagged', async () => {
    await bench.record({ id: 520 }, 'only/app');
    allow('Microsoft.ContainerRegistry/registries/read');
    const outcome = await bench.step(520, { method: 'import' });
    assertFailed(
      outcome,
      /only\/app@sha256:\w+ could not be imported: .*importImage\/action.* Set method to auto to have it copied/,
    );
    assert.equal(bench.stage.world.digest('only/app', '520'), undefined);
    assert.deepEqual(bench.stage.world.manifests('only/app'), []);
    assert.deepEqual(blobs('ci', 'only/app'), []);
    allow('Microsoft.ContainerRegistry/registries/read', 'nowhere');
    const unseen = await bench.step(520, { method: 'import' });
    assertFailed(unseen, /^The input method is import, but the subscription .* shows no registry/);
    assert.equal(bench.devOps.world.leases.ofBuild(520).length, 1, 'the second one took none');
  });

  it('never asks Azure Resource Manager where the method is to copy', async () => {
    const [put] = await bench.record({ id: 530 }, 'copy/app');
    const before = bench.entra.requests.length;
    const outcome = await bench.step(530, { method: 'copy' });
    assertSucceeded(outcome);
    assertThere('copy/app', put, '530');
    assert.deepEqual(bench.arm.requests.entries, []);
    assert.ok(blobs('ci', 'copy/app').length > 0);
    assert.match(await readSummary(outcome), /\| copied \|/);
    const asked = bench.entra.requests.slice(before).map(({ scope }) => scope);
    assert.ok(asked.length > 0 && asked.every(scope => !scope?.includes(bench.arm.url)), asked.join());
  });

  it('reads the stage before with a connection of its own', async () => {
    const gateId = randomUUID();
    const application = bench.entra.directory.addApplication({ tenantId, secret: 'gate secret' });
    const qa = await bench.addRegistry({
      identities: [
        { name: 'admin', password: 'admin-password', rights: [{ repository: '*', actions: ['pull', 'push'] }] },
        {
          name: 'gate',
          appId: application.clientId,
          rights: [{ repository: '*', actions: ['pull', 'metadata_read'] }],
        },
      ],
    });
    const own = {
      ...bench.principal,
      parameters: {
        ...bench.principal.parameters,
        serviceprincipalid: application.clientId,
        serviceprincipalkey: 'gate secret',
      },
    };
    const [put] = await bench.record({ id: 540 }, 'gated/app');
    const inputs = { connectionType: 'dockerRegistry', containerRegistry: 'qa-connection' };
    assertSucceeded(
      await bench.step(
        540,
        { ...inputs, sourceAzureSubscription: azureConnection },
        { endpoints: { 'qa-connection': adminOf(qa) } },
      ),
    );
    const denied = await bench.step(540, { method: 'copy', requirePromotedTo: qa.host });
    assertFailed(
      denied,
      new RegExp(
        `^The stage before, of the input requirePromotedTo: .*${qa.host} refused the sign-in: it did not accept .* on which the identity has a role, such as AcrPull\\.$`,
      ),
    );
    assert.equal(bench.stage.world.digest('gated/app', '540'), undefined);
    const outcome = await bench.step(
      540,
      { method: 'copy', requirePromotedTo: qa.host, requirePromotedToConnection: gateId },
      { endpoints: { [gateId]: own } },
    );
    assertSucceeded(outcome);
    assertThere('gated/app', put, '540');
    assertMasked(outcome, 'gate secret');
    assertKept(outcome, 'gate secret');
  });

  it('names the connection where Entra refuses it, and changes nothing', async () => {
    await bench.record({ id: 550 }, 'refused/app');
    const wrong = randomUUID();
    const parameters = { ...bench.principal.parameters, serviceprincipalkey: 'wr0ng+key/==' };
    const endpoints = { [wrong]: { ...bench.principal, parameters } };
    const before = bench.stage.world.snapshot();
    const outcome = await bench.step(
      550,
      { azureSubscription: wrong, sourceAzureSubscription: azureConnection },
      { endpoints },
    );
    assertFailed(outcome, /^The input azureSubscription: Microsoft Entra gave no token .*AADSTS7000215/);
    assertKept(outcome, 'wr0ng+key/==');
    assert.deepEqual(bench.stage.world.snapshot(), before);
    assert.deepEqual(bench.devOps.world.leases.ofBuild(550), []);
  });

  function allow(action: string, scope = ''): void {
    const whole = scope || `/subscriptions/${bench.arm.world.subscriptionId}`;
    bench.arm.access.assignments.length = 0;
    bench.arm.access.assignments.push({ objectId: bench.objectId, scope: whole, actions: [action] });
  }
});
