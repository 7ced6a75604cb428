/** The keys `keep`, `delete` and `usage`: what is read, and that every fault is told at once, each where it is. */
import { deepEqual, equal, match } from 'node:assert/strict';
import { parse } from 'yaml';
import { z } from 'zod';
import { parseNamePattern } from '../../../../core/lifecycle/keep-policy/name-pattern.ts';
import { deleteSchema, keepSchema, usageSchema } from '../../../../core/lifecycle/keep-policy/policy-schema.ts';

const schema = z.strictObject({ keep: keepSchema, delete: deleteSchema, usage: usageSchema.optional() });
const hour = 3_600_000;

/** Patterns as they were written. */
function plain(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value, (key, each: unknown) => (key === 'isWhole' ? undefined : each))) as unknown;
}

function faultsOf(text: string): string[] {
  const read = schema.safeParse(parse(text));
  return read.success ? [] : read.error.issues.map(issue => `${issue.path.join('.')} ${issue.message}`);
}

describe('the policy', () => {
  it('is read with its durations in milliseconds', () => {
    const text = `
      keep:
        deployed: true
        helmRevisions: 10
        tags: ["v*", "latest"]
        references:
          - {branch: "/^(main|release\\\\/.*)$/", images: {last: 10}}
          - {branch: "*", images: {last: 2, in: 168h, operator: And}, activeWithin: 168h, limit: 10}
          - {pullRequest: active, images: {last: 2}}
          - {tag: "*", limit: 10}
        newerThan: 2h
      delete:
        untagged: {olderThan: 24h}
        withoutRecord: {tagsMatching: "/^\\\\d+$/", definitions: [12, 13]}
      usage: {report: required, maxAge: 24h}`;
    const all = { last: -1, operator: 'And' };
    deepEqual(plain(schema.parse(parse(text))), {
      keep: {
        deployed: true,
        helmRevisions: 10,
        tags: [{ text: 'v*' }, { text: 'latest' }],
        references: [
          { kind: 'branch', pattern: { text: '/^(main|release\\/.*)$/' }, images: { last: 10, operator: 'And' } },
          {
            kind: 'branch',
            pattern: { text: '*' },
            images: { last: 2, in: 168 * hour, operator: 'And' },
            activeWithin: 168 * hour,
            limit: 10,
          },
          { kind: 'pullRequest', images: { last: 2, operator: 'And' } },
          { kind: 'tag', pattern: { text: '*' }, images: all, limit: 10 },
        ],
        newerThan: 2 * hour,
      },
      delete: {
        untagged: { olderThan: 24 * hour },
        withoutRecord: { tagsMatching: { text: '/^\\d+$/' }, definitions: [12, 13] },
      },
      usage: { report: 'required', maxAge: 24 * hour },
    });
  });

  it('left out keeps what runs, ten revisions, what people work on and the last day, and deletes no more than it must', () => {
    const { keep, delete: gone } = schema.parse({});
    deepEqual(
      { ...keep, references: keep.references.map(each => `${each.kind} ${each.pattern?.text ?? ''}`) },
      {
        deployed: true,
        helmRevisions: 10,
        tags: [],
        references: ['branch /^(main|master|staging|production|release\\/.*)$/', 'branch *', 'pullRequest ', 'tag *'],
        newerThan: 24 * hour,
      },
    );
    deepEqual(gone, { withoutRecord: 'keep' });
    equal(schema.parse({ keep: { deployed: false } }).keep.helmRevisions, undefined);
    equal(schema.parse({ keep: { deployed: false, helmRevisions: 3 } }).keep.helmRevisions, 3);
    equal(schema.parse({ keep: { deployed: true, helmRevisions: 'none' } }).keep.helmRevisions, undefined);
  });

  it('tells every fault at once', () => {
    const text = `
      keep:
        deployed: yes please
        helmRevisions: -2
        tags: ["a[b", "*a*b*c*d*e"]
        references:
          - {branch: main, tag: "v*", images: {lst: 3, operator: Or, last: 1.5}}
          - {limit: 0}
          - {branch: "/(a/", images: {in: 2 h}}
          - {pullRequest: completed}
        newerThan: 24
        older: 3
      delete: {untagged: {olderThan: 1m}, withoutRecord: {tagsMatching: "/\\\\d+/", definitions: []}}
      usage: {report: optional, maxAge: 31d}`;
    const faults = faultsOf(text);
    const expected = [
      'keep.deployed must be true or false',
      'keep.helmRevisions must be none, or a whole number, at least -1',
      'keep.tags.0 must be a glob, and holds what no name can',
      'keep.tags.1 must have at most 4 *',
      'keep.references.0.images.last must be a whole number',
      'keep.references.0.images Unrecognized key: "lst"',
      'keep.references.0.images.operator joins last and in, so it needs both',
      'keep.references.0 must have one of branch, tag and pullRequest',
      'keep.references.1.limit must be a whole number, at least 1',
      'keep.references.1 must have one of branch, tag and pullRequest',
      'keep.references.2.branch must be a regular expression of the kind that is known here: it does not close a group',
      'keep.references.2.images.in must be a whole number and a unit',
      'keep.references.3.pullRequest must be active',
      'keep.newerThan must be a whole number and a unit',
      'keep Unrecognized key: "older"',
      'delete.untagged.olderThan must be at least 1h and at most 3650d',
      'delete.withoutRecord.tagsMatching must be a glob, or an expression from ^ to $',
      'delete.withoutRecord.definitions must name at least one definition',
      'usage.report must be required',
      'usage.maxAge must be at least 1m and at most 30d',
    ];
    deepEqual(
      expected.filter(each => !faults.some(fault => fault.startsWith(each))),
      [],
      faults.join('\n'),
    );
    equal(faults.length, expected.length, faults.join('\n'));
  });

  it('says of withoutRecord what may stand there', () => {
    const why = 'delete.withoutRecord must be keep, or a block with both tagsMatching and definitions';
    deepEqual(faultsOf('delete: {withoutRecord: drop}'), [why]);
    deepEqual(faultsOf('delete: {withoutRecord: {tagsMatching: "*"}}'), [why]);
  });
});

