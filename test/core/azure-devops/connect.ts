/** A connection to an emulator whose waits are noted and not waited for. */

import {
  type AzureDevOps,
  type AzureDevOpsOptions,
  connectAzureDevOps,
} from '../../../core/azure-devops/connection.ts';
import type { Clock } from '../../../core/base/clock.ts';
import type { Logger } from '../../../core/base/log.ts';
import type { AzureDevOpsEmulator } from '../../emulators/azure-devops/azure-devops.ts';

/** The connection, what it waited for, and what it said. */
export interface TestConnection {
  readonly ado: AzureDevOps;
  readonly waits: number[];
  readonly said: string[];
}

/** Connects with the emulator's personal access token, unless `options` say otherwise. */
export function connect(emulator: AzureDevOpsEmulator, options: Partial<AzureDevOpsOptions> = {}): TestConnection {
  const waits: number[] = [];
  const said: string[] = [];
  const clock: Clock = {
    now: () => emulator.clock.now(),
    sleep: async ms => {
      waits.push(ms);
      emulator.clock.advance(ms);
    },
  };
  const note: Logger['info'] = (message, fields) => void said.push(`${message} ${JSON.stringify(fields)}`);
  const ado = connectAzureDevOps({
    url: emulator.url,
    token: async () => ({ kind: 'pat', value: emulator.pat }),
    clock,
    log: { debug: note, info: note, warn: note },
    ...options,
  });
  return { ado, waits, said };
}
