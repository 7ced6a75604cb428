#!/usr/bin/env node
/** The process: signals, streams, exit code. */
import { setMaxListeners } from 'node:events';
import { reconcile } from '../core/lifecycle/reconcile.ts';
import packageJson from '../package.json' with { type: 'json' };
import { runProgram } from './program.ts';

const stop = new AbortController();
// Every request that is under way listens to it, and many are at once.
setMaxListeners(0, stop.signal);
for (const name of ['SIGTERM', 'SIGINT'] as const) {
  process.on(name, () => {
    // Who asks twice does not want to wait; everything that deletes may be killed at any moment.
    if (stop.signal.aborted) process.exit(1);
    stop.abort(new Error(`stopped by ${name}`));
  });
}

const world = {
  env: process.env,
  out: (text: string) => void process.stdout.write(text),
  err: (text: string) => void process.stderr.write(text),
  signal: stop.signal,
  version: packageJson.version,
  reconcile,
};

async function main(): Promise<void> {
  const code = await runProgram(process.argv.slice(2), world);
  // Connections that are kept open must not keep the process alive; what was written has to be out first.
  process.stdout.write('', () => process.stderr.write('', () => process.exit(code)));
}

void main();
