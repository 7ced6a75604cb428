/** Starts the process behind a slow line. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { DelayOrder } from './delay-process.ts';

/** A slow line that is open. */
export interface Delay {
  /** In the order of those that were asked for. */
  readonly ports: readonly number[];
  close(): Promise<void>;
}

/** Opens a slow line to each port. */
export async function startDelay(order: DelayOrder): Promise<Delay> {
  const script = join(import.meta.dirname, 'delay-process.ts');
  const child = spawn(process.execPath, ['--import', 'tsx', script], { stdio: ['pipe', 'pipe', 'inherit'] });
  child.stdin.write(JSON.stringify(order));
  const [line] = (await once(createInterface(child.stdout), 'line')) as [string];
  return {
    ports: JSON.parse(line) as number[],
    async close() {
      child.stdin.end();
      if (child.exitCode === null) await once(child, 'exit');
    },
  };
}
