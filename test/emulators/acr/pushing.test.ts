import assert from 'node:assert/strict';
import { Agent, request } from 'node:https';
import { startAcr } from './acr.ts';
import { basic, type Client, type Reply, withAcr } from './client.ts';
import { digestOf } from './content.ts';

const bytes = Buffer.from('the bytes of a blob, long enough to be cut into chunks');
const digest = digestOf(bytes);

async function begin(client: Client, repository = 'team/app'): Promise<string> {
  const reply = await client.send('POST', `/v2/${repository}/blobs/uploads/`);
  assert.equal(reply.status, 202);
  assert.equal(reply.headers['range'], '0-0');
  const location = reply.headers.location ?? '';
  assert.match(location, /^\/v2\/.+\?_nouploadcache=false&_state=/, 'relative, with a state');
  return location;
}

function finish(client: Client, location: string, body: Uint8Array | string = '', name = digest): Promise<Reply> {
  return client.send('PUT', `${location}&digest=${encodeURIComponent(name)}`, { body });
}

describe('emulated registry: pushing blobs', () => {
  it('takes POST and PUT, and shows the blob in that repository only', () =>
    withAcr(startAcr, async (acr, client) => {
      const done = await finish(client, await begin(client), bytes);
      assert.equal(done.status, 201);
      assert.equal(done.headers.location, `/v2/team/app/blobs/${digest}`);
      assert.equal(done.headers['docker-content-digest'], digest);
      const head = await client.send('HEAD', `/v2/team%2Fapp/blobs/${digest}`);
      assert.equal(head.status, 200);
      assert.equal(head.headers['content-length'], String(bytes.length));
      assert.equal((await client.send('HEAD', `/v2/other/blobs/${digest}`)).status, 404);
      assert.deepEqual(acr.world.blobs.digests(), [digest]);
    }));

  it('takes chunks in order, says how far it is, and refuses one out of order', () =>
    withAcr(startAcr, async (_acr, client) => {
      const patch = (at: string, from: number, to: number, range = `${from}-${to - 1}`) =>
        client.send('PATCH', at, { headers: { 'Content-Range': range }, body: bytes.subarray(from, to) });
      const first = await patch(await begin(client), 0, 10);
      assert.equal(first.status, 202);
      assert.equal(first.headers['range'], '0-9');
      const at = first.headers.location ?? '';
      const wrong = await patch(at, 20, 30);
      assert.equal(wrong.status, 416);
      assert.equal(wrong.headers['range'], '0-9');
      assert.equal((await patch(at, 10, 20, 'bytes 10-19/*')).status, 400, 'a unit is refused');
      assert.equal((await patch(at, 10, 20, '10-29')).code, 'SIZE_INVALID');
      const status = await client.send('GET', at);
      assert.equal(status.status, 204);
      assert.equal(status.headers['range'], '0-9');
      const done = await finish(client, at, bytes.subarray(10));
      assert.equal(done.status, 201);
      assert.equal((await client.send('GET', at)).status, 404, 'the upload is over');
    }));

  it('refuses a wrong digest, a lost state, and an upload of another repository', () =>
    withAcr(startAcr, async (acr, client) => {
      assert.equal((await finish(client, await begin(client), 'other bytes')).code, 'DIGEST_INVALID');
      const at = await begin(client);
      assert.equal((await client.send('PATCH', at.split('?')[0] ?? '', { body: bytes })).status, 404);
      assert.equal((await client.send('PATCH', at.replace('team/app', 'else'), { body: bytes })).status, 404);
      assert.equal((await client.send('DELETE', at)).status, 204);
      assert.equal((await client.send('DELETE', at)).status, 404);
      assert.equal((await client.send('POST', '/v2/Bad/blobs/uploads/')).code, 'NAME_INVALID');
      assert.deepEqual(acr.world.blobs.digests(), []);
    }));

  it('mounts what the caller may read, and begins an upload where there is nothing to mount', () =>
    withAcr(startAcr, async (acr, client) => {
      acr.world.putBlob('source', bytes);
      const mount = (from: string) => client.send('POST', `/v2/target/blobs/uploads/?mount=${digest}${from}`);
      assert.equal((await mount('')).status, 202);
      assert.equal((await mount('&from=nowhere')).status, 202);
      assert.equal((await mount('&from=source')).status, 201);
      assert.equal((await client.send('HEAD', `/v2/target/blobs/${digest}`)).status, 200);
    }));

  it('makes a mount without the right to read a 401, or by that switch an upload', async () => {
    const push = { repository: 'target', actions: ['pull', 'push'] as const };
    const identities = [{ name: 'admin', password: 'admin-password', rights: [push] }];
    await withAcr(
      () => startAcr({ identities }),
      async (acr, client) => {
        acr.world.putBlob('source', bytes);
        const path = `/v2/target/blobs/uploads/?mount=${digest}&from=source`;
        assert.equal((await client.send('POST', path)).status, 401);
        acr.behaviour.mountNeedsScope = false;
        assert.equal((await client.send('POST', path)).status, 202);
      },
    );
  });

  it('answers one POST with the bytes with 202, or by that switch with 201', () =>
    withAcr(startAcr, async (acr, client) => {
      const post = () => client.send('POST', `/v2/app/blobs/uploads/?digest=${digest}`, { body: bytes });
      assert.equal((await post()).status, 202);
      acr.behaviour.monolithicPost = true;
      assert.equal((await post()).status, 201);
    }));

  it('refuses a PATCH without a length as that switch says', () =>
    withAcr(startAcr, async (acr, client) => {
      const chunked = { 'Transfer-Encoding': 'chunked' };
      const patch = async (headers: Record<string, string>) =>
        client.send('PATCH', await begin(client), { headers, body: bytes });
      const ranged = { ...chunked, 'Content-Range': `0-${bytes.length - 1}` };
      assert.equal((await patch(chunked)).status, 202);
      assert.equal((await patch(ranged)).code, 'CONTENT_LENGTH_INVALID');
      acr.behaviour.chunkedPatch = 'refuse';
      assert.equal((await patch(chunked)).code, 'CONTENT_LENGTH_INVALID');
      acr.behaviour.chunkedPatch = 'accept';
      assert.equal((await patch(ranged)).status, 202);
    }));

  it('refuses a body over the limit with 413, whether its length is told or not', () =>
    withAcr(startAcr, async (acr, client) => {
      acr.behaviour.maxBodyBytes = 20;
      const at = await begin(client);
      for (const headers of [{}, { 'Transfer-Encoding': 'chunked' }]) {
        const reply = await client.send('PATCH', at, { headers, body: bytes });
        assert.equal(reply.status, 413);
        assert.match(reply.bytes.toString(), /413 Request Entity Too Large/);
      }
      const large = { headers: { 'Transfer-Encoding': 'chunked' }, body: Buffer.alloc(8 * 1024 * 1024) };
      assert.equal((await client.send('PATCH', at, large)).status, 413, 'the answer is not lost in a broken pipe');
      assert.equal((await client.send('PATCH', at, { body: bytes.subarray(0, 20) })).status, 202);
    }));

  it('forgets an upload whose sender went away, and serves the next one', () =>
    withAcr(startAcr, async (acr, client) => {
      const at = await begin(client);
      const [hostname, port] = acr.host.split(':');
      const agent = new Agent({ ca: acr.ca });
      const headers = { Authorization: basic('admin', 'admin-password'), 'Content-Length': '1000' };
      await new Promise<void>(resolve => {
        const outgoing = request({ agent, hostname, port, method: 'PATCH', path: at, headers });
        outgoing.on('error', () => resolve());
        outgoing.write('some', () => outgoing.destroy());
      });
      agent.destroy();
      assert.equal((await finish(client, at, bytes)).status, 201);
    }));
});

