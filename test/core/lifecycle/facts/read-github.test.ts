import assert from 'node:assert/strict';
import { connectGitHub, type GitHub } from '../../../../core/github/graphql.ts';
import { readSourceFacts } from '../../../../core/lifecycle/facts/read-sources.ts';
import type { BuildFact, SourceFacts } from '../../../../core/lifecycle/keep-policy/policy-facts.ts';
import { keepSchema } from '../../../../core/lifecycle/keep-policy/policy-schema.ts';
import { createHttp, type Http } from '../../../../core/oci/http.ts';
import type { Effect } from '../../../emulators/azure-devops/faults.ts';
import {
  type GitHubEmulator,
  type GitHubRepositoryWorld,
  type GitObject,
  oidOf,
  startGitHub,
} from '../../../emulators/github/github.ts';
import { createTls } from '../../../emulators/tls.ts';

const branches = { branch: '*' };
const tags = { tag: '*' };
const pullRequests = { pullRequest: 'active' };
const monday: GitObject = { type: 'Commit', at: '2026-11-23T10:00:00Z' };
const tuesday = '2026-11-24T12:00:00+02:00';

function builtFrom(source: string): BuildFact {
  return {
    build: { organization: 'https://dev.azure.com/contoso', project: 'Shop', id: 1 },
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

const edited = (from: RegExp, to: string): Effect => ({
  kind: 'edit',
  edit: json => JSON.parse(JSON.stringify(json).replace(from, to)) as unknown,
});
const status = (code: number, headers: Record<string, string> = {}, message = 'no'): Effect => ({
  kind: 'status',
  status: code,
  headers,
  json: { message },
});
const error = (type: string): Effect => ({
  kind: 'edit',
  edit: json => ({ ...(json as object), errors: [{ type, message: `says\n${type}` }] }),
});

function hideEntries(key: string, value: unknown): unknown {
  if (key === 'nodes') return [];
  return key === 'totalCount' ? 0 : value;
}

/** A connection that shows nothing of what is asked for by such a query, without any error. */
function withoutAnswers(gitHub: GitHub, query: RegExp): GitHub {
  return {
    ...gitHub,
    ask: async question => {
      const answer = await gitHub.ask(question);
      if (answer.kind === 'unknown' || !query.test(question.query)) return answer;
      return { ...answer, data: JSON.parse(JSON.stringify(answer.data), hideEntries) };
    },
  };
}

describe('the facts of git repositories on GitHub', () => {
  let emulator: GitHubEmulator;
  let http: Http;
  let web: GitHubRepositoryWorld;
  let source: string;
  before(async () => {
    const tls = await createTls();
    emulator = await startGitHub(tls);
    http = createHttp({
      ca: tls.ca,
      retryPolicy: { attempts: 2, firstPauseMs: 1, maxWaitMs: 1 },
    });
    source = `${emulator.url}/Contoso/web`;
  });
  after(async () => {
    await http.close();
    await emulator.close();
  });
  beforeEach(() => {
    emulator.faults.clear();
    emulator.requests.clear();
    web = emulator.addRepository('contoso/web');
  });

  const connect = (token = emulator.token): GitHub => connectGitHub({ url: emulator.url, token, http });
  const blindTo = (query: RegExp): GitHub => withoutAnswers(connect(), query);
  const look = (gitHosts: readonly GitHub[], ...references: readonly object[]) =>
    readSourceFacts([], [builtFrom(source)], keepSchema.parse({ references }), { gitHosts });
  const read = async (...references: readonly object[]): Promise<SourceFacts> => {
    const { sources } = await look([connect()], ...references);
    assert.equal(sources.length, 1);
    return sources[0] as SourceFacts;
  };

  const operationsOf = async (rule: object) => {
    emulator.requests.clear();
    const { branches, tags, pullRequests } = await read(rule);
    const asked = emulator.requests.entries.map(each => each.operation);
    return [[branches, tags, pullRequests].map(each => each.kind).join(' '), ...asked];
  };

  it('are asked for only where a rule is about them; but whether there is a branch always', async () => {
    for (const rule of [branches, tags, pullRequests]) {
      assert.deepEqual(await operationsOf(rule), ['unread unread unread', 'heads'], 'no branch at all is no answer');
    }
    web.branches.set('main', monday);
    assert.deepEqual(await operationsOf(branches), ['whole unread unread', 'heads']);
    assert.deepEqual(await operationsOf(tags), ['unread whole unread', 'heads', 'tags']);
    assert.deepEqual(await operationsOf(pullRequests), ['unread unread whole', 'heads', 'pullRequests']);
  });

  it('have a branch with the date of its commit, whatever its name', async () => {
    web.branches.set('main', monday).set('feature/Ä', { type: 'Commit', at: tuesday });
    assert.deepEqual((await read(branches)).branches, {
      kind: 'whole',
      items: [
        { name: 'main', lastActivity: Date.parse(monday.type === 'Commit' ? monday.at : '') },
        { name: 'feature/Ä', lastActivity: Date.parse('2026-11-24T10:00:00Z') },
      ],
    });
  });

  it('have a tag with the date of its annotation, else of its commit; one on another tag or on a tree has no commit', async () => {
    web.branches.set('main', monday);
    const on = { date: Date.parse('2026-11-23T10:00:00Z'), commit: oidOf(monday) };
    const annotated: GitObject = { type: 'Tag', at: tuesday, on: monday };
    web.tags
      .set('light', monday)
      .set('annotated', annotated)
      .set('unsigned', { ...annotated, at: undefined });
    web.tags.set('nested', { ...annotated, on: annotated }).set('tree', { type: 'Tree' });
    assert.deepEqual((await read(tags)).tags, {
      kind: 'whole',
      items: [
        { name: 'light', ...on },
        { name: 'annotated', ...on, date: Date.parse(tuesday) },
        { name: 'unsigned', ...on },
        { name: 'nested', date: Date.parse(tuesday), commit: undefined },
        { name: 'tree', date: undefined, commit: undefined },
      ],
    });
  });

  it('have the open pull requests, with their last update', async () => {
    web.branches.set('main', monday);
    web.pullRequests.set(7, tuesday);
    const item = { id: 7, state: 'active', lastActivity: Date.parse(tuesday) };
    assert.deepEqual((await read(pullRequests)).pullRequests, { kind: 'whole', items: [item] });
  });

  it('are read to the last page', async () => {
    for (let number = 1; number <= 250; number += 1) web.branches.set(`b${number}`, monday);
    const { branches: found } = await read(branches);
    assert.equal(found.kind === 'whole' && new Set(found.items.map(each => each.name)).size, 250);
    assert.equal(emulator.requests.count('heads'), 3);
  });

  it('are read anew where the list changed between two pages', async () => {
    for (let number = 1; number <= 150; number += 1) web.branches.set(`b${number}`, monday);
    let asked = 0;
    const edit = (json: unknown): unknown => {
      asked += 1;
      if (asked === 1) web.branches.delete('b1');
      return json;
    };
    emulator.faults.add({ effect: { kind: 'edit', edit } });
    const { branches: found } = await read(branches);
    assert.equal(found.kind === 'whole' && found.items.length, 149);
    assert.equal(emulator.requests.count('heads'), 4);
  });

  const faults: readonly (readonly [title: string, effect: Effect, reason: RegExp])[] = [
    ['a token that is not accepted', status(401), /not accepted \(401\).*renew the service connection/],
    ['a limit of requests', status(403, { 'x-ratelimit-remaining': '0' }), /limit of requests.*later/],
    ['a single sign-on', status(403, { 'x-github-sso': 'required; url=x' }), /authorize the token/],
    ['a right that is missing', status(403), /Contents \(read\)/],
    ['a redirect', status(302, { location: 'https://127.0.0.1:1/' }), /redirected \(302\)/],
    ['a server that fails', status(502), /502/],
    ['an error beside whole data', error('SOMETHING'), /not answered whole; .*It said: says SOMETHING$/],
    ['a limit within an answer', error('RATE_LIMITED'), /limit of requests/],
    ['a repository of null', edited(/"repository":\{.*\}\}\}/, '"repository":null}}'), /does not say repository/],
    ['a list of null', edited(/"list":\{.*\}\}\}\}/, '"list":null}}}'), /does not say repository\.list/],
    ['a count that is higher', edited(/"totalCount":2/, '"totalCount":3'), /not as long as its own count/],
    ['a page that lacks one', edited(/,\{"name":"next".*?\}\}/, ''), /not as long as its own count/],
    ['one that comes twice', edited(/"next"/, '"main"'), /not as long as its own count/],
    ['pages without a cursor', edited(/false,"endCursor":"[^"]*"/, 'true,"endCursor":null'), /lead nowhere/],
    ['a reference of another kind', edited(/refs\/heads\//, 'refs/tags/'), /the answer held "refs\/tags\/main"/],
    ['a date that is none', edited(/2026-11-23T/, 'yesterday'), /does not say .*nodes\.0/],
    ['a null among them', edited(/\{"name":"main".*?\}\}/, 'null'), /does not say .*nodes\.0/],
    ['half an answer', { kind: 'truncated' }, /no answer of GraphQL/],
    ['a connection that breaks off', { kind: 'cut', when: 'mid-body' }, /failed/],
    ['a page of HTML', { kind: 'html' }, /no answer of GraphQL/],
    ['an answer without end', { kind: 'oversized', bytes: 3 * 1024 * 1024 }, /more than 2097152 bytes/],
    ['its own token in a refusal', status(403, {}, 'ghp_emulatedPersonalAccessToken!'), /It said: \*\*\*!/],
  ];
  for (const [title, effect, reason] of faults) {
    it(`are unread with ${title}`, async () => {
      web.branches.set('main', monday).set('next', monday);
      emulator.faults.add({ effect });
      const { sources, unseen } = await look([connect()], branches);
      const found = sources[0]?.branches;
      assert.ok(found?.kind === 'unread', JSON.stringify(found));
      assert.match(found.reason, reason);
      assert.ok(found.reason.startsWith(`the branches of ${source}: `), found.reason);
      assert.equal(unseen.length, 1);
      assert.ok(!JSON.stringify([found, unseen]).includes(emulator.token));
    });
  }

  it('are unread where the cursors go in a circle', async () => {
    for (let number = 1; number <= 150; number += 1) web.branches.set(`b${number}`, monday);
    let names = 0;
    const edit = (json: unknown): unknown =>
      JSON.parse(
        JSON.stringify(json)
          .replace(/"hasNextPage":.*?"endCursor":"[^"]*"/, '"hasNextPage":true,"endCursor":"MA=="')
          .replace(/"name":"b/g, () => `"name":"c${(names += 1)}-`),
      );
    emulator.faults.add({ effect: { kind: 'edit', edit } });
    const { branches: found } = await read(branches);
    assert.match(found.kind === 'unread' ? found.reason : '', /not as long as its own count/);
  });

  it('are unread, and told with what to do, where the repository is not there or may not be read', async () => {
    source = `${emulator.url}/contoso/private`;
    const { sources, unseen } = await look([connect()], branches);
    source = `${emulator.url}/Contoso/web`;
    assert.equal(sources[0]?.branches.kind, 'unread');
    assert.match(unseen.join(), /give it Contents \(read\) and Pull requests \(read\).*Could not resolve/);
    assert.doesNotMatch(unseen.join(), /azureDevOpsConnection/);
  });

  it('are those that the first connection gives that may read them', async () => {
    web.branches.set('main', monday);
    const { sources, unseen } = await look([connect('of-another-organization'), connect()], branches);
    assert.deepEqual([sources[0]?.branches.kind, unseen], ['whole', []]);
    assert.equal(emulator.requests.count('heads'), 2);
  });

  describe('by several connections', () => {
    const all = [branches, tags, pullRequests];
    const lookAtAll = async (...gitHosts: readonly GitHub[]) => {
      const { sources, unseen } = await look(gitHosts, ...all);
      const { branches: heads, tags: marks, pullRequests: requests } = sources[0] as SourceFacts;
      const lengths = [heads, marks, requests].map(each => (each.kind === 'whole' ? each.items.length : each.kind));
      return [...lengths, unseen.length];
    };
    beforeEach(() => {
      web.branches.set('main', monday);
      web.tags.set('v1', monday);
      web.pullRequests.set(7, tuesday);
    });

    it('are what any of them shows, whichever comes first', async () => {
      for (const blind of [/./, /heads/, /tags/, /pullRequests/, /tags|pullRequests/].map(blindTo)) {
        assert.deepEqual(await lookAtAll(blind, connect()), [1, 1, 1, 0]);
        assert.deepEqual(await lookAtAll(connect(), blind), [1, 1, 1, 0]);
      }
      assert.deepEqual(await lookAtAll(blindTo(/tags/), blindTo(/pullRequests/)), [1, 1, 1, 0]);
    });

    it('are unread, and told once, where none of them shows a branch', async () => {
      assert.deepEqual(await lookAtAll(blindTo(/heads/), blindTo(/./)), ['unread', 'unread', 'unread', 1]);
    });

    it('have no entries where one that shows a branch shows none, and no other shows more', async () => {
      web.tags.clear();
      web.pullRequests.clear();
      const stranger = connect('of-another-organization');
      for (const other of [connect(), stranger, blindTo(/./)]) {
        assert.deepEqual(await lookAtAll(connect(), other), [1, 0, 0, 0]);
        assert.deepEqual(await lookAtAll(other, connect()), [1, 0, 0, 0]);
      }
    });

    it('are asked of a later one only as far as no earlier one showed them', async () => {
      await lookAtAll(connect(), connect());
      assert.deepEqual(
        emulator.requests.entries.map(each => each.operation),
        ['heads', 'tags', 'pullRequests'],
      );
      emulator.requests.clear();
      web.pullRequests.clear();
      await lookAtAll(connect(), connect());
      assert.deepEqual(
        emulator.requests.entries.map(each => each.operation),
        ['heads', 'tags', 'pullRequests', 'heads', 'pullRequests'],
      );
    });
  });

  it('are asked of their own host alone', async () => {
    const other = connectGitHub({ url: 'https://github.com', token: emulator.token, http });
    for (const strange of [
      `${emulator.url}evil/a/b`,
      `${emulator.url}evil/b`,
      `${emulator.url}/a/b/c`,
      `${emulator.url}/a`,
      `${emulator.url}/a/..%2f`,
    ]) {
      const asked = keepSchema.parse({ references: [branches] });
      const { sources, unseen } = await readSourceFacts([], [builtFrom(strange)], asked, {
        gitHosts: [connect(), other],
      });
      assert.deepEqual([sources, unseen.length], [[], 1]);
    }
    assert.equal(emulator.requests.entries.length, 0);
  });
});
