import assert from 'node:assert/strict';
import { createHttp } from '../../core/oci/http.ts';
import { openRegistry } from '../../core/oci/registry.ts';
import { clusterOf, report } from '../core/lifecycle/facts/usage-world.ts';
import type { FaultEffect, FaultMatch } from '../emulators/acr/faults.ts';
import { type Cleaning, day, hour, openCleaning, readOutput } from './cleaning.ts';
import { warningsOf } from './promotion.ts';
import { addressOf } from './promotion-azure.ts';
import { assertFailed } from './step.ts';

const policy = 'keep: { deployed: false, references: [] }';

describe('CleanImages and what it cannot read', () => {
  let cleaning: Cleaning;
  before(async () => {
    cleaning = await openCleaning();
    await cleaning.build({ id: 100, repositories: ['shop/web', 'shop/api'] });
    await cleaning.build({ id: 201, definitionId: 13, repositories: ['library/base'], registry: cleaning.prod });
    cleaning.clock.advance(2 * day);
    cleaning.devOps.world.deleteBuild(100);
    cleaning.devOps.world.deleteBuild(201);
  });
  beforeEach(async () => {
    await cleaning.configure(policy);
    for (const { requests } of [cleaning.ci, cleaning.prod]) requests.clear();
  });
  afterEach(() => {
    for (const { faults } of [cleaning.ci, cleaning.prod, cleaning.devOps, cleaning.cluster]) faults.clear();
  });
  after(() => cleaning.close());

  /** Both kinds of runs: the one names the source and goes on, the other fails; neither changes anything. */
  const assertUnread = async (source: RegExp, run: (mode: string) => ReturnType<Cleaning['clean']>) => {
    const planned = await run('plan');
    assert.equal(planned.result, 'SucceededWithIssues', planned.output);
    assert.match(planned.message, /^Everything stays, because /);
    assert.match(planned.message, source);
    assert.ok(warningsOf(planned).some(each => each.startsWith('Everything stays: ') && source.test(each)));
    assert.equal(planned.variables['deletions'], '0');
    assert.ok(Number(planned.variables['unread']) >= 1);
    const applied = await run('plan-and-apply');
    assertFailed(applied, /^Nothing may be deleted, because /);
    assert.match(applied.message, source);
    assert.deepEqual(cleaning.changes(), []);
  };

  const registries: [what: string, match: FaultMatch, effect: FaultEffect, source: RegExp][] = [
    [
      'a catalog that is denied',
      { operation: 'oci.catalog.list' },
      { kind: 'status', status: 403 },
      /repositories of prod/,
    ],
    [
      'a catalog of a proxy',
      { operation: 'oci.catalog.list' },
      { kind: 'replaced', body: '<html>' },
      /repositories of prod/,
    ],
    [
      'a repository that a proxy says is not there',
      { operation: 'manifests.list' },
      { kind: 'status', status: 404 },
      /prod\/library\/base/,
    ],
    [
      'half a page of tags',
      { operation: 'tags.list', repository: 'library/base' },
      { kind: 'replaced', body: '{"imageName": "libr' },
      /prod\/library\/base/,
    ],
    ['a manifest that is hidden', { operation: 'manifests.list' }, { kind: 'hide', names: [] }, /prod\/library\/base/],
    [
      'records that are denied',
      { operation: 'manifest.get', path: /image-lifecycle\/builds/ },
      { kind: 'status', status: 403 },
      /build records of prod/,
    ],
  ];
  for (const [what, match, effect, source] of registries) {
    it(`deletes nothing in any registry because of ${what} in one of them`, async () => {
      const names = cleaning.prod.world.manifests('library/base');
      cleaning.prod.faults.add(match, effect.kind === 'hide' ? { ...effect, names } : effect);
      await assertUnread(source, mode => cleaning.clean({ mode }));
    });
  }

  it('deletes nothing because of a cluster that denies a list, and names the right', async () => {
    const { cluster } = cleaning;
    await cleaning.configure(`clusters: [{ name: aks, server: "${cluster.url}" }]\nkeep: { references: [] }`);
    cluster.access.grant('poor-token-of-nobody', 'nobody', [{ apiGroups: [''], resources: ['pods'], verbs: ['list'] }]);
    for (const [token, source] of [
      ['poor-token-of-nobody', /what aks runs was not read: .*list/],
      ['token-that-is-no-more', /what aks runs was not read: /],
    ] as const) {
      const endpoints = { aks: cleaning.clusterConnection(token) };
      await assertUnread(source, mode => cleaning.clean({ mode, kubernetesConnections: 'aks' }, { endpoints }));
    }
  });

  it('deletes nothing because of a reference that may mean anything', async () => {
    const { cluster } = cleaning;
    await cleaning.configure(
      `clusters: [{ name: aks, server: "${cluster.url}" }]\nkeep: { references: [], helmRevisions: none }`,
    );
    const pod = {
      metadata: { name: 'x', namespace: 'shop' },
      spec: { containers: [{ name: 'x', image: '{{ image }}' }] },
    };
    cluster.add('pods', pod);
    const endpoints = { aks: cleaning.clusterConnection() };
    await assertUnread(/"\{\{ image \}\}" cannot be read and may mean any image: /, mode =>
      cleaning.clean({ mode, kubernetesConnections: 'aks' }, { endpoints }),
    );
    cluster.world.remove({ kind: cluster.world.kindOf('pods'), namespace: 'shop', name: 'x' });
  });

  it('deletes nothing where a report of what runs is missing, or of the day before yesterday', async () => {
    const { ci, prod } = cleaning;
    const registriesWithUsage = [
      'registries:',
      `  - { name: ci, url: "${ci.host}", onBuildDeleted: delete }`,
      `  - { name: prod, url: "${prod.host}", onBuildDeleted: delete, usage: { report: required, maxAge: 24h } }`,
    ].join('\n');
    const keep = 'keep: { references: [], helmRevisions: none }';
    await cleaning.configure(keep, registriesWithUsage);
    await assertUnread(/what prod runs was not read: .*report/, mode => cleaning.clean({ mode }));
    const http = createHttp({ ca: prod.ca });
    const { address, username, password } = { username: '', password: '', ...addressOf(prod) };
    const registry = openRegistry({ address, credentials: { kind: 'password', username, password }, http });
    await report(registry, clusterOf('aks'), () => cleaning.clock.now());
    await http.close();
    cleaning.prod.requests.clear();
    cleaning.clock.advance(25 * hour);
    await assertUnread(/what prod\/aks runs was not read: its report is of .*, and too old/, mode =>
      cleaning.clean({ mode }),
    );
  });

  it('lets other images go where some builds alone could not be asked for, and fails for these', async () => {
    for (const operation of ['builds.get', 'builds.list']) {
      cleaning.devOps.faults.add({ operation, path: /99999999/, effect: { kind: 'html' } });
    }
    const planned = await cleaning.clean({ mode: 'plan' });
    assert.equal(planned.result, 'SucceededWithIssues', planned.output);
    assert.match(
      planned.message,
      /^Some images stay, because .*of a build in project Library of .*, the state was not read: /,
    );
    assert.match(warningsOf(planned).join('\n'), /azureDevOpsConnection names an identity that sees more/);
    const applied = await cleaning.clean({ mode: 'plan-and-apply' });
    assertFailed(applied, /^1 thing could not be done: prod: project 99999999-.*text\/html instead of JSON/);
    assert.deepEqual(cleaning.ci.world.tags('shop/api'), {});
    assert.equal(Object.keys(cleaning.prod.world.tags('library/base')).length, 1);
  });

  it('lets other images go where the branches of a git repository were not read, and says which', async () => {
    await cleaning.configure('keep: { deployed: false }');
    cleaning.devOps.faults.add({ operation: 'git.refs', effect: { kind: 'html' } });
    const outcome = await cleaning.clean({ mode: 'plan-and-apply' });
    assert.equal(outcome.result, 'SucceededWithIssues', outcome.output);
    assert.match(outcome.message, /^Some images stay, because the branches of https:\/\/.* were not read: .*html/);
    assert.match(await readOutput(cleaning, 'report.html'), /the branches of https:\/\/.* were not read: /);
  });

  it('fails where Azure DevOps cannot be asked at all', async () => {
    cleaning.devOps.faults.add({ operation: 'projects.get', effect: { kind: 'html' } });
    assertFailed(await cleaning.clean({ mode: 'plan' }), /could not be looked up: /);
    cleaning.devOps.faults.clear();
    cleaning.devOps.faults.add({ operation: 'connectionData', effect: { kind: 'html' } });
    assertFailed(await cleaning.clean({ mode: 'plan' }), /^Nothing was looked at: /);
  });
});
