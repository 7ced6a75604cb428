/** What the emulated Azure Resource Manager knows: registries by resource id, operations, and how it is to behave. */
import { randomUUID } from 'node:crypto';
import type { AcrEmulator } from '../acr/acr.ts';
import type { ImportParameters } from './import-parameters.ts';

/** A registry, and the emulator behind its login server. */
export interface ArmRegistry {
  readonly resourceId: string;
  readonly subscriptionId: string;
  readonly resourceGroup: string;
  readonly name: string;
  readonly location: string;
  readonly loginServer: string;
  readonly acr: AcrEmulator;
}

/** What a new registry is told; the rest is made up. */
export interface NewRegistry {
  readonly name: string;
  readonly acr: AcrEmulator;
  readonly subscriptionId?: string;
  readonly resourceGroup?: string;
}

/** How an operation failed: `status` is that of the answer by `Location`. */
export interface OperationError {
  readonly status: number;
  readonly code: string;
  readonly message: string;
}

/** One operation. */
export interface Operation {
  readonly id: string;
  readonly registry: ArmRegistry;
  /** What was asked for. */
  readonly parameters: ImportParameters;
  status: 'Running' | 'Succeeded' | 'Failed';
  error?: OperationError;
  /** Polls until it ends. */
  pollsLeft: number;
  /** Ends it now, as it would have. */
  complete(): void;
}

/** The switches; each may be changed at any time. */
export interface Behaviour {
  /** Polls that answer "Running" before an operation ends; with 0 it ended before its POST was answered. */
  polls: number;
  /** What becomes of operations: `stuck` never end, `empty` report success and copy nothing. */
  outcome: 'copies' | 'stuck' | 'empty' | OperationError;
  /** Manifests that an import leaves out without a word. */
  omits: readonly string[];
  /** By `Location` (202 until it is done, as recorded from a live one) or by `Azure-AsyncOperation` (200 with a status). */
  operationStyle: 'location' | 'asyncOperation';
  /** Seconds that answers about a running operation ask to wait; nothing as recorded from a live one. */
  retryAfter: number | undefined;
  /** The origin that addresses of operations have; its own when undefined. */
  operationOrigin: string | undefined;
  /** Following an operation needs a right on the subscription: https://learn.microsoft.com/azure/azure-resource-manager/management/async-operations#permission-for-tracking-asynchronous-status */
  followNeedsRight: boolean;
  /** Without the right on the subscription its list shows what may be read; otherwise it is a 403 (unknown on a live one). */
  listFilters: boolean;
  /** Registries on one page of a list. */
  pageSize: number;
}

/** The world. */
export interface ArmWorld {
  readonly subscriptionId: string;
  readonly behaviour: Behaviour;
  readonly operations: Operation[];
  addRegistry(registry: NewRegistry): ArmRegistry;
  registries(): ArmRegistry[];
  /** By resource id, whose letters have no case. */
  find(resourceId: string): ArmRegistry | undefined;
}

/** The switches as Azure is believed to be. */
export function createBehaviour(changes: Partial<Behaviour> = {}): Behaviour {
  return {
    polls: 1,
    outcome: 'copies',
    omits: [],
    operationStyle: 'location',
    retryAfter: undefined,
    operationOrigin: undefined,
    followNeedsRight: false,
    listFilters: true,
    pageSize: 100,
    ...changes,
  };
}

/** Makes a world without registries. */
export function createWorld(changes: Partial<Behaviour> = {}): ArmWorld {
  const subscriptionId = randomUUID();
  const registries = new Map<string, ArmRegistry>();
  return {
    subscriptionId,
    behaviour: createBehaviour(changes),
    operations: [],
    addRegistry: wanted => {
      if (!/^[a-zA-Z0-9]{5,50}$/.test(wanted.name)) throw new Error(`${wanted.name} is no name of a registry`);
      const place = { subscriptionId, resourceGroup: 'registries', location: 'westeurope', ...wanted };
      const parent = `/subscriptions/${place.subscriptionId}/resourceGroups/${place.resourceGroup}`;
      const resourceId = `${parent}/providers/Microsoft.ContainerRegistry/registries/${place.name}`;
      const made = { ...place, resourceId, loginServer: place.acr.host };
      registries.set(resourceId.toLowerCase(), made);
      return made;
    },
    registries: () => [...registries.values()],
    find: resourceId => registries.get(resourceId.toLowerCase()),
  };
}
