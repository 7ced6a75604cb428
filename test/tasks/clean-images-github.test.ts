import assert from 'node:assert/strict';
import { parseCleanPlan } from '../../core/lifecycle/cleaning/clean-plan.ts';
import { type GitHubEmulator, startGitHub } from '../emulators/github/github.ts';
import type { TestEndpoint } from '../support/run-task.ts';
import { type Cleaning, day, openCleaning, readOutput } from './cleaning.ts';
import { definitionId, warningsOf } from './promotion.ts';
import { assertFailed, assertKept, assertMasked, assertSucceeded } from './step.ts';

const keep =
  'keep: { deployed: false, references: [{ branch: "*", limit: 1 }, { pullRequest: active }, { tag: "v*" }] }';

describe('CleanImages and repositories on GitHub', () => {
  let cleaning: Cleaning;
  let gitHub: GitHubEmulator;
  before(async () => {
    cleaning = await openCleaning();
    gitHub = await startGitHub(cleaning.tls);
    const web = gitHub.addRepository('contoso/web');
    web.branches.set('main', { type: 'Commit', at: '2026-01-01T00:00:00Z' });
    web.branches.set('feature/basket', { type: 'Commit', at: '2026-01-02T00:00:00Z' });
    web.pullRequests.set(8, '2026-01-02T00:00:00Z');
    await cleaning.configure(keep);
    const refs = ['heads/feature/basket', 'heads/main', 'heads/gone', 'pull/7/merge', 'pull/8/merge'];
    for (const [at, ref] of refs.entries()) {
      const repository = { id: 'contoso/web', type: 'GitHubEnterprise', url: `${gitHub.url}/contoso/web.git` };
      const id = 100 + at;
      cleaning.devOps.world.addBuild({ id, definitionId, repository, sourceBranch: `refs/${ref}` });
      await cleaning.build({ id, repositories: ['shop/web'] });
    }
    cleaning.clock.advance(2 * day);
    for (const at of refs.keys()) cleaning.devOps.world.deleteBuild(100 + at);
  });
  after(async () => {
    await gitHub.close();
    await cleaning.close();
  });
  afterEach(() => gitHub.faults.clear());

  const connection = (parameters: Record<string, string> = { apitoken: gitHub.token }): TestEndpoint => ({
    url: gitHub.url,
    scheme: 'Token',
    parameters,
  });
  const plan = async (inputs: Record<string, string>, parameters?: Record<string, string>) => {
    await cleaning.forget();
    return cleaning.clean({ mode: 'plan', ...inputs }, { endpoints: { 'on-github': connection(parameters) } });
  };
  const goes = async () => {
    const { deletions } = parseCleanPlan(await readOutput(cleaning, 'plan.json'), 'plan.json');
    return deletions.flatMap(each => each.builds.map(build => build.id)).sort((a, b) => a - b);
  };

  for (const [input, parameter] of [
    ['gitHubEnterpriseConnections', 'apitoken'],
    ['gitHubConnections', 'accessToken'],
    ['gitHubConnections', 'IdToken'],
  ] as const) {
    it(`keep the newest branch and the open pull request, and let the merged one go, by ${parameter} of ${input}`, async () => {
      const outcome = await plan({ [input]: 'on-github' }, { [parameter]: gitHub.token });
      assertSucceeded(outcome);
      assert.deepEqual(await goes(), [101, 102, 103]);
      assert.deepEqual(warningsOf(outcome), []);
      assertMasked(outcome, gitHub.token);
      assertKept(outcome, gitHub.token);
    });
  }

  it('keep whatever rules could keep without a connection, and that is told once', async () => {
    gitHub.requests.clear();
    const outcome = await plan({});
    assert.deepEqual(await goes(), []);
    const told = outcome.output.split('\n').filter(each => each.includes('Not seen: the branches, tags and pull'));
    assert.equal(told.length, 1, outcome.output);
    assert.equal(gitHub.requests.entries.length, 0);
  });

  it('keep whatever rules could keep where the answer is an error, and its reason is told', async () => {
    gitHub.faults.add({ operation: 'pullRequests', effect: { kind: 'status', status: 403, json: { message: 'no' } } });
    const outcome = await plan({ gitHubConnections: 'on-github' });
    assert.deepEqual(await goes(), [101, 102]);
    assert.match(outcome.output, /Not seen: the pull requests of .*contoso\/web; .*Contents \(read\)/);
  });

  it('are not asked by a connection without a token', async () => {
    assertFailed(
      await plan({ gitHubConnections: 'on-github' }, { username: 'me' }),
      /^The input gitHubConnections: the service connection "on-github" holds no token of GitHub \(token\)/,
    );
  });
});
