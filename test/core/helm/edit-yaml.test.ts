import assert from 'node:assert/strict';
import { AppError, type ErrorCode } from '../../../core/base/errors.ts';
import { setValues } from '../../../core/helm/edit-yaml.ts';
import { findStray } from '../../../core/helm/stray.ts';

describe('a stray value', () => {
  const before = new Map([['a', new Map([['b', 1 as const]])]]);
  const edits = [{ path: ['a', 'c'], value: 'x' }];
  it('is one that changed, came, went, or did not come', () => {
    const after = (entries: [string, string | number | null][]) =>
      findStray(before, new Map([['a', new Map(entries)]]), edits);
    assert.equal(
      after([
        ['b', 1],
        ['c', 'x'],
      ]),
      undefined,
    );
    assert.deepEqual(after([['b', 1]]), ['a', 'c']);
    assert.deepEqual(
      after([
        ['b', 1],
        ['c', 5],
      ]),
      ['a', 'c'],
    );
    assert.deepEqual(
      after([
        ['b', '1'],
        ['c', 'x'],
      ]),
      ['a', 'b'],
    );
    assert.deepEqual(after([['c', 'x']]), ['a', 'b']);
    assert.deepEqual(
      after([
        ['b', 1],
        ['c', 'x'],
        ['d', null],
      ]),
      ['a', 'd'],
    );
    assert.deepEqual(findStray(before, new Map([['a', ['x']]]), edits), ['a']);
    assert.deepEqual(findStray(before, null, edits), []);
  });
});

const isError =
  (message: RegExp, code: ErrorCode = 'INPUT_INVALID') =>
  (thrown: unknown) =>
    thrown instanceof AppError && thrown.code === code && message.test(thrown.message);

const set = (text: string, ...edits: (readonly [path: string, value: string])[]): string =>
  setValues(
    text,
    edits.map(([path, value]) => ({ path: path.split('.'), value })),
    'values.yaml',
  ).text;

