import { deepEqual, equal, match, ok, rejects } from 'node:assert/strict';
import type { Socket } from 'node:net';
import { maxPayloadBytes } from '../../webhook-handler/receive.ts';
import {
  authorization,
  createNotification,
  createTestApp,
  listen,
  openSocket,
  projectId,
  type TestApp,
} from './world.ts';

const json = { 'content-type': 'application/json; charset=utf-8', authorization };
const hinted = JSON.stringify(createNotification({ resource: { projectId, definitionId: 3, buildIds: [4711, 4712] } }));

const encode = (text: string): string => `Basic ${Buffer.from(text).toString('base64')}`;

/** The head of a request as bytes on the wire. */
function head(headers: Readonly<Record<string, string>>): string {
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  return `POST /azure-devops HTTP/1.1\r\nhost: localhost\r\n${lines.join('')}\r\n`;
}

describe('webhook handler on a socket', () => {
  let test: TestApp;
  let port: number;
  let url: string;
  const sockets: Socket[] = [];
  beforeEach(async () => {
    test = createTestApp();
    test.app.server.on('connection', socket => sockets.push(socket));
    port = await listen(test.app);
    url = `http://127.0.0.1:${port}`;
  });
  afterEach(async () => {
    sockets.length = 0;
    await test.app.close();
  });
  const post = (path: string, init: RequestInit): Promise<Response> =>
    fetch(`${url}${path}`, { method: 'POST', ...init });

  it('takes a notification on both paths, and answers 202 before anything is done about it', async () => {
    for (const path of ['/', '/azure-devops', '/azure-devops?a=b']) {
      const answer = await post(path, { headers: json, body: hinted });
      equal(answer.status, 202);
      deepEqual(await answer.json(), { accepted: 'hint' });
    }
    deepEqual(test.hints.take(0).builds, [
      { projectId, buildId: 4711 },
      { projectId, buildId: 4712 },
    ]);
  });

  it('refuses strangers with 401 and a challenge, whatever they send', async () => {
    const wrong = [
      '',
      'Basic',
      'Basic !',
      'Bearer x',
      encode('azure-devops'),
      encode('azure-devops:'),
      encode(':'),
      encode('azure-devops:correct horse: battery stapl'),
      encode('azure-devop:correct horse: battery staple'),
      encode('azure-devops:correct horse: battery staple\n'),
      `${authorization}${authorization}`,
    ];
    for (const value of wrong) {
      const answer = await post('/', { headers: { ...json, authorization: value }, body: hinted });
      equal(answer.status, 401, value);
      match(answer.headers.get('www-authenticate') ?? '', /^Basic realm="image-lifecycle"/);
    }
    equal((await post('/', { headers: { 'content-type': 'text/plain' }, body: 'x' })).status, 401);
    equal(test.hints.size(), 0);
    equal(test.counters.value('refusals', '401'), wrong.length + 1);
    ok(!test.log.lines.join('').includes('battery'));
  });

  it('takes the scheme in any case', async () => {
    const headers = { ...json, authorization: authorization.replace('Basic', 'bAsIc') };
    equal((await post('/', { headers, body: hinted })).status, 202);
  });

  it('refuses in the order path, method, sign-in, content type, size', async () => {
    const big = 'x'.repeat(maxPayloadBytes + 1);
    const status = async (path: string, init: RequestInit): Promise<number> => (await post(path, init)).status;
    equal(await status('/elsewhere', { method: 'PUT', body: big }), 404);
    equal(await status('/%', {}), 404);
    equal(await status('/constructor', {}), 404);
    const put = await post('/', { method: 'PUT', body: big });
    equal(put.status, 405);
    equal(put.headers.get('allow'), 'POST');
    equal(await status('/healthz', { headers: json }), 405);
    equal(await status('/', { method: 'GET' }), 405);
    equal(await status('/', { headers: { 'content-type': 'text/plain' }, body: 'x' }), 401);
    for (const type of ['text/plain', 'application/jsonx', 'application/x-www-form-urlencoded', '']) {
      equal(await status('/', { headers: { ...json, 'content-type': type }, body: hinted }), 415, type);
    }
  });

  it('refuses 10 MB by its head, and closes without having read it', async () => {
    const { socket, answer } = openSocket(port);
    socket.write(`${head({ ...json, 'content-length': String(10 * 1024 * 1024) })}{"a":"`);
    match(await answer, /^HTTP\/1\.1 413 [^]*\r\nconnection: close\r\n/i);
    ok(sockets[0]!.bytesRead < 1024);
    equal(test.counters.value('refusals', '413'), 1);
  });

  it('reads nothing of what a stranger sends in bulk', async () => {
    const stranger = { 'content-type': 'application/json', 'content-length': String(10 * 1024 * 1024) };
    const { socket, answer } = openSocket(port);
    socket.write(`${head(stranger)}{"a":"`);
    match(await answer, /^HTTP\/1\.1 401 [^]*\r\nconnection: close\r\n/i);
    ok(sockets[0]!.bytesRead < 1024);
  });

  it('refuses 10 MB without a length once 2 MiB have come, and reads no more', async () => {
    const { socket, text } = openSocket(port);
    const closed = new Promise(resolve => socket.once('close', resolve));
    socket.write(head({ ...json, 'transfer-encoding': 'chunked' }));
    const chunk = `${(65_536).toString(16)}\r\n${'x'.repeat(65_536)}\r\n`;
    let sent = 0;
    // Each chunk waits for the one before, so what is sent is what was taken, but for the buffers between.
    for (; sent < 10 * 1024 * 1024 && !socket.destroyed; sent += 65_536) {
      await new Promise<void>(resolve => socket.write(chunk, () => resolve()));
    }
    socket.destroy();
    await closed;
    // A reset may take the answer with it; what counts is that the server stopped reading.
    ok(text() === '' || text().startsWith('HTTP/1.1 413 '), text());
    equal(test.counters.value('refusals', '413'), 1);
    ok(sockets[0]!.bytesRead < 2 * maxPayloadBytes, String(sockets[0]!.bytesRead));
    equal(test.hints.size(), 0);
  });

  it('takes a payload of exactly 2 MiB', async () => {
    const padding = maxPayloadBytes - Buffer.byteLength(hinted);
    const answer = await post('/', { headers: json, body: `${hinted}${' '.repeat(padding)}` });
    equal(answer.status, 202);
    equal(test.hints.size(), 2);
  });

  it('finishes a request in hand when it is closed, and answers 503 to one that comes after', async () => {
    const inHand = openSocket(port);
    const late = openSocket(port);
    const lateHead = head({ ...json, 'content-length': String(Buffer.byteLength(hinted)) });
    inHand.socket.write(`${lateHead}${hinted.slice(0, 10)}`);
    late.socket.write(lateHead.slice(0, 20));
    while (sockets.length < 2 || sockets.some(socket => socket.bytesRead === 0)) await new Promise(setImmediate);
    const closing = test.app.close();
    await new Promise(setImmediate);
    late.socket.write(`${lateHead.slice(20)}${hinted}`);
    match(await late.answer, /^HTTP\/1\.1 503 /);
    inHand.socket.write(hinted.slice(10));
    match(await inHand.answer, /^HTTP\/1\.1 202 [^]*connection: close/i);
    await closing;
    equal(test.hints.size(), 2);
    await rejects(fetch(url), 'it still listens');
  });

  it('tells that it is alive, ready and what it counted, to anybody', async () => {
    await post('/', { headers: json, body: 'nonsense' });
    deepEqual(await (await fetch(`${url}/healthz`)).json(), { status: 'alive' });
    equal((await fetch(`${url}/readyz`)).status, 200);
    equal((await fetch(`${url}/readyz`, { method: 'HEAD' })).status, 200);
    const metrics = await (await fetch(`${url}/metrics`)).text();
    match(metrics, /^image_lifecycle_notifications_total\{outcome="unknown"\} 1$/m);
    const starting = createTestApp(() => false);
    equal((await starting.app.inject('/readyz')).statusCode, 503);
  });
});
