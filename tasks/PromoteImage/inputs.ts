/** PromoteImage's inputs: the one file that knows their names. task.json declares them. */
import { inputError } from '../../core/base/errors.ts';
import type { PromotionRules } from '../../core/lifecycle/promotion-plan.ts';
import { checkTagPattern } from '../../core/lifecycle/tag-pattern.ts';
import { isRepository, isTag } from '../../core/oci/reference.ts';
import type { AzureConnection } from '../agent/arm.ts';
import { readConnection } from '../agent/connection.ts';
import { readChoice, readCount, readLines, readPath, readRequiredText, readSwitch, readText } from '../agent/input.ts';
import { type Connection, readRegistryAddress } from '../agent/sign-in.ts';

/** At most so many images in one step. */
export const maxImages = 1000;
const maxTags = 100;

/** Every name that is read here; a test holds them against task.json. */
export const inputNames = [
  'source',
  'pipelineResource',
  'releaseArtifacts',
  'images',
  'archives',
  'sourceConnectionType',
  'sourceAzureSubscription',
  'sourceContainerRegistry',
  'sourceRegistry',
  'connectionType',
  'azureSubscription',
  'containerRegistry',
  'registry',
  'tags',
  'buildTagPrefix',
  'onExistingTag',
  'repositoryPrefix',
  'repositories',
  'requirePromotedTo',
  'requirePromotedToConnection',
  'retainBuild',
  'keepLeases',
  'dryRun',
  'referrers',
  'charts',
  'method',
  'imagesFile',
  'outputDirectory',
] as const;

/** Which build's images, and where they are. */
export interface SourceInputs {
  readonly source: 'currentRun' | 'pipelineResource' | 'releaseArtifact' | 'images' | 'archive';
  /** Empty where it was not named. */
  readonly pipelineResource: string;
  readonly releaseArtifacts: readonly string[];
  /** Lines of `images` or of `archives`, as they stand. */
  readonly lines: readonly string[];
  /** Undefined for archives. */
  readonly connection: Connection | undefined;
}

/** The stage before, where it is asked for. */
export interface GateInputs {
  /** Login server. */
  readonly registry: string;
  /** Undefined: the source's connection. */
  readonly connectionId: string | undefined;
}

/** Two registries of Azure. */
export interface ImportSides {
  readonly from: AzureConnection;
  readonly to: AzureConnection;
}

/** What the user wants. */
export interface PromoteImageInputs {
  readonly from: SourceInputs;
  readonly to: Connection;
  readonly rules: PromotionRules;
  readonly gate: GateInputs | undefined;
  readonly retainBuild: 'true' | 'required' | 'false';
  readonly keepLeases: number;
  readonly dryRun: boolean;
  readonly referrers: boolean;
  readonly method: 'auto' | 'import' | 'copy';
  /** The sides of an import, where there can be one: both need an Azure Resource Manager connection. */
  readonly importSides: ImportSides | undefined;
  /** Empty where no chart's places are known. */
  readonly imagesFile: string;
  readonly outputDirectory: string;
}

/** Reads and checks every input. Throws `INPUT_INVALID`, naming the input. */
export function readInputs(): PromoteImageInputs {
  const to = readConnection({
    connectionType: 'connectionType',
    azureSubscription: 'azureSubscription',
    containerRegistry: 'containerRegistry',
    registry: 'registry',
  });
  const from = readSource(to);
  return {
    to,
    from,
    ...readMethod(from.connection, to),
    rules: readRules(),
    gate: readGate(),
    retainBuild: readChoice('retainBuild', ['true', 'required', 'false']),
    keepLeases: readCount('keepLeases', 3, [1, 100]),
    dryRun: readSwitch('dryRun'),
    referrers: readSwitch('referrers', true),
    imagesFile: readText('imagesFile') && readPath('imagesFile'),
    outputDirectory: readPath('outputDirectory'),
  };
}

function readSource(to: Connection): SourceInputs {
  const source = readChoice('source', ['currentRun', 'pipelineResource', 'releaseArtifact', 'images', 'archive']);
  const lines = source === 'images' || source === 'archive' ? readSourceLines(source) : [];
  const fallback = to.kind === 'azureResourceManager' ? { id: to.id, input: to.input } : undefined;
  return {
    source,
    pipelineResource:
      source === 'pipelineResource' ? readRequiredText('pipelineResource') : readText('pipelineResource'),
    releaseArtifacts: readLines('releaseArtifacts', 100),
    lines,
    connection:
      source === 'archive'
        ? undefined
        : readConnection(
            {
              connectionType: 'sourceConnectionType',
              azureSubscription: 'sourceAzureSubscription',
              containerRegistry: 'sourceContainerRegistry',
              registry: 'sourceRegistry',
            },
            fallback,
          ),
  };
}

function readMethod(from: Connection | undefined, to: Connection): Pick<PromoteImageInputs, 'method' | 'importSides'> {
  const method = readChoice('method', ['auto', 'import', 'copy']);
  const isAzure = from?.kind === 'azureResourceManager' && to.kind === 'azureResourceManager';
  if (isAzure || method !== 'import') return { method, importSides: isAzure ? { from, to } : undefined };
  throw inputError(
    'The input method is import, which needs an Azure Resource Manager connection on both sides. Set it to auto or copy.',
  );
}

function readSourceLines(source: 'images' | 'archive'): string[] {
  const [input, lines] =
    source === 'images' ? ['images', readLines('images', maxImages)] : ['archives', readLines('archives', maxImages)];
  if (lines.length > 0) return lines;
  throw inputError(`The input ${input} is required where source is ${source}.`);
}

function readRules(): PromotionRules {
  const tags = readLines('tags', maxTags);
  for (const tag of tags) checkTagPattern(tag, 'tags');
  const buildTagPrefix = readText('buildTagPrefix');
  if (!isTag(`${buildTagPrefix}1`)) {
    throw inputError(`The input buildTagPrefix is "${buildTagPrefix.slice(0, 200)}", which no tag can begin with.`);
  }
  const prefix = readText('repositoryPrefix').replace(/\/+$/, '');
  if (prefix && !isRepository(prefix)) {
    throw inputError(
      `The input repositoryPrefix is "${prefix.slice(0, 200)}", which is not the beginning of a repository.`,
    );
  }
  return {
    mapping: { prefix, renamed: new Map(readLines('repositories', maxImages).map(readMapping)) },
    buildTagPrefix,
    tags,
    onExistingTag: readChoice('onExistingTag', ['skip-if-same', 'fail', 'overwrite']),
    charts: readSwitch('charts', true),
  };
}

function readMapping(line: string): [from: string, to: string] {
  const [from = '', to = '', more] = line.split('=').map(part => part.trim());
  if (more === undefined && isRepository(from) && isRepository(to)) return [from, to];
  throw inputError(
    `The input repositories: "${line.slice(0, 200)}" is not of the form repository=repository, such as shop/web=store/frontend.`,
  );
}

function readGate(): GateInputs | undefined {
  const registry = readText('requirePromotedTo');
  if (!registry) return undefined;
  return {
    registry: readRegistryAddress(registry, 'requirePromotedTo'),
    connectionId: readText('requirePromotedToConnection') || undefined,
  };
}
