/** What the four laws say of a random world: an oracle by brute force that shares no code with the product. */
import type { Estate } from './estate.ts';

/** Where images are. */
export const repositories = ['app', 'team/api'];

/** A build that a play made, with everything that its records name. */
export interface Made {
  readonly id: number;
  readonly repository: string;
  readonly keep: boolean;
  readonly names: { readonly repository: string; readonly digest: string; readonly promoted: boolean }[];
  deadSince?: number;
}

/** A play, as far as it got. */
export interface Play {
  readonly estate: Estate;
  readonly builds: Made[];
  /** What each tag was last taken off, by `repository:tag`. */
  readonly untagged: Map<string, string>;
  /** What indexes that were deleted had as children. */
  readonly childrenOf: Map<string, readonly string[]>;
  /** What a keep plan forbids to touch by now, by `repository@digest`. */
  readonly vetoed: Set<string>;
  readonly violations: string[];
}

/** Looks at each deletion before it takes effect; at request number `fault` (0: never) it cuts or fails one. */
export function watch(state: Play, fault: number): void {
  let count = 0;
  state.estate.acr.faults.intercept = (request, phase) => {
    if (phase === 'before') {
      count += 1;
      const { repository = '', reference = '' } = request;
      if (request.operation === 'manifest.delete' && repositories.includes(repository))
        judgeDeletion(state, repository, reference);
      if (request.operation === 'tag.delete') judgeUntag(state, repository, reference);
    }
    return fault > 0 &&
      count >= fault &&
      count < fault + 6 &&
      (fault % 2 === 0 ? phase === 'before' : phase === 'after')
      ? 'cut'
      : 'proceed';
  };
}

function judgeUntag(state: Play, repository: string, tag: string): void {
  const { estate, builds, untagged, vetoed, violations } = state;
  const digest = estate.acr.world.tags(repository)[tag];
  if (!repositories.includes(repository) || digest === undefined) return;
  if (vetoed.has(`${repository}@${digest}`)) violations.push(`untagged ${repository}:${tag}, which is vetoed`);
  const build = builds.find(each => String(each.id) === tag);
  if (build && givesUp(state, build, repository, digest)) untagged.set(`${repository}:${tag}`, digest);
  else violations.push(`untagged ${repository}:${tag}, which is not a dead build's to lose`);
}

/** Whether a record of the build says that the image stays, or the rule says it of a copy. */
function keeps({ estate }: Play, build: Made, repository: string, digest: string): boolean {
  return build.names.some(
    name =>
      name.repository === repository &&
      name.digest === digest &&
      (build.keep || (name.promoted && estate.rules.promoted === 'keep')),
  );
}

function givesUp(state: Play, build: Made, repository: string, digest: string): boolean {
  const isNamed = build.names.some(name => name.repository === repository && name.digest === digest);
  return build.deadSince !== undefined && isNamed && !keeps(state, build, repository, digest);
}

function judgeDeletion(state: Play, repository: string, digest: string): void {
  const { estate, builds, childrenOf, vetoed, violations } = state;
  const needed = neededIn(estate, repository);
  for (const victim of withReferrers(estate, repository, digest)) {
    const isKept = builds.some(build => keeps(state, build, repository, victim));
    const { manifests = [] } = estate.acr.world.manifest(repository, victim)?.document ?? {};
    childrenOf.set(
      victim,
      manifests.map(child => child.digest),
    );
    const isVetoed = vetoed.has(`${repository}@${victim}`);
    const why = isVetoed
      ? 'it is vetoed'
      : (needed.get(victim) ?? (isKept && !isGivenUp(state, repository, victim) ? 'it is kept' : undefined));
    if (why !== undefined)
      violations.push(`deleted ${repository}@${victim}${victim === digest ? '' : ` with ${digest}`}: ${why}`);
  }
}

/** Whether a dead build that does not keep it itself gave it up, or something that it is a child of or about. */
function isGivenUp(state: Play, repository: string, digest: string): boolean {
  return state.builds.some(build => {
    if (keeps(state, build, repository, digest)) return false;
    const own = build.names.filter(name => name.repository === repository);
    const given = own.map(name => name.digest).filter(each => givesUp(state, build, repository, each));
    return withDependants(state, repository, given).has(digest);
  });
}

function withDependants(state: Play, repository: string, start: readonly string[]): Set<string> {
  const { acr } = state.estate;
  const all = new Set(start);
  const signs = Object.entries(acr.world.tags(repository)).filter(([tag]) => tag.startsWith('sha256-'));
  for (const digest of all) {
    const { manifests = [] } = acr.world.manifest(repository, digest)?.document ?? {};
    for (const child of [...manifests.map(each => each.digest), ...(state.childrenOf.get(digest) ?? [])])
      all.add(child);
    for (const other of acr.world.manifests(repository))
      if (acr.world.manifest(repository, other)?.document.subject?.digest === digest) all.add(other);
    for (const [tag, other] of signs) if (tag.startsWith(digest.replace(':', '-'))) all.add(other);
  }
  return all;
}

/** Everything that Azure deletes with `digest`. */
function withReferrers(estate: Estate, repository: string, digest: string): string[] {
  const { world } = estate.acr;
  const found = [digest];
  for (const each of found) {
    for (const other of world.manifests(repository)) {
      if (world.manifest(repository, other)?.document.subject?.digest === each && !found.includes(other))
        found.push(other);
    }
  }
  return world.has(repository, digest) ? found : [];
}

