/** Where this step runs, and what it may do there: in the build that made the images, or in a classic release of it. */
import { inputError } from '../../core/base/errors.ts';
import type { BuildIdentity } from '../../core/lifecycle/build-record.ts';
import { readBuild } from '../agent/build.ts';
import { readHostKind } from '../agent/host.ts';
import { isSameBuild, type ListedBuild } from '../agent/images-json.ts';
import { agentLog } from '../agent/log.ts';
import type { PackageChartInputs } from './inputs.ts';

/** The build that runs this step; undefined in a classic release, whose `Build.*` are of an artifact. */
export interface Place {
  readonly build: BuildIdentity | undefined;
}

/** Reads it. Throws `INPUT_INVALID` for inputs that cannot be had in a classic release. */
export function readPlace({ publish, push, imagesFile }: PackageChartInputs): Place {
  if (readHostKind() === 'pipeline') return { build: readBuild() };
  if (publish) {
    throw inputError(
      'The input publish is set, but this is a classic release, and a release keeps no artifacts. Package the chart in the build, and publish it there.',
    );
  }
  if (push) {
    throw inputError(
      'The input push is true, but this is a classic release, and what is pushed is recorded with the build that made it. Push the chart in the build.',
    );
  }
  if (!imagesFile) {
    throw inputError(
      'The input imagesFile is required in a classic release: name the images.json of the artifact whose images are meant.',
    );
  }
  agentLog.info(
    'This is a classic release, and a release keeps no artifacts: the chart is gone when the job has ended. It belongs into the build.',
  );
  return { build: undefined };
}

/** The build of an images.json, which in a build must be the running one. Throws `INPUT_INVALID`, naming both. */
export function checkBuild({ build }: Place, listed: ListedBuild, path: string): void {
  if (!build || isSameBuild(build, listed)) return;
  throw inputError(
    `The input imagesFile: "${path}" is of build ${listed.id} in project ${listed.projectId}, and this is build ${build.id} in project ${build.projectId}. A chart carries the images of its own build: take the file that TagImage wrote in this one.`,
  );
}
