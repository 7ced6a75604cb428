/** A report as one page for a browser: no script, nothing from elsewhere, and nothing that a text of others could add. */
import { createHash } from 'node:crypto';
import { formatBytes } from '../agent/markdown.ts';
import { drawChart } from './charts.ts';
import { type Html, html } from './html.ts';
import { pageStyle } from './page-style.ts';
import { type Block, type Cell, formatCount, mostPageRows } from './report-blocks.ts';

const mostLines = 5000;
const shownOfDigest = 'sha256:'.length + 12;

/** What stands above the blocks. */
export interface PageHead {
  readonly title: string;
  /** A line below it. */
  readonly under: string;
}

/** Nothing may be loaded or run, but for this very style. https://www.w3.org/TR/CSP3/#directive-style-src */
const policy = `default-src 'none'; style-src 'sha256-${createHash('sha256').update(pageStyle).digest('base64')}'; base-uri 'none'; form-action 'none'`;

/** Writes the page. */
export function writePage({ title, under }: PageHead, blocks: readonly Block[]): string {
  const page = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${{ html: policy }}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<title>${title}</title>
<style>${{ html: pageStyle }}</style>
</head>
<body>
<main>
<h1>${title}</h1>
<p class="under">${under}</p>
${blocks.map((block, at) => [writeBlock(block, `chart-${at}`), '\n'])}
</main>
</body>
</html>
`;
  return page.html;
}

function writeBlock(block: Block, id: string): Html {
  switch (block.kind) {
    case 'heading':
      return html`<h2>${block.text}</h2>`;
    case 'paragraph':
      return html`<p>${block.text}</p>`;
    case 'notice':
      return html`<div class="notice" role="note"><p><strong>${block.text}</strong></p>${writeList(block.items, 'in the log')}</div>`;
    case 'figures':
      return html`<ul class="figures">${block.items.map(({ label, value }) => html`<li><strong>${writeFigure(value)}</strong><span>${label}</span></li>`)}</ul>`;
    case 'table':
      return writeTable(block);
    case 'list':
      return writeList(block.items, block.rest);
    case 'verbatim':
      return html`<pre>${block.lines.slice(0, mostLines).map(line => [line, html`\n`])}</pre>${writeMore(block.lines.length, mostLines, 'in the log')}`;
    case 'chart':
      return drawChart(block.chart, id);
  }
}

function writeTable({ title, head, rows, rest }: Extract<Block, { kind: 'table' }>): Html {
  const [first = []] = rows;
  const headCells = head.map((words, at) => html`<th scope="col" class="${classOf(first[at])}">${words}</th>`);
  const body = rows.slice(0, mostPageRows).map(cells => {
    return html`<tr>${cells.map(cell => html`<td class="${classOf(cell)}">${writeCell(cell)}</td>`)}</tr>\n`;
  });
  const caption = title === '' ? undefined : html`<caption>${title}</caption>`;
  return html`<div class="scroll"><table>${caption}<thead><tr>${headCells}</tr></thead><tbody>\n${body}</tbody></table></div>${writeMore(rows.length, mostPageRows, rest)}`;
}

function classOf(cell: Cell | undefined): string {
  return cell?.kind === 'count' || cell?.kind === 'bytes' ? 'number' : (cell?.kind ?? 'text');
}

function writeCell(cell: Cell): Html {
  switch (cell.kind) {
    case 'count':
      return html`${formatCount(cell.amount)}`;
    case 'bytes':
      return html`${cell.amount === 0 ? '–' : formatBytes(cell.amount)}`;
    case 'name':
    case 'tags':
      return cell.text === '' ? html`` : html`<code>${cell.text}</code>`;
    case 'digest':
      // Whoever needs all of it finds it in plan.json, or by pointing at it.
      return html`<code title="${cell.text}">${cell.text.slice(0, shownOfDigest)}…</code>`;
    case 'text':
    case 'day':
      return html`${cell.text}`;
  }
}

/** What is nothing is said here, where no column says what is meant. */
function writeFigure(cell: Cell): Html {
  return cell.kind === 'bytes' ? html`${formatBytes(cell.amount)}` : writeCell(cell);
}

function writeList(items: readonly string[], rest?: string): Html {
  if (items.length === 0) return html``;
  return html`<ul>${items.slice(0, mostPageRows).map(item => html`<li>${item}</li>`)}</ul>${writeMore(items.length, mostPageRows, rest)}`;
}

function writeMore(amount: number, most: number, rest = 'not shown'): Html {
  return amount > most ? html`<p class="more">And ${amount - most} more ${rest}.</p>` : html``;
}
