import { equal, match, ok } from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { authorization, openSocket, password, projectId, username } from './world.ts';

/** Resolves once `written` holds `text`. */
function says(child: ChildProcess, written: { readonly out: string }, text: string): Promise<void> {
  return new Promise(resolve => {
    const look = (): void => {
      if (written.out.includes(text)) resolve();
    };
    child.stdout?.on('data', look);
    look();
  });
}

const main = fileURLToPath(new URL('../../webhook-handler/main.ts', import.meta.url));

describe('the webhook handler as a process', () => {
  let folder: string;
  let peer: Server;
  let held: ServerResponse[] | undefined;
  const children: ChildProcess[] = [];
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'handler-'));
    held = [];
    // An Azure DevOps that says nothing until the test lets it: so long a reconciliation is in hand.
    peer = createServer((_request, response) => {
      if (held) held.push(response);
      else response.writeHead(401).end();
    });
    await new Promise<void>(resolve => peer.listen(0, '127.0.0.1', resolve));
  });
  afterEach(async () => {
    for (const child of children.splice(0)) child.kill('SIGKILL');
    peer.closeAllConnections();
    peer.close();
    await rm(folder, { recursive: true });
  });
  function letGo(): void {
    for (const response of held ?? []) response.writeHead(401).end();
    held = undefined;
  }

  async function start(port: number, ...args: string[]) {
    const config = join(folder, 'lifecycle.yaml');
    await writeFile(
      config,
      `registries: [{ url: "127.0.0.1:1", signIn: { kind: password, username: u, password: { env: SECRET } } }]
organizations:
  - url: http://127.0.0.1:${(peer.address() as AddressInfo).port}/contoso
    signIn: { kind: pat, token: { env: SECRET } }
    projects: [{ id: ${projectId} }]
server: { host: 127.0.0.1, port: ${port}, username: ${username}, password: { env: SECRET } }
`,
    );
    const child = spawn(process.execPath, ['--import', 'tsx', main, 'serve', '--config', config, ...args], {
      env: { ...process.env, SECRET: password },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    children.push(child);
    const written = { out: '', err: '' };
    child.stdout.on('data', chunk => (written.out += String(chunk)));
    child.stderr.on('data', chunk => (written.err += String(chunk)));
    const exit = new Promise<{ code: number | null; signal: string | null }>(resolve =>
      child.on('close', (code, signal) => resolve({ code, signal })),
    );
    const listening = new Promise<number>((resolve, reject) => {
      child.stdout.on('data', () => {
        const line = written.out.split('\n').find(each => each.includes('"listening"'));
        if (line !== undefined) resolve((JSON.parse(line) as { port: number }).port);
      });
      child.on('close', () => reject(new Error(written.err)));
    });
    listening.catch(() => {});
    return { child, written, exit, listening };
  }

  it('finishes the request in hand at SIGTERM and exits 0, though a reconciliation is in hand', async () => {
    const { child, written, exit, listening } = await start(0, '--verbose');
    const { socket, answer } = openSocket(await listening);
    const body = '{"eventType":"build.complete"}';
    const head = `POST / HTTP/1.1\r\nhost: x\r\nauthorization: ${authorization}\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\nexpect: 100-continue\r\n\r\n`;
    socket.write(head);
    // The handler asks for the body, so from here on the request is in hand.
    await new Promise(resolve => socket.once('data', resolve));
    socket.write(body.slice(0, 5));
    child.kill('SIGTERM');
    await says(child, written, '"stopping"');
    socket.write(body.slice(5));
    match(await answer, /HTTP\/1\.1 202 [^]*\{"accepted":"wakeUp"\}$/);
    equal(child.exitCode, null, 'the reconciliation in hand is waited for');
    letGo();
    equal((await exit).code, 0, written.err);
    match(written.out, /"message":"reconciliation was stopped"/);
    match(written.out, /"message":"stopped"/);
    ok(!written.out.includes(password), 'a secret was logged');
    for (const line of written.out.trim().split('\n')) ok('time' in (JSON.parse(line) as object));
  });

  it('exits 0 at SIGINT too', async () => {
    letGo();
    const { child, written, exit, listening } = await start(0);
    await listening;
    child.kill('SIGINT');
    equal((await exit).code, 0, written.err);
  });

  it('ends at once when it is told twice', async () => {
    const { child, written, exit, listening } = await start(0);
    await listening;
    child.kill('SIGTERM');
    await says(child, written, '"stopping"');
    child.kill('SIGTERM');
    equal((await exit).code, 1);
  });

  it('says whose port it is, and exits 2', async () => {
    const { written, exit } = await start((peer.address() as AddressInfo).port);
    equal((await exit).code, 2);
    match(
      written.err,
      /^webhook-handler: server\.port: another program listens on \d+; stop it, or configure another port\.\n$/,
    );
  });
});
