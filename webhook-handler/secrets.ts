/** Fetches secrets from where the configuration says that they stand. */
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { errorMessage, inputError } from '../core/base/errors.ts';
import type { SecretPlace } from '../core/lifecycle/configuration/sign-in.ts';

/** The world that secrets are read from. */
export interface SecretSource {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Relative paths begin here. */
  readonly folder: string;
}

/**
 * Gives the secret at `place`, without the line end that editors and `kubectl create secret` leave.
 * Throws INPUT_INVALID that names `key`, the configuration's key, and the place, where there is none.
 */
export async function readSecret(place: SecretPlace, key: string, source: SecretSource): Promise<string> {
  const text = 'env' in place ? source.env[place.env] : await readText(resolve(source.folder, place.file), key);
  const secret = text?.replace(/\r?\n$/, '') ?? '';
  if (secret !== '') return secret;
  const where = 'env' in place ? `the environment variable ${place.env}` : `the file ${place.file}`;
  throw inputError(`${key}: ${where} is ${text === undefined ? 'not set' : 'empty'}`);
}

async function readText(path: string, key: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (cause) {
    throw inputError(`${key}: ${errorMessage(cause)}`, cause);
  }
}
