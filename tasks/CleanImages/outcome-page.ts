/** What people see on the run's page when a plan was carried out. */
import { groupBy } from '../../core/base/group-by.ts';
import type { CleanItem, CleanReport } from '../../core/lifecycle/cleaning/clean-report.ts';
import type { NotRead } from '../../core/lifecycle/cleaning/not-read.ts';
import { code, count, formatBytes, row, table } from '../agent/markdown.ts';
import { neutralise } from '../agent/output.ts';
import { escapeMarkdown } from '../agent/summary.ts';
import { groupKept } from './kept-lines.ts';
import type { LetGo } from './let-go.ts';
import { listTags } from './report-blocks.ts';
import { countOutcomes } from './verdict.ts';

/** What the page tells. */
export interface OutcomeContent {
  /** Hash of the plan that was carried out. */
  readonly planHash: string;
  /** Whether a person approved it; else the brake alone bounds it. */
  readonly isApproved: boolean;
  /** What became of its steps, or why there was nothing to do; empty where that goes without saying. */
  readonly steps: string;
  readonly report: CleanReport;
  readonly letGo: readonly LetGo[];
  readonly unread: NotRead;
}

/** Rows of a table; the log has them all. */
const mostRows = 20;
const left = 'left' as const;
const right = 'right' as const;

/** Writes the page, as Markdown. */
export function describeOutcome({ planHash, isApproved, steps, report, letGo, unread }: OutcomeContent): string {
  const { items, braked, stopped, failures } = report;
  return [
    `### Cleaned by ${isApproved ? 'the approved plan' : 'the plan'} ${code(planHash.slice(0, 12))}`,
    escapeMarkdown(steps),
    describeCounts(report, letGo),
    describeRegistries(items, letGo),
    list('It stopped before its end', [...braked, ...stopped]),
    list('Not done', failures),
    describeItems('Could not be dealt with', items, 'failed'),
    describeLetGo('Deleted', letGo, 'deleted'),
    describeLetGo('Lost their tags', letGo, 'released'),
    describeItems('Have their tags back', items, 'restored'),
    describeKept(items),
    list('Not read, so everything stays', unread.everything),
    list('Not read, so some images stay', unread.some),
  ]
    .filter(part => part !== '')
    .join('\n\n')
    .concat('\n');
}

/** On what was done, in a line. */
export function describeCounts(report: CleanReport, letGo: readonly LetGo[]): string {
  const { released: tags, kept, failed } = countOutcomes(report);
  const { released, deleted } = groupLetGo(letGo);
  const off = letGo.filter(each => each.tags.length > 0).length;
  const parts = released.filter(each => each.tags.length === 0).length;
  const from =
    off > 0
      ? ` off ${count(off, 'image')}${parts > 0 ? `, which ${count(parts, 'part')} ${parts === 1 ? 'belongs' : 'belong'} to,` : ''}`
      : ' off';
  const freed = deleted.length > 0 ? ` (${formatBytes(report.freedBytes)} at most)` : '';
  const rest = [
    ...(kept > 0 ? [`${kept} of what was looked at ${kept === 1 ? 'stays' : 'stay'}`] : []),
    ...(failed > 0 ? [`${failed} failed`] : []),
  ];
  return `Took ${count(tags, 'tag')}${from} and deleted ${count(deleted.length, 'image')}${freed}${['', ...rest].join('; ')}.`;
}

/** Images, as a plan counts them. */
function describeRegistries(items: readonly CleanItem[], letGo: readonly LetGo[]): string {
  const rows = [...groupBy(items, each => each.registry)].map(([registry, own]) => {
    const { kept, failed } = countOutcomes({ items: own });
    const { released, deleted } = groupLetGo(letGo.filter(each => each.registry === registry));
    return row([escapeMarkdown(registry), ...[released.length, deleted.length, kept, failed].map(String)]);
  });
  if (rows.length === 0) return '';
  return table(['Registry', 'Tags off', 'Deleted', 'Stays', 'Failed'], [left, right, right, right, right], rows);
}

function groupLetGo(letGo: readonly LetGo[]): Readonly<Record<LetGo['step'], LetGo[]>> {
  const of = (step: LetGo['step']) => letGo.filter(each => each.step === step);
  return { released: of('released'), deleted: of('deleted') };
}

function describeLetGo(title: string, letGo: readonly LetGo[], step: LetGo['step']): string {
  const rows = groupLetGo(letGo)[step].map(({ registry, subject, tags, build = '' }) => [
    escapeMarkdown(registry),
    code(neutralise(subject)),
    ...(step === 'released' ? [tags.length > 0 ? code(listTags(tags)) : 'with what it belongs to'] : []),
    escapeMarkdown(build),
  ]);
  return section(title, ['Registry', 'Image', ...(step === 'released' ? ['Tags'] : []), 'Build'], rows);
}

function describeItems(title: string, items: readonly CleanItem[], of: CleanItem['outcome']): string {
  const chosen = items.filter(({ outcome }) => outcome === of);
  const rows = chosen.map(({ registry, subject, reason }) => [
    escapeMarkdown(registry),
    code(neutralise(subject)),
    escapeMarkdown(reason),
  ]);
  return section(title, ['Registry', 'What', 'Why'], rows);
}

function describeKept(items: readonly CleanItem[]): string {
  const rows = groupKept(items).map(({ registries, what, amount, reason }) => [
    escapeMarkdown(registries.join(', ')),
    amount === 1 ? code(neutralise(what)) : what,
    escapeMarkdown(reason),
  ]);
  return section('Stays', ['Registry', 'What', 'Why'], rows);
}

function section(title: string, head: readonly string[], rows: readonly (readonly string[])[]): string {
  if (rows.length === 0) return '';
  const shown = rows.slice(0, mostRows).map(row);
  const alignments = head.map(() => left);
  return [`#### ${title}`, table(head, alignments, shown), ...tellMore(rows.length)].join('\n\n');
}

function list(title: string, sentences: readonly string[]): string {
  if (sentences.length === 0) return '';
  const lines = sentences.slice(0, mostRows).map(each => `- ${escapeMarkdown(each)}`);
  return [`#### ${title}`, lines.join('\n'), ...tellMore(sentences.length)].join('\n\n');
}

function tellMore(amount: number): string[] {
  return amount > mostRows ? [`And ${amount - mostRows} more, in the log.`] : [];
}
