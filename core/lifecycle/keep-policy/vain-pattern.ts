/** Patterns that match no name, whatever names there are: they would keep nothing, and nobody would be told. Pure. */
import { type Node, parseRegex } from '../../base/regex-syntax.ts';

/** Whose names a pattern is for: branches and tags of git, or tags of images. */
export type NameKind = 'branch' | 'tag' | 'imageTag';

interface Vain {
  /** Globs that match nothing. An expression begins with a slash. */
  readonly globs: RegExp;
  readonly why: string;
}

const full = 'refs/';
const expression = 'a regular expression stands between slashes';
const withoutPrefix: Readonly<Record<NameKind, string>> = {
  branch: 'never matches: the name of a branch stands without refs/heads/, such as main',
  tag: 'never matches: the name of a tag stands without refs/tags/, such as v1.0',
  imageTag: 'never matches: a tag of an image does not begin with refs/',
};
/** https://git-scm.com/docs/git-check-ref-format */
const noReference: Vain = {
  globs: /^(?!\/)(?:\.|.*(?:\/[./]|\.\.|@\{|[./]$|\.lock(?:\/|$)))/,
  why: `never matches: names in git do not begin with ".", end in "/", "." or ".lock", or hold "//" or ".."; whatever is below a folder is folder/*, and ${expression}`,
};
/** https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#pulling-manifests */
const noImageTag: Vain = {
  globs: /^(?!\/|[A-Za-z0-9_*][A-Za-z0-9._*-]*$)/,
  why: `never matches: a tag of an image is letters, digits, "_", "." and "-", and begins with neither of the last two; ${expression}`,
};
const vain: Readonly<Record<NameKind, Vain>> = { branch: noReference, tag: noReference, imageTag: noImageTag };
/** Where an expression without `^` finds nothing either: no tag of an image has a slash, but backrefs/x may be a branch. */
const isVainAnywhere: Readonly<Record<NameKind, boolean>> = { branch: false, tag: false, imageTag: true };

/**
 * Says why a pattern matches no name of its kind, as a clause behind the name of its key; undefined where it may match.
 * `text` is a pattern that `parseNamePattern` reads. Only what is certain is told; but for a branch that is itself called
 * `refs/…`, which a `*` in front would match.
 */
export function explainVain(text: string, kind: NameKind): string | undefined {
  const isExpression = text.startsWith('/');
  const isFull = isExpression ? beginsWith(parseRegex(text.slice(1, -1)), isVainAnywhere[kind]) : text.startsWith(full);
  if (isFull) return withoutPrefix[kind];
  return vain[kind].globs.test(text) ? vain[kind].why : undefined;
}

/** Expressions of what never matches, for the `not` of a JSON Schema: nothing that {@link explainVain} lets pass. */
export function vainShapes(kind: NameKind): string[] {
  const start = String.raw`\^${isVainAnywhere[kind] ? '?' : ''}`;
  return [`^${full}`, String.raw`^/${start}refs\\?/(?![?*+{])[^|]*/$`, vain[kind].globs.source];
}

/** Whether every match begins with `refs/` at the beginning of the name, or anywhere where that counts as its beginning. */
function beginsWith(node: Node, isAnchored: boolean): boolean {
  if (node.kind === 'choice') return node.parts.every(part => beginsWith(part, isAnchored));
  if (node.kind !== 'sequence') return false;
  const [first, ...others] = node.parts;
  if (first?.kind === 'start') return beginsWith({ ...node, parts: others }, true);
  if (first?.kind === 'choice' || first?.kind === 'sequence') return beginsWith(first, isAnchored);
  return isAnchored && full.split('').every((letter, at) => takesOnly(node.parts[at], letter));
}

function takesOnly(node: Node | undefined, letter: string): boolean {
  if (node?.kind !== 'take') return false;
  return 'abcdefghijklmnopqrstuvwxyz/'.split('').every(each => node.takes(each.charCodeAt(0)) === (each === letter));
}
