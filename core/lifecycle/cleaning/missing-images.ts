/** What clusters run, or could roll back to, and no registry has. Pure. */
import type { HelmReleaseFact } from '../../kubernetes/usage.ts';
import { parseReference } from '../../oci/reference.ts';
import type { PlanFacts } from '../keep-policy/policy-facts.ts';
import { readUsedImage } from '../keep-policy/used-image.ts';
import type { Shelf, Shelves } from './shelves.ts';

/** An image that runs and is not there. */
export interface MissingImage {
  /** As it stands in the specification. */
  readonly image: string;
  readonly cluster: string;
  /** Each as `pod shop/web-1`. */
  readonly usedBy: readonly string[];
  /** A sentence without a full stop. */
  readonly reason: string;
}

/** A Helm release with revisions whose images are not all there. */
export interface BrokenRelease {
  readonly cluster: string;
  readonly namespace: string;
  readonly name: string;
  /** Newest first. */
  readonly revisions: readonly number[];
  /** An image of the first of them that is not there. */
  readonly image: string;
}

/** What runs, by the references of the specifications: a running container needs no registry until it is started again. */
export function listMissing({ usage }: PlanFacts, shelves: Shelves): MissingImage[] {
  const found = new Map<string, MissingImage & { usedBy: string[] }>();
  for (const { name, label: cluster = name, uses } of usage) {
    for (const { image, where } of uses.kind === 'whole' ? uses.items : []) {
      const key = JSON.stringify([cluster, image]);
      const known = found.get(key);
      const reason = known ? undefined : missingBecause(image, shelves);
      if (reason !== undefined) found.set(key, { image, cluster, usedBy: [where], reason });
      else if (known && !known.usedBy.includes(where)) known.usedBy.push(where);
    }
  }
  const all = [...found].sort(([one], [other]) => (one < other ? -1 : 1));
  return all.map(([, each]) => ({ ...each, usedBy: [...each.usedBy].sort() }));
}

/** Releases that could not be rolled back, with the revisions that they could not be rolled back to. */
export function listBrokenReleases({ usage }: PlanFacts, shelves: Shelves): BrokenRelease[] {
  const broken = usage.flatMap(({ name, label: cluster = name, releases }) =>
    (releases.kind === 'whole' ? releases.items : []).flatMap(release => breakOf(release, cluster, shelves)),
  );
  const key = ({ cluster, namespace, name }: BrokenRelease) => `${cluster}/${namespace}/${name}`;
  return broken.sort((one, other) => (key(one) < key(other) ? -1 : 1));
}

function breakOf({ namespace, name, revisions }: HelmReleaseFact, cluster: string, shelves: Shelves): BrokenRelease[] {
  const broken = revisions
    .flatMap(({ revision, images }) => {
      const image = images.find(each => missingBecause(each, shelves) !== undefined);
      return image === undefined ? [] : [{ revision, image }];
    })
    .sort((one, other) => other.revision - one.revision);
  const [first] = broken;
  if (!first) return [];
  return [{ cluster, namespace, name, revisions: broken.map(each => each.revision), image: first.image }];
}

/** Undefined where the image is there, is not ours, or may be where nobody could look. */
function missingBecause(text: string, shelves: Shelves): string | undefined {
  const used = readUsedImage(text);
  if (used.kind !== 'digest' && used.kind !== 'tag') return undefined;
  const named = splitName(text);
  if (!named) return undefined;
  const registry = shelves.ofHost(named.host);
  if (registry === undefined) return missingBehind(named, used, shelves);
  if (!shelves.isRead(registry, named.repository)) return undefined;
  const shelf = shelves.all.get(registry)?.get(named.repository);
  if (!shelf) return `${registry} has no repository ${named.repository}`;
  return isOn(shelf, used) ? undefined : missingOn(shelf, used);
}

/**
 * A mirror's host, with the path of a repository of ours at its end. Somebody else's `redis` is not ours, and neither is
 * what a tag is on there: only a digest behind a path of several parts is missed, and only where it is nowhere.
 */
function missingBehind({ host, repository }: Name, used: Named, shelves: Shelves): string | undefined {
  if (used.kind === 'tag' || shelves.mayHave(used.digest)) return undefined;
  const ours = [...shelves.all.values()].flatMap(shelf => [...shelf.keys()]).sort();
  const path = ours.find(each => each.includes('/') && (repository === each || repository.endsWith(`/${each}`)));
  return path && `no registry has image ${used.digest}, which is pulled from ${host} like ${path}`;
}

interface Name {
  readonly host: string;
  readonly repository: string;
}

type Named = Extract<ReturnType<typeof readUsedImage>, { readonly kind: 'digest' | 'tag' }>;

function isOn({ digests, tags }: Shelf, used: Named): boolean {
  return used.kind === 'digest' ? digests.has(used.digest) : tags.has(used.tag);
}

function missingOn({ registry, repository }: Shelf, used: Named): string {
  const what = used.kind === 'digest' ? `image ${used.digest}` : `tag "${used.tag}"`;
  return `${registry}/${repository} has no ${what}`;
}

/** Host and path of a reference, also of one that says neither tag nor digest. */
function splitName(text: string): Name | undefined {
  const [name = ''] = text.trim().split('@', 1);
  try {
    const { registry, repository } = parseReference(/:[^/]*$/.test(name) ? name : `${name}:latest`);
    return registry === undefined ? undefined : { host: registry, repository };
  } catch {
    return undefined;
  }
}
