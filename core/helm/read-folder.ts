/** What helm takes out of a folder. */
import { AppError, inputError } from '../base/errors.ts';
import { type Budget, maxFileBytes, takeFile } from './bounds.ts';
import type { ChartFile } from './chart.ts';
import type { ChartFolder } from './chart-folder.ts';
import { type IgnoreRules, isIgnored, parseIgnoreRules } from './ignore.ts';
import { withoutMark } from './mark.ts';

const maxDepth = 100;
/** What is ignored counts too, but not what is in a folder that is ignored. */
const maxEntries = 100_000;

/**
 * The files that no rule of the folder's `.helmignore` leaves out, subcharts and all, in any order: the rules of a
 * subchart mean nothing. Throws `INPUT_INVALID` for what is no file, `TOO_LARGE`, and what the folder throws.
 */
export async function readFolder(folder: ChartFolder, budget: Budget): Promise<ChartFile[]> {
  const walk: Walk = { folder, rules: await readRules(folder), entries: 0 };
  const files: ChartFile[] = [];
  for (const path of await listFiles(walk, '', 0)) {
    const bytes = await folder.read(path, maxFileBytes);
    takeFile(budget, folder.label, path, bytes.length);
    files.push({ path, bytes: withoutMark(bytes) });
  }
  return files;
}

interface Walk {
  readonly folder: ChartFolder;
  readonly rules: IgnoreRules;
  entries: number;
}

async function readRules(folder: ChartFolder): Promise<IgnoreRules> {
  const file = (await folder.list('')).find(each => each.name === '.helmignore');
  const text = file ? new TextDecoder().decode(await folder.read('.helmignore', maxFileBytes)) : '';
  return parseIgnoreRules(text, `${folder.label}/.helmignore`);
}

async function listFiles(walk: Walk, at: string, depth: number): Promise<string[]> {
  const { folder, rules } = walk;
  if (depth > maxDepth) throw tooLarge(folder, `there are folders more than ${maxDepth} deep`);
  const paths: string[] = [];
  const folders: string[] = [];
  for (const { name, kind } of await folder.list(at)) {
    walk.entries += 1;
    if (walk.entries > maxEntries) throw tooLarge(folder, `there are more than ${maxEntries} files and folders`);
    const path = at ? `${at}/${name}` : name;
    if (isIgnored(rules, path, kind === 'folder')) continue;
    if (name.includes('\\')) {
      throw inputError(`${folder.label}: ${path} has a "\\" in its name, which helm takes for a folder. Rename it.`);
    }
    if (kind === 'other')
      throw inputError(`${folder.label}: ${path} is neither a file nor a folder. Name it in .helmignore.`);
    if (kind === 'folder') folders.push(path);
    else paths.push(path);
  }
  for (const each of folders) paths.push(...(await listFiles(walk, each, depth + 1)));
  return paths;
}

function tooLarge({ label }: ChartFolder, why: string): AppError {
  return new AppError(`${label}: ${why}. Name in .helmignore what is not of the chart.`, { code: 'TOO_LARGE' });
}
