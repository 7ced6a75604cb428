import assert from 'node:assert/strict';
import { readSourceFacts } from '../../../../core/lifecycle/facts/read-sources.ts';
import type { BuildFact, SourceFacts } from '../../../../core/lifecycle/keep-policy/policy-facts.ts';
import { type KeepPolicy, keepSchema } from '../../../../core/lifecycle/keep-policy/policy-schema.ts';
import type { GitRepository } from '../../../emulators/azure-devops/git.ts';
import { broken, brokenLists } from '../../azure-devops/broken-answers.ts';
import { day, hour } from '../estate.ts';
import { type AzureFacts, contoso, startAzureFacts } from './azure-facts.ts';

const branches = { branch: '*', images: { last: 2 } };
const newestBranches = { branch: 'feature/*', limit: 2 };
const tags = { tag: '*', limit: 10 };
const pullRequests = { pullRequest: 'active' };

function builtFrom(source: string): BuildFact {
  return {
    build: { organization: contoso, project: 'Shop', id: 1 },
    definition: 12,
    queuedAt: undefined,
    startedAt: undefined,
    finishedAt: undefined,
    source,
    ref: 'refs/heads/main',
    commit: '',
    state: { kind: 'alive' },
    retainedBy: { kind: 'whole', items: [] },
  };
}

function rulesOf(...references: readonly object[]): KeepPolicy {
  return keepSchema.parse({ references });
}

function withoutPeeled(json: unknown): unknown {
  return JSON.parse(JSON.stringify(json).replaceAll('peeledObjectId', 'x'));
}

function withMainTwice(json: unknown): unknown {
  return JSON.parse(JSON.stringify(json).replace('heads/next', 'heads/main'));
}

function kindsOf({ branches, tags, pullRequests }: SourceFacts): string {
  return [branches, tags, pullRequests].map(each => each.kind).join(' ');
}

