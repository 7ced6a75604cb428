/** Files that an input names: found, read, and written. */
import { mkdir, readFile, rename, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { inputError } from '../../core/base/errors.ts';
import { tl } from './task-lib.ts';
import { readVariable } from './variables.ts';

/** The files that `pattern` matches below the working directory, without those of the `excluded` patterns. */
export function findFiles(pattern: string, excluded: readonly string[]): string[] {
  const root = readVariable('System.DefaultWorkingDirectory') ?? process.cwd();
  return tl.findMatch(root, [pattern, ...excluded.map(each => `!${each}`)]);
}

/** The text of a file of at most `maxBytes`. Throws `INPUT_INVALID`, naming the input. */
export async function readTextFile(path: string, input: string, maxBytes: number): Promise<string> {
  const about = `The input ${input}: the file "${path}"`;
  const found = await stat(path).catch(cause => {
    throw inputError(
      `${about} cannot be read. What holds it must be checked out, or downloaded, before this step.`,
      cause,
    );
  });
  if (!found.isFile()) throw inputError(`${about} is not a file.`);
  if (found.size > maxBytes) throw inputError(`${about} has ${found.size} bytes; ${maxBytes} are the most.`);
  try {
    return await readFile(path, 'utf8');
  } catch (cause) {
    throw inputError(`${about} cannot be read.`, cause);
  }
}

/** Writes a file of a folder that may be missing, whole or not at all; gives its path. */
export async function writeWhole(directory: string, name: string, content: string | Uint8Array): Promise<string> {
  const path = join(directory, name);
  await mkdir(directory, { recursive: true });
  await writeFile(`${path}.partial`, content);
  await rename(`${path}.partial`, path);
  return path;
}
