/** How a step ends: what people must look at, and what makes it fail. Pure. */
import { AppError } from '../../core/base/errors.ts';
import type { CleanItem, CleanReport } from '../../core/lifecycle/cleaning/clean-report.ts';
import type { NotRead } from '../../core/lifecycle/cleaning/not-read.ts';
import { count } from '../agent/markdown.ts';
import type { Issues } from '../agent/run.ts';

/** A verdict is one line; the log has them all. */
const toldSentences = 3;

/** Ends a step that only looked. */
export function concludeLook({ everything, some }: NotRead): Issues | undefined {
  if (everything.length === 0) return concludeSome(some);
  const others = some.length > 0 ? ` ${tellSome(some)}` : '';
  return { issues: `Everything stays, because ${tell(everything)}.${others}` };
}

/**
 * Ends a step that changed something, or was to. Throws `BRAKE` where a limit of deletions stopped it, and `NOT_CLEANED`
 * where something failed, or nothing may go because a source was not read.
 */
export function concludeCleaning(report: CleanReport, { everything, some }: NotRead): Issues | undefined {
  const failed = [...report.failures, ...report.items.filter(isFailed).map(tellItem)];
  const failures = failed.length > 0 ? [`${count(failed.length, 'thing')} could not be done: ${tell(failed)}.`] : [];
  if (report.braked.length > 0) {
    const what = `The brake stopped it: ${tell(report.braked)}. Look at the plan: if it is right, it is approved by a step of mode apply, which does what stands in it and in a fresh one. Or raise brake in the configuration.`;
    throw new AppError([what, ...failures].join(' '), { code: 'BRAKE' });
  }
  if (everything.length > 0) {
    const what = `Nothing may be deleted, because ${tell(everything)}.`;
    throw new AppError([what, ...failures].join(' '), { code: 'NOT_CLEANED' });
  }
  if (failures.length > 0) throw new AppError(failures.join(' '), { code: 'NOT_CLEANED' });
  const issues = [
    ...(report.stopped.length > 0 ? [`The time was over: ${tell(report.stopped)}. The next run goes on.`] : []),
    ...(some.length > 0 ? [tellSome(some)] : []),
  ];
  return issues.length > 0 ? { issues: issues.join(' ') } : undefined;
}

/** One line of a report, for people. */
export function tellItem({ registry, subject, outcome, reason }: CleanItem): string {
  return `${registry}: ${subject} ${words[outcome]}: ${withoutStop(reason)}`;
}

const words: Readonly<Record<CleanItem['outcome'], string>> = {
  released: 'was taken off',
  deleted: 'was deleted',
  alreadyGone: 'was gone already',
  kept: 'stays',
  restored: 'has its tags back',
  failed: 'could not be dealt with',
};

/** What was done, in a few words. */
export function countOutcomes({ items }: Pick<CleanReport, 'items'>): Readonly<Record<CleanItem['outcome'], number>> {
  const counts = { released: 0, deleted: 0, alreadyGone: 0, kept: 0, restored: 0, failed: 0 };
  for (const { outcome } of items) counts[outcome] += 1;
  return counts;
}

function concludeSome(some: readonly string[]): Issues | undefined {
  return some.length > 0 ? { issues: tellSome(some) } : undefined;
}

function tellSome(some: readonly string[]): string {
  return `Some images stay, because ${tell(some)}.`;
}

function tell(sentences: readonly string[]): string {
  const told = sentences.slice(0, toldSentences).map(withoutStop).join('; ');
  const more = sentences.length - toldSentences;
  return more > 0 ? `${told}; and ${more} more` : told;
}

function isFailed({ outcome }: CleanItem): boolean {
  return outcome === 'failed';
}

function withoutStop(sentence: string): string {
  return sentence.replace(/\.\s*$/, '');
}
