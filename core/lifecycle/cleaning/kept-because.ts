/** Why images stay, in a few words: the sentences of a plan sorted by what they are about. Pure. */

/** What a reason to stay is about, for people. */
export const keptKinds = [
  'its build is there',
  'it runs',
  'a Helm release could be rolled back to it',
  'a branch, tag or pull request keeps it',
  'a kept tag is on it',
  'it is new',
  'a tag of somebody else is on it',
  'it is locked',
  'no record tells its build',
  'the configuration or its record says so',
  'it belongs to what stays',
  'something was not read',
  'another reason',
] as const;

/** One of {@link keptKinds}. */
export type KeptKind = (typeof keptKinds)[number];

/**
 * The beginnings of the sentences of core/lifecycle/keep-policy. Where two fit, the first counts. Names of others stand in
 * the middle of a sentence, so they can mislead nobody but where a registry or a text is quoted at its beginning.
 */
const beginnings: readonly (readonly [RegExp, KeptKind])[] = [
  [/^its build .* (?:is there|is gone, but held by)/s, 'its build is there'],
  [/^its build .* is absent since .*: that counts after/s, 'something was not read'],
  [/^(?:it is used by |its child \S+ is in use)/, 'it runs'],
  [/^it is in revision /, 'a Helm release could be rolled back to it'],
  [/^it was built from /, 'a branch, tag or pull request keeps it'],
  [/^it was pushed or tagged in /, 'it is new'],
  [/^the tag ".*" is on it, which is not its build's own/s, 'a tag of somebody else is on it'],
  [/^the tag ".*" of .* is kept by /s, 'a kept tag is on it'],
  [/^(?:it is locked|its tag ".*" is locked)/s, 'it is locked'],
  [
    /^(?:no build record names it|it has no build record|it may be of a build|the tag of its build |its tags came off with build .* which is of )/s,
    'no record tells its build',
  ],
  // What others have in a registry is no gap in what was read.
  [
    /^nothing is known of its build .*: its project is not in the configuration$/s,
    'the configuration or its record says so',
  ],
  [
    /^(?:the configuration |a record of build |records and tombstones |build .* was promoted to )/s,
    'the configuration or its record says so',
  ],
  [
    /^(?:the index \S+, which stays|it refers to \S+, which stays|\S+ refers to it, and stays|it belongs to a circle )/,
    'it belongs to what stays',
  ],
  [
    /(?:not read|was not asked|cannot be read|does not say|not known|is known of|is given that tells|tells since when|^its record names pipeline )/,
    'something was not read',
  ],
];

/** What a reason to stay is about. */
export function kindOfReason(reason: string): KeptKind {
  return beginnings.find(([beginning]) => beginning.test(reason))?.[1] ?? 'another reason';
}

/** How many images stay for each kind of reason, the most first; an image counts once with each kind that it has. */
export function countKept(
  images: readonly { readonly decision: 'keep' | 'delete'; readonly reasons: readonly string[] }[],
): { because: KeptKind; images: number }[] {
  const counts = new Map<KeptKind, number>();
  for (const { decision, reasons } of images) {
    if (decision === 'delete') continue;
    for (const kind of new Set(reasons.map(kindOfReason))) counts.set(kind, (counts.get(kind) ?? 0) + 1);
  }
  const rank = (kind: KeptKind) => keptKinds.indexOf(kind);
  return [...counts]
    .map(([because, images]) => ({ because, images }))
    .sort((one, other) => other.images - one.images || rank(one.because) - rank(other.because));
}
