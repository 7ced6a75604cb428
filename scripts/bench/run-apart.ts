/** Runs the client bundled, by plain node, as the product runs: a loader's memory would be measured with it. */
import { spawn } from 'node:child_process';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { text } from 'node:stream/consumers';
import { build } from 'esbuild';
import type { ClientOrder, ClientResult } from './client.ts';

const root = resolve(import.meta.dirname, '../..');
/** No bench takes as long. */
const longestMs = 10 * 60_000;

/** Runs one order in a process of its own. Throws where that fails. */
export async function runApart(order: ClientOrder): Promise<ClientResult> {
  // Inside the project, because what is not bundled is looked for upwards from here.
  await mkdir(join(root, '.tmp'), { recursive: true });
  const folder = await mkdtemp(join(root, '.tmp', 'bench-'));
  try {
    const file = join(folder, 'client.mjs');
    await build({
      absWorkingDir: root,
      entryPoints: ['scripts/bench/client-process.ts'],
      outfile: file,
      bundle: true,
      platform: 'node',
      target: 'node20',
      format: 'esm',
      packages: 'external',
      logLevel: 'warning',
    });
    return await start(file, order);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function start(file: string, order: ClientOrder): Promise<ClientResult> {
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
  return JSON.parse(output) as ClientResult;
}
