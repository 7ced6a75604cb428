/**
 * The rules of a `.helmignore`. They look like Git's and are not: there is no `**`, the first rule that matches decides,
 * and a `!` ignores whatever its pattern does not match. https://helm.sh/docs/chart_template_guide/helm_ignore_file/,
 * https://github.com/helm/helm/blob/v4.2.4/pkg/ignore/rules.go
 */
import { inputError } from '../base/errors.ts';
import { type Glob, matchesGlob, parseGlob } from './glob.ts';

/** Rules in their order; the last one is helm's own. */
export type IgnoreRules = readonly IgnoreRule[];

interface IgnoreRule {
  readonly glob: Glob;
  /** Ignores what does not match. */
  readonly isNegated: boolean;
  /** Is about folders alone. */
  readonly isForFolders: boolean;
  /** Looks at the last part of a path alone. */
  readonly isForNames: boolean;
}

/** Go's reader of lines takes no longer one. https://pkg.go.dev/bufio#MaxScanTokenSize */
const maxLineLength = 64 * 1024 - 1;
const space = String.raw`[\p{White_Space}]`;
const around = new RegExp(`^${space}+|${space}+$`, 'gu');

/** Reads the text of the file that messages call `label`; without one, helm's own rule is left. Throws `INPUT_INVALID` with the line. */
export function parseIgnoreRules(text: string, label: string): IgnoreRules {
  const rules = text.split('\n').flatMap((line, at) => {
    const fault = (why: string) => inputError(`${label}, line ${at + 1}: ${why}.`);
    if (line.length > maxLineLength) throw fault(`it has more than ${maxLineLength} characters`);
    const rule = line.replace(around, '');
    return rule === '' || rule.startsWith('#') ? [] : [parseRule(rule, fault)];
  });
  return [...rules, defaultRule];
}

function parseRule(text: string, fault: (why: string) => Error): IgnoreRule {
  if (text.includes('**')) throw fault('helm knows no "**"; name each level, as in "*/*.tmp"');
  const isNegated = text.startsWith('!');
  const isForFolders = text.endsWith('/');
  const pattern = text.slice(isNegated ? 1 : 0, isForFolders ? -1 : undefined);
  // Helm 3 takes away one more slash each time that it looks at the rule.
  if (pattern.startsWith('//')) throw fault('two slashes in front mean something else to each helm; write one');
  const glob = parseGlob(pattern.replace(/^\//, ''));
  if (!glob) throw fault('the pattern is not closed: a "[" needs its "]", and a "\\" a character behind it');
  return { glob, isNegated, isForFolders, isForNames: !pattern.includes('/') };
}

/** Helm's own rule: no hidden files among the templates. */
const defaultRule = parseRule('templates/.?*', why => new Error(why));

/** Whether helm leaves out what stands at `path`, which is joined with `/` and relative to the chart. */
export function isIgnored(rules: IgnoreRules, path: string, isFolder: boolean): boolean {
  const name = path.slice(path.lastIndexOf('/') + 1);
  for (const { glob, isNegated, isForFolders, isForNames } of rules) {
    const isMatch = (isFolder || !isForFolders) && matchesGlob(glob, isForNames ? name : path);
    if (isMatch !== isNegated) return true;
  }
  return false;
}
