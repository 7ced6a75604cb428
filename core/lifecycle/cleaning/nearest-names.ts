/** What somebody may have meant who named what is not there. Pure. */

const most = 3;
/** So many names are compared letter by letter: those whose beginning and end are most alike. */
const mostCompared = 200;
const longest = 400;

/** A sentence with a blank before it: the names of `there` that are most like `wanted`; empty where nothing is there. */
export function nameNearest(wanted: string, there: readonly string[]): string {
  const alike = listNearest(wanted, there).map(({ name }) => name);
  if (alike.length === 0) return '';
  const last = alike.at(-1) ?? '';
  return alike.length === 1
    ? ` The nearest is ${last}.`
    : ` The nearest are ${alike.slice(0, -1).join(', ')} and ${last}.`;
}

/** The names of `there` that are most like `wanted`, three at most and the nearest first, with how many letters differ. */
export function listNearest(wanted: string, there: readonly string[]): { name: string; distance: number }[] {
  const text = wanted.slice(0, longest);
  const names = [...new Set(there)].sort();
  return names
    .map(name => ({ name, ends: countEnds(text, name) }))
    .sort((one, other) => other.ends - one.ends)
    .slice(0, mostCompared)
    .map(({ name }) => ({ name, distance: measureDistance(text, name.slice(0, longest)) }))
    .sort((one, other) => one.distance - other.distance || (one.name < other.name ? -1 : 1))
    .slice(0, most);
}

/** How many characters the beginnings and the ends have in common. */
function countEnds(one: string, other: string): number {
  const most = Math.min(one.length, other.length);
  let start = 0;
  while (start < most && one[start] === other[start]) start += 1;
  let end = 0;
  while (end < most - start && one.at(-1 - end) === other.at(-1 - end)) end += 1;
  return start + end;
}

/** https://en.wikipedia.org/wiki/Levenshtein_distance */
function measureDistance(one: string, other: string): number {
  let row = Array.from({ length: other.length + 1 }, (_, at) => at);
  for (let at = 1; at <= one.length; at += 1) {
    const next = [at];
    for (let to = 1; to <= other.length; to += 1) {
      const replaced = (row[to - 1] ?? 0) + (one[at - 1] === other[to - 1] ? 0 : 1);
      next.push(Math.min(replaced, (row[to] ?? 0) + 1, (next[to - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[other.length] ?? 0;
}
