/** What CleanImages tells of what it did: which images, of which builds, and why the others stay. */
import assert from 'node:assert/strict';
import { type CleanPlan, makeCleanPlan } from '../../core/lifecycle/cleaning/clean-plan.ts';
import type { CleanItem, CleanReport } from '../../core/lifecycle/cleaning/clean-report.ts';
import { describeSteps } from '../../tasks/CleanImages/approved-steps.ts';
import { groupKept, tellKept } from '../../tasks/CleanImages/kept-lines.ts';
import { makeSample } from '../core/lifecycle/cleaning/sample-estate.ts';
import { type Cleaning, day, hour, openCleaning, readOutput, writeSource } from './cleaning.ts';
import { linesOf, readSummaries, readSummary } from './promotion.ts';
import { assertFailed, assertSucceeded } from './step.ts';

const policy = 'keep: { deployed: false, references: [] }';

describe('what CleanImages tells of what it did', () => {
  let cleaning: Cleaning;
  beforeEach(async () => {
    cleaning = await openCleaning();
    const { devOps, ci, prod, agent } = cleaning;
    await writeSource(
      agent,
      'image-lifecycle.yml',
      `organizations: [{ url: "${devOps.url}", projects: [Web Shop, Library], alsoOwn: ["{buildId}-*"] }]
registries:
  - { name: ci, url: "${ci.host}", onBuildDeleted: delete }
  - { name: prod, url: "${prod.host}", onBuildDeleted: delete }
${policy}`,
    );
  });
  afterEach(() => cleaning.close());

  /** Builds from 500 on with an image each, which has two tags of theirs; all are deleted two days later. */
  const buildAndDelete = async (amount: number, repository = 'shop/web') => {
    const digests: string[] = [];
    for (let id = 500; id < 500 + amount; id += 1) {
      digests.push(...(await cleaning.build({ id, repositories: [repository], tags: [`${id}-extra`] })));
    }
    cleaning.clock.advance(2 * day);
    for (let id = 500; id < 500 + amount; id += 1) cleaning.devOps.world.deleteBuild(id);
    return digests;
  };

  const plan = async () => {
    const outcome = await cleaning.clean();
    assertSucceeded(outcome);
    await writeSource(cleaning.agent, 'plan.json', await readOutput(cleaning, 'plan.json'));
    return outcome;
  };
  const apply = () => cleaning.clean({ mode: 'apply', planFile: 'plan.json' });

  it('counts images where two tags came off one, in its output variable, its table and its words', async () => {
    await buildAndDelete(3);
    assert.equal((await plan()).variables['deletions'], '3');
    const outcome = await apply();
    assertSucceeded(outcome);
    assert.equal(outcome.variables['deletions'], '3');
    assert.equal(linesOf(outcome).at(-1), 'Took 6 tags off 3 images and deleted 0 images.');
    assert.match(await readSummary(outcome), /\| ci \| 3 \| 0 \| 0 \| 0 \|/);
  });

  it('counts what belongs to an index as the plan does, when its tags come off and when it is deleted', async () => {
    await cleaning.build({ id: 500, repositories: ['shop/web'], platforms: 2 });
    cleaning.clock.advance(2 * day);
    cleaning.devOps.world.deleteBuild(500);
    for (const said of [
      'Took 1 tag off 1 image, which 2 parts belong to, and deleted 0 images.',
      /^Took 0 tags off and deleted 3 images \(.* at most\)\.$/,
    ]) {
      assert.equal((await plan()).variables['deletions'], '3');
      const outcome = await apply();
      assertSucceeded(outcome);
      assert.equal(outcome.variables['deletions'], '3');
      const last = linesOf(outcome).at(-1) ?? '';
      if (typeof said === 'string') assert.equal(last, said);
      else assert.match(last, said);
      cleaning.clock.advance(25 * hour);
    }
  });

  it('names what lost its tags, and what was deleted, with its build: twenty on the page and all in the log', async () => {
    const digests = await buildAndDelete(22);
    for (const [title, words] of [
      ['Lost their tags', / lost its tags (\d+), \1-extra: /],
      ['Deleted', / was deleted: /],
    ] as const) {
      await plan();
      const outcome = await apply();
      assertSucceeded(outcome);
      for (const [at, digest] of digests.entries()) {
        const line = linesOf(outcome).find(each =>
          each.startsWith(`ci: shop/web@${digest} of build ${500 + at} of Web Shop `),
        );
        assert.match(line ?? outcome.output, words);
      }
      const table = (await readSummary(outcome)).split(`#### ${title}\n`)[1]?.split('\n####')[0] ?? '';
      assert.equal(
        table.match(/^\| ci \| `shop\/web@sha256:[0-9a-f]{64}` \|(?: `[^`]+` \|)? 5\d\d of Web Shop \|$/gm)?.length,
        20,
        table,
      );
      assert.match(table, /\nAnd 2 more, in the log\.\n/);
      cleaning.clock.advance(25 * hour);
    }
  });

  it('tells how many of the approved steps are done and why the others are not, in the log and on the page', async () => {
    const digests = await buildAndDelete(3);
    await plan();
    cleaning.ci.world.tag('shop/web', 'v1', digests[0] ?? '');
    const said = '2 of the 3 approved steps are done; 1 is not, because a fresh plan no longer has it.';
    const first = await apply();
    assertSucceeded(first);
    assert.ok(linesOf(first).includes(said), first.output);
    assert.ok((await readSummary(first)).replaceAll('\\', '').includes(`\n\n${said}\n\n`));
    const again = await apply();
    assertSucceeded(again);
    const nothing =
      'None of the 3 approved steps is done, because a fresh plan no longer has them. Of these, 2 lost their tags before.';
    assert.ok(linesOf(again).includes(nothing), again.output);
    assert.ok((await readSummary(again)).replaceAll('\\', '').includes(nothing));
  });

  it('says of what is new in the fresh plan that nobody approved it', async () => {
    await buildAndDelete(1);
    await plan();
    await cleaning.build({ id: 600, repositories: ['shop/api'] });
    cleaning.clock.advance(2 * day);
    cleaning.devOps.world.deleteBuild(600);
    const outcome = await apply();
    assertSucceeded(outcome);
    const said = 'The approved step is done. 1 more of the fresh plan was not approved and stays.';
    assert.ok(linesOf(outcome).includes(said), outcome.output);
  });

  it('says why it did nothing where nobody had to approve', async () => {
    await buildAndDelete(1);
    assertSucceeded(await cleaning.clean({ mode: 'plan-and-apply' }));
    const outcome = await cleaning.clean({ mode: 'plan-and-apply' });
    assertSucceeded(outcome);
    const said = 'Nothing was to go yet: 1 image waits for the end of the grace.';
    assert.ok(linesOf(outcome).includes(said), outcome.output);
    assert.ok((await readSummaries(outcome)).at(-1)?.replaceAll('\\', '').includes(said));
  });

  it('tells in one line what stays for one reason, however much that is', async () => {
    await buildAndDelete(22);
    cleaning.prod.faults.add({ operation: 'oci.catalog.list' }, { kind: 'status', status: 403 });
    const outcome = await cleaning.clean({ mode: 'plan-and-apply' });
    assertFailed(outcome, /^Nothing may be deleted, because the repositories of prod were not read: /);
    const lines = linesOf(outcome).filter(line => / stays?: /.test(line));
    assert.equal(lines.length, 1, lines.join('\n'));
    assert.match(lines[0] ?? '', /^ci: 22 images stay: the repositories of prod were not read: /);
    const page = (await readSummaries(outcome)).at(-1) ?? '';
    assert.match(
      page,
      /#### Stays\n\n\| Registry .*\n.*\n\| ci \| 22 images \| the repositories of prod were not read/,
    );
    assert.doesNotMatch(page, /in the log/);
  });
});

function image(digit: string): string {
  return `web@sha256:${digit.repeat(64)}`;
}

function keep(subject: string, reason: string, registry = 'ci'): CleanItem {
  return { registry, build: undefined, subject, outcome: 'kept', reason };
}

describe('the lines of CleanImages on what stays', () => {
  it('are one for each reason, with what it keeps and where, the most first', () => {
    const lines = groupKept([
      keep(image('a'), 'it runs.'),
      keep(image('b'), 'x was not read'),
      keep(image('b'), 'x was not read', 'prod'),
      keep('build 7', 'x was not read'),
      keep('build 8', 'x was not read'),
      { ...keep(image('c'), 'x was not read'), outcome: 'failed' },
    ]);
    assert.deepEqual(lines.map(tellKept), [
      'ci, prod: 2 images stay: x was not read',
      'ci: 2 builds stay: x was not read',
      `ci: ${image('a')} stays: it runs`,
    ]);
  });

  it('name an image that several builds made once', () => {
    const lines = groupKept([keep(image('a'), 'it runs'), keep(image('a'), 'it runs'), keep(image('a'), 'it is new')]);
    assert.deepEqual(lines.map(tellKept), [`ci: ${image('a')} stays: it runs`, `ci: ${image('a')} stays: it is new`]);
  });
});

describe('what CleanImages says of approved steps', () => {
  const { facts, plan } = makeSample();
  const whole = makeCleanPlan(facts, plan, { grace: day, registries: [] });
  const [one, two] = whole.deletions;
  assert.ok(one && two);
  const fresh: CleanPlan = { ...whole, deletions: [one, two], waiting: [] };
  const report: CleanReport = { items: [], freedBytes: 0, braked: [], stopped: [], failures: [] };
  const say = (approved: CleanPlan, now: CleanPlan, told: Partial<CleanReport> = {}) =>
    describeSteps(approved, { fresh: now, images: plan.images }, { ...report, ...told });

  it('calls none of them done where something failed, was held, or was not begun', () => {
    const { registry, repository, digest } = one;
    const item = { registry, build: undefined, subject: `${repository}@${digest}`, reason: 'it moved' };
    assert.equal(say(fresh, fresh), 'All 2 approved steps are done.');
    for (const told of [
      { items: [{ ...item, outcome: 'kept' as const }] },
      { items: [{ ...item, subject: 'project x', outcome: 'failed' as const }] },
      { failures: ['x'] },
      { braked: ['x'] },
      { stopped: ['x'] },
    ]) {
      assert.match(
        say(fresh, fresh, told),
        /^All 2 approved steps are in a fresh plan as well, and what of that could /,
      );
    }
  });

  it('does not call done what is not seen any more: it may not have been looked at', () => {
    const absent = { ...one, digest: two.digest, repository: 'not/there' };
    assert.equal(
      say({ ...fresh, deletions: [absent] }, { ...fresh, deletions: [] }),
      'The approved step is not done, because a fresh plan no longer has it. Of these, 1 is no longer among what was looked at.',
    );
  });
});
