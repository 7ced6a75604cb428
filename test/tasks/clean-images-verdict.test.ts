import assert from 'node:assert/strict';
import type { CleanItem, CleanReport } from '../../core/lifecycle/cleaning/clean-report.ts';
import type { NotRead } from '../../core/lifecycle/cleaning/not-read.ts';
import type { LetGo } from '../../tasks/CleanImages/let-go.ts';
import { describeOutcome } from '../../tasks/CleanImages/outcome-page.ts';
import { concludeCleaning, concludeLook } from '../../tasks/CleanImages/verdict.ts';
import { forgeries } from './forging.ts';

const allRead: NotRead = { everything: [], some: [] };
const nothing: CleanReport = { items: [], freedBytes: 0, braked: [], stopped: [], failures: [] };

function item(outcome: CleanItem['outcome'], reason = 'the build is deleted'): CleanItem {
  return { registry: 'ci', build: undefined, subject: `web@sha256:${'a'.repeat(64)}`, outcome, reason };
}

function letGo(step: LetGo['step'], ...tags: string[]): LetGo {
  const { registry, subject, reason } = item('deleted');
  return { registry, subject, step, tags, build: '7 of Shop', reason };
}

describe('the verdict of CleanImages', () => {
  it('is whole success where all was read and done', () => {
    assert.equal(concludeLook(allRead), undefined);
    assert.equal(concludeCleaning({ ...nothing, items: [item('released'), item('kept')] }, allRead), undefined);
  });

  it('names what was not read where the step only looked, and says how much stays', () => {
    const everything = ['a was not read: 403', 'b was not read: 401', 'c was not read: 500', 'd was not read.'];
    assert.deepEqual(concludeLook({ everything, some: ['the branches of x were not read: 404'] }), {
      issues:
        'Everything stays, because a was not read: 403; b was not read: 401; c was not read: 500; and 1 more. Some images stay, because the branches of x were not read: 404.',
    });
    assert.deepEqual(concludeLook({ everything: [], some: ['y'] }), { issues: 'Some images stay, because y.' });
  });

  it('is a failure where nothing may be deleted, but not where only some images stay', () => {
    assert.throws(() => concludeCleaning(nothing, { everything: ['what aks runs was not read: 403'], some: [] }), {
      code: 'NOT_CLEANED',
      message: 'Nothing may be deleted, because what aks runs was not read: 403.',
    });
    assert.deepEqual(concludeCleaning(nothing, { everything: [], some: ['y'] }), {
      issues: 'Some images stay, because y.',
    });
  });

  it('is a failure where the brake stopped it, whatever else there is, and says what to do', () => {
    const report = { ...nothing, braked: ['ci: 500 images within 24 hours'], failures: ['prod: it did not answer.'] };
    assert.throws(() => concludeCleaning(report, { everything: ['z'], some: [] }), {
      code: 'BRAKE',
      message:
        /^The brake stopped it: ci: 500 images within 24 hours\. Look at the plan: .*mode apply.*raise brake.*1 thing could not be done: prod: it did not/s,
    });
  });

  it('is a failure where one thing failed', () => {
    assert.throws(() => concludeCleaning({ ...nothing, items: [item('deleted'), item('failed', 'a 500')] }, allRead), {
      code: 'NOT_CLEANED',
      message: /^1 thing could not be done: ci: web@sha256:a{64} could not be dealt with: a 500\.$/,
    });
  });

  it('succeeds with issues where the time was over', () => {
    assert.deepEqual(concludeCleaning({ ...nothing, stopped: ['ci: 3 of 10 builds were looked at'] }, allRead), {
      issues: 'The time was over: ci: 3 of 10 builds were looked at. The next run goes on.',
    });
  });
});

describe('the page of what CleanImages did', () => {
  it('counts by registry, shows twenty of each, and says how many more there are', () => {
    const kept = Array.from({ length: 25 }, (_, at) => ({ ...item('kept', `reason ${at}`), registry: 'prod' }));
    const page = describeOutcome({
      planHash: 'f'.repeat(64),
      isApproved: true,
      steps: 'Two of them are done.',
      report: { ...nothing, items: [item('deleted'), item('released'), ...kept], freedBytes: 2_000_000 },
      letGo: [letGo('deleted'), letGo('released', '1', '1-x')],
      unread: { everything: [], some: ['the branches of g were not read'] },
    });
    assert.match(
      page,
      /^### Cleaned by the approved plan `f{12}`\n\nTwo of them are done\\\.\n\nTook 1 tag off 1 image and deleted 1 image \(2\.0 MB at most\); 25 of /,
    );
    assert.match(page, /\| ci \| 1 \| 1 \| 0 \| 0 \|\n\| prod \| 0 \| 0 \| 25 \| 0 \|/);
    assert.match(page, /reason 19 \|\n\nAnd 5 more, in the log\./);
    assert.match(page, /#### Not read, so some images stay\n\n- the branches of g were not read/);
  });

  it('lets no text break out of its cell or its line', () => {
    for (const text of [...forgeries, '| a |\n# title', '<img src=x onerror=alert(1)>', '[x](javascript:1)', '`|`']) {
      const report = {
        ...nothing,
        items: (['failed', 'kept'] as const).map(outcome => ({
          ...item(outcome, text),
          subject: text,
          registry: text,
        })),
        failures: [text],
      };
      const page = describeOutcome({
        planHash: 'a'.repeat(64),
        isApproved: false,
        steps: text,
        report,
        letGo: [{ ...letGo('released', text), registry: text, subject: text, build: text }],
        unread: { everything: [text], some: [] },
      });
      const lines = page.split(/\r\n|[\n\r\u2028\u2029\u0085]/).filter(Boolean);
      assert.equal(lines.length, 22, page);
      assert.ok(
        lines.every(
          line =>
            !/^\s*(?:##vso|<|\[)/.test(line) &&
            !line.replace(/`[^`]*`/g, '').includes('<img') &&
            !/##(?:vso)?\[/i.test(line),
        ),
        page,
      );
      const cells = lines.filter(line => line.startsWith('|')).map(line => line.match(/(?<!\\)\|/g)?.length);
      assert.deepEqual(cells, [6, 6, 6, 4, 4, 4, 5, 5, 5, 4, 4, 4], page);
    }
  });
});
