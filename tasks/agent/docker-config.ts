/** The agent's own Docker sign-in, as `docker login` or Docker@2 left it. https://docs.docker.com/reference/cli/docker/login/ */
import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { AppError, inputError } from '../../core/base/errors.ts';
import { type Credentials, findDockerCredentials } from '../../core/oci/credentials.ts';
import { keepSecret } from './secrets.ts';

/** Finds the sign-in for `host` (`host:port`). Throws `SIGN_IN_FAILED` where there is none that can be used. */
export async function readDockerConfig(host: string): Promise<Credentials> {
  const path = join(process.env['DOCKER_CONFIG'] || join(homedir(), '.docker'), 'config.json');
  const text = await readFile(path, 'utf8').catch(cause => {
    throw new AppError(
      `connectionType is dockerConfig, but "${path}" cannot be read. Run Docker@2 login before this step.`,
      {
        code: 'SIGN_IN_FAILED',
        cause,
      },
    );
  });
  const found = parse(text, path, host);
  if (!found) throw missing(path, host, text);
  if (found.kind === 'password') keepSecret(found.password);
  if (found.kind === 'refreshToken') keepSecret(await found.obtain());
  return found;
}

function parse(text: string, path: string, host: string): Credentials | undefined {
  try {
    return findDockerCredentials(text, host);
  } catch (cause) {
    // The parser's own message would quote the file, and with it a password.
    throw inputError(`"${path}" is not a Docker configuration.`, cause instanceof SyntaxError ? undefined : cause);
  }
}

function missing(path: string, host: string, text: string): AppError {
  const { credsStore, credHelpers } = JSON.parse(text) as { credsStore?: unknown; credHelpers?: object };
  const helper =
    credHelpers && Object.hasOwn(credHelpers, host) ? 'credHelpers' : credsStore ? 'credsStore' : undefined;
  const why = helper
    ? ` It leaves that to a credential helper (${helper}), and helpers are not used here.`
    : ' The name must match exactly, with the port.';
  return new AppError(
    `"${path}" has no sign-in for ${host}.${why} Run Docker@2 login before this step, or use a service connection.`,
    { code: 'SIGN_IN_FAILED' },
  );
}
