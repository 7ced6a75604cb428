/** How the demo tells: headings, facts, tables, checks. */
import type { RegistryState } from './registry.ts';

const isTerminal = process.stdout.isTTY;
const paint = (code: number, text: string): string => (isTerminal ? `\u001b[${code}m${text}\u001b[0m` : text);

/** A chapter begins. */
export function chapter(title: string): void {
  console.log(`\n${paint(1, title)}`);
}

/** Something happened, or is so. */
export function tell(...lines: readonly string[]): void {
  for (const line of lines) console.log(`  ${line}`);
}

/** Output of a process, moved in and without its debug lines. */
export function quote(text: string): void {
  for (const line of text.split('\n').filter(each => each.trim() !== '')) console.log(paint(2, `  | ${line}`));
}

/** An image by the name that the story gives it. */
export interface Named {
  readonly name: string;
  readonly repository: string;
  readonly digest: string;
}

/** Shows which images are there, under which tags. */
export function showImages(title: string, state: RegistryState, images: readonly Named[]): void {
  const rows = images.map(({ name, repository, digest }) => {
    const found = state.repositories[repository];
    const isThere = found?.manifests.some(each => each === digest) ?? false;
    const tags = Object.entries(found?.tags ?? {}).flatMap(([tag, on]) => (on === digest ? [tag] : []));
    return [name, `${repository}@${digest.slice(0, 15)}…`, isThere ? tags.join(', ') || '(no tag)' : paint(2, 'gone')];
  });
  const all = [['IMAGE', 'DIGEST', 'TAGS'], ...rows];
  const width = (column: number): number => Math.max(...all.map(row => row[column]?.length ?? 0));
  console.log(`\n  ${title}`);
  for (const row of all)
    console.log(`    ${row.map((cell, at) => (at < 2 ? cell.padEnd(width(at)) : cell)).join('  ')}`);
  console.log(`    ${(state.blobBytes / 1024).toFixed(0)} KiB in all.\n`);
}

let failures = 0;

/** Says whether something is as it must be. */
export function check(what: string, isSo: boolean): void {
  if (!isSo) failures += 1;
  console.log(`  ${isSo ? paint(32, '✓') : paint(31, '✗')} ${what}`);
}

/** How many checks failed so far. */
export function countFailures(): number {
  return failures;
}
