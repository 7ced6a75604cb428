/** Lists in pages, joined by `Link`. https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#listing-tags */
import { AppError } from '../base/errors.ts';
import { errorCodes, type Repository, unexpectedAnswer } from './repository.ts';

/** One page: its JSON, or undefined when the registry knows no such list (404). */
export interface Page {
  readonly body: unknown;
}

const maxPageBytes = 16 * 1024 * 1024;
/** 100,000 pages of 1000 are more than any registry; more is a loop. */
const maxPages = 100_000;

/**
 * Walks the pages from `path` on. Gives nothing at all where the first page is a 404.
 * Throws where a later page is missing or a `Link` leads back: a list that broke off is not a short list.
 */
export async function* readPages(repository: Repository, path: string): AsyncGenerator<Page> {
  const seen = new Set<string>();
  let next: string | undefined = path;
  while (next !== undefined) {
    const what: string = `${repository.label}, list ${path.split('?')[0]}`;
    if (seen.has(next) || seen.size >= maxPages) throw broken(`${what}: its pages lead back to one that was read.`);
    seen.add(next);
    const answer = await repository.registry.exchange({
      method: 'GET',
      path: next,
      scope: repository.scope,
      headers: { accept: 'application/json' },
      maxBytes: maxPageBytes,
    });
    // A proxy says 404, too; only the registry says that it does not know the repository.
    if (answer.status === 404 && seen.size === 1 && errorCodes(answer.bytes).includes('NAME_UNKNOWN')) return;
    if (answer.status !== 200) throw unexpectedAnswer(what, answer);
    yield { body: parseJson(answer.bytes, what) };
    next = nextLink(answer.headers['link'], next);
  }
}

/**
 * The target of `rel="next"` as a path, or as a whole URL where it is on another host; undefined where there is none.
 * A relative target is read from `path`, whose answer carried the header. https://www.rfc-editor.org/rfc/rfc8288
 */
export function nextLink(header: string | undefined, path: string): string | undefined {
  const links = (header ?? '').matchAll(/<([^>]*)>((?:\s*;\s*[^\s=;,]+(?:\s*=\s*(?:"[^"]*"|[^\s;,"]*))?)*)/g);
  for (const [, target = '', parameters = ''] of links) {
    const [, quoted, plain] = /;\s*rel\s*=\s*(?:"([^"]*)"|([^\s;,"]*))/i.exec(parameters) ?? [];
    if (!(quoted ?? plain ?? '').toLowerCase().split(/\s+/).includes('next')) continue;
    const base = new URL(path, 'https://registry.invalid');
    const url = URL.canParse(target, base.href) ? new URL(target, base) : undefined;
    return url && url.origin === base.origin ? `${url.pathname}${url.search}` : target;
  }
  return undefined;
}

function parseJson(bytes: Uint8Array, what: string): unknown {
  try {
    return JSON.parse(Buffer.from(bytes).toString('utf8'));
  } catch (cause) {
    throw new AppError(`${what}: the answer is not JSON.`, { code: 'REGISTRY_UNEXPECTED', cause });
  }
}

function broken(message: string): AppError {
  return new AppError(message, { code: 'REGISTRY_UNEXPECTED' });
}
