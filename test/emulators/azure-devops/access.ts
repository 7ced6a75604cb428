/** Who calls, and what Azure DevOps says to those whom it does not know or does not let. */
import { randomBytes, randomUUID } from 'node:crypto';
import type { SettableClock } from '../settable-clock.ts';
import { readToken } from '../tokens.ts';
import { failure, type Reply, type Right } from './http.ts';
import type { Behaviour } from './world.ts';

/** A token that the emulator lets in. */
export interface AcceptedToken {
  readonly value: string;
  /** A personal access token goes with Basic, everything else with Bearer; both when absent. */
  readonly kind?: 'bearer' | 'pat';
  /** All of them when absent. */
  readonly rights?: readonly Right[];
}

/** A pipeline job that runs: its token is what `System.AccessToken` holds. */
export interface Job {
  readonly token: string;
  readonly projectId: string;
  readonly planId: string;
  readonly jobId: string;
  readonly hub: string;
}

/** The tokens and the running jobs. */
export interface Access {
  readonly tokens: Map<string, AcceptedToken>;
  readonly jobs: Job[];
  /** Starts a job whose access token reads builds, releases and code, takes leases, and asks for OIDC tokens. */
  addJob(projectId: string): Job;
  revoke(value: string): void;
  /** The caller of a request, or undefined when its sign-in is none. */
  identify(authorization: string | undefined): AcceptedToken | undefined;
}

/** What Entra puts into `aud` for Azure DevOps. */
const azureDevOpsResource = '499b84ac-1321-427f-aa17-267ca6975798';

/** Makes the door; tokens of the emulated Entra for Azure DevOps open it too. */
export function createAccess(clock: SettableClock, accepted: readonly AcceptedToken[]): Access {
  const tokens = new Map(accepted.map(token => [token.value, token]));
  const jobs: Job[] = [];
  return {
    tokens,
    jobs,
    addJob: projectId => {
      const token = randomBytes(24).toString('hex');
      const job: Job = { token, projectId, planId: randomUUID(), jobId: randomUUID(), hub: 'build' };
      jobs.push(job);
      tokens.set(token, { value: token, kind: 'bearer', rights: ['read', 'execute', 'releases', 'code'] });
      return job;
    },
    revoke: value => void tokens.delete(value),
    identify: authorization => {
      const [scheme = '', credential = ''] = (authorization ?? '').split(' ');
      const kind = scheme.toLowerCase() === 'basic' ? 'pat' : 'bearer';
      const value = kind === 'pat' ? readPassword(credential) : credential;
      const token = tokens.get(value);
      if (token !== undefined) return (token.kind ?? kind) === kind ? token : undefined;
      if (kind === 'pat' || !value.includes('.')) return undefined;
      return readToken(value, clock.now())?.['aud'] === azureDevOpsResource ? { value } : undefined;
    },
  };
}

function readPassword(credential: string): string {
  const text = Buffer.from(credential, 'base64').toString();
  return text.slice(text.indexOf(':') + 1);
}

/** The page that Azure DevOps Services shows instead of a 401. */
export const signInPage =
  '<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.0 Transitional//EN">\n<html lang="en-US"><head><title>Azure DevOps Services | Sign In</title></head><body>Sign in</body></html>';

/** What a bad token gets. */
export function refuseStranger(flavour: 'services' | 'server', signIn: Behaviour['signIn']): Reply {
  if (flavour === 'server' || signIn === 'unauthorized') {
    const challenge =
      flavour === 'server' ? 'Negotiate' : 'Bearer, Basic realm="https://tfsprodweu3.visualstudio.com/"';
    return {
      status: 401,
      html: 'TF400813: Resource not available for anonymous access.',
      headers: { 'www-authenticate': challenge },
    };
  }
  const location = 'https://spsprodweu1.vssps.visualstudio.com/_signin?realm=dev.azure.com&reply_to=';
  return signIn === 'page'
    ? { status: 203, html: signInPage }
    : { status: 302, html: signInPage, headers: { location } };
}

/** What a known caller without the right gets. */
export function refuseRight(right: Right): Reply {
  const need = {
    read: 'View builds',
    execute: 'Update build information',
    delete: 'Delete builds',
    hooks: 'View subscriptions',
    releases: 'View releases',
    code: 'GenericRead',
  }[right];
  return failure(
    403,
    'AccessDeniedException',
    `TF215106: Access denied. The emulated user needs ${need} permissions to perform the action.`,
  );
}
