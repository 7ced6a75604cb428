/** HTML that no text can break out of: what is put into a template is escaped, unless it is HTML itself. */
import { neutralise } from '../agent/output.ts';

/** HTML: made by {@link html}, or a constant of ours. */
export interface Html {
  readonly html: string;
}

/** What a template takes. An absent value is nothing. */
export type HtmlPart = string | number | Html | undefined | readonly HtmlPart[];

/** Writes HTML: `` html`<td>${name}</td>` ``. A value may stand as text or inside of double quotes, and nowhere else. */
export function html(strings: TemplateStringsArray, ...parts: readonly HtmlPart[]): Html {
  const written = strings.map((text, at) => text + (at < parts.length ? write(parts[at]) : ''));
  return { html: written.join('') };
}

function write(part: HtmlPart): string {
  if (part === undefined) return '';
  if (typeof part === 'string') return escapeHtml(part);
  if (typeof part === 'number') return String(part);
  return 'html' in part ? part.html : part.map(write).join('');
}

/** Text for an element or a quoted attribute, and for whoever prints the page in a job: one line, without commands. */
export function escapeHtml(text: string): string {
  return neutralise(text)
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll("'", '&apos;');
}
