/** Service connections, as the agent hands them to a task. */

import { inputError } from '../../core/base/errors.ts';
import { quietly } from './output.ts';
import { keepSecret } from './secrets.ts';
import { tl } from './task-lib.ts';

/** One service connection. Names of parameters are not case-sensitive. */
export interface Endpoint {
  readonly id: string;
  /** Lower case; empty where the connection has none. */
  readonly scheme: string;
  readonly url: string | undefined;
  /** A part of the sign-in that is no secret. */
  parameter(name: string): string | undefined;
  /** A part of the sign-in that is a secret; the agent masks it from here on. */
  secret(name: string): string | undefined;
  data(name: string): string | undefined;
}

/** Opens the connection that `input` names by its `id`. Throws `INPUT_INVALID` where this job has no such connection. */
export function openEndpoint(id: string, input: string): Endpoint {
  const scheme = quietly(() => tl.getEndpointAuthorizationScheme(id, true));
  const url = tl.getEndpointUrl(id, true) || undefined;
  const parameter = (name: string) => quietly(() => tl.getEndpointAuthorizationParameter(id, name, true)) || undefined;
  if (!scheme && !url && !tl.getEndpointAuthorization(id, true)) {
    throw inputError(
      `The input ${input}: there is no service connection "${id}" in this job. Was it deleted, or is this pipeline not permitted to use it?`,
    );
  }
  return {
    id,
    scheme: (scheme ?? parameter('scheme') ?? '').toLowerCase(),
    url,
    parameter,
    secret: name => {
      const value = parameter(name);
      return value === undefined ? undefined : keepSecret(value);
    },
    data: name => tl.getEndpointDataParameter(id, name, true) || undefined,
  };
}

/** The token of the job itself, which needs not be mapped by the user; undefined outside an agent. */
export function readSystemAccessToken(): string | undefined {
  const token = quietly(() => tl.getEndpointAuthorizationParameter('SYSTEMVSSCONNECTION', 'AccessToken', true));
  return token ? keepSecret(token) : undefined;
}
