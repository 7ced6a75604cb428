/** The answers to why: one heading for each question, and its lines. Pure. */
import type { Block } from './report-blocks.ts';

/** A question and its answer. */
export interface WhyAnswer {
  /** As it was asked. */
  readonly subject: string;
  readonly lines: readonly string[];
}

/** All answers of a page have so many lines together, each question its share; the log has them all. */
const mostLines = 1000;

/** Tells the answers. */
export function describeAnswers(answers: readonly WhyAnswer[]): Block[] {
  const share = Math.max(10, Math.floor(mostLines / Math.max(answers.length, 1)));
  return answers.flatMap(({ subject, lines }): Block[] => {
    const more = lines.length > share ? [`… and ${lines.length - share} more lines in the log`] : [];
    return [
      { kind: 'heading', text: `Why ${subject}` },
      { kind: 'verbatim', lines: [...lines.slice(0, share), ...more] },
    ];
  });
}
