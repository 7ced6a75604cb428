import { deepEqual, equal, match, ok, rejects } from 'node:assert/strict';
import { day, hour } from '../estate.ts';
import { type CleaningWorld, decisionsOf, plain, startCleaning } from './cleaning-world.ts';

/** Where reading, planning and the emulated world meet; what each does by itself has tests of its own. */
describe('a look at an estate', () => {
  let world: CleaningWorld;
  let web: ReturnType<CleaningWorld['stage']['world']['putImage']>;
  let api: { digest: string };
  let amd64: typeof web;
  let gone: number;
  let living: number;
  beforeEach(async () => {
    world = await startCleaning();
    const { acr, ado } = world.ci;
    web = acr.world.putImage('shop/web');
    amd64 = acr.world.putImage('shop/web', { architecture: 'amd64' });
    const index = acr.world.putIndex('shop/web', [amd64, acr.world.putImage('shop/web', { architecture: 'arm64' })]);
    api = acr.world.putImage('shop/api');
    gone = await world.ci.build(
      [
        { repository: 'shop/web', reference: web.digest },
        { repository: 'shop/web', reference: index.digest },
      ].slice(0, 1),
    );
    living = await world.ci.build([{ repository: 'shop/api', reference: api.digest }]);
    ado.world.deleteBuild(gone);
    acr.world.tag('shop/web', 'v1', index.digest);
    world.ci.advance(3 * day);
  });
  afterEach(() => world.close());

  const askedSubjects = (repository: string): number =>
    world.ci.acr.requests.count({ operation: 'manifest.get', repository });

  it('lets the image of a deleted build go, and keeps what lives, what is tagged and what belongs to that', async () => {
    const decisions = decisionsOf(await world.look());
    equal(Object.keys(decisions).length, 5);
    equal(decisions[`ci/shop/web@${web.digest}`], `delete: its build ${gone} of ${projectName()} is deleted`);
    equal(decisions[`ci/shop/api@${api.digest}`], `keep: its build ${living} of ${projectName()} is there`);
    match(decisions[`ci/shop/web@${amd64.digest}`] ?? '', /^keep: /);
  });

  it('asks what images refer to only where something goes', async () => {
    world.ci.acr.requests.clear();
    await world.look();
    // The index, and the three that are images.
    equal(askedSubjects('shop/web'), 4);
    equal(askedSubjects('shop/api'), 0);
  });

  it('with an inventory it reads every manifest, once in each registry', async () => {
    await world.promote(living);
    world.ci.acr.requests.clear();
    const { inventory } = await world.look({ withInventory: true });
    equal(askedSubjects('shop/api'), 1);
    for (const registry of ['ci', 'prod'])
      equal(inventory.of(registry).kindOf(api.digest as `sha256:${string}`), 'image');
  });

  it('keeps a signature and its image, though the signature alone is tagged', async () => {
    world.ci.acr.world.putArtifact('shop/web', {
      artifactType: 'application/vnd.sig',
      subject: web,
      tags: ['approved'],
    });
    world.ci.advance(3 * day);
    match(decisionsOf(await world.look())[`ci/shop/web@${web.digest}`] ?? '', /^keep: .*refers to it/);
  });

  const running: Readonly<Record<string, () => string>> = {
    'by its digest in CI': () => `${world.ci.acr.host}/shop/web@${web.digest}`,
    'with tag and digest': () => `shop/web:old@${web.digest}`,
    'through a mirror': () => `mirror.example/cache/shop/web@${web.digest}`,
    'from the registry of a stage': () => `${world.stage.host}/shop/web@${web.digest}`,
    'by the build tag': () => `${world.ci.acr.host}/shop/web:${gone}`,
  };
  for (const [how, reference] of Object.entries(running)) {
    it(`keeps what runs ${how}`, async () => {
      const policy = 'keep: { references: [], newerThan: 0s }';
      const look = await world.look({ policy, clusters: { aks: [reference()] } });
      match(decisionsOf(look)[`ci/shop/web@${web.digest}`] ?? '', /^keep: .*pod shop\/web-0/);
      const other = await world.look({ policy, clusters: { aks: [`shop/other@${web.digest.replace(/.$/, '0')}`] } });
      match(decisionsOf(other)[`ci/shop/web@${web.digest}`] ?? '', /^delete: /);
    });
  }

  it('keeps everything while a cluster is not read, and says which', async () => {
    const policy = 'keep: { references: [], newerThan: 0s }';
    const { plan } = await world.look({ policy, clusters: { aks: { unread: 'it answered 403' } } });
    deepEqual(plan.unread, ['what aks runs was not read: it answered 403']);
    ok(plan.images.every(each => each.decision === 'keep'));
  });

  it('keeps everything while a repository of another registry is not read', async () => {
    await world.promote(living);
    world.stage.faults.add({ operation: 'manifests.list' }, { kind: 'status', status: 403 });
    const { plan } = await world.look();
    match(plan.unread.join(), /^the images of prod\/shop\/api were not read/);
    ok(plan.images.every(each => each.decision === 'keep'));
  });

  it('finds images without a record by the ids in their tags, where a rule asks for them', async () => {
    const { acr, ado, definitionId } = world.ci;
    const at = acr.clock.now() - day;
    const { id } = ado.world.addBuild({ definitionId, startTime: at - hour, finishTime: at + hour });
    const old = acr.world.putImage('shop/old', { tags: [String(id)], at });
    ado.world.deleteBuild(id);
    const place = `ci/shop/old@${old.digest}`;
    match(decisionsOf(await world.look())[place] ?? '', /^keep: no build record names it/);
    const rule = `delete: { withoutRecord: { tagsMatching: "/^[0-9]+$/", definitions: [${definitionId}] } }`;
    const decisions = decisionsOf(await world.look({ policy: `${plain}\n${rule}` }));
    match(decisions[place] ?? '', /^delete: its tag "\d+" is that of build \d+ of .*, which is deleted$/);
  });

  it('says which names of repositories in the configuration match none that has an image', async () => {
    const look = (globs: string) => world.look({ ci: `repositories: [${globs}]` });
    deepEqual((await look('"shopp/*", "shop/*", shop/nope, "*web", "shop/*"')).unseen, [
      'No repository of ci that has an image matches "shopp/*" of the configuration.',
      'No repository of ci that has an image matches "shop/nope" of the configuration.',
    ]);
    deepEqual((await look('shop/web, shop/wbe')).unseen, [
      'No repository of ci that has an image matches "shop/wbe" of the configuration.',
    ]);
    world.ci.acr.faults.add({ operation: 'manifests.list', repository: 'shop/web' }, { kind: 'status', status: 403 });
    deepEqual((await look('shop/web')).unseen, [], 'what could not be read may have some');
    deepEqual((await world.look()).unseen, [], 'a registry may be empty');
  });

  it('begins nothing where the organization does not say which it is', async () => {
    const { ado } = world.ci;
    ado.faults.add({ operation: 'connectionData', effect: { kind: 'status', status: 500 } });
    await rejects(world.look(), { code: 'AZURE_DEVOPS_UNAVAILABLE' });
  });

  function projectName(): string {
    return world.ci.ado.world.projects.get(world.ci.projectId)?.name ?? '';
  }
});
