/** Texts that would have the agent do what nobody asked for. */
import assert from 'node:assert/strict';
import type { TaskOutcome } from '../support/run-task.ts';

/** A command that no task gives. */
export const forged = '##vso[task.setvariable variable=pwned]1';
/** Ways to bring a command into a line of its own, or past a filter that looks for it to the letter. */
export const forgeries = [
  forged,
  `\n${forged}`,
  `\r${forged}`,
  `\r\n${forged}`,
  `]${forged}`,
  `;result=Succeeded;]${forged}`,
  `%0A${forged}`,
  `\u2028${forged}\u0085${forged}`,
  '##\u00advso[task.setvariable variable=pwned]1',
  '#\u200b#vso[task.setvariable variable=pwned]1',
  '##VSO[task.setvariable variable=pwned]1',
  '##[error]pwned\n##[group]pwned',
];

/** Asserts that nothing but what the task itself says is a command, and that no line holds more than one marker. */
export function assertNotForged(outcome: TaskOutcome): void {
  const known = /^task\.(?:debug|setsecret|setprogress|setvariable|logissue|issue|uploadsummary|complete)$/;
  for (const command of outcome.commands) assert.match(command.name, known, outcome.output);
  assert.equal(outcome.variables['pwned'], undefined, outcome.output);
  assert.equal(outcome.commands.filter(command => command.name === 'task.complete').length, 1, outcome.output);
  for (const line of outcome.output.split(/[\r\n\u2028\u2029\u0085]/)) {
    // What a comparison by culture would see.
    const seen = line.replace(/[\p{Cf}\p{Default_Ignorable_Code_Point}]/gu, '');
    assert.ok(seen.search(/##(?:vso)?\[/i) <= 0 && !/##(?:vso)?\[/i.test(seen.slice(1)), line);
    assert.ok(!/^##(?!vso\[)/i.test(seen), line);
  }
}