describe('emulated registry: fetching blobs', () => {
  it('sends to a second host, which serves ranges and refuses credentials', () =>
    withAcr(startAcr, async (acr, client) => {
      acr.world.putBlob('app', bytes);
      const there = await client.send('GET', `/v2/app/blobs/${digest}`);
      assert.equal(there.status, 307);
      const url = new URL(there.headers.location ?? '');
      assert.equal(url.host, acr.dataHost);
      const path = `${url.pathname}${url.search}`;
      const fetch = (headers: Record<string, string> = {}, authorization: string | null = null) =>
        client.send('GET', path, { host: acr.dataHost, headers, authorization });
      assert.equal((await fetch({}, basic('admin', 'admin-password'))).status, 400);
      assert.deepEqual((await fetch()).bytes, bytes);
      const cases: [string, number, Buffer][] = [
        ['bytes=4-8', 206, bytes.subarray(4, 9)],
        ['bytes=4-', 206, bytes.subarray(4)],
        ['bytes=-5', 206, bytes.subarray(-5)],
        ['bytes=0-9999', 206, bytes],
      ];
      for (const [Range, status, expected] of cases) {
        const part = await fetch({ Range });
        assert.equal(part.status, status);
        assert.deepEqual(part.bytes, expected);
      }
      assert.equal((await fetch({ Range: 'bytes=9999-' })).status, 416);
      assert.equal((await fetch({ Range: 'bytes=5-1' })).status, 416);
      assert.equal(acr.requests.count({ operation: 'blob.data', status: 206 }), 4);
    }));

  it('lets a location lapse after twenty minutes, and takes no other signature', () =>
    withAcr(startAcr, async (acr, client) => {
      acr.world.putBlob('app', bytes);
      const location = (await client.send('GET', `/v2/app/blobs/${digest}`)).headers.location ?? '';
      const path = location.slice(`https://${acr.dataHost}`.length);
      const fetch = (at: string) => client.send('GET', at, { host: acr.dataHost, authorization: null });
      assert.equal((await fetch(path.replace(/sig=[^&]+/, 'sig=x'))).status, 403);
      assert.equal((await fetch(path)).status, 200);
      acr.clock.advance(21 * 60_000);
      assert.equal((await fetch(path)).status, 403);
    }));
});
