/** What people see on the run's page when a plan was carried out. */
import { groupBy } from '../../core/base/group-by.ts';
import type { CleanItem, CleanReport } from '../../core/lifecycle/cleaning/clean-report.ts';
import type { NotRead } from '../../core/lifecycle/cleaning/not-read.ts';
import { code, count, formatBytes, row, table } from '../agent/markdown.ts';
import { neutralise } from '../agent/output.ts';
import { escapeMarkdown } from '../agent/summary.ts';
import { countOutcomes } from './verdict.ts';

/** What the page tells. */
export interface OutcomeContent {
  /** Hash of the plan that was carried out. */
  readonly planHash: string;
  /** Whether a person approved it; else the brake alone bounds it. */
  readonly isApproved: boolean;
  readonly report: CleanReport;
  readonly unread: NotRead;
}

/** Rows of a table; the log has them all. */
const mostRows = 20;

/** Writes the page, as Markdown. */
export function describeOutcome({ planHash, isApproved, report, unread }: OutcomeContent): string {
  const { items, braked, stopped, failures } = report;
  return [
    `### Cleaned by ${isApproved ? 'the approved plan' : 'the plan'} ${code(planHash.slice(0, 12))}`,
    describeCounts(report),
    describeRegistries(items),
    list('It stopped before its end', [...braked, ...stopped]),
    list('Not done', failures),
    describeItems('Could not be dealt with', items, ['failed']),
    describeItems('Stays', items, ['kept', 'restored']),
    list('Not read, so everything stays', unread.everything),
    list('Not read, so some images stay', unread.some),
  ]
    .filter(part => part !== '')
    .join('\n\n')
    .concat('\n');
}

/** On what was done, in a line. */
export function describeCounts(report: CleanReport): string {
  const { released, deleted, kept, failed } = countOutcomes(report);
  const freed = deleted > 0 ? ` (${formatBytes(report.freedBytes)} at most)` : '';
  const rest = [
    ...(kept > 0 ? [`${kept} of what was looked at ${kept === 1 ? 'stays' : 'stay'}`] : []),
    ...(failed > 0 ? [`${failed} failed`] : []),
  ];
  return `Took ${count(released, 'tag')} off and deleted ${count(deleted, 'image')}${freed}${['', ...rest].join('; ')}.`;
}

function describeRegistries(items: readonly CleanItem[]): string {
  const rows = [...groupBy(items, each => each.registry)].map(([registry, own]) => {
    const { released, deleted, kept, failed } = countOutcomes({ items: own });
    return row([escapeMarkdown(registry), ...[released, deleted, kept, failed].map(String)]);
  });
  const right = 'right' as const;
  if (rows.length === 0) return '';
  return table(['Registry', 'Tags off', 'Deleted', 'Stays', 'Failed'], ['left', right, right, right, right], rows);
}

function describeItems(title: string, items: readonly CleanItem[], outcomes: readonly CleanItem['outcome'][]): string {
  const chosen = items.filter(({ outcome }) => outcomes.includes(outcome));
  if (chosen.length === 0) return '';
  const rows = chosen
    .slice(0, mostRows)
    .map(({ registry, subject, reason }) =>
      row([escapeMarkdown(registry), code(neutralise(subject)), escapeMarkdown(reason)]),
    );
  const parts = [`#### ${title}`, table(['Registry', 'What', 'Why'], ['left', 'left', 'left'], rows)];
  return [...parts, ...tellMore(chosen.length)].join('\n\n');
}

function list(title: string, sentences: readonly string[]): string {
  if (sentences.length === 0) return '';
  const lines = sentences.slice(0, mostRows).map(each => `- ${escapeMarkdown(each)}`);
  return [`#### ${title}`, lines.join('\n'), ...tellMore(sentences.length)].join('\n\n');
}

function tellMore(amount: number): string[] {
  return amount > mostRows ? [`And ${amount - mostRows} more, in the log.`] : [];
}
