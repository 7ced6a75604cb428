/** Artifacts of a build. https://learn.microsoft.com/azure/devops/pipelines/scripts/logging-commands#upload-upload-an-artifact */
import { tl } from './task-lib.ts';

/** Has the agent upload a folder as an artifact of that name, when this process has ended. Only a build has artifacts. */
export function publishFolder(name: string, path: string): void {
  tl.uploadArtifact(name, path, name);
}
