/** The helm of the agent, by its own command line: https://helm.sh/docs/helm/ */
import { spawn } from 'node:child_process';
import { AppError, errorMessage, inputError } from '../../core/base/errors.ts';
import { tl } from './task-lib.ts';

/** A helm that answered. Its settings (`HELM_…`) are the user's. */
export interface Helm {
  readonly path: string;
  /** As in `v3.21.4`. */
  readonly version: string;
}

/** How long one run may take, and how much it may say. */
export interface HelmLimits {
  readonly milliseconds: number;
  /** Bytes of standard output. */
  readonly bytes: number;
}

const usual: HelmLimits = { milliseconds: 5 * 60_000, bytes: 64 * 1024 * 1024 };
/** The reason of a failure stands at the end of what helm says. */
const maxWords = 2000;

/** Finds helm 3 or later on PATH; where there is none that runs, the reason, as a clause. */
export async function findHelm(): Promise<Helm | { readonly missing: string }> {
  const path = tl.which('helm');
  if (!path) return { missing: 'there is no helm on this agent' };
  try {
    const version = await helmVersion(path);
    if (/^v[3-9]\./.test(version)) return { path, version };
    return { missing: `the helm of this agent is ${version.slice(0, 50)}, and helm 3 or later is needed` };
  } catch (thrown) {
    return { missing: errorMessage(thrown).replace(/\.$/, '') };
  }
}

/** What the helm at `path` says it is, as in `v3.21.4`. */
export async function helmVersion(path: string): Promise<string> {
  const said = await runHelm({ path }, ['version', '--template', '{{.Version}}']);
  return said.trim();
}

/** Brings the dependencies that a chart declares into its `charts`, as its `Chart.lock` says where it has one. */
export async function buildDependencies(helm: Helm, folder: string): Promise<void> {
  await runHelm(helm, ['dependency', 'build', folder]);
}

/** What `helm lint` says of a chart, for people. `path` is a folder or an archive. */
export async function lint(helm: Helm, path: string, valuesFiles: readonly string[]): Promise<string> {
  return runHelm(helm, ['lint', path, ...valuesOf(valuesFiles)]);
}

/** The manifests of a chart, hooks and custom resources with them. `path` is a folder or an archive. */
export async function template(helm: Helm, path: string, valuesFiles: readonly string[]): Promise<string> {
  return runHelm(helm, ['template', 'release', path, '--include-crds', ...valuesOf(valuesFiles)]);
}

/** Helm reads the flag as a line of CSV, so a comma in a path would make two of it. https://pkg.go.dev/github.com/spf13/pflag#StringSliceVarP */
function valuesOf(files: readonly string[]): string[] {
  return files.flatMap(file => ['--values', /[",]/.test(file) ? `"${file.replaceAll('"', '""')}"` : file]);
}

/**
 * Runs helm, with no shell between, and gives its standard output. Throws `INPUT_INVALID` with helm's own words where it
 * ends badly or takes too long, and `TOO_LARGE` for an output without end.
 */
export async function runHelm(
  { path }: Pick<Helm, 'path'>,
  args: readonly string[],
  limits: HelmLimits = usual,
): Promise<string> {
  const name = `helm ${args[0] === 'dependency' ? 'dependency build' : args[0]}`;
  const { code, output, words, fault } = await execute(path, args, limits);
  if (fault === 'time')
    throw inputError(`${name} did not end within ${limits.milliseconds / 1000} s, and was stopped.`);
  if (fault === 'bytes') throw new AppError(`${name} wrote more than ${limits.bytes} bytes.`, { code: 'TOO_LARGE' });
  if (fault) throw inputError(`${name} could not be run: ${errorMessage(fault)}.`, fault);
  if (code === 0) return output;
  // What lint finds it says on standard output; what template says there is the chart's own, and may be secret.
  const said = args[0] === 'lint' ? `${output}\n${words}` : words;
  throw inputError(`${name} ended with ${code}: ${said.trim().slice(-maxWords) || 'it said nothing'}`);
}

interface Ending {
  readonly code: number | null;
  readonly output: string;
  /** The end of what it said on standard error. */
  readonly words: string;
  /** What was over its limit, or why it did not start. */
  readonly fault: 'time' | 'bytes' | Error | undefined;
}

function execute(path: string, args: readonly string[], limits: HelmLimits): Promise<Ending> {
  return new Promise(done => {
    // A group of its own can be stopped with all that helm started, such as a plugin. Windows has none.
    const hasGroup = process.platform !== 'win32';
    const child = spawn(path, args, { env: environment(), stdio: ['ignore', 'pipe', 'pipe'], detached: hasGroup });
    const output: Buffer[] = [];
    let size = 0;
    let words = '';
    let fault: Ending['fault'];
    const stop = (reason: 'time' | 'bytes'): void => {
      fault ??= reason;
      if (!hasGroup || !killGroup(child.pid)) child.kill('SIGKILL');
      child.stdout.destroy();
      child.stderr.destroy();
    };
    const timer = setTimeout(() => stop('time'), limits.milliseconds);
    child.stdout.on('data', (part: Buffer) => {
      size += part.byteLength;
      if (size > limits.bytes) stop('bytes');
      else output.push(part);
    });
    child.stderr.on('data', (part: Buffer) => {
      words = `${words}${part.toString('utf8')}`.slice(-maxWords);
    });
    const end = (code: number | null): void => {
      clearTimeout(timer);
      done({ code, output: Buffer.concat(output).toString('utf8'), words, fault });
    };
    child.on('error', cause => {
      fault ??= cause;
      end(null);
    });
    child.on('close', end);
  });
}

/** Gives whether there was one. */
function killGroup(id: number | undefined): boolean {
  try {
    return id !== undefined && process.kill(-id, 'SIGKILL');
  } catch {
    return false;
  }
}

/** What the agent has, but for what it hands to this task alone: inputs, connections, secrets. */
function environment(): NodeJS.ProcessEnv {
  const ours = /^(?:INPUT|ENDPOINT|SECRET|SECUREFILE|VSTS)_/i;
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !ours.test(name)));
}
