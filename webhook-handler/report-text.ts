/** A reconciliation's report as text for people. */
import type { Outcome, Report, ReportItem } from '../core/lifecycle/report.ts';
import { showControls } from './log.ts';

/** What came of one registry and one organization: a report, or why there is none. */
export interface PairingResult {
  readonly registry: string;
  readonly organization: string;
  readonly report?: Report;
  readonly error?: { readonly code: string; readonly message: string };
}

/** What changed stands first; what a person may have to act on stands last, where the eye is. */
export const order: readonly Outcome[] = ['released', 'deleted', 'restored', 'alreadyGone', 'kept', 'failed'];
/** What became of a thing, and what would become of it. */
export const words: Readonly<Record<Outcome, readonly [done: string, planned: string]>> = {
  released: ['released', 'would be released'],
  deleted: ['deleted', 'would be deleted'],
  restored: ['restored', 'would be restored'],
  alreadyGone: ['already gone', 'already gone'],
  kept: ['kept', 'kept'],
  failed: ['FAILED', 'FAILED'],
};

/** Gives the table of one result, with its totals, and a line end at its end. */
export function formatResult(result: PairingResult, dryRun: boolean): string {
  const title = `${result.registry} and ${result.organization}`;
  if (!result.report) return showLines([title, `  failed: ${result.error?.message ?? 'for no reason that is known'}`]);
  const { items, builds, braked } = result.report;
  const rows = [...items].sort(compare).map(item => toRow(item, dryRun));
  const head = [`${title}: ${count(builds, 'build')} with images on record${dryRun ? '; nothing was changed' : ''}`];
  const table = rows.length === 0 ? [] : ['', ...align([['', 'BUILD', 'WHAT', 'WHY'], ...rows]), ''];
  const stop = braked === undefined ? [] : [`  The brake stopped here: ${braked}`];
  return showLines([...head, ...table, `  ${formatTotals(items, dryRun)}`, ...stop]);
}

function compare(a: ReportItem, b: ReportItem): number {
  return (
    order.indexOf(a.outcome) - order.indexOf(b.outcome) ||
    a.projectId.localeCompare(b.projectId) ||
    a.buildId - b.buildId ||
    a.subject.localeCompare(b.subject)
  );
}

function toRow(item: ReportItem, dryRun: boolean): string[] {
  return [words[item.outcome][dryRun ? 1 : 0], String(item.buildId), item.subject, item.reason];
}

/** How many of each, in a sentence. */
export function formatTotals(items: readonly Pick<ReportItem, 'outcome'>[], dryRun: boolean): string {
  const totals = order.flatMap(outcome => {
    const found = items.filter(item => item.outcome === outcome).length;
    return found === 0 ? [] : `${found} ${words[outcome][dryRun ? 1 : 0]}`;
  });
  return totals.length === 0 ? 'Nothing to do.' : `${totals.join(', ')}.`;
}

/** Gives the rows of a table; the last column is as long as it likes. */
export function align(rows: readonly (readonly string[])[]): string[] {
  const shown = rows.map(row => row.map(showControls));
  const widths = (shown[0] ?? []).map((_, column) =>
    shown.reduce((widest, row) => Math.max(widest, row[column]?.length ?? 0), 0),
  );
  return shown.map(row => `  ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  ')}`.trimEnd());
}

/** `1 build`, `2 builds`. */
export function count(of: number, noun: string): string {
  return `${of} ${noun}${of === 1 ? '' : 's'}`;
}

/** Joins lines, each with its end, and makes what terminals obey visible. */
export function showLines(lines: readonly string[]): string {
  return lines.map(line => `${showControls(line)}\n`).join('');
}
