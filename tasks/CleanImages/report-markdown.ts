/** A report as Markdown, for the run's tab: short, because the agent takes 1 MiB and a person reads a screen. */
import { code, formatBytes, row, shortDigest, table } from '../agent/markdown.ts';
import { neutralise } from '../agent/output.ts';
import { escapeMarkdown } from '../agent/summary.ts';
import { type Block, type Cell, formatCount, mostPageRows } from './report-blocks.ts';

const mostRows = 20;
/** Of lines that somebody asked for. */
const mostLines = 400;
/** Of one text. */
const longest = 400;
/** With every bound kept a page has less; what is beyond is left off, never what is before. */
const mostCharacters = 900_000;

/** Writes the page. Charts are for the browser's alone. */
export function writeMarkdown(title: string, blocks: readonly Block[]): string {
  const parts = [`### ${plain(title)}`, ...blocks.filter(hasPlace).flatMap(writeBlock)];
  let length = 0;
  const fitting = parts.filter(part => (length += part.length + 2) <= mostCharacters);
  return `${fitting.join('\n\n')}\n`;
}

/** A heading over charts alone would stand over nothing. */
function hasPlace(block: Block, at: number, blocks: readonly Block[]): boolean {
  const next = blocks.slice(at + 1).find(({ kind }) => kind !== 'chart');
  return block.kind !== 'heading' || (next !== undefined && next.kind !== 'heading');
}

function writeBlock(block: Block): string[] {
  switch (block.kind) {
    case 'heading':
      return [`#### ${plain(block.text)}`];
    case 'paragraph':
      return [plain(block.text)];
    case 'notice':
      return [`**${plain(block.text)}**`, ...writeList(block.items, 'in the log')];
    case 'figures':
      return [block.items.map(({ label, value }) => `**${writeFigure(value)}** ${plain(label)}`).join(' · ')];
    case 'table':
      return writeTable(block);
    case 'list':
      return writeList(block.items, block.rest);
    case 'verbatim':
      return writeVerbatim(block.lines);
    case 'chart':
      return [];
  }
}

function writeTable({ title, head, rows, rest }: Extract<Block, { kind: 'table' }>): string[] {
  const [first = []] = rows;
  const alignments = first.map(cell => (isNumber(cell) ? ('right' as const) : ('left' as const)));
  const shown = rows.slice(0, mostRows).map(cells => row(cells.map(writeCell)));
  const head2 = head.map(plain);
  return [
    ...(title === '' ? [] : [`**${plain(title)}**`]),
    table(head2, alignments, shown),
    ...writeMore(rows.length, mostRows, rest),
  ];
}

/** What is nothing is said here, where no column says what is meant. */
function writeFigure(cell: Cell): string {
  return cell.kind === 'bytes' ? formatBytes(cell.amount) : writeCell(cell);
}

function isNumber({ kind }: Cell): boolean {
  return kind === 'count' || kind === 'bytes';
}

function writeCell(cell: Cell): string {
  switch (cell.kind) {
    case 'count':
      return formatCount(cell.amount);
    case 'bytes':
      return cell.amount === 0 ? '–' : formatBytes(cell.amount);
    case 'digest':
      return shortDigest(cell.text);
    case 'name':
    case 'tags':
      return cell.text === '' ? '' : code(cut(cell.text));
    case 'text':
    case 'day':
      return plain(cell.text);
  }
}

function writeList(items: readonly string[], rest?: string): string[] {
  if (items.length === 0) return [];
  const shown = items.slice(0, mostRows).map(item => `- ${plain(item)}`);
  return [shown.join('\n'), ...writeMore(items.length, mostRows, rest)];
}

/** Between fences that are longer than any in it. https://spec.commonmark.org/0.31.2/#fenced-code-blocks */
function writeVerbatim(lines: readonly string[]): string[] {
  const shown = lines.slice(0, mostLines).map(line => neutralise(cut(line)));
  const runs = shown.flatMap(line => line.match(/`+/g) ?? []);
  const fence = '`'.repeat(Math.max(3, ...runs.map(run => run.length + 1)));
  return [[`${fence}text`, ...shown, fence].join('\n'), ...writeMore(lines.length, mostLines, 'in the log')];
}

/** What no file has is in report.html, as far as that goes. */
function writeMore(amount: number, most: number, rest?: string): string[] {
  if (amount <= most) return [];
  const onPage = amount > mostPageRows ? `, ${mostPageRows - most} of them in report.html` : ' in report.html';
  return [`And ${amount - most} more${plain(rest === undefined ? onPage : ` ${rest}`)}.`];
}

function plain(text: string): string {
  return escapeMarkdown(cut(text));
}

function cut(text: string): string {
  return text.length > longest ? `${text.slice(0, longest)}…` : text;
}
