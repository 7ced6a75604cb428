/** The lines of `mappings`: which of the step's charts each is for. */
import { inputError, withContext } from '../../core/base/errors.ts';
import { type ImageMapping, parseMapping } from '../../core/helm/mapping.ts';

/**
 * Reads `path.to.image=repository`, and `chart:path.to.image=repository` where there are several; gives those of each
 * chart by its name. Throws `INPUT_INVALID` for a line that is none, or is for no chart of the step.
 */
export function readMappings(lines: readonly string[], charts: readonly string[]): Map<string, ImageMapping[]> {
  const mappings = new Map<string, ImageMapping[]>(charts.map(name => [name, []]));
  for (const line of lines) {
    const { name, mapping } = splitLine(line, charts);
    const found = mappings.get(name);
    if (!found) {
      throw inputError(
        `The input mappings: "${line.slice(0, 200)}" is for the chart "${name}", and this step has ${charts.join(', ')}.`,
      );
    }
    found.push(parse(mapping, line));
  }
  return mappings;
}

function splitLine(line: string, charts: readonly string[]): { name: string; mapping: string } {
  // A colon in a key has a backslash before it, and what stands behind the = is the repository.
  const [, name, mapping = ''] = /^([^\\:=]+):(.*)$/.exec(line) ?? [];
  if (name !== undefined) return { name: name.trim(), mapping };
  const [only = '', ...more] = charts;
  if (more.length === 0) return { name: only, mapping: line };
  throw inputError(
    `The input mappings: "${line.slice(0, 200)}" does not say which chart it is for. Write ${only}:${line.slice(0, 200)}.`,
  );
}

function parse(mapping: string, line: string): ImageMapping {
  try {
    return parseMapping(mapping);
  } catch (cause) {
    throw withContext(`The input mappings: "${line.slice(0, 200)}"`, cause);
  }
}
