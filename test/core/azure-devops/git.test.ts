import assert from 'node:assert/strict';
import { readCommitDates, readTagDate } from '../../../core/azure-devops/commits.ts';
import type { AzureDevOps } from '../../../core/azure-devops/connection.ts';
import { type GitRepository, getGitRepository } from '../../../core/azure-devops/git-repository.ts';
import { listOpenPullRequests } from '../../../core/azure-devops/pull-requests.ts';
import { listOneBranch, listRefs } from '../../../core/azure-devops/refs.ts';
import { type AzureDevOpsEmulator, startAzureDevOps } from '../../emulators/azure-devops/azure-devops.ts';
import type { GitRepository as EmulatedRepository } from '../../emulators/azure-devops/git.ts';
import { broken, brokenLists } from './broken-answers.ts';
import { connect } from './connect.ts';

const hour = 60 * 60_000;
const stranger = '99999999-8888-4777-8666-555555555555';

describe('asking Azure Repos', () => {
  let emulator: AzureDevOpsEmulator;
  let ado: AzureDevOps;
  let web: EmulatedRepository;
  let repository: GitRepository;
  beforeEach(async () => {
    emulator = await startAzureDevOps();
    ado = connect(emulator).ado;
    const projectId = emulator.world.addProject({ name: 'My Shop' }).id;
    web = emulator.world.git.addRepository({ projectId, name: 'web' });
    repository = { id: web.id, name: 'web', projectId };
  });
  afterEach(() => emulator.close());

  const count = (operation: string) => emulator.requests.count(operation);
  const open = (amount: number): void => {
    for (let index = 0; index < amount; index += 1) emulator.world.git.openPullRequest(web, { source: `f${index}` });
  };
  const openIds = async () => {
    const answer = await listOpenPullRequests(ado, repository);
    return answer.kind === 'found' ? answer.items.map(each => each.id) : answer.reason;
  };

  describe('for a repository', () => {
    it('finds it by names and by ids, whatever their case', async () => {
      const found = { kind: 'found', repository };
      assert.deepEqual(await getGitRepository(ado, 'my shop', 'WEB'), found);
      assert.deepEqual(await getGitRepository(ado, repository.projectId.toUpperCase(), web.id), found);
    });

    it('never takes one that may not be seen for one that is not there', async () => {
      web.denied = 'notFound';
      const answer = await getGitRepository(ado, 'My Shop', 'web');
      assert.ok(answer.kind === 'unknown');
      assert.match(answer.reason, /^the git repository web of project My Shop: 404 GitRepositoryNotFound.*TF401019/);
      web.denied = 'forbidden';
      const denied = await getGitRepository(ado, 'My Shop', 'web');
      assert.ok(denied.kind === 'unknown' && /\(403\): give the identity "Read".*vso\.code/.test(denied.reason));
    });

    it('learns nothing from the answer about another one', async () => {
      for (const change of [{ name: 'api', id: stranger }, { project: { id: stranger, name: 'Bank' } }]) {
        emulator.faults.clear();
        emulator.faults.add({ effect: { kind: 'edit', edit: json => ({ ...(json as object), ...change }) } });
        const answer = await getGitRepository(ado, 'My Shop', 'web');
        assert.ok(answer.kind === 'unknown' && /the answer is about/.test(answer.reason), JSON.stringify(answer));
      }
    });
  });

  describe('for branches and tags', () => {
    it('walks every page of branches, and leaves everything else out', async () => {
      const names = Array.from({ length: 7 }, (_, index) => `feature/${index}`);
      for (const name of names) emulator.world.git.push(web, name);
      emulator.world.git.tag(web, 'heads', 'a'.repeat(40));
      emulator.world.git.openPullRequest(web, { source: 'feature/1' });
      emulator.world.behaviour.largestPage = 3;
      const answer = await listRefs(ado, repository, 'heads');
      assert.ok(answer.kind === 'found');
      assert.deepEqual(
        answer.items.map(each => [each.name, each.objectId]),
        names.map(name => [name, web.branches.get(name)]),
      );
      assert.equal(count('git.refs'), 3);
    });

    it('tells what an annotated tag is on at last', async () => {
      const head = emulator.world.git.commit(web);
      const inner = emulator.world.git.tag(web, 'v1', head, { at: 0 });
      const outer = emulator.world.git.tag(web, 'v1-signed', inner, { at: 0 });
      emulator.world.git.tag(web, 'v2', head);
      assert.deepEqual(await listRefs(ado, repository, 'tags'), {
        kind: 'found',
        items: [
          { name: 'v1', objectId: inner, peeledId: head },
          { name: 'v1-signed', objectId: outer, peeledId: head },
          { name: 'v2', objectId: head, peeledId: undefined },
        ],
      });
    });

    it('reads the list of a repository without branches as empty', async () => {
      assert.deepEqual(await listRefs(ado, repository, 'heads'), { kind: 'found', items: [] });
    });

    it('finds one branch in one request, however many there are', async () => {
      for (const name of ['a', 'b', 'c']) emulator.world.git.push(web, name);
      const answer = await listOneBranch(ado, repository);
      assert.deepEqual(answer.kind === 'found' && answer.items.map(each => each.name), ['a']);
      assert.equal(count('git.refs'), 1);
    });

    it('learns nothing where a page comes twice, or pages never end', async () => {
      for (let index = 0; index < 7; index += 1) emulator.world.git.push(web, `b${index}`);
      emulator.world.behaviour.largestPage = 3;
      let first: unknown;
      emulator.faults.add({ count: 1, effect: { kind: 'edit', edit: json => (first = json) } });
      emulator.faults.add({ nth: 2, count: 1, effect: { kind: 'edit', edit: () => first } });
      const twice = await listRefs(ado, repository, 'heads');
      assert.ok(twice.kind === 'unknown' && /"refs\/heads\/b0" came twice/.test(twice.reason), JSON.stringify(twice));
      emulator.faults.clear();
      const page = { count: 0, value: [] };
      const headers = { 'x-ms-continuationtoken': 'refs/heads/b0', 'content-type': 'application/json' };
      emulator.faults.add({ effect: { kind: 'status', status: 200, json: page, headers } });
      const endless = await listRefs(ado, repository, 'heads');
      assert.ok(endless.kind === 'unknown' && /repeat themselves/.test(endless.reason));
    });

    it('learns nothing from a list that ignores what was asked for', async () => {
      emulator.world.git.push(web, 'main');
      emulator.world.git.tag(web, 'v1', 'a'.repeat(40));
      const all = {
        kind: 'edit',
        edit: () => ({ count: 1, value: [{ name: 'refs/tags/v1', objectId: 'a'.repeat(40) }] }),
      };
      emulator.faults.add({ effect: all as never });
      const answer = await listRefs(ado, repository, 'heads');
      assert.ok(answer.kind === 'unknown' && /the answer held "refs\/tags\/v1"/.test(answer.reason));
      assert.deepEqual(await listOneBranch(ado, repository), answer);
    });
  });

  describe('for dates', () => {
    it('asks for 500 commits at a time, and leaves out what is no commit', async () => {
      const at = emulator.clock.now() - hour;
      const ids = Array.from({ length: 501 }, () => emulator.world.git.commit(web, { at }));
      const answer = await readCommitDates(ado, repository, [...ids, ...ids, 'f'.repeat(40)]);
      assert.ok(answer.kind === 'found');
      assert.equal(answer.dates.size, 501);
      assert.deepEqual([answer.dates.get(ids[500] ?? ''), answer.dates.has('f'.repeat(40))], [at, false]);
      assert.equal(count('git.commits'), 2);
    });

    it('asks for no commits with no request', async () => {
      assert.deepEqual(await readCommitDates(ado, repository, []), { kind: 'found', dates: new Map() });
      assert.equal(emulator.requests.entries.length, 0);
    });

    it('asks again where Azure DevOps failed once: a question changes nothing', async () => {
      const id = emulator.world.git.commit(web);
      emulator.faults.add({ count: 2, effect: { kind: 'status', status: 503 } });
      assert.equal((await readCommitDates(ado, repository, [id])).kind, 'found');
      assert.equal(count('git.commits'), 3);
    });

    it('tells the date of an annotation, and none where there is none', async () => {
      const said = emulator.world.git.tag(web, 'v1', 'a'.repeat(40), { at: 1000 });
      const silent = emulator.world.git.tag(web, 'v2', 'a'.repeat(40), {});
      assert.deepEqual(await readTagDate(ado, repository, said), { kind: 'found', date: 1000 });
      assert.deepEqual(await readTagDate(ado, repository, silent), { kind: 'found', date: undefined });
    });

    it('takes a date without a zone for UTC, wherever it runs', async () => {
      const zone = process.env['TZ'];
      process.env['TZ'] = 'Asia/Tokyo';
      try {
        const said = emulator.world.git.tag(web, 'v1', 'a'.repeat(40), { at: 0 });
        const taggedBy = { date: '2026-06-22T04:28:23' };
        emulator.faults.add({ effect: { kind: 'edit', edit: json => ({ ...(json as object), taggedBy }) } });
        const date = Date.parse('2026-06-22T04:28:23Z');
        assert.deepEqual(await readTagDate(ado, repository, said), { kind: 'found', date });
      } finally {
        if (zone === undefined) delete process.env['TZ'];
        else process.env['TZ'] = zone;
      }
    });

    it('learns nothing from the dates of what was not asked for', async () => {
      const [one, other] = [emulator.world.git.commit(web), emulator.world.git.commit(web)];
      const swap = (json: unknown) => JSON.parse(JSON.stringify(json).replaceAll(one, other)) as unknown;
      emulator.faults.add({ effect: { kind: 'edit', edit: swap } });
      const commits = await readCommitDates(ado, repository, [one]);
      assert.ok(commits.kind === 'unknown' && /was not asked for/.test(commits.reason));
      emulator.faults.clear();
      const object = emulator.world.git.tag(web, 'v1', one, { at: 0 });
      emulator.faults.add({ effect: { kind: 'edit', edit: json => ({ ...(json as object), objectId: other }) } });
      assert.equal((await readTagDate(ado, repository, object)).kind, 'unknown');
    });
  });

  describe('for pull requests', () => {
    it('lists those that are open, with what was last merged of them', async () => {
      open(3);
      web.pullRequests.get(2)!.status = 'abandoned';
      const { createdAt, commit } = web.pullRequests.get(1)!;
      const answer = await listOpenPullRequests(ado, repository);
      assert.ok(answer.kind === 'found');
      assert.deepEqual(answer.items[1], { id: 1, createdAt, commit });
      assert.equal(answer.items.length, 2);
    });

    it('walks to the end, also where the server gives less than was asked for', async () => {
      open(8);
      emulator.world.behaviour.largestPage = 3;
      assert.deepEqual(await openIds(), [8, 7, 6, 5, 4, 3, 2, 1]);
      assert.equal(count('git.pullRequests'), 5);
    });

    it('reads again where one that is closed meanwhile moves the next page', async () => {
      open(8);
      emulator.world.behaviour.largestPage = 3;
      emulator.faults.add({
        count: 1,
        effect: {
          kind: 'edit',
          edit: json => {
            web.pullRequests.get(8)!.status = 'completed';
            return json;
          },
        },
      });
      assert.deepEqual(await openIds(), [7, 6, 5, 4, 3, 2, 1]);
    });

    it('learns nothing where the list changes each time, or a page comes twice', async () => {
      open(40);
      emulator.world.behaviour.largestPage = 3;
      let newest = 40;
      const remove = emulator.faults.add({
        effect: {
          kind: 'edit',
          edit: json => {
            web.pullRequests.get(newest--)!.status = 'completed';
            return json;
          },
        },
      });
      assert.match(String(await openIds()), /^the active pull requests of the git repository web .*changed each time/);
      remove();
      let first: unknown;
      emulator.faults.add({ nth: 1, count: 1, effect: { kind: 'edit', edit: json => (first = json) } });
      emulator.faults.add({ nth: 2, effect: { kind: 'edit', edit: () => first } });
      assert.match(String(await openIds()), /changed each time/);
    });

    it('learns nothing from those of another repository, or in another state', async () => {
      open(1);
      for (const change of [{ repository: { id: stranger } }, { status: 'completed' }]) {
        emulator.faults.clear();
        const edit = (json: unknown) => {
          const { value } = json as { value: object[] };
          return { count: 1, value: value.map(each => ({ ...each, ...change })) };
        };
        emulator.faults.add({ effect: { kind: 'edit', edit } });
        assert.match(String(await openIds()), /which is none/);
      }
    });
  });

  type Question = (connection: AzureDevOps) => Promise<{ readonly kind: string }>;
  const questions: Readonly<Record<string, { readonly ask: Question; readonly isList: boolean }>> = {
    'the repository': { ask: connection => getGitRepository(connection, 'My Shop', 'web'), isList: false },
    'the branches': { ask: connection => listRefs(connection, repository, 'heads'), isList: true },
    'a branch': { ask: connection => listOneBranch(connection, repository), isList: true },
    'the tags': { ask: connection => listRefs(connection, repository, 'tags'), isList: true },
    'the dates of commits': {
      ask: connection => readCommitDates(connection, repository, [...web.commits.keys()]),
      isList: true,
    },
    'the date of a tag': {
      ask: connection => readTagDate(connection, repository, [...web.annotations.keys()][0] ?? ''),
      isList: false,
    },
    'the pull requests': { ask: connection => listOpenPullRequests(connection, repository), isList: true },
  };
  for (const [what, { ask, isList }] of Object.entries(questions)) {
    describe(`for ${what}`, () => {
      beforeEach(() => {
        const head = emulator.world.git.push(web, 'main');
        emulator.world.git.tag(web, 'v1', head, { at: 0 });
        emulator.world.git.openPullRequest(web, { source: 'main' });
      });

      it('learns something from a whole answer', async () => {
        assert.equal((await ask(ado)).kind, 'found');
      });

      for (const [name, effect] of Object.entries({ ...broken, ...(isList && brokenLists) })) {
        it(`learns nothing from ${name}`, async () => {
          emulator.faults.add({ effect });
          assert.equal((await ask(ado)).kind, 'unknown');
        });
      }

      it('learns nothing from an answer that does not come', async () => {
        emulator.faults.add({ effect: { kind: 'slow', ms: 400 } });
        assert.equal((await ask(connect(emulator, { requestTimeoutMs: 30 }).ado)).kind, 'unknown');
      });
    });
  }
});
