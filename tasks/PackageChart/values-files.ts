/** The values files of the checks. */
import { stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { inputError } from '../../core/base/errors.ts';
import { readVariable } from '../agent/variables.ts';

/** The whole paths of the files. Throws `INPUT_INVALID` for one that is not there. */
export async function findValuesFiles(files: readonly string[]): Promise<string[]> {
  const paths = files.map(file => resolve(readVariable('System.DefaultWorkingDirectory') ?? '', file));
  for (const path of paths) {
    const found = await stat(path).catch(cause => {
      throw inputError(`The input valuesFiles: the file "${path}" cannot be read.`, cause);
    });
    if (!found.isFile()) throw inputError(`The input valuesFiles: "${path}" is not a file.`);
  }
  return paths;
}
