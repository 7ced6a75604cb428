/** The images that were let go, gathered from the lines of a report. Pure. */
import { groupBy } from '../../core/base/group-by.ts';
import type { CleanItem } from '../../core/lifecycle/cleaning/clean-report.ts';
import { listOwners } from '../../core/lifecycle/cleaning/image-owners.ts';
import type { Departure, Leaving } from '../../core/lifecycle/cleaning/leaving.ts';
import { nameBuild } from '../../core/lifecycle/keep-policy/known-builds.ts';
import type { Place } from '../../core/lifecycle/keep-policy/places.ts';
import { placeOf } from '../../core/lifecycle/surroundings.ts';

/** An image that was let go: its tags came off, or it was deleted. */
export interface LetGo {
  readonly registry: string;
  /** `repository@digest`; `repository:tag` where the tag was put on after the look. */
  readonly subject: string;
  readonly step: 'released' | 'deleted';
  /** The tags that came off; none of what is deleted, and of what only belongs to an image whose tags came off. */
  readonly tags: readonly string[];
  /** As `1012 of Web Shop`; undefined for what is deleted for want of a tag. */
  readonly build: string | undefined;
  /** A sentence. */
  readonly reason: string;
}

/** Lists each image once, in the order of the report; what belongs to a released one, and leaves with it, comes behind. */
export function listLetGo(items: readonly CleanItem[], departure: Departure): LetGo[] {
  const done = items.filter(({ outcome }) => outcome === 'released' || outcome === 'deleted');
  const images = findImages(done, departure.places);
  const found = new Map<string, LetGo>();
  for (const { registry, subject: told, outcome, build, reason } of done) {
    const subject = images.get(keyOf(registry, told)) ?? told;
    const known = found.get(keyOf(registry, subject));
    const tags = outcome === 'released' ? [told.slice(told.lastIndexOf(':') + 1)] : [];
    found.set(keyOf(registry, subject), {
      registry,
      subject,
      step: outcome === 'deleted' || known?.step === 'deleted' ? 'deleted' : 'released',
      tags: [...(known?.tags ?? []), ...tags].sort(),
      build: known?.build ?? (build && nameBuild(build)),
      reason: known?.reason ?? reason,
    });
  }
  addParts(found, departure.leaving);
  return [...found.values()];
}

/** An image for the log. */
export function tellLetGo({ registry, subject, step, tags, build, reason }: LetGo): string {
  const of = build === undefined ? '' : ` of build ${build}`;
  const released =
    tags.length > 0
      ? `lost its ${tags.length === 1 ? 'tag' : 'tags'} ${tags.join(', ')}`
      : 'goes with what it belongs to';
  return `${registry}: ${subject}${of} ${step === 'deleted' ? 'was deleted' : released}: ${reason.replace(/\.\s*$/, '')}`;
}

/** The images that the tags of a report were on when they were looked at. */
function findImages(done: readonly CleanItem[], places: readonly Place[]): Map<string, string> {
  const wanted = new Set(done.map(({ registry, subject }) => keyOf(registry, subject)));
  const images = new Map<string, string>();
  for (const { home, image } of places) {
    for (const { name } of image.tags) {
      const key = keyOf(home.registry, `${home.repository}:${name}`);
      if (wanted.has(key)) images.set(key, subjectOf({ home, image }));
    }
  }
  return images;
}

/** A plan counts what belongs to an image as an image, so the same is done here: parts of parts are found in rounds. */
function addParts(found: Map<string, LetGo>, leaving: readonly Leaving[]): void {
  const parts = leaving.flatMap(({ cause, place }) => (cause === 'belongs' ? place : []));
  const owners = [...groupBy(parts, ({ home }) => home)].flatMap(([home, own]) => [...listOwners(home, own)]);
  for (let size = -1; size !== found.size; ) {
    size = found.size;
    for (const [{ home, image }, above] of owners) {
      const key = keyOf(home.registry, subjectOf({ home, image }));
      const owner = [...above].flatMap(each => found.get(keyOf(home.registry, subjectOf(each))) ?? []);
      const [first] = owner.filter(({ step }) => step === 'released');
      if (first && !found.has(key)) found.set(key, { ...first, subject: subjectOf({ home, image }), tags: [] });
    }
  }
}

function subjectOf({ home, image }: Pick<Place, 'home' | 'image'>): string {
  return placeOf({ repository: home.repository, digest: image.digest });
}

function keyOf(registry: string, subject: string): string {
  return `${registry} ${subject}`;
}