/** By brute force: what a tag or a lock holds, and the children of that. */
function neededIn(estate: Estate, repository: string): Map<string, string> {
  const { world } = estate.acr;
  const needed = new Map<string, string>();
  const need = (digest: string, why: string): void => {
    if (needed.has(digest) || !world.has(repository, digest)) return;
    needed.set(digest, why);
    for (const child of world.manifest(repository, digest)?.document.manifests ?? [])
      need(child.digest, `child of ${digest}, ${why}`);
  };
  for (const [tag, digest] of Object.entries(world.tags(repository)))
    if (!isSignature(tag, digest) && !isContentTag(estate, repository, tag)) need(digest, `tag ${tag}`);
  for (const digest of world.manifests(repository)) {
    if (world.manifest(repository, digest)?.attributes.deleteEnabled === false) need(digest, 'locked');
  }
  return needed;
}

/** Whether a tag names what it is not on. */
function isSignature(tag: string, digest: string): boolean {
  return tag.startsWith('sha256-') && !tag.startsWith(digest.replace(':', '-'));
}

/** Whether a tag is the version of the chart that it is on, which names nothing but its content. */
function isContentTag({ acr }: Estate, repository: string, tag: string): boolean {
  const [version, hash] = tag.split('_c.');
  const { config, annotations } = acr.world.manifest(repository, acr.world.tags(repository)[tag] ?? '')?.document ?? {};
  const isChart = config?.mediaType === 'application/vnd.cncf.helm.config.v1+json';
  return isChart && hash?.length === 10 && annotations?.['org.opencontainers.image.version'] === `${version}+c.${hash}`;
}

/** Law 3 for charts: at rest, none is left that only its version is on, where each build that made it gave it up. */
export function checkNoChartOutlives(state: Play): void {
  const { estate, builds, violations } = state;
  const { world } = estate.acr;
  for (const repository of repositories) {
    const needed = neededIn(estate, repository);
    for (const [tag, digest] of Object.entries(world.tags(repository))) {
      if (!isContentTag(estate, repository, tag) || needed.has(digest)) continue;
      const makers = builds.filter(each => each.names.some(name => isSame(name, repository, digest)));
      const isUsed = withDependants(state, repository, [digest]).size > 1 || isChild(estate, repository, digest);
      if (isUsed || makers.length === 0 || !makers.every(each => givesUp(state, each, repository, digest))) continue;
      if (makers.some(each => recorded(estate, each.id).has(`${repository}@${digest}`)))
        violations.push(`the chart ${repository}:${tag} outlives its builds`);
    }
  }
}

function isSame(name: { readonly repository: string; readonly digest: string }, repository: string, digest: string) {
  return name.repository === repository && name.digest === digest;
}

function isChild({ acr }: Estate, repository: string, digest: string): boolean {
  return acr.world
    .manifests(repository)
    .some(each => acr.world.manifest(repository, each)?.document.manifests?.some(child => child.digest === digest));
}

/** Law 3: at rest, no dead build's tag is left that nothing locks, and no record of a build that may go. */
export function checkNothingOutlives(state: Play): void {
  const { estate, builds, violations } = state;
  const { world } = estate.acr;
  for (const build of builds) {
    for (const repository of repositories) {
      const digest = world.tags(repository)[build.id];
      const entry = digest === undefined ? undefined : world.manifest(repository, digest);
      if (!entry?.attributes.deleteEnabled || !givesUp(state, build, repository, entry.digest)) continue;
      if (recorded(estate, build.id).has(`${repository}@${entry.digest}`))
        violations.push(`${repository}:${build.id} outlives its build`);
    }
  }
}

/** Law 4: what the rule keeps by now, and what was not collected before, has the tag that was taken off it. */
export function checkTagsCameBack(state: Play): void {
  const { estate, builds, untagged, violations } = state;
  for (const [place, digest] of untagged) {
    const [repository = '', tag = ''] = place.split(':');
    const build = builds.find(each => String(each.id) === tag);
    if (!build || !keeps(state, build, repository, digest)) continue;
    const isThere = estate.acr.world.has(repository, digest);
    // An account that was closed before the rule changed has no record any more.
    const isRecorded = recorded(estate, build.id).has(`${repository}@${digest}`);
    if (isThere && isRecorded && estate.acr.world.tags(repository)[tag] === undefined)
      violations.push(`${place} was not put back on ${digest}`);
  }
}

/** What the records of a build that are still there name, as `repository@digest`. */
function recorded(estate: Estate, buildId: number): Set<string> {
  const { world } = estate.acr;
  const repository = `image-lifecycle/builds/${estate.projectId}`;
  const tags = Object.entries(world.tags(repository)).filter(([tag]) => tag.startsWith(`${buildId}.`));
  return new Set(
    tags.flatMap(([, digest]) => {
      const layer = world.manifest(repository, digest)?.document.layers?.[0]?.digest;
      const text = layer === undefined ? '{}' : String(world.blobs.read(layer));
      type Named = { repository: string; digest: string }[];
      const { images = [], charts = [] } = JSON.parse(text) as { images?: Named; charts?: Named };
      return [...images, ...charts].map(image => `${image.repository}@${image.digest}`);
    }),
  );
}
