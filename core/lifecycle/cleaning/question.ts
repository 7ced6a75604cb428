/** What a person asks about: a build, or an image by a digest, a reference, or the path of a repository alone. Pure. */
import { type Digest, isDigest } from '../../oci/digest.ts';
import type { Place } from '../keep-policy/places.ts';

/** A question about images. */
export interface ImageQuestion {
  readonly kind: 'image';
  /** As it was asked. */
  readonly text: string;
  matches(place: Place): boolean;
  /** The names that are there and could have been meant, some twice. */
  listNames(places: readonly Place[]): string[];
  /** What these should be like. */
  readonly nameLike: string;
}

/** A question that was read. */
export type Question = { readonly kind: 'build'; readonly id: number } | ImageQuestion;

/** A registry by both its names. */
export interface NamedRegistry {
  /** In the configuration. */
  readonly name: string;
  readonly host: string;
}

/** Reads it. Never fails: what is no reference names nothing. `registries` are ours. */
export function readQuestion(asked: string, registries: readonly NamedRegistry[]): Question {
  const text = asked.trim();
  if (/^\d{1,15}$/.test(text)) return { kind: 'build', id: Number(text) };
  const digest = text.slice(text.lastIndexOf('@') + 1);
  if (isDigest(digest)) return askDigest(text, digest);
  const [first = '', ...rest] = text.split('/');
  const registry = rest.length > 0 ? registries.find(each => first === each.host || first === each.name) : undefined;
  const isHost = rest.length > 0 && /[.:]|^localhost$/.test(first);
  const inside = splitTag(registry || isHost ? rest.join('/') : text);
  // A registry may be called what a path begins with.
  const whole = isHost ? inside : splitTag(text);
  return askTag(text, inside, ({ home: { registry: name, repository } }) =>
    registry && repository === inside.repository ? name === registry.name : repository === whole.repository,
  );
}

function askDigest(text: string, digest: Digest): ImageQuestion {
  return {
    kind: 'image',
    text,
    nameLike: digest,
    // Whatever stands before it: a digest is the same image everywhere.
    matches: place => place.image.digest === digest,
    listNames: places => places.map(each => each.image.digest),
  };
}

interface Tagged {
  readonly repository: string;
  readonly tag: string | undefined;
}

function askTag(text: string, { repository, tag }: Tagged, isThere: (place: Place) => boolean): ImageQuestion {
  return {
    kind: 'image',
    text,
    nameLike: tag === undefined ? repository : `${repository}:${tag}`,
    matches: place => isThere(place) && (tag === undefined || place.image.tags.some(each => each.name === tag)),
    listNames(places) {
      const own = places.filter(isThere);
      if (own.length === 0) return places.map(({ home }) => home.repository);
      return own.flatMap(({ home, image }) => image.tags.map(each => `${home.repository}:${each.name}`));
    },
  };
}

function splitTag(text: string): Tagged {
  const [repository = '', tag] = text.split(':', 2);
  return { repository, tag };
}
