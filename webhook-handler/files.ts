/** Files that the command line, the configuration or the environment names. */
import { readFile, stat } from 'node:fs/promises';
import { errorMessage, inputError } from '../core/base/errors.ts';

/** Reads the text of a file of at most `maxBytes`; `what` is what messages call it. Throws INPUT_INVALID, naming the path. */
export async function readTextFile(path: string, what: string, maxBytes: number): Promise<string> {
  try {
    if ((await stat(path)).size > maxBytes) throw new Error(`it has more than ${maxBytes} bytes`);
    return await readFile(path, 'utf8');
  } catch (cause) {
    throw inputError(`The ${what} ${path} cannot be read: ${errorMessage(cause)}.`, cause);
  }
}
