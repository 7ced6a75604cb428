/** What Azure DevOps tells, and the plan that follows: the two readers must mean the same by one repository. */
import assert from 'node:assert/strict';
import type { NamedBuild } from '../../../../core/lifecycle/facts/asked-builds.ts';
import { readBuildFacts } from '../../../../core/lifecycle/facts/read-builds.ts';
import { readSourceFacts } from '../../../../core/lifecycle/facts/read-sources.ts';
import { planImages } from '../../../../core/lifecycle/keep-policy/keep-plan.ts';
import type {
  ImageFact,
  PlanFacts,
  PlanRules,
  RecordFact,
} from '../../../../core/lifecycle/keep-policy/policy-facts.ts';
import { deleteSchema, keepSchema } from '../../../../core/lifecycle/keep-policy/policy-schema.ts';
import { day } from '../estate.ts';
import { digestOf } from '../keep-policy/policy-world.ts';
import { type AzureFacts, absenceOf, contoso, recordOf, startAzureFacts } from './azure-facts.ts';

const rules: PlanRules = {
  keep: keepSchema.parse({
    deployed: false,
    newerThan: '0s',
    references: [
      { branch: 'main', images: { last: 1 } },
      { branch: 'feature/*', activeWithin: '7d' },
      { pullRequest: 'active' },
      { tag: 'v*', limit: 1 },
    ],
  }),
  delete: deleteSchema.parse({}),
  registries: [{ name: 'ci', onBuildDeleted: 'delete' }],
  organizations: [
    { name: contoso, buildTagPrefix: '', alsoOwn: [], projects: [{ name: 'Shop', repositories: ['*'] }] },
  ],
  usage: [],
};

