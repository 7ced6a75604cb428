/** What kind of pipeline runs this task. https://learn.microsoft.com/azure/devops/pipelines/build/variables#system-variables */
import { inputError } from '../../core/base/errors.ts';
import { readVariable } from './variables.ts';

/** `pipeline` is a YAML pipeline, its deployment jobs too, or a classic build; `release` is a classic release. */
export type HostKind = 'pipeline' | 'release';

/** Reads it. Throws `INPUT_INVALID` for what is neither. */
export function readHostKind(): HostKind {
  const host = readVariable('System.HostType') ?? 'build';
  if (host === 'build') return 'pipeline';
  // The second one is a job on a deployment group.
  if (host === 'release' || host === 'deployment') return 'release';
  throw inputError(`This task runs in pipelines and in classic releases, and this is "${host.slice(0, 200)}".`);
}
