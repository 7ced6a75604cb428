/** PackageChart's inputs: the one file that knows their names. task.json declares them. */
import { inputError } from '../../core/base/errors.ts';
import { isRepository, isTag } from '../../core/oci/reference.ts';
import { connectionTypes, readConnection } from '../agent/connection.ts';
import { readChoice, readLines, readPath, readRequiredText, readSwitch, readText } from '../agent/input.ts';
import type { Connection } from '../agent/sign-in.ts';

/** At most so many charts in one step, and so many lines of mappings. */
export const maxCharts = 100;
const maxMappings = 1000;
const maxValuesFiles = 100;

/** Every name that is read here; a test holds them against task.json. */
export const inputNames = [
  'charts',
  'imagesFile',
  'connectionType',
  'azureSubscription',
  'containerRegistry',
  'registry',
  'pin',
  'mappings',
  'onUnusedPin',
  'version',
  'exactVersion',
  'appVersion',
  'helm',
  'valuesFiles',
  'outputDirectory',
  'publish',
  'push',
  'chartRepositoryPrefix',
  'buildTagPrefix',
  'onBuildDeleted',
] as const;

/** Where and how a chart is pushed. */
export interface PushInputs {
  readonly repositoryPrefix: string;
  readonly onBuildDeleted: 'delete' | 'keep';
}

/** What the user wants. */
export interface PackageChartInputs {
  /** Folders, as they were written. */
  readonly charts: readonly string[];
  /** Empty where the registry's record of this build is meant. */
  readonly imagesFile: string;
  /** Undefined where the step has no registry. */
  readonly connection: Connection | undefined;
  readonly pin: 'tagAndDigest' | 'digest' | 'tag';
  /** Lines, as they stand. */
  readonly mappings: readonly string[];
  readonly onUnusedPin: 'fail' | 'warn';
  readonly version: 'content' | 'build' | 'exact';
  /** Empty where `version` is not `exact`. */
  readonly exactVersion: string;
  /** Empty where the chart's own stays, or the build tag is put. */
  readonly appVersion: string;
  readonly helm: 'auto' | 'required' | 'never';
  /** Files, as they were written. */
  readonly valuesFiles: readonly string[];
  readonly outputDirectory: string;
  /** The name of a build artifact; empty where none is to be uploaded. */
  readonly publish: string;
  /** Undefined where nothing is pushed. */
  readonly push: PushInputs | undefined;
  readonly buildTagPrefix: string;
}

/** Reads and checks every input. Throws `INPUT_INVALID`, naming the input. */
export function readInputs(): PackageChartInputs {
  const version = readChoice('version', ['content', 'build', 'exact']);
  return {
    charts: readCharts(),
    ...readSource(),
    pin: readChoice('pin', ['tagAndDigest', 'digest', 'tag']),
    mappings: readLines('mappings', maxMappings),
    onUnusedPin: readChoice('onUnusedPin', ['fail', 'warn']),
    version,
    exactVersion: version === 'exact' ? readVersion() : '',
    appVersion: checkFilled('appVersion', readText('appVersion')),
    helm: readChoice('helm', ['auto', 'required', 'never']),
    valuesFiles: readLines('valuesFiles', maxValuesFiles).map(line => checkFilled('valuesFiles', line)),
    outputDirectory: readPath('outputDirectory'),
    publish: readArtifactName(),
    buildTagPrefix: readBuildTagPrefix(),
  };
}

function readCharts(): string[] {
  const charts = readLines('charts', maxCharts).map(line => checkFilled('charts', line));
  if (charts.length > 0) return charts;
  throw inputError('The input charts is required: name the folder of at least one chart.');
}

/** Where the images come from and the charts go. Without a registry it can be neither. */
function readSource(): Pick<PackageChartInputs, 'imagesFile' | 'connection' | 'push'> {
  const kind = readChoice('connectionType', [...connectionTypes, 'none']);
  const imagesFile = readText('imagesFile') && readPath('imagesFile');
  const push = readPush();
  if (kind !== 'none') {
    const connection = readConnection({
      connectionType: 'connectionType',
      azureSubscription: 'azureSubscription',
      containerRegistry: 'containerRegistry',
      registry: 'registry',
    });
    return { imagesFile, connection, push };
  }
  if (push) throw inputError('The input push is true, but connectionType is none. Name the registry to push to.');
  if (imagesFile) return { imagesFile, connection: undefined, push };
  throw inputError(
    'The input imagesFile is required where connectionType is none: without a registry nothing else says what the build made.',
  );
}

function readPush(): PushInputs | undefined {
  const isWanted = readSwitch('push');
  const onBuildDeleted = readChoice('onBuildDeleted', ['delete', 'keep']);
  const repositoryPrefix = (readText('chartRepositoryPrefix') || 'charts').replace(/\/+$/, '');
  if (isRepository(repositoryPrefix)) return isWanted ? { repositoryPrefix, onBuildDeleted } : undefined;
  throw inputError(
    `The input chartRepositoryPrefix is "${repositoryPrefix.slice(0, 200)}", which is not the beginning of a repository.`,
  );
}

/** https://semver.org/#backusnaur-form-grammar-for-valid-semver-versions */
function readVersion(): string {
  const text = readRequiredText('exactVersion');
  const number = '(?:0|[1-9][0-9]*)';
  const part = `(?:${number}|[0-9]*[A-Za-z-][0-9A-Za-z-]*)`;
  const grammar = `${number}\\.${number}\\.${number}(?:-${part}(?:\\.${part})*)?(?:\\+[0-9A-Za-z-]+(?:\\.[0-9A-Za-z-]+)*)?`;
  // It is a tag, too: https://github.com/opencontainers/distribution-spec/blob/main/spec.md#pulling-manifests
  if (text.length <= 128 && new RegExp(`^${grammar}$`).test(text)) return text;
  throw inputError(
    `The input exactVersion is "${text.slice(0, 200)}", which is not a version such as 1.4.0 or 1.4.0-rc.1 (SemVer 2, at most 128 characters).`,
  );
}

function readArtifactName(): string {
  const name = checkFilled('publish', readText('publish'));
  if (!/["/:<>\\|?*]/.test(name) && !name.endsWith('.') && name.length <= 256) return name;
  throw inputError(
    `The input publish is "${name.slice(0, 200)}", which is not the name of an artifact: at most 256 characters, none of them one of "/:<>\\|?*, and no dot at the end.`,
  );
}

function readBuildTagPrefix(): string {
  const prefix = readText('buildTagPrefix');
  if (isTag(`${prefix}1`)) return prefix;
  throw inputError(`The input buildTagPrefix is "${prefix.slice(0, 200)}", which no tag can begin with.`);
}

/** Throws where it is more than a line, or still holds a variable that the agent could not fill in. */
function checkFilled(name: string, text: string): string {
  const macro = /\$\(([^)]*)\)/.exec(text);
  if (macro) throw inputError(`The input ${name} names the variable "${macro[1]}", which is not set in this run.`);
  if (/[\r\n]/.test(text)) throw inputError(`The input ${name} has more than one line.`);
  return text;
}
