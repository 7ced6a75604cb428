/**
 * The grammar of names. Repository: https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#pulling-manifests
 * A reference is `registry/repository[:tag][@digest]`; this file does no I/O.
 */
import { inputError } from '../base/errors.ts';
import { type Digest, isDigest } from './digest.ts';

/** An image as a user writes it. At least one of `tag` and `digest` is there. */
export interface Reference {
  /** Host and optional port, when the text began with one. */
  readonly registry?: string | undefined;
  readonly repository: string;
  readonly tag?: string | undefined;
  readonly digest?: Digest | undefined;
}

const component = /[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*/.source;
const repositoryPattern = new RegExp(`^${component}(?:/${component})*$`);
const tagPattern = /^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$/;
const hostPattern =
  /^(?:[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?)(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?)*(?::[0-9]{1,5})?$/;

/** Whether `text` is a repository path, at most 255 characters. */
export function isRepository(text: string): boolean {
  return text.length <= 255 && repositoryPattern.test(text);
}

/** Whether `text` is a tag: at most 128 characters. */
export function isTag(text: string): boolean {
  return tagPattern.test(text);
}

/** Whether `text` is a registry's host name with an optional port, such as a URL may hold. */
export function isRegistryHost(text: string): boolean {
  return hostPattern.test(text) && URL.canParse(`https://${text}`);
}

/**
 * Reads `[registry/]repository:tag`, `…@digest` or `…:tag@digest`.
 * A first part that holds a dot or a colon, or is `localhost`, is a registry, as Docker reads it.
 * Throws `INPUT_INVALID` with a message that quotes the text and says which part is wrong.
 */
export function parseReference(text: string): Reference {
  const [named, digest, more] = text.split('@');
  if (!named || more !== undefined) throw invalid(text, 'it is not of the form repository:tag or repository@digest');
  if (digest !== undefined && !isDigest(digest)) {
    throw invalid(text, `"${digest}" is not a digest (sha256: and 64 hexadecimal digits in lower case)`);
  }
  const { registry, rest } = splitRegistry(named);
  if (registry !== undefined && !isRegistryHost(registry)) throw invalid(text, `"${registry}" is not a host name`);
  const { repository, tag } = splitTag(rest);
  if (!isRepository(repository)) {
    throw invalid(text, `"${repository}" is not a repository (lower-case letters, digits, ".", "_", "-" and "/")`);
  }
  if (tag !== undefined && !isTag(tag)) {
    throw invalid(
      text,
      `"${tag}" is not a tag (1 to 128 letters, digits, ".", "_" and "-"; the first is not "." or "-")`,
    );
  }
  if (tag === undefined && digest === undefined) throw invalid(text, 'it names neither a tag nor a digest');
  return { registry, repository, tag, digest };
}

function splitTag(text: string): { repository: string; tag?: string } {
  const colon = text.lastIndexOf(':');
  return colon < 0 ? { repository: text } : { repository: text.slice(0, colon), tag: text.slice(colon + 1) };
}

function splitRegistry(named: string): { registry?: string; rest: string } {
  const slash = named.indexOf('/');
  const first = slash < 0 ? '' : named.slice(0, slash);
  const isHost = first === 'localhost' || first.includes('.') || first.includes(':');
  return isHost ? { registry: first, rest: named.slice(slash + 1) } : { rest: named };
}

function invalid(text: string, why: string): Error {
  return inputError(`The image "${text}" cannot be read: ${why}.`);
}
