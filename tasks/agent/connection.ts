/** The inputs that say how to sign in to a registry: the same four for every task, under names of its own. */
import { inputError } from '../../core/base/errors.ts';
import { readChoice, readText } from './input.ts';
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
  const need = (input: string): string => {
    const text = readText(input);
    if (text) return text;
    throw inputError(`The input ${input} is required where ${inputs.connectionType} is ${kind}.`);
  };
  const readRegistry = (): string => readRegistryAddress(need(inputs.registry), inputs.registry);
  switch (kind) {
    case 'azureResourceManager': {
      const input = inputs.azureSubscription;
      const named = fallback && !readText(input) ? fallback : { id: need(input), input };
      return { kind, ...named, registry: readRegistry() };
    }
    case 'dockerRegistry':
      return { kind, id: need(inputs.containerRegistry), input: inputs.containerRegistry };
    case 'dockerConfig':
      return { kind, registry: readRegistry() };
  }
}
