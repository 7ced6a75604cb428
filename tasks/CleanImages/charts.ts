/** Charts as SVG that stands in the page itself: they need no script and no network, and follow the page's colours. */
import { formatBytes } from '../agent/markdown.ts';
import { type Html, html } from './html.ts';
import type { Chart, Tone } from './report-blocks.ts';

/** Units of the drawing; the page scales it. */
const width = 900;
const barHeight = 20;
const gap = 12;
const labelWidth = 250;
const valueWidth = 260;
/** At 13 units a letter is about seven wide. */
const longestLabel = 34;

/** Draws a chart; `id` tells its title and description apart from those of others on the page. */
export function drawChart(chart: Chart, id: string): Html {
  const { height, content } = draw[chart.kind](chart);
  return html`<figure>
<figcaption>${chart.title}</figcaption>
${drawLegend(chart)}
<div class="scroll">
<svg viewBox="0 0 ${width} ${height}" role="img" aria-labelledby="${id}-title ${id}-description">
<title id="${id}-title">${chart.title}</title>
<desc id="${id}-description">${chart.description}</desc>
${content}
</svg>
</div>
</figure>`;
}

interface Drawing {
  readonly height: number;
  readonly content: readonly Html[];
}

type Row = Chart['rows'][number];

const draw: Readonly<Record<Chart['kind'], (chart: Chart) => Drawing>> = {
  bars: drawBars,
  columns: drawColumns,
  share: drawShare,
};

function sumOf({ segments }: Row): number {
  return segments.reduce((sum, { amount }) => sum + amount, 0);
}

function toneOf({ legend }: Chart, series: string): Tone {
  return legend.find(each => each.series === series)?.tone ?? 'unknown';
}

/** A thousandth is more than anybody sees. */
function round(units: number): number {
  return Math.round(units * 100) / 100;
}

function drawLegend({ legend }: Chart): Html | undefined {
  if (legend.length < 2) return undefined;
  return html`<ul class="legend">${legend.map(({ series, tone }) => html`<li><span class="swatch ${tone}"></span>${series}</li>`)}</ul>`;
}

function drawBars(chart: Chart): Drawing {
  const most = Math.max(...chart.rows.map(sumOf), 1);
  const room = width - labelWidth - valueWidth;
  const scale = (amount: number) => (amount / most) * room;
  const content = chart.rows.map((row, at) => {
    const y = at * (barHeight + gap);
    return html`<g>
<title>${tellRow(row)}</title>
<text class="label" x="${labelWidth - 12}" y="${y + 15}" text-anchor="end">${shorten(row.label)}</text>
${drawSegments(chart, row, { x: labelWidth, y, height: barHeight, scale })}
<text class="value" x="${round(labelWidth + scale(sumOf(row)) + 8)}" y="${y + 15}">${tellValue(row)}</text>
</g>`;
  });
  return { height: Math.max(chart.rows.length * (barHeight + gap) - gap, 1), content };
}

interface Bar {
  readonly x: number;
  readonly y: number;
  readonly height: number;
  readonly scale: (amount: number) => number;
}

function drawSegments(chart: Chart, { segments }: Row, { x, y, height, scale }: Bar): Html[] {
  let from = x;
  return segments.flatMap(({ series, amount }) => {
    const long = scale(amount);
    const start = from;
    from += long;
    if (amount <= 0) return [];
    // What is there is seen, however little it is.
    return [
      html`<rect class="${toneOf(chart, series)}" x="${round(start)}" y="${y}" width="${round(Math.max(long, 1))}" height="${height}"/>`,
    ];
  });
}

function drawShare(chart: Chart): Drawing {
  const [row] = chart.rows;
  if (!row) return { height: 1, content: [] };
  const total = sumOf(row);
  const scale = (amount: number) => (amount / Math.max(total, 1)) * width;
  let from = 0;
  const labels = row.segments.flatMap(({ amount }) => {
    const start = from;
    from += scale(amount);
    const percent = total > 0 ? Math.round((amount / total) * 100) : 0;
    // Under a narrow part there is no room for its share; the legend's table has it.
    return scale(amount) < 50
      ? []
      : [html`<text class="value" x="${round(start + 4)}" y="60">${`${percent}\u00a0%`}</text>`];
  });
  return { height: 68, content: [...drawSegments(chart, row, { x: 0, y: 0, height: 40, scale }), ...labels] };
}

function drawColumns(chart: Chart): Drawing {
  const most = Math.max(...chart.rows.map(sumOf), 1);
  const room = 170;
  const step = width / Math.max(chart.rows.length, 1);
  const content = chart.rows.map((row, at) => {
    const middle = round((at + 0.5) * step);
    const tall = (sumOf(row) / most) * room;
    const top = round(24 + room - tall);
    const [{ series } = { series: '' }] = row.segments;
    return html`<g>
<title>${tellRow(row)}</title>
<rect class="${toneOf(chart, series)}" x="${round(middle - step * 0.32)}" y="${top}" width="${round(step * 0.64)}" height="${round(Math.max(tall, 1))}"/>
<text class="value" x="${middle}" y="${round(top - 7)}" text-anchor="middle">${formatBytes(sumOf(row))}</text>
<text class="label" x="${middle}" y="${room + 44}" text-anchor="middle">${row.label}</text>
</g>`;
  });
  return {
    height: room + 52,
    content: [html`<line x1="0" x2="${width}" y1="${room + 24.5}" y2="${room + 24.5}"/>`, ...content],
  };
}

/** The end of a path tells more than its beginning. */
function shorten(label: string): string {
  return label.length > longestLabel ? `…${label.slice(-longestLabel + 1)}` : label;
}

function tellRow(row: Row): string {
  const parts = row.segments.map(({ series, amount }) => `${series} ${formatBytes(amount)}`);
  return `${row.label}: ${formatBytes(sumOf(row))}${parts.length > 1 ? ` (${parts.join(', ')})` : ''}`;
}

/** The whole, and of it the last series: what would go. */
function tellValue(row: Row): string {
  const last = row.segments.at(-1);
  const freed =
    row.segments.length > 1 && last && last.amount > 0 ? `, of which ${formatBytes(last.amount)} would go` : '';
  return `${formatBytes(sumOf(row))}${freed}`;
}
