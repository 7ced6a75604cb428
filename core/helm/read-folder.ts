/** What helm takes out of a folder. */
import { mapConcurrently } from '../base/concurrency.ts';
import { AppError, inputError } from '../base/errors.ts';
import { type Budget, maxFileBytes, maxFiles, takeFile } from './bounds.ts';
import type { ChartFile } from './chart.ts';
import type { ChartFolder } from './chart-folder.ts';
import { type IgnoreRules, isIgnored, parseIgnoreRules } from './ignore.ts';
import { withoutMark } from './mark.ts';

const atOnce = 8;
const maxDepth = 100;

/**
 * The files that no rule of the folder's `.helmignore` leaves out, subcharts and all, in any order: the rules of a
 * subchart mean nothing. Throws `INPUT_INVALID` for what is no file, `TOO_LARGE`, and what the folder throws.
 */
export async function readFolder(folder: ChartFolder, budget: Budget): Promise<ChartFile[]> {
  const walk: Walk = { folder, budget, rules: await readRules(folder), folders: 0 };
  const paths = await listFiles(walk, '', 0);
  return mapConcurrently(paths, atOnce, async path => ({
    path,
    bytes: withoutMark(await folder.read(path, maxFileBytes)),
  }));
}

interface Walk {
  readonly folder: ChartFolder;
  readonly budget: Budget;
  readonly rules: IgnoreRules;
  folders: number;
}

async function readRules(folder: ChartFolder): Promise<IgnoreRules> {
  const file = (await folder.list('')).find(each => each.name === '.helmignore');
  const text = file ? new TextDecoder().decode(await folder.read('.helmignore', maxFileBytes)) : '';
  return parseIgnoreRules(text, `${folder.label}/.helmignore`);
}

async function listFiles(walk: Walk, at: string, depth: number): Promise<string[]> {
  const { folder, budget, rules } = walk;
  walk.folders += 1;
  if (walk.folders > maxFiles || depth > maxDepth) {
    throw new AppError(
      `${folder.label}: there are more than ${maxFiles} folders, or more than ${maxDepth} in each other.`,
      {
        code: 'TOO_LARGE',
      },
    );
  }
  const paths: string[] = [];
  const folders: string[] = [];
  for (const { name, kind, size } of await folder.list(at)) {
    const path = at ? `${at}/${name}` : name;
    if (isIgnored(rules, path, kind === 'folder')) continue;
    if (name.includes('\\')) {
      throw inputError(`${folder.label}: ${path} has a "\\" in its name, which helm takes for a folder. Rename it.`);
    }
    if (kind === 'other')
      throw inputError(`${folder.label}: ${path} is neither a file nor a folder. Name it in .helmignore.`);
    if (kind === 'folder') folders.push(path);
    else {
      takeFile(budget, folder.label, path, size);
      paths.push(path);
    }
  }
  const below = await mapConcurrently(folders, atOnce, each => listFiles(walk, each, depth + 1));
  return [...paths, ...below.flat()];
}