describe('a pattern that matches no name', () => {
  const branch = 'never matches: the name of a branch stands without refs/heads/, such as main';
  const tag = 'never matches: the name of a tag stands without refs/tags/, such as v1.0';
  const git = /^never matches: names in git do not begin with/;
  const image = /^never matches: a tag of an image is letters, digits/;
  const inImage = 'never matches: a tag of an image does not begin with refs/';
  type Refused = readonly (readonly [pattern: string, why: string | RegExp])[];
  const refused: Readonly<Record<'branch' | 'tag' | 'imageTag', Refused>> = {
    branch: [
      ['refs/heads/main', branch],
      ['refs/pull/*', branch],
      ['/^refs\\/heads\\/(main|release\\/.*)$/', branch],
      ['/^(refs\\/heads\\/main|refs\\/heads\\/dev)$/', branch],
      ['/^refs/heads/main$|^refs/heads/dev$/', branch],
      ['/(?:^refs\\/heads\\/)main/', branch],
      ['feature/', git],
      ['release/.*', git],
      ['.*', git],
      ['a//b', git],
      ['a..b', git],
      ['main.lock', git],
      [' main', /^must be a glob, and holds what no name can/],
      ['main ', /^must be a glob, and holds what no name can/],
      ['', 'must not be empty'],
    ],
    tag: [
      ['refs/tags/*', tag],
      ['/^refs\\/tags\\/v/', tag],
      ['v1.', git],
    ],
    imageTag: [
      ['refs/tags/v*', inImage],
      ['/^refs\\/tags\\/v.*$/', inImage],
      ['/refs\\/tags\\/v/', inImage],
      ['release/*', image],
      ['v1+build', image],
      ['v*,latest', image],
      ['-rc', image],
      ['.*', image],
      ['ä*', image],
      ['', 'must not be empty'],
    ],
  };
  const places = { branch: 'keep.references.0.branch', tag: 'keep.references.0.tag', imageTag: 'keep.tags.0' };
  const faultOf = (kind: keyof typeof places, pattern: string): string[] => {
    const keep = kind === 'imageTag' ? { tags: [pattern] } : { references: [{ [kind]: pattern }] };
    return faultsOf(JSON.stringify({ keep }));
  };
  for (const kind of ['branch', 'tag', 'imageTag'] as const) {
    for (const [pattern, why] of refused[kind]) {
      it(`is refused where it is for ${places[kind]}: ${JSON.stringify(pattern)}`, () => {
        const [fault = '', ...others] = faultOf(kind, pattern);
        const message = fault.slice(places[kind].length + 1);
        equal(fault.slice(0, places[kind].length), places[kind]);
        if (typeof why === 'string') equal(message, why);
        else match(message, why);
        deepEqual(others, []);
      });
    }
  }

  it('is taken where some name may match', () => {
    const taken: Readonly<Record<keyof typeof places, readonly string[]>> = {
      branch: [
        'heads/main',
        'refs',
        '*refs/heads/main',
        'feature/*',
        'v1.*',
        'main.lock*',
        '/^(refs\\/heads\\/)?main$/',
        '/^(refs\\/heads\\/main|main)$/',
        '/^refs\\/heads\\/main$|^main$/',
        // Of these the first finds backrefs/x.
        '/refs\\/x/',
        '/(refs\\/x)$/',
        '/^refs\\/x|refs\\/x/',
        '/^.efs\\/heads\\/main$/',
        '/^refs\\/?heads$/',
        '/^refs\\/+/',
        '/^refs\\/*/',
        '/^[a-z]efs\\/heads/',
        '/\\.lock$/',
      ],
      tag: ['v1.0', '*', '/^v\\d+/', '/refs\\/x/'],
      imageTag: ['v*', '*-rc.1', '_x', '1', '/^v\\d+\\+/', '/refs|v/'],
    };
    for (const kind of ['branch', 'tag', 'imageTag'] as const)
      for (const pattern of taken[kind]) deepEqual(faultOf(kind, pattern), [], `${kind} ${pattern}`);
  });
});

describe('a pattern of names', () => {
  const matching: readonly (readonly [pattern: string, yes: readonly string[], no: readonly string[]])[] = [
    ['main', ['main'], ['main2', 'a/main', 'MAIN']],
    ['*', ['', 'a', 'a/b'], []],
    ['v*', ['v', 'v1.0'], ['av']],
    ['*-rc*', ['1-rc', '1-rc.2'], ['rc']],
    ['a*a', ['aa', 'aba'], ['a']],
    ['a*b*b', ['abb', 'axbyb'], ['ab']],
    ['r.1', ['r.1'], ['rx1']],
    ['/^v\\d+$/', ['v10'], ['v', 'xv1']],
    ['/hot/', ['a-hotfix'], ['cold']],
  ];
  for (const [text, yes, no] of matching) {
    it(`${text} matches what it should`, () => {
      const pattern = parseNamePattern(text);
      for (const name of yes) equal(pattern.matches(name), true, name);
      for (const name of no) equal(pattern.matches(name), false, name);
    });
  }
});
