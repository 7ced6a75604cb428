/** A page of Markdown on the build's Extensions tab. */
import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { neutralise } from './output.ts';
import { tl } from './task-lib.ts';
import { readVariable } from './variables.ts';

/** Shows `markdown` on the build, under `title`, which must be a file's name. */
export async function showSummary(title: string, markdown: string): Promise<void> {
  // The agent reads the file after this process has ended, and empties its folder at the end of the job.
  const folder = await mkdtemp(join(readVariable('Agent.TempDirectory') ?? tmpdir(), 'image-lifecycle-'));
  const path = join(folder, `${title}.md`);
  await writeFile(path, markdown);
  tl.uploadSummary(path);
}

/** Text that shows as it is: no links, no markup, no HTML, one line. https://spec.commonmark.org/0.31.2/#backslash-escapes */
export function escapeMarkdown(text: string): string {
  return neutralise(text)
    .replace(/[\\`*_{}[\]()#+\-.!|~:@]/g, String.raw`\$&`)
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;');
}
