/** The processes of the demo: emulators, handler, tasks. All are bundles, as they are shipped or started by an agent. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join, resolve } from 'node:path';
import { setTimeout } from 'node:timers/promises';

const dist = resolve(import.meta.dirname, '../../dist');

/** What every process of the demo sees: a folder of its own, and whom to trust. */
export interface Stage {
  readonly folder: string;
  readonly caFile: string;
}

/** A server that listens. */
export interface Server {
  /** What it said when it was ready. */
  readonly ready: Readonly<Record<string, unknown>>;
  /** Resolves with the lines that hold `text`, when there are `count` of them. Rejects after ten seconds. */
  printed(text: string, count?: number): Promise<string[]>;
  /** Asks it to stop; gives its exit code. */
  stop(): Promise<number | null>;
}

/** What a process printed, and how it ended. */
export interface Ended {
  readonly code: number | null;
  readonly output: string;
}

const running = new Set<ChildProcess>();

/** Ends whatever still runs; for a demo that broke off. */
export function stopEverything(): void {
  for (const child of running) child.kill('SIGKILL');
}

function start(stage: Stage, args: readonly string[], env: NodeJS.ProcessEnv): ChildProcess {
  const { PATH, SystemRoot } = process.env;
  const child = spawn(process.execPath, args, {
    cwd: stage.folder,
    env: { PATH, SystemRoot, HOME: stage.folder, NODE_EXTRA_CA_CERTS: stage.caFile, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  running.add(child);
  child.once('exit', () => running.delete(child));
  return child;
}

/** Starts a server and waits for its first line that is JSON and has `key`. */
export async function startServer(
  stage: Stage,
  args: readonly string[],
  key: string,
  env: NodeJS.ProcessEnv = {},
): Promise<Server> {
  const child = start(stage, [join(dist, args[0] ?? ''), ...args.slice(1)], env);
  let output = '';
  const ready = await new Promise<Record<string, unknown>>((done, fail) => {
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => {
        output += text;
        const found = output.split('\n').flatMap(line => parseLine(line, key))[0];
        if (found) done(found);
      });
    }
    child.once('error', fail).once('exit', code => fail(new Error(`${args[0]} ended with ${code}: ${output}`)));
  });
  return {
    ready,
    printed: async (text, count = 1) => {
      const find = () => output.split('\n').filter(line => line.includes(text));
      for (let tries = 0; tries < 200 && find().length < count; tries += 1) await setTimeout(50);
      if (find().length >= count) return find();
      throw new Error(`${args[0]} did not print "${text}": ${output}`);
    },
    stop: async () => {
      child.kill('SIGTERM');
      const [code] = child.exitCode === null ? ((await once(child, 'exit')) as [number | null]) : [child.exitCode];
      return code;
    },
  };
}

/** Runs a bundle to its end. */
export async function run(stage: Stage, args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Ended> {
  const child = start(stage, [join(dist, args[0] ?? ''), ...args.slice(1)], env);
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
  }
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, output };
}

function parseLine(line: string, key: string): Record<string, unknown>[] {
  try {
    const read = JSON.parse(line) as Record<string, unknown>;
    return key in read ? [read] : [];
  } catch {
    return [];
  }
}
