/** What stands on the report of CleanImages for one who decides by it. */
import { deepEqual, equal, match, ok } from 'node:assert/strict';
import { auditEstate } from '../../core/lifecycle/cleaning/audit.ts';
import { makeCleanPlan } from '../../core/lifecycle/cleaning/clean-plan.ts';
import { formatBytes } from '../../tasks/agent/markdown.ts';
import { makeReport } from '../../tasks/CleanImages/report.ts';
import { makeSample } from '../core/lifecycle/cleaning/sample-estate.ts';

const day = 86_400_000;
const scope = 'Three registries.';
const sample = makeSample();

describe('the report of CleanImages, for one who decides by it,', () => {
  const audit = auditEstate(sample.facts, sample.plan, sample.inventory);
  const plan = makeCleanPlan(sample.facts, sample.plan, { grace: day, registries: [] });
  const audited = makeReport({ audit, scope });

  it('says beside a bar how much of it would go', () => {
    const [search] = audit.teams;
    ok(search);
    const [whole, part] = [search.bytes, search.freedBytes].map(formatBytes);
    ok(audited.html.includes(`>${whole}, of which ${part} would go</text>`));
  });

  it('says of what would become free that it is no more than that, where nobody told what runs', () => {
    match(makeReport({ audit: { ...audit, knowsUsage: false }, scope }).markdown, /would become free at most \\\(17/);
    match(audited.markdown, /would become free \\\(17/);
  });

  it("says on the tab that the browser's page has more, and whose an image is", () => {
    match(audited.markdown, /\nAnd 19 more in report\\\.html\.\n/);
    equal(audited.markdown.includes('not shown'), false);
    match(audited.markdown, /\| Whose \| Bytes \| Share \|/);
    match(audited.markdown, /\| Pushed \| Whose \| Plan \|/);
    const many = Array.from({ length: 620 }, () => audit.biggest)
      .flat()
      .slice(0, 620);
    const long = makeReport({ audit: { ...audit, biggest: many }, scope });
    match(long.markdown, /\nAnd 600 more, 480 of them in report\\\.html\.\n/);
    match(long.html, /And 120 more not shown\./);
  });

  it('answers a question behind what was not read and the figures, and before what goes', () => {
    const answers = [{ subject: 'web:1', lines: ['it stays'] }];
    const unread = ['what aks runs was not read: 403'];
    for (const page of [
      makeReport({ plan: { ...plan, unread }, answers, scope }),
      makeReport({ audit: { ...audit, unread }, answers, scope }),
    ]) {
      const at = ['what aks runs was not read', 'class="figures"', '<h2>Why web:1</h2>', '<table>'].map(each =>
        page.html.indexOf(each),
      );
      ok(!at.includes(-1));
      deepEqual(
        at,
        [...at].sort((one, other) => one - other),
      );
    }
  });

  it('names what is deleted by the tags that came off it', () => {
    const [image] = plan.deletions.map(each => ({ ...each, tags: [], step: 'delete' as const }));
    ok(image);
    const key = `${image.registry}/${image.repository}@${image.digest}`;
    const of = (...names: string[]) =>
      makeReport({ plan: { ...plan, deletions: [image] }, takenTags: new Map([[key, names]]), scope });
    match(of('500', 'web-500').html, />was: 500, web-500</);
    match(of('500', 'web-500').markdown, /\| was\\: 500, web\\-500 \| deleted \|/);
    match(of('1', '2', '3', '4').html, />was: 1, 2, 3 and 1 more</);
  });

  it('calls for no approval of a plan that lets nothing go', () => {
    const nothing = { ...plan, deletions: [], waiting: [] };
    for (const page of Object.values(makeReport({ plan: nothing, scope }))) {
      match(page, /Nothing is to go\\?\./);
      equal(/approved by/.test(page), false);
    }
    for (const page of Object.values(makeReport({ plan: { ...plan, deletions: [] }, scope }))) {
      match(page, /Nothing is to go yet\\?\./);
    }
  });
});

describe('the report of registries with nothing in them', () => {
  const { facts } = sample;
  const empty = facts.registries.map(each => ({ ...each, repositories: { kind: 'whole' as const, items: [] } }));
  const auditOf = (registries: typeof facts.registries, unread: readonly string[] = []) =>
    makeReport({
      audit: auditEstate({ ...facts, registries }, { images: [], unread, unparsed: [], hash: '' }),
      scope: 'x.',
    });

  it('counts those that were looked at, says that they are empty, and draws nothing', () => {
    const { html, markdown } = auditOf(empty);
    match(markdown, /\*\*0 bytes\*\* in 3 registries/);
    match(markdown, /\n\nThere is nothing in them\\\.\n\n/);
    equal(html.includes('<svg'), false);
  });

  it('counts no registry that was not read, and does not call it empty', () => {
    const reason = { kind: 'unread' as const, reason: '403' };
    const [first, ...others] = empty;
    ok(first);
    const { markdown } = auditOf([{ ...first, repositories: reason }, ...others], ['ci was not read: 403']);
    match(markdown, /\*\*0 bytes\*\* in 2 registries/);
    equal(markdown.includes('There is nothing'), false);
  });
});