describe('setting a value in YAML', () => {
  const cases: readonly (readonly [what: string, before: string, after: string, ...edits: [string, string][]])[] = [
    ['adds it to an empty text', '', 'a:\n  b: "1"\n', ['a.b', '1']],
    ['adds it behind a comment', '# only\r\n', '# only\r\na:\r\n  b: "1"\r\n', ['a.b', '1']],
    ['adds it behind a comment without a line end', '# only', '# only\na: "1"\n', ['a', '1']],
    ['adds it behind a byte order mark', '\ufeffx: 1\n', '\ufeffx: 1\na: "1"\n', ['a', '1']],
    ['adds it to an empty map', '{}\n', '{ a: { b: "1" } }\n', ['a.b', '1']],
    ['takes the place of a null that is all', '~\n', '{ a: "1" }\n', ['a', '1']],
    ['adds the map above', 'x: 1\n', 'x: 1\na:\n  b:\n    c: "1"\n', ['a.b.c', '1']],
    ['adds two keys of a map that is missing', 'x: 1\n', 'x: 1\na:\n  b: "1"\n  c: "2"\n', ['a.b', '1'], ['a.c', '2']],
    [
      'adds keys to a map of nothing',
      'a:  # none\nx: 1\n',
      'a: { b: "1", c: "2" }  # none\nx: 1\n',
      ['a.b', '1'],
      ['a.c', '2'],
    ],
    ['adds keys to a null', 'a: null # none\n', 'a: { b: { c: "1" } } # none\n', ['a.b.c', '1']],
    ['adds a key to a map in a list', 'a:\n- x: 1\n-   y: 2\n', 'a:\n- x: 1\n-   y: 2\n    b: "1"\n', ['a.1.b', '1']],
    ['replaces an item of a list', 'a: [x, *b, y]\n'.replace('*b', 'z'), 'a: [x, "1", y]\n', ['a.1', '1']],
    ['quotes a key that YAML takes for a word', 'x: 1\n', 'x: 1\n"on": "1"\n', ['on', '1']],
    ['finds a key that is a number or a word', '1:\n  on: x\n', '1:\n  on: "1"\n', ['1.true', '1']],
    ['escapes what would end the line', 'a: x\n', 'a: "1\\n\\"\\u2028\\\\"\n', ['a', '1\n"\u2028\\']],
    ['leaves what is there in quotes', "a: '1' # x\n", "a: '1' # x\n", ['a', '1']],
    ['puts into quotes what is there without', 'a: 1\nb: x\n', 'a: "1"\nb: "x"\n', ['a', '1'], ['b', 'x']],
    ['keeps an anchor of nothing', 'a: &x\nb: 1\n', 'a: &x "1"\nb: 1\n', ['a', '1']],
    ['replaces one of two empty texts in blocks', 'a: |\nb: |\n', 'a: "1"\nb: |\n', ['a', '1']],
    [
      'replaces a key between its neighbours',
      '{a: 1, "b": [2], c: 3}',
      '{a: "x", "b": [2], c: "y"}',
      ['a', 'x'],
      ['c', 'y'],
    ],
  ];
  for (const [what, before, after, ...edits] of cases) {
    it(what, () => {
      assert.equal(set(before, ...edits), after);
      assert.equal(set(after, ...edits), after);
    });
  }

  it('says what changed and where, and nothing else of the line', () => {
    const text = 'a:\n  # x\n  b: {password: hunter2, tag: old}\n  c: &x ~\nd: 1\n';
    const { changes } = setValues(
      text,
      [
        { path: ['a', 'b', 'tag'], value: 'new' },
        { path: ['a', 'c'], value: '1' },
        { path: ['a', 'e'], value: '2' },
      ],
      'v',
    );
    assert.deepEqual(changes, [
      { line: 3, path: ['a', 'b', 'tag'], before: 'old', after: 'new' },
      { line: 4, path: ['a', 'c'], before: '~', after: '1' },
      { line: 4, path: ['a', 'e'], before: undefined, after: '2' },
    ]);
  });

  const refusals: readonly (readonly [what: string, text: string, message: RegExp, ...edits: [string, string][]])[] = [
    ['below a value', 'a: 1\n', /^values\.yaml, line 1: "a\.b" cannot be set: "a" is a value, not a map/, ['a.b', '1']],
    ['behind the end of a list', 'a: [1]\n', /"a\.1" cannot be set: "a" is a list without an item 1/, ['a.1', '1']],
    ['in a list by a word', 'a: [1]\n', /"a" is a list without an item b/, ['a.b', '1']],
    ['at an item of nothing', 'a:\n-\n', /an item of a list is empty/, ['a.0', '1']],
    ['at a map', 'a: {b: 1}\n', /a map or a list stands where a value is expected/, ['a', '1']],
    ['at a key without a colon', 'x: 1\n? a\n', /line 2: "a" cannot be set: a key stands without a colon/, ['a', '1']],
    [
      'behind the end of a document',
      '# x\n...\n',
      /^values\.yaml cannot be edited: it would not be sound YAML/,
      ['a', '1'],
    ],
    ['twice', 'a: 1\n', /two values are wanted at "a": "1" and "2"/, ['a', '1'], ['a', '2']],
    ['and another below it', 'x: 1\n', /a value is wanted at "a", and one below it/, ['a', '1'], ['a.b', '2']],
    [
      'in a map that others merge',
      'd: &d {x: {y: 1}}\na: {<<: *d}\n',
      /"d\.x\.y" would not be what it has to be with "a\.x\.y" set/,
      ['a.x.y', '2'],
    ],
    [
      'where a carriage return stands alone',
      'a: 1\rb: 2\n',
      /line 1: a carriage return stands without a line feed/,
      ['b', '1'],
    ],
    ...['\u0085', '\u2028', '\u2029'].map((sign): (typeof refusals)[number] => [
      `where a line break stands that only some readers know, ${JSON.stringify(sign)}`,
      `a: 1\n# c${sign}b: 2\n`,
      /line 2: the line break U\+(?:0085|2028|2029) stands there, which YAML's readers understand differently/,
      ['b', '1'],
    ]),
    ['where a key is a map', '{a: 1}: 2\n', /line 1: a key is a map or a list/, ['b', '1']],
    [
      'where a merge brings no map',
      'b: 1\na: {<<: 1}\n',
      /line 2: a merge key \("<<"\) has something other than maps/,
      ['b', '1'],
    ],
    [
      'where an alias is inside its anchor',
      'b: 1\na: &a [*a]\n',
      /line 2: the alias "\*a" stands inside its own anchor/,
      ['b', '1'],
    ],
    ['where an alias has no anchor', 'b: *a\n', /line 1: the alias "\*a" has no anchor above it/, ['b', '1']],
  ];
  for (const [what, text, message, ...edits] of refusals) {
    it(`is refused ${what}`, () => {
      assert.throws(() => set(text, ...edits), isError(message));
    });
  }

  describe('is bounded', () => {
    const hugeOf: readonly (readonly [what: string, text: () => string, message: RegExp, code?: ErrorCode])[] = [
      [
        'a million aliases',
        () => `a: &a x\nb:\n${'- *a\n'.repeat(1_000_000)}`,
        /holds more than 1000000 words and signs/,
        'TOO_LARGE',
      ],
      [
        'aliases of aliases, a billion laughs',
        () =>
          `a0: &a0 [lol]\n${Array.from({ length: 30 }, (_, i) => `a${i + 1}: &a${i + 1} [${`*a${i},`.repeat(9)}]\n`).join('')}`,
        /line \d+: its aliases make it larger than 1000000 values/,
      ],
      [
        'merges of merges',
        () =>
          `m: &m\n${Array.from({ length: 3000 }, (_, i) => `  k${i}: 1\n`).join('')}l:\n${'- <<: *m\n'.repeat(3000)}`,
        /its merge keys make it larger than 1000000 values/,
      ],
      [
        'lists in lists, 100 000 deep',
        () => `a: ${'['.repeat(100_000)}${']'.repeat(100_000)}`,
        /it is nested too deeply/,
      ],
      [
        'maps in maps, 100 000 deep',
        () => `a: ${'{a: '.repeat(100_000)}${'}'.repeat(100_000)}`,
        /it is nested too deeply/,
      ],
      ['600 deep', () => `a: ${'['.repeat(600)}${']'.repeat(600)}`, /it is nested more than 500 deep/],
      ['more than 5 MiB', () => `# ${'x'.repeat(5 * 1024 * 1024)}\n`, /it is larger than 5 MiB/, 'TOO_LARGE'],
    ];
    for (const [what, textOf, message, code] of hugeOf) {
      it(`by ${what}`, () => {
        assert.throws(() => set(textOf(), ['z', '1']), isError(message, code));
      });
    }
  });
});
