/** What stays: one line for all that stays for the same reason, so that a source that was not read is told of once. Pure. */
import { groupBy } from '../../core/base/group-by.ts';
import type { CleanItem } from '../../core/lifecycle/cleaning/clean-report.ts';
import { count } from '../agent/markdown.ts';

/** What stays for one reason. */
export interface KeptLine {
  /** Names, in order. */
  readonly registries: readonly string[];
  /** What it is, where it is alone; else how many of what: `210 images`. */
  readonly what: string;
  readonly amount: number;
  /** A sentence. */
  readonly reason: string;
}

/** Groups what a report says stays; the lines that stand for the most come first. */
export function groupKept(items: readonly CleanItem[]): KeptLine[] {
  const kept = items.filter(({ outcome }) => outcome === 'kept');
  const groups = groupBy(kept, ({ subject, reason }) => `${kindOf(subject)} ${reason}`);
  return [...groups.values()].map(join).sort((one, other) => other.amount - one.amount);
}

/** A line for people. */
export function tellKept({ registries, what, amount, reason }: KeptLine): string {
  return `${registries.join(', ')}: ${what} ${amount === 1 ? 'stays' : 'stay'}: ${reason.replace(/\.\s*$/, '')}`;
}

/** One image may be told of on the account of several builds. */
function join(all: readonly CleanItem[]): KeptLine {
  const registries = [...new Set(all.map(({ registry }) => registry))].sort();
  const things = new Set(all.map(({ registry, subject }) => `${registry} ${subject}`));
  const { subject = '', reason = '' } = all[0] ?? {};
  const what = things.size === 1 ? subject : count(things.size, kindOf(subject));
  return { registries, what, amount: things.size, reason };
}

/** A report names images as `repository@digest` or by a tag, and builds as `build 4711`. */
function kindOf(subject: string): 'image' | 'tag' | 'build' | 'thing' {
  if (subject.includes('@')) return 'image';
  if (subject.startsWith('build ')) return 'build';
  return subject.includes(':') ? 'tag' : 'thing';
}
