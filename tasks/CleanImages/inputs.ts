/** CleanImages' inputs: the one file that knows their names. task.json declares them. */
import { inputError } from '../../core/base/errors.ts';
import { readHostKind } from '../agent/host.ts';
import { readChoice, readCount, readLines, readList, readOptionalPath, readSwitch, readText } from '../agent/input.ts';
import { readRegistryAddress } from '../agent/sign-in.ts';

/** At most so many connections of a kind, and registries of an audit. */
const maxConnections = 100;
const maxQuestions = 100;
const maxMinutes = 7 * 24 * 60;

/** Every name that is read here; a test holds them against task.json. */
export const inputNames = [
  'mode',
  'configuration',
  'registries',
  'why',
  'azureSubscriptions',
  'containerRegistries',
  'azureDevOpsConnection',
  'gitHubConnections',
  'gitHubEnterpriseConnections',
  'kubernetesConnections',
  'kubeconfig',
  'planFile',
  'planHash',
  'maxMinutes',
  'outputDirectory',
  'publishArtifact',
  'artifactName',
] as const;

/** What to do. */
export type Mode = 'plan' | 'audit' | 'apply' | 'plan-and-apply';

/** The service connections that this job was given, by their ids. */
export interface ConnectionIds {
  readonly azureSubscriptions: readonly string[];
  readonly containerRegistries: readonly string[];
  /** Empty: the job's own token. */
  readonly azureDevOpsConnection: string;
  readonly gitHubConnections: readonly string[];
  readonly gitHubEnterpriseConnections: readonly string[];
  readonly kubernetesConnections: readonly string[];
  /** A path; empty where there is none. */
  readonly kubeconfig: string;
}

/** The plan that a person approved. */
export interface ApprovedInputs {
  readonly file: string;
  /** 64 hexadecimal digits; empty where nobody said which plan it must be. */
  readonly hash: string;
}

/** What the user wants. */
export interface CleanImagesInputs {
  readonly mode: Mode;
  /** A path; empty in an audit that assumes its configuration. */
  readonly configuration: string;
  /** Login servers, for that audit. */
  readonly registries: readonly string[];
  /** References and build ids, as they were written. */
  readonly why: readonly string[];
  readonly connections: ConnectionIds;
  /** Undefined in every mode but `apply`. */
  readonly approved: ApprovedInputs | undefined;
  /** 0: no limit. */
  readonly maxMinutes: number;
  readonly outputDirectory: string;
  /** The artifact that the folder is published as; undefined for none. */
  readonly artifact: string | undefined;
}

/** Reads and checks every input. Throws `INPUT_INVALID`, naming the input. */
export function readInputs(): CleanImagesInputs {
  const mode = readChoice('mode', ['plan', 'audit', 'apply', 'plan-and-apply']);
  const connections = readConnections();
  return {
    mode,
    connections,
    ...readConfigured(mode),
    why: readLines('why', maxQuestions),
    approved: mode === 'apply' ? readApproved() : undefined,
    maxMinutes: readCount('maxMinutes', 0, [0, maxMinutes]),
    outputDirectory: readOutputDirectory(),
    artifact: readArtifact(mode),
  };
}

function readConnections(): ConnectionIds {
  return {
    azureSubscriptions: readList('azureSubscriptions', maxConnections),
    containerRegistries: readList('containerRegistries', maxConnections),
    azureDevOpsConnection: readText('azureDevOpsConnection'),
    gitHubConnections: readList('gitHubConnections', maxConnections),
    gitHubEnterpriseConnections: readList('gitHubEnterpriseConnections', maxConnections),
    kubernetesConnections: readList('kubernetesConnections', maxConnections),
    kubeconfig: readOptionalPath('kubeconfig'),
  };
}

/** The folder is published whole, so it may not be that of the sources, which is also what the agent makes of an empty path. */
function readOutputDirectory(): string {
  const path = readOptionalPath('outputDirectory');
  if (path) return path;
  throw inputError(
    'The input outputDirectory is empty, or the folder of the sources, all of which would be published. Leave it out for its default, or name a folder of its own.',
  );
}

function readConfigured(mode: Mode): Pick<CleanImagesInputs, 'configuration' | 'registries'> {
  const configuration = readOptionalPath('configuration');
  const registries = readLines('registries', maxConnections).map(line => readRegistryAddress(line, 'registries'));
  if (configuration && registries.length > 0) {
    throw inputError(
      'The input registries is for an audit without a configuration, which names them itself. Leave one of the two empty.',
    );
  }
  if (configuration || mode === 'audit') return { configuration, registries };
  throw inputError(
    `The input configuration is required where mode is ${mode}. It names the file that says which registries and projects belong together; mode audit goes without one.`,
  );
}

function readApproved(): ApprovedInputs {
  const file = readOptionalPath('planFile');
  if (!file) {
    throw inputError('The input planFile is required where mode is apply: the plan.json that a person approved.');
  }
  const said = readText('planHash');
  const hash = said.toLowerCase();
  if (hash === '' || /^[0-9a-f]{64}$/.test(hash)) return { file, hash };
  throw inputError(
    `The input planHash is "${said.slice(0, 200)}", which is no hash of a plan. It is the output variable planHash of the step that made the plan; from a stage before, hand it over by a variable of this job.`,
  );
}

function readArtifact(mode: Mode): string | undefined {
  const name = readText('artifactName') || `clean-images-${mode}`;
  if (!/^[\p{L}\p{N}][\p{L}\p{N} ._-]{0,99}$/u.test(name)) {
    throw inputError(
      `The input artifactName is "${name.slice(0, 200)}", which is no name of an artifact: letters, digits, space, ".", "_" and "-".`,
    );
  }
  const isWanted = readSwitch('publishArtifact', true);
  return isWanted && readHostKind() === 'pipeline' ? name : undefined;
}
