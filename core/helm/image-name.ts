/** Names of images as values hold them: whole, or in parts. */

/** The parts of `[host/]repository[:tag][@digest]`. */
export interface ImageName {
  readonly host: string | undefined;
  readonly repository: string;
  readonly tag: string | undefined;
  readonly digest: string | undefined;
}

const pattern = /^([A-Za-z0-9._:/-]+?)(?::([A-Za-z0-9_][A-Za-z0-9._-]{0,127}))?(?:@([a-z0-9]+:[0-9a-fA-F]{32,}))?$/;
const repositoryPattern = /^[a-z0-9]+(?:[._/-]+[a-z0-9]+)*$/;

/**
 * Reads the name of an image; undefined for a text that is none. A first part that holds a dot or a colon, or is
 * `localhost`, is a host, as Docker reads it: https://github.com/distribution/reference/blob/v0.6.0/normalize.go
 */
export function splitImageName(text: string): ImageName | undefined {
  const [, named = '', tag, digest] = (text.length <= 1024 && pattern.exec(text)) || [];
  const slash = named.indexOf('/');
  const first = slash < 0 ? '' : named.slice(0, slash);
  const isHost = first === 'localhost' || /[.:]/.test(first);
  const repository = isHost ? named.slice(slash + 1) : named;
  if (!repositoryPattern.test(repository)) return undefined;
  return { host: isHost ? first : undefined, repository, tag, digest };
}
