import assert from 'node:assert/strict';
import { createServer, type Server } from 'node:http';
import { type AddressInfo, connect as openConnection } from 'node:net';
import type { Duplex } from 'node:stream';
import { connectAzureDevOps } from '../../../core/azure-devops/connection.ts';
import { systemClock } from '../../../core/base/clock.ts';
import { hasCode } from '../../../core/base/errors.ts';
import { silentLog } from '../../../core/base/log.ts';
import { type AzureDevOpsEmulator, startAzureDevOps } from '../../emulators/azure-devops/azure-devops.ts';
import type { Effect } from '../../emulators/azure-devops/faults.ts';
import { createTls } from '../../emulators/tls.ts';
import { connect } from './connect.ts';

function expectUnknown(answer: { kind: string; reason?: string }, reason: RegExp): void {
  assert.equal(answer.kind, 'unknown');
  assert.match(answer.reason ?? '', reason);
  assert.match(answer.reason ?? '', /^the projects: /);
}
const noToken = () => Promise.reject(new Error('the agent gave no token'));
const emptyToken = async () => ({ kind: 'pat' as const, value: '' });

describe('a connection to Azure DevOps', () => {
  let emulator: AzureDevOpsEmulator;
  const question = { what: 'the projects', path: ['_apis', 'projects'] };
  beforeEach(async () => {
    emulator = await startAzureDevOps();
    emulator.world.addProject({ name: 'Shop' });
  });
  afterEach(() => emulator.close());

  const askWith = async (effect: Effect, options: Parameters<typeof connect>[1] = {}) => {
    emulator.faults.add({ effect });
    return connect(emulator, options).ado.ask(question);
  };

  it('gives the JSON of a good answer, with a bearer token as with a personal access token', async () => {
    const pat = await connect(emulator).ado.ask(question);
    const token = async () => ({ kind: 'bearer' as const, value: emulator.token });
    const bearer = await connect(emulator, { token }).ado.ask(question);
    assert.equal(pat.kind, 'ok');
    assert.deepEqual(bearer, pat);
    assert.deepEqual(
      emulator.requests.entries.map(entry => entry.scheme),
      ['Basic', 'Bearer'],
    );
    assert.equal(emulator.requests.entries[0]?.query['api-version'], '7.1');
  });

  it('knows the ways in which Azure DevOps turns a sign-in away', async () => {
    const stranger = { token: async () => ({ kind: 'pat' as const, value: 'expired-token' }) };
    expectUnknown(await connect(emulator, stranger).ado.ask(question), /sign-in page \(203\)/);
    emulator.world.behaviour.signIn = 'redirect';
    expectUnknown(
      await connect(emulator, stranger).ado.ask(question),
      /redirected to https:\/\/spsprodweu1\.[\w.]+ \(302\), which is not followed/,
    );
    emulator.world.behaviour.signIn = 'unauthorized';
    expectUnknown(await connect(emulator, stranger).ado.ask(question), /\(401\)/);
    assert.equal(emulator.requests.count('projects.list'), 3, 'none of them is worth a second try');
  });

  it('never follows a redirect, not even to the same host', async () => {
    const location = `${emulator.url}/_apis/projects`;
    expectUnknown(
      await askWith({ kind: 'status', status: 307, headers: { location } }),
      /redirected to http:\/\/localhost:\d+ \(307\)/,
    );
    assert.equal(emulator.requests.entries.length, 1);
  });

  const hopeless: ReadonlyArray<readonly [string, Effect, RegExp]> = [
    [
      '403',
      { kind: 'status', status: 403, json: { typeKey: 'AccessDeniedException', message: 'no' } },
      /denied it \(403\)/,
    ],
    ['a page with 200', { kind: 'html' }, /answered 200 with text\/html instead of JSON/],
    ['JSON under another name', { kind: 'contentType', value: 'text/plain' }, /with text\/plain instead of JSON/],
    ['JSON without a name', { kind: 'contentType', value: '' }, /with no content type instead of JSON/],
    ['another charset', { kind: 'contentType', value: 'application/json; charset=utf-16' }, /another charset/],
    ['JSON that ends in the middle', { kind: 'truncated' }, /JSON that does not parse/],
    ['a body without end', { kind: 'oversized', bytes: 40 * 1024 * 1024 }, /more than 16 MB/],
    ['a part of a body', { kind: 'status', status: 206, json: { count: 0, value: [] } }, /failed \(206\)/],
    [
      'a 404 that is no error of Azure DevOps',
      { kind: 'status', status: 404, json: { message: 'not here' } },
      /404 without saying why/,
    ],
    ['an empty 404', { kind: 'status', status: 404 }, /404 with no content type/],
  ];
  for (const [name, effect, reason] of hopeless) {
    it(`learns nothing from ${name}, and does not ask again`, async () => {
      expectUnknown(await askWith(effect), reason);
      assert.equal(emulator.requests.entries.length, 1);
    });
  }

  it('tells a denial from whatever else is not known, and what it takes, in the words of Azure DevOps too', async () => {
    const json = { typeKey: 'AccessDeniedException', message: `TF215106: Ada needs\nmore, not ${emulator.pat}.` };
    emulator.faults.add({ count: 1, effect: { kind: 'status', status: 403, json } });
    const { ado } = connect(emulator);
    assert.deepEqual(await ado.ask({ ...question, right: 'the right to look' }), {
      kind: 'unknown',
      reason:
        'the projects: Azure DevOps denied it (403): give the identity the right to look. It said: TF215106: Ada needs more, not ***.',
      retryable: false,
      denied: true,
    });
    for (const [status, denied] of [
      [401, true],
      [403, true],
      [203, undefined],
      [429, undefined],
      [500, undefined],
    ] as const) {
      emulator.faults.add({ count: 4, effect: { kind: 'status', status } });
      const answer = await ado.ask(question);
      assert.ok(answer.kind === 'unknown' && answer.denied === denied, String(status));
      emulator.faults.clear();
    }
  });

  const passing: ReadonlyArray<readonly [string, Effect, RegExp]> = [
    ['429', { kind: 'status', status: 429 }, /limits the rate of requests \(429\)/],
    ['500', { kind: 'status', status: 500 }, /failed \(500\)/],
    ['503', { kind: 'status', status: 503 }, /failed \(503\)/],
    ['a connection cut before the answer', { kind: 'cut', when: 'before' }, /broke off/],
    ['a connection cut after the work', { kind: 'cut', when: 'after' }, /broke off/],
    ['a body cut short of its length', { kind: 'cut', when: 'mid-body' }, /broke off|cut its answer short/],
  ];
  for (const [name, effect, reason] of passing) {
    it(`asks four times through ${name}, then says so`, async () => {
      expectUnknown(await askWith(effect), reason);
      assert.equal(emulator.requests.entries.length, 4);
    });
    it(`gets through when ${name} passes`, async () => {
      emulator.faults.add({ effect, count: 3 });
      assert.equal((await connect(emulator).ado.ask(question)).kind, 'ok');
    });
  }

  it('asks a write only once, because it may have been done', async () => {
    emulator.faults.add({ effect: { kind: 'cut', when: 'after' } });
    const answer = await connect(emulator).ado.ask({ ...question, method: 'POST', body: {} });
    assert.equal(answer.kind, 'unknown');
    assert.equal(emulator.requests.entries.length, 1);
  });

  it('bounds an answer that never starts and one that never ends', async () => {
    for (const drip of [false, true]) {
      emulator.faults.clear();
      emulator.faults.add({ effect: { kind: 'slow', ms: drip ? 60 : 5000, drip } });
      const answer = await connect(emulator, { requestTimeoutMs: 100 }).ado.ask(question);
      expectUnknown(answer, /no whole answer within 100 ms/);
    }
  });

  it('waits as told by Retry-After before the next request, on a good answer too', async () => {
    emulator.faults.add({ effect: { kind: 'retryAfter', value: '7' }, count: 1 });
    const { ado, waits } = connect(emulator);
    assert.equal((await ado.ask(question)).kind, 'ok');
    assert.deepEqual(waits, []);
    assert.equal((await ado.ask(question)).kind, 'ok');
    assert.equal(waits.length, 1);
    assert.ok(waits[0]! > 0 && waits[0]! <= 7000);
  });

  it('reads a Retry-After that is a date, and ignores one that is nonsense', async () => {
    const inAMinute = new Date(emulator.clock.now() + 60_000).toUTCString();
    for (const [value, expected] of [
      [inAMinute, 1],
      ['soon', 0],
      ['-5', 0],
    ] as const) {
      emulator.faults.add({ effect: { kind: 'retryAfter', value }, count: 1 });
      const { ado, waits } = connect(emulator);
      await ado.ask(question);
      await ado.ask(question);
      assert.equal(waits.length, expected, value);
    }
  });

  it('does not hold a run for a wait of hours', async () => {
    emulator.faults.add({ effect: { kind: 'status', status: 429, headers: { 'retry-after': '7200' } } });
    const { ado, waits } = connect(emulator);
    expectUnknown(await ado.ask(question), /asked to wait 7\d{3} s/);
    assert.deepEqual(waits, []);
  });

  it('says nothing of the token, even where the server repeats it', async () => {
    const { pat } = emulator;
    const basic = Buffer.from(`PAT:${pat}`).toString('base64');
    const json = { typeKey: 'SomeException', message: `you sent ${pat}, that is ${basic}` };
    emulator.faults.add({ effect: { kind: 'status', status: 400, json } });
    const { ado, said } = connect(emulator);
    const answer = JSON.stringify([await ado.ask(question), said]);
    assert.match(answer, /SomeException/);
    assert.ok(!answer.includes(pat) && !answer.includes(basic));
  });

  it('makes a failing sign-in a reason, not an exception', async () => {
    expectUnknown(await connect(emulator, { token: noToken }).ado.ask(question), /the agent gave no token/);
    assert.equal(emulator.requests.entries.length, 0);
  });

  it('asks for a token before each request, so that it can be renewed', async () => {
    let count = 0;
    const token = async () => ({ kind: 'pat' as const, value: count++ === 0 ? emulator.pat : 'expired-token' });
    const { ado } = connect(emulator, { token });
    assert.equal((await ado.ask(question)).kind, 'ok');
    assert.equal((await ado.ask(question)).kind, 'unknown');
  });

  it('reads no proxy from the environment, and uses the one that it is given', async () => {
    const proxied: string[] = [];
    const proxy: Server = createServer().on('connect', (request, socket) => {
      proxied.push(request.url ?? '');
      socket.end('HTTP/1.1 502 Bad Gateway\r\n\r\n');
    });
    await new Promise<void>(resolve => proxy.listen(0, '127.0.0.1', resolve));
    const url = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`;
    const names = ['HTTP_PROXY', 'HTTPS_PROXY'] as const;
    const before = names.map(name => process.env[name]);
    try {
      for (const name of names) process.env[name] = url;
      assert.equal((await connect(emulator).ado.ask(question)).kind, 'ok');
      assert.deepEqual(proxied, []);
      expectUnknown(await connect(emulator, { proxy: { url } }).ado.ask(question), /broke off/);
      assert.equal(proxied[0], new URL(emulator.url).host);
    } finally {
      for (const [index, name] of names.entries()) {
        if (before[index] === undefined) delete process.env[name];
        else process.env[name] = before[index];
      }
      await new Promise(resolve => proxy.close(resolve));
    }
  });

  it('trusts the authorities that it is given, through a proxy as well, and no others', async () => {
    const tls = await createTls();
    const server = await startAzureDevOps({ flavour: 'server', tls });
    const tunnels: Duplex[] = [];
    const proxy = createServer().on('connect', (request, socket, head) => {
      const { hostname, port } = new URL(`http://${request.url}`);
      const onward = openConnection(Number(port), hostname, () => {
        socket.write('HTTP/1.1 200 Connection established\r\n\r\n');
        onward.write(head);
        socket.pipe(onward).pipe(socket);
      });
      for (const end of [socket, onward]) end.on('error', () => end.destroy());
      tunnels.push(socket);
    });
    await new Promise<void>(resolve => proxy.listen(0, '127.0.0.1', resolve));
    const through = { url: `http://127.0.0.1:${(proxy.address() as AddressInfo).port}` };
    try {
      for (const way of [{}, { proxy: through }]) {
        expectUnknown(await connect(server, way).ado.ask(question), /broke off \(DEPTH_ZERO_SELF_SIGNED_CERT\)/);
        assert.equal((await connect(server, { ...way, ca: [tls.ca] }).ado.ask(question)).kind, 'ok');
      }
    } finally {
      await server.close();
      for (const tunnel of tunnels) tunnel.destroy();
      await new Promise(resolve => proxy.close(resolve));
    }
  });

  it('speaks to a server whose collection lies deeper', async () => {
    const server = await startAzureDevOps({ flavour: 'server' });
    try {
      const { ado } = connect(server, { url: `${server.url}///` });
      assert.match(ado.url, /\/tfs\/DefaultCollection$/);
      assert.equal((await ado.ask(question)).kind, 'ok');
      const stranger = connect(server, { token: async () => ({ kind: 'pat', value: 'nobody-knows-me' }) });
      expectUnknown(await stranger.ado.ask(question), /\(401\)/);
    } finally {
      await server.close();
    }
  });

  it('learns nothing where nobody listens', async () => {
    const gone = await startAzureDevOps();
    await gone.close();
    expectUnknown(await connect(gone).ado.ask(question), /broke off \((ECONNREFUSED|AggregateError)/);
  });

  it('refuses a URL that is none, or that carries a password', () => {
    for (const url of [
      '',
      'contoso',
      'ftp://server/x',
      'https://me:secret@dev.azure.com/x',
      'https://dev.azure.com/x?a=b',
    ]) {
      const make = () => connectAzureDevOps({ url, token: emptyToken, clock: systemClock, log: silentLog });
      assert.throws(make, error => hasCode(error, 'INPUT_INVALID') && !error.message.includes('secret'));
    }
  });
});
