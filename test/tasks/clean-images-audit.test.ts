import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { type Cleaning, day, openCleaning, readOutput } from './cleaning.ts';
import { linesOf, readSummary } from './promotion.ts';
import { assertSucceeded } from './step.ts';

const policy = 'keep: { deployed: false, references: [] }';

describe('CleanImages that audits, and that tells why', () => {
  let cleaning: Cleaning;
  let gone: string;
  before(async () => {
    cleaning = await openCleaning();
    await cleaning.configure(policy);
    // A repository without any branch counts as unread.
    const { git } = cleaning.devOps.world;
    for (const repository of git.repositories.values()) git.push(repository, 'trunk');
    [gone = ''] = await cleaning.build({ id: 100, repositories: ['shop/web'] });
    await cleaning.build({ id: 101, repositories: ['shop/web', 'team/api'] });
    // Nobody recorded these.
    const layers = ['a layer that two images share'];
    for (const repository of ['old/one', 'old/two']) cleaning.ci.world.putImage(repository, { layers, tags: ['1'] });
    cleaning.clock.advance(2 * day);
    cleaning.devOps.world.deleteBuild(100);
    for (const { requests } of [cleaning.ci, cleaning.prod]) requests.clear();
  });
  beforeEach(() => cleaning.forget());
  after(() => cleaning.close());

  it('tells on day one what lies in the registries of its connections, with no configuration', async () => {
    const outcome = await cleaning.clean({ mode: 'audit', configuration: '' });
    assertSucceeded(outcome);
    assert.deepEqual(cleaning.changes(), []);
    assert.match(linesOf(outcome).at(-1) ?? '', /^[\d.]+ kB in 5 manifests of 4 repositories; without the 1 that the/);
    const [page, html] = [await readSummary(outcome), await readOutput(cleaning, 'report.html')];
    for (const repository of ['shop/web', 'team/api', 'old/one', 'old/two']) {
      assert.ok(page.replaceAll('\\', '').includes(repository), page);
      assert.ok(html.includes(repository));
    }
    assert.match(page, /by the policy that holds where nothing is said/);
    assert.match(html, /^<!doctype html>/);
    assert.ok(!existsSync(join(cleaning.output, 'plan.json')));
    const { planhash, planfile, reportfile, deletions, unread } = outcome.variables;
    assert.deepEqual([planhash, planfile, deletions, unread], [undefined, undefined, undefined, '0']);
    assert.equal(reportfile, join(cleaning.output, 'report.html'));
  });

  it('looks at the registries that it is given, by an Azure connection', async () => {
    const { id, endpoint, objectId } = cleaning.addPrincipal();
    const rights = [{ repository: '*', actions: ['pull', 'metadata_read', 'catalog'] as const }];
    cleaning.identities.prod.push({ name: id, objectId, rights });
    const outcome = await cleaning.clean(
      {
        mode: 'audit',
        configuration: '',
        containerRegistries: '',
        azureSubscriptions: id,
        registries: cleaning.prod.host,
      },
      { endpoints: { [id]: endpoint } },
    );
    assertSucceeded(outcome);
    assert.match(linesOf(outcome).at(-1) ?? '', /^0 bytes in 0 manifests of 0 repositories;/);
  });

  it('counts what the cluster of its connection runs as staying', async () => {
    const image = `${cleaning.ci.host}/shop/web:100`;
    cleaning.cluster.add('pods', {
      metadata: { name: 'web', namespace: 'shop' },
      spec: { containers: [{ name: 'web', image }] },
    });
    const outcome = await cleaning.clean(
      { mode: 'audit', configuration: '', kubernetesConnections: 'aks' },
      { endpoints: { aks: cleaning.clusterConnection() } },
    );
    assertSucceeded(outcome);
    assert.match(linesOf(outcome).at(-1) ?? '', /; without the 0 that the policy would let go, 0 bytes less\./);
    assert.match(await readSummary(outcome), /what runs in cluster\\?-1/);
  });

  it('tells what the cluster runs and no registry has, before it is pulled in vain', async () => {
    const image = `${cleaning.prod.host}/shop/lost:7`;
    const spec = { containers: [{ name: 'lost', image }] };
    cleaning.cluster.add('pods', { metadata: { name: 'lost-1', namespace: 'shop' }, spec });
    await cleaning.configure(
      `clusters: [{ name: aks, server: "${cleaning.cluster.url}" }]\nkeep: { references: [], helmRevisions: none }`,
    );
    const outcome = await cleaning.clean(
      { kubernetesConnections: 'aks' },
      { endpoints: { aks: cleaning.clusterConnection() } },
    );
    assertSucceeded(outcome);
    for (const page of [(await readSummary(outcome)).replaceAll('\\', ''), await readOutput(cleaning, 'report.html')]) {
      assert.ok(page.includes('shop/lost:7') && page.includes('lost-1'), page);
    }
    await cleaning.configure(policy);
  });

  it('tells why an image goes and another stays, by reference and by build, in the log and on the page', async () => {
    const questions = `shop/web:100\n${cleaning.ci.host}/shop/web@${gone}\n101\nshop/none:1`;
    for (const mode of ['audit', 'plan']) {
      const outcome = await cleaning.clean({ mode, why: questions });
      assertSucceeded(outcome);
      const lines = linesOf(outcome);
      for (const question of questions.split('\n')) assert.ok(lines.includes(`Why ${question}?`), outcome.output);
      assert.ok(
        lines.some(line => line.includes('its build 100 of Web Shop is deleted')),
        outcome.output,
      );
      assert.ok(
        lines.some(line => line.includes('its build 101 of Web Shop is there')),
        outcome.output,
      );
      assert.ok(
        lines.some(line => line.includes('There is no image shop/none:1')),
        outcome.output,
      );
      const page = (await readSummary(outcome)).replaceAll('\\', '');
      assert.ok(page.includes('Why shop/web:100') && page.includes('its build 101 of Web Shop is there'), page);
    }
  });

  it('tells images of a project that it did not ask apart, how to have it asked, and what it only bounds', async () => {
    await cleaning.build({ id: 300, definitionId: 13, repositories: ['library/base'] });
    const outcome = await cleaning.clean({ mode: 'audit', configuration: '' });
    assertSucceeded(outcome);
    assert.equal(outcome.variables['unread'], '0');
    const page = (await readSummary(outcome)).replaceAll('\\', '');
    assert.match(page, /\| builds of projects that were not asked \| \d+ bytes \|/);
    assert.match(page, /Name these projects in a configuration, and they are asked as well\./);
    assert.match(page, /would become free at most \(/);
    assert.match(linesOf(outcome).at(-1) ?? '', / less at most\. Nothing was changed\.$/);
  });
});
