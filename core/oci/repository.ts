/** One repository of a registry, with the rights that its user asked for. */
import { AppError } from '../base/errors.ts';
import type { HttpAnswer } from './http.ts';
import { isRepository } from './reference.ts';
import type { Registry } from './registry.ts';

/** What may be asked of a repository. `metadata_*` exist in Azure Container Registry alone. */
export type RepositoryAction = 'pull' | 'push' | 'delete' | 'metadata_read' | 'metadata_write';

/** A repository and the scope of every request to it, so that one token serves them all. */
export interface Repository {
  readonly registry: Registry;
  readonly name: string;
  readonly scope: string;
  /** `registry/repository`, for messages. */
  readonly label: string;
}

/** Names a repository; no request is sent. Throws `INPUT_INVALID` for a name outside the grammar. */
export function openRepository(registry: Registry, name: string, actions: readonly RepositoryAction[]): Repository {
  if (!isRepository(name)) throw new AppError(`"${name}" is not a repository's name.`, { code: 'INPUT_INVALID' });
  return { registry, name, scope: `repository:${name}:${actions.join(',')}`, label: `${registry.host}/${name}` };
}

/** The error for a status that the protocol does not have here; quotes the registry's own code, cut short. */
export function unexpectedAnswer(what: string, answer: Pick<HttpAnswer, 'status' | 'bytes'>): AppError {
  const code = errorCodes(answer.bytes).join(', ');
  return new AppError(`${what}: the registry answered ${answer.status}${code ? ` (${code})` : ''}.`, {
    code: 'REGISTRY_UNEXPECTED',
  });
}

/** The codes of an error answer. https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#error-codes */
export function errorCodes(bytes: Uint8Array): string[] {
  try {
    const body = JSON.parse(Buffer.from(bytes).toString('utf8')) as { errors?: unknown };
    const errors = Array.isArray(body.errors) ? (body.errors as { code?: unknown }[]) : [];
    return errors.slice(0, 5).flatMap(error => (typeof error?.code === 'string' ? [error.code.slice(0, 60)] : []));
  } catch {
    return [];
  }
}
