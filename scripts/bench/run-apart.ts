/** Runs a client bundled, by plain node, as the product runs: a loader's memory would be measured with it. */
import { spawn } from 'node:child_process';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { text } from 'node:stream/consumers';
import { build } from 'esbuild';
import type { ClientOrder, ClientResult } from './client.ts';

const root = resolve(import.meta.dirname, '../..');
/** No bench takes as long. */
const longestMs = 20 * 60_000;

/** A client that can be started any number of times, each in a process of its own. */
export interface Apart<Order, Result> {
  /** Gives an order to a process, and what it answered. Throws where that fails. */
  run(order: Order): Promise<Result>;
  remove(): Promise<void>;
}

/**
 * Bundles `entry`, a script that reads an order as JSON and prints the result. As a `task` it is bundled as the tasks
 * are, packages and all, so that its start costs what theirs does.
 */
export async function bundleApart<Order, Result>(
  entry: string,
  kind: 'script' | 'task' = 'script',
): Promise<Apart<Order, Result>> {
  // Inside the project, because what is not bundled is looked for upwards from here.
  await mkdir(join(root, '.tmp'), { recursive: true });
  const folder = await mkdtemp(join(root, '.tmp', 'bench-'));
  const file = join(folder, kind === 'task' ? 'client.cjs' : 'client.mjs');
  await build({
    absWorkingDir: root,
    entryPoints: [entry],
    outfile: file,
    bundle: true,
    platform: 'node',
    target: 'node20',
    ...(kind === 'task' ? { format: 'cjs', minify: true } : { format: 'esm', packages: 'external' }),
    logLevel: 'warning',
  });
  return {
    run: order => start<Result>(file, order),
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}

/** Runs one reconciliation in a process of its own. Throws where that fails. */
export async function runApart(order: ClientOrder): Promise<ClientResult> {
  const client = await bundleApart<ClientOrder, ClientResult>('scripts/bench/client-process.ts');
  try {
    return await client.run(order);
  } finally {
    await client.remove();
  }
}

async function start<Result>(file: string, order: unknown): Promise<Result> {
  const child = spawn(process.execPath, [file], {
    stdio: ['pipe', 'pipe', 'inherit'],
    signal: AbortSignal.timeout(longestMs),
  });
  const ended = new Promise<number | null>((done, fail) => {
    child.once('error', fail);
    child.once('close', done);
  });
  child.stdin.end(JSON.stringify(order));
  const [output, code] = await Promise.all([text(child.stdout), ended]);
  if (code !== 0) throw new Error(`The client ended with ${code}.`);
  return JSON.parse(output) as Result;
}
