/** Images of the Docker on the agent, by its own command line: https://docs.docker.com/reference/cli/docker/image/save/ */
import { errorMessage, inputError } from '../../core/base/errors.ts';
import { tl } from './task-lib.ts';

/** The reason of a failure stands at the end of what Docker says. */
const maxWords = 1000;

/** Has Docker write the image `name` to the file at `path`. Throws `INPUT_INVALID` with Docker's own words. */
export async function saveDockerImage(name: string, path: string): Promise<void> {
  const docker = tl.which('docker');
  if (!docker) throw inputError(`docker:${name}: there is no docker on this agent's PATH.`);
  let words = '';
  const tool = tl.tool(docker).arg(['save', '--output', path, name]);
  tool.on('stderr', (part: Buffer) => {
    words = `${words}${part.toString('utf8')}`.slice(-maxWords);
  });
  const code = await tool.execAsync({ silent: true, ignoreReturnCode: true }).catch((cause: unknown) => {
    throw inputError(`docker:${name}: docker could not be run: ${errorMessage(cause)}`, cause);
  });
  if (code === 0) return;
  throw inputError(`docker:${name}: docker save ended with ${code}: ${words.trim() || 'it said nothing'}`);
}
