/** The matcher, held against the regular expressions of JavaScript themselves. */
import { equal, throws } from 'node:assert/strict';
import fc from 'fast-check';
import { AppError } from '../../../core/base/errors.ts';
import { compileRegex } from '../../../core/base/linear-regex.ts';

const atom = fc.constantFrom('a', 'b', '.', '[ab]', '[^a]', '[a-c]', '\\d', '\\w', '\\.', '\\/', '1', '^', '$', '-');
const { expression } = fc.letrec<{ expression: string; part: string }>(tie => ({
  part: fc.oneof(
    { maxDepth: 3 },
    atom,
    tie('expression').map(inner => `(${inner})`),
    tie('expression').map(inner => `(?:${inner})`),
    fc
      .tuple(tie('expression'), fc.constantFrom('*', '+', '?', '{2}', '{1,}', '{0,2}', '*?'))
      .map(([one, sign]) => `(${one})${sign}`),
    fc.tuple(tie('expression'), tie('expression')).map(([one, other]) => `(${one}|${other})`),
  ),
  expression: fc.array(tie('part'), { maxLength: 4 }).map(parts => parts.join('')),
}));
const text = fc.string({ unit: fc.constantFrom('a', 'b', 'c', '1', '.', '/', '-', '\n'), maxLength: 8 });

describe('a linear regular expression', () => {
  it('finds what JavaScript finds', () => {
    fc.assert(
      fc.property(
        expression.filter(source => source.length <= 256),
        text,
        (source, name) => {
          equal(
            compileRegex(source).matches(name),
            new RegExp(source).test(name),
            `/${source}/ in ${JSON.stringify(name)}`,
          );
        },
      ),
      { numRuns: 3000 },
    );
  });

  it('takes time for each character once, whatever the expression', () => {
    for (const source of ['^(a+)+$', '^(a|a)*$', '^(.*)*x$', '(a?){50}b']) {
      equal(compileRegex(source).matches(`${'a'.repeat(5000)}!`), false);
    }
  });

  it('knows whether it can only match whole names', () => {
    for (const source of ['^a$', '^(a|b)$', '^$']) equal(compileRegex(source).isWhole, true, source);
    for (const source of ['a', '^a', 'a$', '^a|b$', '(^a$)', '^a\\$'])
      equal(compileRegex(source).isWhole, false, source);
  });

  const refused: readonly (readonly [source: string, why: RegExp])[] = [
    ['(a', /does not close a group/],
    ['a)', /closes a group that was not opened/],
    ['[a', /does not close a "\["/],
    ['[]', /empty/],
    ['[b-a]', /end is before its start/],
    ['*a', /nothing before it/],
    ['a**', /repeats a repetition/],
    ['^*', /repeats an anchor/],
    ['a{2,1}', /end is before its start/],
    ['a{101}', /more than 100 times/],
    ['(a{100}){100}', /more than 2000 parts/],
    ['a{', /out of place/],
    ['(?=a)', /looks around/],
    ['(?<name>a)', /looks around or names/],
    ['(a)\\1', /not known here/],
    ['\\bword', /not known here/],
    ['\\', /ends in a backslash/],
    ['a'.repeat(257), /more than 256/],
  ];
  for (const [source, why] of refused) {
    it(`refuses ${source.slice(0, 20)}`, () => {
      throws(
        () => compileRegex(source),
        (thrown: unknown) => thrown instanceof AppError && thrown.code === 'INPUT_INVALID' && why.test(thrown.message),
      );
    });
  }
});
