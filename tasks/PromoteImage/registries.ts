/** The registries of a step: where the images come from, where they go, and the stage before. */
import { inputError } from '../../core/base/errors.ts';
import type { Http } from '../../core/oci/http.ts';
import { openRegistry, type Registry } from '../../core/oci/registry.ts';
import { type Connection, hostOf, readSignIn } from '../agent/sign-in.ts';
import type { PromoteImageInputs } from './inputs.ts';

/** Opened, with nothing sent yet. */
export interface Registries {
  /** Undefined for archives. */
  readonly source: Registry | undefined;
  readonly target: Registry;
  /** The stage that must have had the images before. */
  readonly gate: Registry | undefined;
}

/** Opens them. Throws `INPUT_INVALID` or `SIGN_IN_FAILED`, naming the input. */
export async function openRegistries({ from, to, gate }: PromoteImageInputs, http: Http): Promise<Registries> {
  const open = async (connection: Connection): Promise<Registry> =>
    openRegistry({ ...(await readSignIn(connection, http)), http });
  const target = await open(to);
  const source = from.connection && (await open(from.connection));
  if (!gate) return { source, target, gate: undefined };
  if (hostOf(gate.registry) === target.host) {
    throw inputError(
      `The input requirePromotedTo is ${target.host}, which is the registry of this stage itself. Name the stage before.`,
    );
  }
  if (source && hostOf(gate.registry) === source.host && !gate.connectionId) return { source, target, gate: source };
  return { source, target, gate: await open(gateConnection(gate, from.connection ?? to)) };
}

/** An Azure identity signs in to every registry that it has a role on, so the source's will do. */
function gateConnection(gate: NonNullable<PromoteImageInputs['gate']>, usual: Connection): Connection {
  const { registry, connectionId } = gate;
  if (connectionId) {
    return { kind: 'azureResourceManager', id: connectionId, input: 'requirePromotedToConnection', registry };
  }
  if (usual.kind === 'azureResourceManager') return { ...usual, registry };
  if (usual.kind === 'dockerConfig') return { ...usual, registry };
  throw inputError(
    `The input requirePromotedToConnection is required: the Docker registry connection of this step is not for ${registry}. Or take the images from that stage, whose connection reads it then.`,
  );
}
