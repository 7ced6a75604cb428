/** What a report is made of, before it is a page for the run's tab or one for a browser. Every text may be hostile. */

/** Rows of one table or list on the page for a browser, which shows more than the run's tab. */
export const mostPageRows = 500;

/** One cell of a table. */
export type Cell =
  /** Names are shown as code, and of a digest the beginning. */
  | { readonly kind: 'text' | 'name' | 'tags' | 'digest' | 'day'; readonly text: string }
  | { readonly kind: 'count' | 'bytes'; readonly amount: number };

/** A part of a bar: its place in the legend, and how long it is. */
export interface Segment {
  readonly series: string;
  readonly amount: number;
}

/** A bar for each row, or a column for each, or one bar for all. */
export interface Chart {
  readonly kind: 'bars' | 'columns' | 'share';
  readonly title: string;
  /** What one who does not see it must know, in a sentence. */
  readonly description: string;
  /** The series, in the order in which they are drawn; `tone` is the name of a colour of the page. */
  readonly legend: readonly { readonly series: string; readonly tone: Tone }[];
  readonly rows: readonly { readonly label: string; readonly segments: readonly Segment[] }[];
}

/** The colours of charts, by what they stand for. */
export type Tone =
  | 'stays'
  | 'frees'
  | 'living'
  | 'gone'
  | 'likelyGone'
  | 'nobody'
  | 'unasked'
  | 'unknown'
  | 'chart'
  | 'age';

/** One part of a report. */
export type Block =
  | { readonly kind: 'heading'; readonly text: string }
  | { readonly kind: 'paragraph'; readonly text: string }
  /** What must not be overlooked. */
  | { readonly kind: 'notice'; readonly text: string; readonly items: readonly string[] }
  /** Figures to begin with. */
  | { readonly kind: 'figures'; readonly items: readonly { readonly label: string; readonly value: Cell }[] }
  /** `rest` says where the rows stand that are not shown: `in plan.json`; undefined where the page itself has the most. */
  | {
      readonly kind: 'table';
      readonly title: string;
      readonly head: readonly string[];
      readonly rows: readonly (readonly Cell[])[];
      readonly rest: string | undefined;
    }
  | { readonly kind: 'list'; readonly items: readonly string[]; readonly rest?: string }
  /** Lines as they are. */
  | { readonly kind: 'verbatim'; readonly lines: readonly string[] }
  | { readonly kind: 'chart'; readonly chart: Chart };

/** A text. */
export function text(words: string): Cell {
  return { kind: 'text', text: words };
}

/** The name of a repository, or an image. */
export function name(words: string): Cell {
  return { kind: 'name', text: words };
}

/** Up to three tags, and how many more there are. */
export function tags(all: readonly string[]): Cell {
  return { kind: 'tags', text: listTags(all) };
}

/** The same as a text. */
export function listTags(all: readonly string[], between = ' '): string {
  const more = all.length > 3 ? ` and ${all.length - 3} more` : '';
  return `${all.slice(0, 3).join(between)}${more}`;
}

/** A digest. */
export function digest(words: string): Cell {
  return { kind: 'digest', text: words };
}

/** How many. */
export function amount(of: number): Cell {
  return { kind: 'count', amount: of };
}

/** How many bytes. */
export function bytes(of: number): Cell {
  return { kind: 'bytes', amount: of };
}

/** A day, of milliseconds since the epoch or ISO 8601. */
export function day(of: number | string | undefined): Cell {
  return { kind: 'day', text: of === undefined ? 'not known' : new Date(of).toISOString().slice(0, 10) };
}

/** A number as people read it: `1,234,567`. */
export function formatCount(of: number): string {
  return String(of).replace(/\B(?=(?:\d{3})+$)/g, ',');
}

/** A table, or nothing where it has no rows. */
export function tableOf(
  title: string,
  head: readonly string[],
  rows: readonly (readonly Cell[])[],
  rest?: string,
): Block[] {
  return rows.length === 0 ? [] : [{ kind: 'table', title, head, rows, rest }];
}

/** A heading with what stands below it, or nothing where that is nothing. */
export function section(heading: string, blocks: readonly Block[]): Block[] {
  return blocks.length === 0 ? [] : [{ kind: 'heading', text: heading }, ...blocks];
}
