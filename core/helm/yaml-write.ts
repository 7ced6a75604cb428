/** New values as text. Always in double quotes, where neither a number nor a word of YAML can be read into them. */

/** A text in double quotes; what ends a line or cannot be seen is escaped. https://yaml.org/spec/1.1/#id904245 */
export function quote(text: string): string {
  return JSON.stringify(text).replace(
    /[\u007f-\u009f\u2028\u2029\ufeff]/g,
    each => `\\u${each.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

const wordOfYaml = /^(?:y|n|yes|no|on|off|true|false|null)$/i;

function writeKey(key: string): string {
  return /^[A-Za-z][A-Za-z0-9_./-]*$/.test(key) && !wordOfYaml.test(key) ? key : quote(key);
}

/** The value below the keys of `path`, each in a map between brackets; the value itself where there is no key. */
export function writeFlow(path: readonly string[], value: string): string {
  return path.reduceRight((inner, key) => `{ ${writeKey(key)}: ${inner} }`, quote(value));
}

/** The first key of `path` with what stands below it, to be put between brackets that are there. */
export function writeFlowPair([key = '', ...rest]: readonly string[], value: string): string {
  return `${writeKey(key)}: ${writeFlow(rest, value)}`;
}

/** The keys of `path` below one another, with the value behind the last; no line end at the end. */
export function writeBlock(
  path: readonly string[],
  value: string,
  { indent, eol }: { readonly indent: number; readonly eol: string },
): string {
  const lines = path.map((key, depth) => `${' '.repeat(indent + 2 * depth)}${writeKey(key)}:`);
  return `${lines.join(eol)} ${quote(value)}`;
}
