import assert from 'node:assert/strict';
import fc from 'fast-check';
import { neutralise, neutraliseCommand } from '../../../tasks/agent/output.ts';
import { parseCommands } from '../../support/run-task.ts';

describe('neutralise', () => {
  it('leaves ordinary text alone', () => {
    const text = 'Tagged contoso.azurecr.io/team/app@sha256:00 with #1, ## two, [three] – größer “four”';
    assert.equal(neutralise(text), text);
  });

  it('makes one line of several, without a marker', () => {
    assert.equal(neutralise('a\r\nb\n##vso[task.complete]\u2028##[error]c'), 'a b # #vso[task.complete] # #[error]c');
  });

  it('leaves nothing that the agent reads as a command, whatever comes', () => {
    const piece = fc.constantFrom(
      '#',
      '##',
      'vso',
      'VSO',
      '[',
      ']',
      '##vso[',
      '##[',
      '\n',
      '\r',
      '\u00ad',
      '\u200b',
      ' ',
      'task.debug',
      '\0',
      '%0A',
    );
    fc.assert(
      fc.property(fc.array(fc.oneof(piece, fc.string({ maxLength: 3 })), { maxLength: 20 }), pieces => {
        const text = neutralise(pieces.join(''));
        assert.deepEqual(parseCommands(text), []);
        assert.doesNotMatch(text, /##(?:vso)?\[|[\r\n]/i);
        assert.equal(neutralise(text), text, 'once is enough');
      }),
      { numRuns: 2000 },
    );
  });
});

describe('neutraliseCommand', () => {
  it('keeps the command, and none that it carries', () => {
    assert.equal(
      neutraliseCommand('##vso[task.debug]images=##vso[task.complete]##[error]\n'),
      '##vso[task.debug]images=# #vso[task.complete]# #[error]',
    );
  });

  it('keeps a secret exactly as it is', () => {
    const line = '##vso[task.setsecret]a##vso[b]##[\u00ad';
    assert.equal(neutraliseCommand(`${line}\n`), line);
  });
});
