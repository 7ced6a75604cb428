/** The inputs that say how to sign in to a registry: the same four for every task, under names of its own. */
import { readChoice, readRequiredText, readText } from './input.ts';
import { type Connection, readRegistryAddress } from './sign-in.ts';

/** What the four inputs are called. */
export interface ConnectionInputs {
  readonly connectionType: string;
  readonly azureSubscription: string;
  readonly containerRegistry: string;
  readonly registry: string;
}

/** The ways to sign in, in the order of the pick list. */
export const connectionTypes = ['azureResourceManager', 'dockerRegistry', 'dockerConfig'] as const;

/** Reads them. `fallback` is the Azure connection where its input is empty. Throws `INPUT_INVALID`, naming the input. */
export function readConnection(inputs: ConnectionInputs, fallback?: { id: string; input: string }): Connection {
  const kind = readChoice(inputs.connectionType, connectionTypes);
  switch (kind) {
    case 'azureResourceManager': {
      const id = readText(inputs.azureSubscription);
      const named =
        id || !fallback
          ? { id: id || readRequiredText(inputs.azureSubscription), input: inputs.azureSubscription }
          : fallback;
      return { kind, ...named, registry: readRegistryAddress(readRequiredText(inputs.registry), inputs.registry) };
    }
    case 'dockerRegistry':
      return { kind, id: readRequiredText(inputs.containerRegistry), input: inputs.containerRegistry };
    case 'dockerConfig':
      return { kind, registry: readRegistryAddress(readRequiredText(inputs.registry), inputs.registry) };
  }
}
