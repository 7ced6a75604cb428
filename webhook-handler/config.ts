/** Reads the configuration's file. */
import { readFile, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { errorMessage, inputError } from '../core/base/errors.ts';
import { type Check, type Configuration, parseConfiguration } from '../core/lifecycle/configuration/configuration.ts';
import { demandSignIn, refusePolicy } from './handler-checks.ts';

/** A configuration, and the folder that its relative paths begin in. */
export interface ReadConfiguration {
  readonly configuration: Configuration;
  readonly folder: string;
}

const check: Check = (configuration, written) => [
  ...demandSignIn(configuration),
  ...refusePolicy(configuration, written),
];

const maxBytes = 1024 * 1024;

/** Reads and checks the file at `path`. Throws INPUT_INVALID where it cannot be read or is not right. */
export async function readConfiguration(path: string): Promise<ReadConfiguration> {
  let text: string;
  try {
    if ((await stat(path)).size > maxBytes) throw new Error('it has more than 1 MiB');
    text = await readFile(path, 'utf8');
  } catch (cause) {
    throw inputError(`The configuration ${path} cannot be read: ${errorMessage(cause)}.`, cause);
  }
  return { configuration: parseConfiguration(text, path, check), folder: dirname(resolve(path)) };
}
