/** The files of one chart alone: what they say of it, and which of them helm keeps. Pure. */
import { errorMessage, inputError } from '../base/errors.ts';
import type { ChartFile } from './chart.ts';
import { sortFiles } from './file-order.ts';
import { type ChartMetadata, parseMetadata, parseRequirements } from './metadata.ts';
import { parseYaml } from './yaml-text.ts';

/** What a chart is, and its files in a fixed order. */
export interface OwnFiles {
  readonly metadata: ChartMetadata;
  readonly files: readonly ChartFile[];
}

/** Throws `INPUT_INVALID` without a `Chart.yaml`, or where helm would not take what is in a file that it knows. */
export function readOwnFiles(files: readonly ChartFile[], label: string): OwnFiles {
  const texts = new Map(files.map(({ path, bytes }) => [path, bytes]));
  const read = (path: string): string | undefined => {
    const bytes = texts.get(path);
    return bytes && new TextDecoder().decode(bytes);
  };
  const content = read('Chart.yaml');
  if (content === undefined)
    throw inputError(`${label} is not a chart: it has no Chart.yaml, or its .helmignore names it.`);
  const metadata = parseMetadata(content, `${label}/Chart.yaml`);
  checkSchema(read('values.schema.json'), `${label}/values.schema.json`);
  const requirements = read('requirements.yaml');
  const required =
    requirements === undefined ? undefined : parseRequirements(requirements, `${label}/requirements.yaml`);
  const isOld = metadata.apiVersion === 'v1';
  if (required && !isOld && JSON.stringify(required) !== JSON.stringify(metadata.dependencies)) {
    throw inputError(
      `${label}/requirements.yaml: a chart of apiVersion v2 names its dependencies in Chart.yaml, and helm would mix both. Move them there.`,
    );
  }
  const dependencies = (isOld ? required : undefined) ?? metadata.dependencies;
  const lock = findLock(read, isOld, label);
  const kept = files.flatMap(file => keep(file, isOld, lock));
  return { metadata: dependencies ? { ...metadata, dependencies } : metadata, files: sortFiles(kept) };
}

/** Which file helm writes as `Chart.lock`: the last one that is there; undefined where that says nothing. */
function findLock(read: (path: string) => string | undefined, isOld: boolean, label: string): string | undefined {
  let lock: string | undefined;
  for (const path of ['Chart.lock', 'requirements.lock']) {
    const text = read(path);
    if (text !== undefined) lock = parseYaml(text, `${label}/${path}`).root ? path : undefined;
  }
  return isOld ? undefined : lock;
}

/** Helm keeps `requirements.yaml` and `requirements.lock` of charts of `v1`, and `Chart.lock` of all others. */
function keep(file: ChartFile, isOld: boolean, lock: string | undefined): ChartFile[] {
  if (file.path === 'requirements.yaml') return isOld ? [file] : [];
  if (file.path === lock) return [{ ...file, path: 'Chart.lock' }];
  if (file.path === 'requirements.lock') return isOld ? [file] : [];
  return file.path === 'Chart.lock' ? [] : [file];
}

function checkSchema(text: string | undefined, name: string): void {
  if (text === undefined) return;
  try {
    JSON.parse(text);
  } catch (cause) {
    // The reader's own message quotes the text.
    const at = /position (\d+)/.exec(errorMessage(cause))?.[1];
    const line = at === undefined ? '' : `, line ${text.slice(0, Number(at)).split('\n').length}`;
    throw inputError(`${name}${line}: it is not JSON.`);
  }
}
