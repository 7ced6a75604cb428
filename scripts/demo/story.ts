/** How the demo tells: headings, facts, tables, checks. */
import type { Hands, RegistryState } from './registry.ts';

const isTerminal = process.stdout.isTTY;
const paint = (code: number, text: string): string => (isTerminal ? `\u001b[${code}m${text}\u001b[0m` : text);

/** What stands above everything, or below. */
export function headline(text: string): void {
  console.log(`\n${paint(1, text)}`);
}

let chapters = 0;

/** The next chapter begins. */
export function chapter(title: string): void {
  chapters += 1;
  headline(`${chapters}. ${title}`);
}

/** Something happened, or is so. */
export function tell(...lines: readonly string[]): void {
  for (const line of lines) console.log(`  ${line}`);
}

/** Names that stand for addresses in everything that is quoted. */
const names = new Map<string, string>();

/** Says where something listens; from now on it is called by its name. */
export function introduce(what: string, address: string, name: string): void {
  names.set(address, name);
  tell(`${what} listens at ${address}. Here it is called ${name}.`);
}

/** Those lines of a process's output that `only` chooses, moved in; digests and ids are cut short. */
export function quote(text: string, only = /\S/): void {
  for (const line of text.split('\n').filter(each => only.test(each))) {
    const named = [...names].reduce((now, [host, name]) => now.replaceAll(host, name), line);
    const digests = named.replace(/(sha256:[0-9a-f]{8})[0-9a-f]{56}/g, '$1…');
    const ids = digests.replace(/\b([0-9a-f]{8})(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b/g, '$1…');
    console.log(paint(2, `  | ${ids.trimStart().replace(/ {3,}/g, '  ')}`));
  }
}

/** An image by the name that the story gives it. */
export interface Named {
  readonly name: string;
  readonly repository: string;
  readonly digest: string;
}

/** Shows which images are in which registry, under which tags. */
export async function showImages(title: string, registries: readonly Hands[], images: readonly Named[]): Promise<void> {
  const states = await Promise.all(registries.map(registry => registry.look()));
  const head = ['IMAGE', 'DIGEST', ...registries.map(({ name }) => name)];
  const rows = images.map(image => [
    image.name,
    `${image.repository}@${image.digest.slice(0, 15)}…`,
    ...states.map(state => describe(state, image)),
  ]);
  const sizes = ['', 'KiB in all', ...states.map(({ blobBytes }) => (blobBytes / 1024).toFixed(0))];
  const all = [head, ...rows, sizes];
  const widths = head.map((_, column) => Math.max(...all.map(row => row[column]?.length ?? 0)));
  console.log(`\n  ${title}`);
  for (const row of all) console.log(`    ${row.map((cell, at) => cell.padEnd(widths[at] ?? 0)).join('  ')}`.trimEnd());
  console.log('');
}

function describe({ repositories }: RegistryState, { repository, digest }: Named): string {
  const found = repositories[repository];
  if (!found?.manifests.some(each => each === digest)) return '–';
  const tags = Object.entries(found.tags).flatMap(([tag, on]) => (on === digest ? [tag] : []));
  return tags.join(', ') || '(no tag)';
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