describe('the facts of git repositories', () => {
  let azure: AzureFacts;
  let web: GitRepository;
  let source: string;
  let now: number;
  beforeEach(async () => {
    azure = await startAzureFacts();
    web = azure.emulator.world.git.addRepository({ projectId: azure.shop.id, name: 'web app' });
    source = `${azure.emulator.url}/Shop/_git/web%20app`;
    now = azure.emulator.clock.now();
  });
  afterEach(() => azure.close());

  const git = () => azure.emulator.world.git;
  const count = (operation: string) => azure.emulator.requests.count(operation);
  const read = async (...references: readonly object[]): Promise<SourceFacts> => {
    const { sources } = await readSourceFacts([azure.organization()], [builtFrom(source)], rulesOf(...references));
    assert.equal(sources.length, 1);
    return sources[0] as SourceFacts;
  };

  const activityOf = async (rule: object) => {
    const { branches: found } = await read(rule);
    assert.ok(found.kind === 'whole', JSON.stringify(found));
    return Object.fromEntries(found.items.map(each => [each.name, each.lastActivity]));
  };
  const datesOf = async (rule: object) => {
    const { tags: found } = await read(rule);
    assert.ok(found.kind === 'whole', JSON.stringify(found));
    return found.items.map(({ name, date, commit }) => [name, date, commit]);
  };

  it('are asked for only where a rule is about them; but whether there is a branch always', async () => {
    git().push(web, 'main');
    const only = async (rule: object) => {
      azure.emulator.requests.clear();
      return [
        kindsOf(await read(rule)),
        ...azure.emulator.requests.entries.map(each => each.query['filter'] ?? each.operation),
      ];
    };
    assert.deepEqual(await only(branches), ['whole unread unread', 'git.repository', 'heads/']);
    assert.deepEqual(await only(tags), ['unread whole unread', 'git.repository', 'heads/', 'tags/']);
    assert.deepEqual(await only(pullRequests), ['unread unread whole', 'git.repository', 'heads/', 'git.pullRequests']);
    azure.emulator.requests.clear();
    assert.deepEqual(await readSourceFacts([azure.organization()], [builtFrom(source)], rulesOf()), {
      sources: [],
      unseen: [],
    });
    assert.equal(azure.emulator.requests.entries.length, 0);
  });

  describe('about branches', () => {
    it('name all of them, page by page, with no date where no rule asks for one', async () => {
      for (let index = 0; index < 5; index += 1) git().push(web, `b${index}`, { at: now - index * hour });
      azure.emulator.world.behaviour.largestPage = 2;
      const found = await read(branches);
      assert.deepEqual(found, {
        source,
        branches: {
          kind: 'whole',
          items: [0, 1, 2, 3, 4].map(index => ({ name: `b${index}`, lastActivity: undefined })),
        },
        tags: { kind: 'unread', reason: 'no rule is about them' },
        pullRequests: { kind: 'unread', reason: 'no rule is about them' },
      });
      assert.deepEqual([count('git.refs'), count('git.commits')], [3, 0]);
    });

    it('date those that a limit is about by the commit that they are on, where it is reached', async () => {
      git().push(web, 'main', { at: now });
      git().push(web, 'feature/1', { at: now - day });
      git().push(web, 'feature/2', { at: now - 2 * day });
      const none = { 'feature/1': undefined, 'feature/2': undefined, main: undefined };
      assert.deepEqual(await activityOf(newestBranches), none);
      assert.equal(count('git.commits'), 0);
      git().push(web, 'feature/3', { at: now - 3 * day });
      assert.deepEqual(await activityOf(newestBranches), {
        'feature/1': now - day,
        'feature/2': now - 2 * day,
        'feature/3': now - 3 * day,
        main: undefined,
      });
      assert.equal(count('git.commits'), 1);
    });

    it('date all that a rule about activity matches, 500 a request', async () => {
      for (let index = 0; index < 1200; index += 1) git().push(web, `b${index}`, { at: now - hour });
      const { branches: found } = await read({ branch: '*', activeWithin: '1d' });
      assert.ok(found.kind === 'whole' && found.items.length === 1200);
      assert.ok(found.items.every(each => each.lastActivity === now - hour));
      assert.deepEqual([count('git.repository'), count('git.refs'), count('git.commits')], [1, 2, 3]);
    });

    it('have no date where the commit is not told', async () => {
      web.branches.set('main', 'e'.repeat(40));
      const { branches: found } = await read({ branch: '*', activeWithin: '1d' });
      assert.deepEqual(found, { kind: 'whole', items: [{ name: 'main', lastActivity: undefined }] });
    });
  });

  describe('about tags', () => {
    beforeEach(() => void git().push(web, 'main'));

    it('say the commit of each, and the date of the annotation, else of the commit', async () => {
      const old = git().commit(web, { at: now - 90 * day });
      git().tag(web, 'v1', old);
      git().tag(web, 'v2', old, { at: now - day });
      git().tag(web, 'v3', old, {});
      assert.deepEqual(await datesOf({ tag: '*', activeWithin: '1d' }), [
        ['v1', now - 90 * day, old],
        ['v2', now - day, old],
        ['v3', now - 90 * day, old],
      ]);
      assert.deepEqual([count('git.refs'), count('git.commits'), count('git.annotatedTag')], [2, 1, 2]);
    });

    it('have no date where a limit is not reached, and the commit all the same', async () => {
      const head = git().commit(web);
      git().tag(web, 'v1', head, { at: now });
      assert.deepEqual(await datesOf(tags), [['v1', undefined, head]]);
      assert.equal(count('git.annotatedTag'), 0);
    });

    it('have no commit where nobody says that it is one: a server that does not peel, a tag on a file', async () => {
      const head = git().commit(web);
      git().tag(web, 'v1', head, { at: now });
      git().tag(web, 'file', 'b'.repeat(40));
      azure.emulator.faults.add({ operation: 'git.refs', effect: { kind: 'edit', edit: withoutPeeled } });
      assert.deepEqual(await datesOf(tags), [
        ['file', undefined, undefined],
        ['v1', undefined, undefined],
      ]);
    });

    it('are asked for the dates of 1,000 annotations at most; the others have none', async () => {
      const head = git().commit(web, { at: now - 90 * day });
      for (let index = 0; index < 1005; index += 1) {
        git().tag(web, `v${String(index).padStart(4, '0')}`, head, { at: now - day });
      }
      const found = await datesOf(tags);
      assert.deepEqual(found.filter(([, date]) => date === undefined).length, 5);
      assert.ok(found.every(([, , commit]) => commit === head));
      assert.equal(count('git.annotatedTag'), 1000);
    }).timeout(60_000);
  });

  describe('about pull requests', () => {
    it('name those that are open, and date them by their opening or their last commit, whichever is later', async () => {
      git().push(web, 'main');
      const old = git().commit(web, { at: now - 5 * day });
      git().openPullRequest(web, { source: 'a', at: now - 2 * day, commit: old });
      git().openPullRequest(web, { source: 'b', at: now - 2 * day, commit: git().commit(web, { at: now - hour }) });
      git().openPullRequest(web, { source: 'c', at: now - 2 * day, commit: 'e'.repeat(40) });
      git().openPullRequest(web, { source: 'd', at: now }).status = 'completed';
      const rule = { ...pullRequests, activeWithin: '1d' };
      assert.deepEqual((await read(rule)).pullRequests, {
        kind: 'whole',
        items: [
          { id: 3, state: 'active', lastActivity: undefined },
          { id: 2, state: 'active', lastActivity: now - hour },
          { id: 1, state: 'active', lastActivity: now - 2 * day },
        ],
      });
      azure.emulator.requests.clear();
      const { pullRequests: plain } = await read(pullRequests);
      assert.ok(plain.kind === 'whole' && plain.items.every(each => each.lastActivity === undefined));
      assert.equal(count('git.commits'), 0);
    });
  });

  it('are asked for once for each repository, in the organization that has it', async () => {
    git().push(web, 'main');
    const builds = [source, source, '', `${azure.emulator.url}/_git/Bank`].map(builtFrom);
    const { sources, unseen } = await readSourceFacts([azure.organization()], builds, rulesOf(branches));
    assert.deepEqual(
      sources.map(each => [each.source, each.branches.kind]),
      [
        [`${azure.emulator.url}/Shop/_git/web%20app`, 'whole'],
        // Builds were made from it, so a repository without a branch is another one, or one of which a right hides them.
        [`${azure.emulator.url}/_git/Bank`, 'unread'],
      ],
    );
    assert.equal(count('git.repository'), 2);
    assert.match(
      unseen.join(),
      /^Not seen: the branches of \S+\/_git\/Bank; what a rule .* stays \(it shows no branch at all, though builds were made from it\)\.[^,]*, and azure[^,]*$/,
    );
  });

  describe('without any branch', () => {
    const reason = 'it shows no branch at all, though builds were made from it';
    const unread = { kind: 'unread', reason };
    const notAsked = { kind: 'unread', reason: 'no rule is about them' };
    beforeEach(() => git().tag(web, 'v1', git().commit(web)));

    it('are unread, every kind of them that a rule is about, and told once', async () => {
      const { sources, unseen } = await readSourceFacts(
        [azure.organization()],
        [builtFrom(source)],
        rulesOf(branches, tags, pullRequests),
      );
      assert.deepEqual(sources, [{ source, branches: unread, tags: unread, pullRequests: unread }]);
      assert.equal(count('git.refs'), 1);
      assert.equal(unseen.length, 1);
      assert.match(unseen[0] ?? '', /^Not seen: the branches, tags, pull requests of .* \(it shows no branch at all/);
    });

    it('are unread where no rule is about branches too, which one request tells', async () => {
      const found = await read(tags, pullRequests);
      assert.deepEqual(found, { source, branches: notAsked, tags: unread, pullRequests: unread });
      assert.deepEqual([count('git.refs'), count('git.pullRequests')], [1, 0]);
    });
  });

  it('are read of tags and pull requests where a branch is shown, though not all of them could be read', async () => {
    for (const name of ['main', 'next', 'last']) git().push(web, name);
    git().tag(web, 'v1', git().commit(web));
    azure.emulator.world.behaviour.largestPage = 2;
    azure.emulator.faults.add({ operation: 'git.refs', effect: { kind: 'edit', edit: withMainTwice } });
    const found = await read(branches, tags, pullRequests);
    assert.equal(kindsOf(found), 'unread whole whole');
  });

  it('are not there for other hosts, and for what only looks like one of ours, and that is told', async () => {
    const strange = [
      'https://github.com/contoso/web',
      `${azure.emulator.url}evil/Shop/_git/web`,
      `${azure.emulator.url.replace('contoso', 'fabrika')}/Shop/_git/web`,
      `${azure.emulator.url}/Shop/_git/..`,
      `${azure.emulator.url}/Shop/_git/a%2Fb`,
      `${azure.emulator.url}/Shop/web`,
      `${azure.emulator.url}/a/b/_git/web`,
    ];
    const { sources, unseen } = await readSourceFacts(
      [azure.organization()],
      strange.map(builtFrom),
      rulesOf(branches),
    );
    assert.deepEqual([sources, unseen.length, azure.emulator.requests.entries.length], [[], strange.length, 0]);
    assert.ok(
      unseen.some(each => each.includes('https://github.com/contoso/web, which is in none of the organizations')),
    );
  });

  it('are unread, and told once, where the repository may not be seen', async () => {
    web.denied = 'notFound';
    const asked = [branches, tags, pullRequests];
    const { sources, unseen } = await readSourceFacts([azure.organization()], [builtFrom(source)], rulesOf(...asked));
    const [found] = sources;
    for (const reading of [found?.branches, found?.tags, found?.pullRequests]) {
      assert.ok(reading?.kind === 'unread');
      assert.match(reading.reason, /^the git repository web app of project Shop: 404 GitRepositoryNotFoundException/);
    }
    assert.equal(unseen.length, 1);
    assert.match(unseen[0] ?? '', /^Not seen: the branches, tags, pull requests of .*azureDevOpsConnection/);
  });

  it('ask nothing more once the run is ended', async () => {
    const signal = AbortSignal.abort(new Error('the time is over'));
    const reading = readSourceFacts([azure.organization()], [builtFrom(source)], rulesOf(branches), { signal });
    await assert.rejects(reading, /the time is over/);
    assert.equal(azure.emulator.requests.entries.length, 0);
  });

  describe('where answers are none', () => {
    const asked = [
      { branch: '*', activeWithin: '1d' },
      { tag: '*', activeWithin: '1d' },
      { ...pullRequests, activeWithin: '1d' },
    ];
    beforeEach(() => {
      const head = git().push(web, 'main');
      git().tag(web, 'v1', head, { at: now });
      git().openPullRequest(web, { source: 'main' });
    });

    /** Of branches, tags and pull requests, those that each question is needed for. */
    const questions: Readonly<Record<string, string>> = {
      'git.repository': 'unread unread unread',
      'git.refs': 'unread unread unread',
      'git.commits': 'unread unread unread',
      'git.annotatedTag': 'whole unread whole',
      'git.pullRequests': 'whole whole unread',
    };
    it('are whole where every answer is', async () => {
      assert.equal(kindsOf(await read(...asked)), 'whole whole whole');
    });

    for (const [operation, kinds] of Object.entries(questions)) {
      const isList = !/repository|annotatedTag/.test(operation);
      for (const [name, effect] of Object.entries({ ...broken, ...(isList && brokenLists) })) {
        it(`are unread because of ${name} for ${operation}`, async () => {
          azure.emulator.faults.add({ operation, effect });
          assert.equal(kindsOf(await read(...asked)), kinds);
        });
      }
      it(`are unread because no answer comes for ${operation}`, async () => {
        azure.emulator.faults.add({ operation, effect: { kind: 'slow', ms: 400 } });
        const organization = azure.organization(undefined, { requestTimeoutMs: 60 });
        const { sources } = await readSourceFacts([organization], [builtFrom(source)], rulesOf(...asked));
        assert.equal(kindsOf(sources[0] as SourceFacts), kinds);
      });
    }
  });
});