describe('a plan of what Azure DevOps tells', () => {
  let azure: AzureFacts;
  let now: number;
  beforeEach(async () => {
    azure = await startAzureFacts();
    now = azure.emulator.clock.now();
  });
  afterEach(() => azure.close());

  /** A build that is gone, of a branch or the like, finished so many days ago. */
  const goneBuild = (
    id: number,
    sourceBranch: string,
    daysAgo: number,
    sourceVersion = digestOf(String(id)).slice(7, 47),
  ) => {
    const { world } = azure.emulator;
    world.addBuild({ definitionId: 12, id, sourceBranch, sourceVersion, finishTime: now - daysAgo * day });
    world.deleteBuild(id);
  };

  /** Which images stay and why, by the ids of their builds; each build made one. */
  const plan = async (records: readonly NamedBuild[], absences: Parameters<typeof absenceOf>[] = []) => {
    const organizations = [azure.organization([azure.shop])];
    const told = { records, absences: absences.map(each => absenceOf(...each)) };
    const builds = await readBuildFacts(organizations, told);
    const sources = await readSourceFacts(organizations, builds.builds, rules.keep);
    const facts: PlanFacts = {
      now,
      registries: [registryOf(records, now)],
      builds: builds.builds,
      organizations: builds.organizations,
      sources: sources.sources,
      usage: [],
    };
    const { images, unread } = planImages(rules, facts);
    assert.deepEqual(unread, []);
    const stays = images.filter(each => each.decision === 'keep');
    return Object.fromEntries(
      records.flatMap(({ build }) => {
        const found = stays.find(each => each.digest === digestOf(String(build.id)));
        return found ? [[build.id, found.reasons.join('; ')]] : [];
      }),
    );
  };

  it('keeps what the repository of the builds says that people work on, and lets the rest go', async () => {
    const { git } = azure.emulator.world;
    const repository = git.defaultOf(azure.shop.id);
    git.push(repository, 'main', { at: now - 40 * day });
    git.push(repository, 'feature/busy', { at: now - day });
    git.push(repository, 'feature/idle', { at: now - 8 * day });
    git.openPullRequest(repository, { id: 5, source: 'feature/busy' });
    git.openPullRequest(repository, { id: 6, source: 'feature/idle' }).status = 'completed';
    const [first, second] = [
      git.commit(repository, { at: now - 30 * day }),
      git.commit(repository, { at: now - 20 * day }),
    ];
    git.tag(repository, 'v1', first, { at: now - day });
    git.tag(repository, 'v2', second);
    goneBuild(1, 'refs/heads/main', 40);
    goneBuild(2, 'refs/heads/main', 39);
    goneBuild(3, 'refs/heads/feature/busy', 3);
    goneBuild(4, 'refs/heads/feature/idle', 9);
    goneBuild(5, 'refs/heads/feature/vanished', 1);
    goneBuild(6, 'refs/pull/5/merge', 1);
    goneBuild(7, 'refs/pull/6/merge', 1);
    goneBuild(8, 'refs/heads/main', 60, first);
    goneBuild(9, 'refs/heads/main', 61, second);
    const stays = await plan([1, 2, 3, 4, 5, 6, 7, 8, 9].map(id => recordOf(id)));
    assert.deepEqual(Object.keys(stays), ['2', '3', '6', '8']);
    assert.match(stays[3] ?? '', /the branch "feature\/busy" of http.*\/contoso\/Shop\/_git\/Shop/);
    assert.match(stays[6] ?? '', /the pull request 5/);
    assert.match(stays[8] ?? '', /the tag "v1"/);
  });

  it('judges an absent build by the branch of its record and the repository of its pipeline', async () => {
    const { world } = azure.emulator;
    world.git.push(world.git.defaultOf(azure.shop.id), 'feature/busy', { at: now });
    world.addBuild({ definitionId: 12, id: 50 });
    const records = [
      recordOf(1, { branch: 'refs/heads/feature/busy', commit: 'a'.repeat(40) }),
      recordOf(2, { branch: 'refs/heads/feature/vanished', commit: 'b'.repeat(40) }),
      recordOf(50),
    ];
    const stays = await plan(records, [
      [1, 'build', now - 2 * day],
      [2, 'build', now - 2 * day],
    ]);
    assert.deepEqual(Object.keys(stays), ['1', '50']);
    assert.match(stays[1] ?? '', /the branch "feature\/busy"/);
  });

  for (const operation of ['git.repository', 'git.refs', 'git.commits', 'git.pullRequests']) {
    it(`keeps all that a rule could keep where ${operation} fails`, async () => {
      goneBuild(1, 'refs/heads/feature/vanished', 1);
      goneBuild(2, 'refs/pull/6/merge', 1);
      const { git } = azure.emulator.world;
      const repository = git.defaultOf(azure.shop.id);
      git.push(repository, 'main');
      git.tag(repository, 'v1', git.commit(repository));
      assert.deepEqual(await plan([1, 2].map(id => recordOf(id))), {});
      azure.emulator.faults.add({ operation, effect: { kind: 'status', status: 500 } });
      const stays = await plan([1, 2].map(id => recordOf(id)));
      assert.notDeepEqual(stays, {});
    });
  }
});

function registryOf(records: readonly NamedBuild[], at: number): PlanFacts['registries'][number] {
  const images = records.map(
    ({ build }): ImageFact => ({
      digest: digestOf(String(build.id)),
      mediaType: 'application/vnd.oci.image.manifest.v1+json',
      size: 1,
      locked: false,
      pushedAt: at,
      tags: [{ name: String(build.id), locked: false, changedAt: at }],
      children: [],
      subject: 'none',
    }),
  );
  const written = records.map(
    ({ build, definition }): RecordFact => ({
      build,
      definition,
      promoted: false,
      onBuildDeleted: 'delete',
      images: [{ repository: 'web', digest: digestOf(String(build.id)), tags: [String(build.id)] }],
    }),
  );
  return {
    name: 'ci',
    repositories: { kind: 'whole', items: [{ name: 'web', images: { kind: 'whole', items: images } }] },
    records: { kind: 'whole', items: written },
  };
}
