/** The report of CleanImages: what stands on it, and that no text of others becomes more than text. */
import { deepEqual, equal, match, ok } from 'node:assert/strict';
import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { type Audit, auditEstate } from '../../core/lifecycle/cleaning/audit.ts';
import { type CleanPlan, makeCleanPlan, type PlannedDeletion } from '../../core/lifecycle/cleaning/clean-plan.ts';
import { type Drift, findDrift } from '../../core/lifecycle/cleaning/drift.ts';
import { listUnparsed } from '../../core/lifecycle/cleaning/not-read.ts';
import type { Digest } from '../../core/oci/digest.ts';
import { makeReport, type Report, type ReportContent } from '../../tasks/CleanImages/report.ts';
import { makeSample } from '../core/lifecycle/cleaning/sample-estate.ts';
import { forgeries } from './forging.ts';

const day = 86_400_000;
const at = '2026-06-01T12:00:00.000Z';

/** Everything that a report can tell, with one text wherever a text stands. */
function contentOf(said: string): ReportContent {
  const [digest, build] = [said as Digest, { organization: said, project: said, id: 1 }];
  const group = { name: said, images: 1, bytes: 5, ownBytes: 4, leaving: 1, freedBytes: 2 };
  const image = { registry: said, repository: said, digest, tags: [said, said, said, said] };
  const audited = { ...image, bytes: 3, pushedAt: 0, owner: 'gone' as const, isLeaving: true };
  const deletion = {
    ...image,
    mediaType: said,
    size: 1,
    builds: [build],
    cause: 'build' as const,
    reasons: [said, said],
  };
  return {
    scope: said,
    answers: [{ subject: said, lines: [said, said] }],
    partly: [said, said],
    takenTags: new Map([[`${said}/${said}@${said}`, [said, said]]]),
    plan: {
      schema: 1,
      hash: said,
      madeAt: at,
      registries: [{ name: said, host: said }],
      organizations: [said],
      deletions: [
        { ...deletion, step: 'untag' },
        { ...deletion, tags: [], step: 'delete' },
      ],
      waiting: [
        { ...deletion, dueAt: at },
        { ...deletion, dueAt: null },
      ],
      kept: { images: 1, reasons: [{ because: 'it runs', images: 1 }] },
      unread: [said, said],
      unparsed: [said],
    },
    audit: {
      at,
      total: group,
      registries: [group, group],
      teams: [group],
      repositories: [{ ...group, registry: said }],
      owners: [
        { ...group, owner: 'gone' },
        { ...group, owner: 'living' },
      ],
      ages: [
        { name: said, bytes: 1 },
        { name: said, bytes: 2 },
      ],
      causes: [{ cause: 'build', images: 1 }],
      biggest: [audited],
      oldest: [audited],
      knowsUsage: false,
      assumptions: [said],
      unread: [said],
      unparsed: [said],
    },
    drift: {
      missing: [{ image: said, cluster: said, usedBy: [said, said], reason: said }],
      brokenReleases: [{ cluster: said, namespace: said, name: said, revisions: [2, 1], image: said }],
      lostImages: [{ registry: said, build, images: [{ repository: said, digest }] }],
      strayImages: [{ registry: said, repository: said, images: 1 }],
      lockedForEver: [{ ...image, lockedTags: [said] }],
      idleLeases: [{ build, ownerId: said, createdOn: at, pipeline: 'gone' }],
      unparsed: [said],
      unread: [said],
    },
  };
}

