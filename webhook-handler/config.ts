/** Reads the configuration's file. */
import { dirname, resolve } from 'node:path';
import { type Configuration, parseConfiguration } from '../core/lifecycle/configuration/configuration.ts';
import { readTextFile } from './files.ts';
import { demandSignIn } from './handler-checks.ts';

/** A configuration, and the folder that its relative paths begin in. */
export interface ReadConfiguration {
  readonly configuration: Configuration;
  readonly folder: string;
}

const maxBytes = 1024 * 1024;

/** Reads and checks the file at `path`. Throws INPUT_INVALID where it cannot be read or is not right. */
export async function readConfiguration(path: string): Promise<ReadConfiguration> {
  const text = await readTextFile(path, 'configuration', maxBytes);
  return { configuration: parseConfiguration(text, path, demandSignIn), folder: dirname(resolve(path)) };
}
