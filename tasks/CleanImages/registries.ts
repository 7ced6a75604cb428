/** Which connection opens which registry of the configuration. */
import { errorMessage, inputError } from '../../core/base/errors.ts';
import type { RegistryConfiguration } from '../../core/lifecycle/configuration/registry-schema.ts';
import type { Http } from '../../core/oci/http.ts';
import { openRegistry, type Registry } from '../../core/oci/registry.ts';
import { agentLog } from '../agent/log.ts';
import { hostOf, type RegistrySignIn, readSignIn } from '../agent/sign-in.ts';
import type { ConnectionIds } from './inputs.ts';

/** A registry with every connection that may be the one for it. Nothing is sent yet. */
export interface RegistryCandidates {
  readonly registry: RegistryConfiguration;
  readonly candidates: readonly [Candidate, ...Candidate[]];
}

interface Candidate {
  /** For people: connections have no names here. */
  readonly label: string;
  readonly registry: Registry;
}

/** A Docker registry connection, which is for its own registry. */
export interface OwnConnection extends RegistrySignIn {
  readonly label: string;
}

/** Reads the Docker registry connections. Throws `INPUT_INVALID` where this job has no such connection, or two are for one registry. */
export async function readOwnConnections({ containerRegistries }: ConnectionIds, http: Http): Promise<OwnConnection[]> {
  const found: OwnConnection[] = [];
  for (const [at, id] of containerRegistries.entries()) {
    const signIn = await readSignIn({ kind: 'dockerRegistry', id, input: 'containerRegistries' }, http);
    const label = `connection ${at + 1} of containerRegistries`;
    const twin = found.find(each => hostOf(each.address) === hostOf(signIn.address));
    if (twin) {
      throw inputError(
        `The input containerRegistries: ${twin.label} and ${label} are both for ${hostOf(signIn.address)}. Leave one out, so that it is clear who signs in.`,
      );
    }
    found.push({ ...signIn, label });
  }
  return found;
}

/**
 * Finds the connections of each registry: its own Docker registry connection, else every Azure connection. Throws
 * `INPUT_INVALID` for a registry that has none, and for a Docker registry connection that no registry has.
 */
export async function matchRegistries(
  registries: readonly RegistryConfiguration[],
  own: readonly OwnConnection[],
  { azureSubscriptions, http }: { readonly azureSubscriptions: readonly string[]; readonly http: Http },
): Promise<RegistryCandidates[]> {
  const hosts = new Set(registries.map(each => hostOf(each.url)));
  const stray = own.find(each => !hosts.has(hostOf(each.address)));
  if (stray) {
    throw inputError(
      `The input containerRegistries: ${stray.label} is for ${hostOf(stray.address)}, which the configuration does not name. Add it to registries there, or leave the connection out.`,
    );
  }
  const found: RegistryCandidates[] = [];
  for (const registry of registries) {
    const dedicated = own.find(each => hostOf(each.address) === hostOf(registry.url));
    const [first, ...others] = dedicated
      ? [open(registry, dedicated, http)]
      : await openByAzure(registry, azureSubscriptions, http);
    if (!first) {
      throw inputError(
        `No connection is for the registry ${registry.name}: choose one in containerRegistries whose registry is ${hostOf(registry.url)}, or in azureSubscriptions one whose identity has a role on it.`,
      );
    }
    found.push({ registry, candidates: [first, ...others] });
  }
  return found;
}

async function openByAzure(registry: RegistryConfiguration, ids: readonly string[], http: Http): Promise<Candidate[]> {
  const input = 'azureSubscriptions';
  const signIns = await Promise.all(
    ids.map(id => readSignIn({ kind: 'azureResourceManager', id, input, registry: registry.url }, http)),
  );
  return signIns.map((signIn, at) => open(registry, { ...signIn, label: `connection ${at + 1} of ${input}` }, http));
}

function open({ url }: RegistryConfiguration, { credentials, label }: OwnConnection, http: Http): Candidate {
  return { label, registry: openRegistry({ address: url, credentials, http }) };
}

/**
 * The registry by the first of its connections that may list it. Where none may, a warning tells what each was answered,
 * and the first is taken: whatever is read with it then counts as unread, and keeps everything.
 */
export async function chooseConnection({ registry, candidates }: RegistryCandidates): Promise<Registry> {
  const [first, ...others] = candidates;
  // There is nothing to choose, and what is wrong will show.
  if (others.length === 0) return first.registry;
  const answers: string[] = [];
  for (const candidate of candidates) {
    const refusal = await findRefusal(candidate.registry);
    if (refusal === undefined) {
      agentLog.info(`${registry.name} is opened by ${candidate.label}.`);
      return candidate.registry;
    }
    answers.push(`${candidate.label}: ${refusal}`);
  }
  agentLog.warn(`No connection may list the repositories of ${registry.name}. ${answers.join(' ')}`);
  return first.registry;
}

/** Why its repositories cannot be listed, by one short page of them; undefined where they can. */
async function findRefusal(registry: Registry): Promise<string | undefined> {
  try {
    const { status } = await registry.exchange({
      method: 'GET',
      path: '/v2/_catalog?n=1',
      scope: 'registry:catalog:*',
    });
    return status === 200 ? undefined : `${registry.host} answered ${status} to a question for its repositories.`;
  } catch (thrown) {
    return errorMessage(thrown);
  }
}