/** The tags of a page in order, each with its attributes' names. Throws where something is neither text nor a tag. */
function tagsOf(page: string): string[] {
  const [head = '', rest = ''] = page.split(/<style>[^<]*<\/style>/);
  const tag = /<(!doctype html|\/?[a-z][a-z0-9]*)((?: [a-zA-Z][a-zA-Z0-9-]*="[^"<>]*")*) ?\/?>/g;
  const text = `${head}${rest}`;
  equal(/[<>]/.exec(text.replace(tag, ''))?.[0], undefined, 'something is neither text nor a tag');
  return [...text.matchAll(tag)].map(([, name, attributes = '']) => `${name} ${attributes.replace(/="[^"]*"/g, '')}`);
}

/** What Markdown makes of a page: its blocks and cells, without what is in code. Throws where something is not escaped. */
function shapeOf(markdown: string): string[] {
  const fence = /^(`{3,})text$\n[\s\S]*?^\1$/gm;
  return markdown
    .replace(fence, 'lines')
    .split('\n')
    .map(line => {
      const [, start = '', rest = ''] = /^((?:#{3,4} |- |\*\*(?=.*\*\*)|\| )?)(.*)$/.exec(line) ?? [];
      // From left to right, as a reader does: an escaped backtick begins no code, and in code nothing is escaped.
      const bare = rest.replace(/\\[\\`*_{}[\]()#+\-.!|~:@]|`[^`]*`/g, '');
      equal(/[<>[\]_{}`@]/.exec(bare)?.[0], undefined, `not escaped in: ${line}`);
      return `${start}${bare.split('|').length}`;
    });
}

const hostile = [
  ...forgeries,
  '<script>alert(1)</script>',
  '"><img src=x onerror=alert(1)>',
  "' onload='alert(1)",
  '</title></svg></style><style>*{display:none}</style>',
  '</pre></td></table><h1>Approved</h1>',
  '-->]]>&lt;b&gt;&#60;b&#62;',
  '[click](https://evil.example) ![](https://evil.example/x.png) <https://evil.example>',
  '| a | b |\n| --- | --- |\n# Approved',
  '```\n# Approved\n```` ````` ~~~',
  '`code` **bold** __bold__ ~~gone~~ \\',
  '#|#vso[task.complete result=Failed]',
  '#`#vso[task.complete result=Failed]',
  '\u202eexe.tsil\u202c\u2066',
  'x'.repeat(5000),
];

describe('the report of CleanImages', () => {
  const [tags, shape] = [tagsOf(makeReport(contentOf('x')).html), shapeOf(makeReport(contentOf('x')).markdown)];

  function assertHarmless(said: string): void {
    // In front of it stands what is there in any case: an empty name is no code.
    const { html, markdown } = makeReport(contentOf(`x${said}`));
    deepEqual(tagsOf(html), tags);
    deepEqual(shapeOf(markdown), shape);
    for (const page of [html, markdown]) {
      const seen = page.replace(/[\p{Cf}\p{Default_Ignorable_Code_Point}]/gu, '');
      equal(/##\s*(?:vso)?\s*\[/i.exec(seen)?.[0], undefined);
      equal(/[\u202a-\u202e\u2066-\u2069]/.exec(page)?.[0], undefined);
    }
  }

  for (const said of hostile) {
    it(`shows as text ${JSON.stringify(said.slice(0, 60))}`, () => assertHarmless(said));
  }

  it('shows as text whatever things are called', () => {
    const parts = fc.constantFrom(
      '<',
      '>',
      '"',
      "'",
      '&',
      '`',
      '```',
      '|',
      '\\',
      '\n',
      '#',
      '##vso[',
      '](',
      '*',
      '-->',
      '\u200b',
      'a',
      ' ',
    );
    fc.assert(
      fc.property(fc.array(parts, { maxLength: 12 }), said => assertHarmless(said.join(''))),
      { numRuns: 150 },
    );
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 60 }), said => assertHarmless(said)),
      { numRuns: 50 },
    );
  });

  it('ends no block of lines where one of them looks like its end', () => {
    const { markdown } = makeReport({
      scope: 'x',
      answers: [{ subject: 'web:1', lines: ['```', '`````', '# Approved'] }],
    });
    ok(markdown.includes('``````text\n```\n`````\n# Approved\n``````\n'), markdown);
  });

  it('lets a browser load and run nothing, but for its own style', () => {
    const { html } = makeReport(contentOf('x'));
    const [, style = ''] = /<style>([\s\S]*?)<\/style>/.exec(html) ?? [];
    const hash = createHash('sha256').update(style).digest('base64');
    ok(html.includes(`content="default-src 'none'; style-src 'sha256-${hash}'; base-uri 'none'; form-action 'none'"`));
    deepEqual(/<(script|link|img|iframe|object|form|a)\b|\b(style|src|href|on[a-z]+)=|url\(|@import/.exec(html), null);
  });

  it('names each chart, and describes it, for those who do not see it', () => {
    const { html } = makeReport(contentOf('x'));
    const charts = [...html.matchAll(/<svg viewBox="[^"]+" role="img" aria-labelledby="(\S+) (\S+)">/g)];
    equal(charts.length, html.split('<svg').length - 1);
    ok(charts.length >= 4);
    for (const [, title, description] of charts) {
      for (const id of [title, description]) equal(html.split(` id="${id}"`).length, 2);
    }
  });
});

/** A sample, looked at. */
function lookAtSample(): { readonly audit: Audit; readonly plan: CleanPlan; readonly drift: Drift } {
  const { facts, plan, inventory } = makeSample();
  const registries = ['ci', 'qa', 'prod'].map(name => ({
    name,
    host: `contoso${name}.azurecr.io`,
    repositories: ['*'],
  }));
  return {
    audit: auditEstate(facts, plan, inventory),
    plan: makeCleanPlan(facts, plan, { grace: day, registries: [] }),
    drift: findDrift(facts, plan, { registries }),
  };
}

describe('the report of an estate with three registries and forty repositories', () => {
  const scope = 'Three registries.';
  let audit: Audit;
  let plan: CleanPlan;
  let audited: Report;
  let planned: Report;
  before(() => {
    const sample = lookAtSample();
    ({ audit, plan } = sample);
    audited = makeReport({ audit, drift: sample.drift, scope });
    planned = makeReport({ plan, drift: sample.drift, scope });
  });

  it('begins with what there is, and what would become free', () => {
    match(
      audited.markdown,
      /^### What lies in the registries\n\nThree registries\\\. As of 2026\\-06\\-01 12\\:00 UTC\\\./,
    );
    match(audited.markdown, /\*\*163\.1 GB\*\* in 3 registries · \*\*1,694\*\* images/);
    match(audited.html, /<strong>28\.1 GB<\/strong><span>would become free \(17\u00a0%\)<\/span>/);
  });

  it('draws bars as long as what they stand for', () => {
    const [, chart = ''] = audited.html.split('<figcaption>Bytes by team</figcaption>');
    const [, first = ''] = chart.split('<g>');
    const [stays, frees] = [...first.matchAll(/<rect class="(\w+)" x="([\d.]+)" y="0" width="([\d.]+)"/g)].map(each =>
      each.slice(1),
    );
    const [search] = audit.teams;
    ok(search);
    const room = 900 - 250 - 260;
    const long = Math.round((1 - search.freedBytes / search.bytes) * room * 100) / 100;
    deepEqual(stays, ['stays', '250', String(long)]);
    deepEqual(frees, [
      'frees',
      String(Math.round((250 + long) * 100) / 100),
      String(Math.round((room - long) * 100) / 100),
    ]);
  });

  it('shows twenty rows on the tab, five hundred in a browser, and says where the others are', () => {
    const rows = planned.markdown.split('**Image by image**')[1]?.split('\n\n')[1]?.split('\n') ?? [];
    equal(rows.length, 2 + 20);
    match(planned.markdown, new RegExp(`And ${plan.deletions.length - 20} more in plan\\\\.json\\.`));
    const [, table = ''] = planned.html.split('<caption>Image by image</caption>');
    equal(table.split('</table>')[0]?.split('<tr>').length, 1 + 1 + 500);
    match(table, new RegExp(`And ${plan.deletions.length - 500} more in plan\\.json\\.`));
  });

  it('tells what is deleted before what only loses its tags, and the hash to approve it by', () => {
    const steps = [...planned.html.matchAll(/<td class="text">(deleted|tags\u00a0off)<\/td>/g)].map(each => each[1]);
    deepEqual(
      [...steps].sort((one = '', other = '') => (one < other ? -1 : 1)),
      steps,
    );
    match(planned.markdown, new RegExp(`\`\`\`text\n${plan.hash}\n\`\`\``));
  });

  it('tells of the build of an image that goes before anything else that lets it go', () => {
    const reasons = [
      'it has no tag, and was last changed at 2026-05-01T00:00:00.000Z',
      'its build 9 of Shop is deleted',
    ];
    const deletions = plan.deletions.slice(0, 1).map(each => ({ ...each, reasons }));
    const { markdown, html } = makeReport({ plan: { ...plan, deletions }, scope });
    for (const page of [markdown, html]) match(page, /its build 9 of Shop is deleted, and 1 more/);
  });

  it('says that nothing becomes free yet, where images only lose their tags', () => {
    const deletions = plan.deletions.filter(({ step }) => step === 'untag');
    const { markdown, html } = makeReport({ plan: { ...plan, deletions }, scope });
    match(markdown, /\*\*0\*\* are deleted, which nothing brings back · \*\*0 bytes\*\* become free at most/);
    match(html, /<strong>0 bytes<\/strong><span>become free at most/);
  });

  it('has no heading on the tab that stands over charts alone', () => {
    match(audited.html, /<h2>How old it is<\/h2>/);
    for (const { markdown } of [audited, planned])
      equal(/^####[^\n]*\n\n(?=####)|^####[^\n]*\n*$(?![^])/m.exec(markdown)?.[0], undefined);
  });

  it('tells what runs and could not start again', () => {
    for (const page of [audited.html, planned.html]) {
      match(
        page,
        /contosoprod\.azurecr\.io\/payments\/ledger:20000<\/code><\/td>.*prod\/payments\/ledger has no tag &quot;20000&quot;/,
      );
    }
  });

  it('says first that nothing goes, where something was not read', () => {
    const unread = ['what aks runs was not read: 403'];
    for (const page of [
      makeReport({ plan: { ...plan, unread }, scope }),
      makeReport({ audit: { ...audit, unread }, scope }),
    ]) {
      const at = page.markdown.indexOf('what aks runs was not read\\: 403');
      ok(at > 0 && at < page.markdown.indexOf('GB'), page.markdown.slice(0, 500));
      ok(page.html.indexOf('what aks runs was not read: 403') < page.html.indexOf('class="figures"'));
    }
  });

  it('names what holds some images only, and a reference of what runs once', () => {
    const unparsed = ['{{ image }}'];
    const partly = ['the branches of x were not read: 403', ...listUnparsed({ unparsed })];
    for (const { markdown, html } of [
      makeReport({ plan: { ...plan, unparsed }, partly, scope }),
      makeReport({ audit: { ...audit, unparsed }, partly, scope }),
    ]) {
      equal(markdown.split('the branches of x were not read\\: 403').length, 2);
      equal(html.split('the branches of x were not read: 403').length, 2);
      equal(html.split('{{ image }}').length, 2);
    }
  });

  it('is no longer than the agent takes, however much there is', () => {
    const long = 'x'.repeat(2000);
    const [deletion] = plan.deletions;
    ok(deletion);
    const many: PlannedDeletion[] = Array.from({ length: 20_000 }, (_, at) => ({
      ...deletion,
      repository: `${long}${at}`,
      reasons: [long],
    }));
    const lines = Array.from({ length: 5000 }, () => long);
    const answers = Array.from({ length: 100 }, () => ({ subject: long, lines }));
    const sentences = Array.from({ length: 1000 }, () => long);
    const { markdown } = makeReport({
      plan: { ...plan, deletions: many, unread: sentences, unparsed: sentences },
      audit,
      answers,
      partly: sentences,
      scope: long,
    });
    ok(Buffer.byteLength(markdown) < 1024 * 1024, `${Buffer.byteLength(markdown)} bytes`);
    match(markdown, /Why the others stay/);
  });
});
