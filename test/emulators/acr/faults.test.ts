import assert from 'node:assert/strict';
import { startAcr } from './acr.ts';
import { digests, readPages, tagNames, withAcr } from './client.ts';
import { digestOf } from './content.ts';

const tagsPath = '/acr/v1/app/_tags';

describe('emulated registry: faults', () => {
  it('answer with a status, for the nth matching request and so often as is said', () =>
    withAcr(startAcr, async (acr, client) => {
      acr.world.putImage('app', { tags: ['1'] });
      const fault = acr.faults.add({ operation: 'tags.list', nth: 2, count: 2 }, { kind: 'status', status: 503 });
      acr.faults.add({ path: /_manifests\?n=7/, method: 'GET' }, { kind: 'status', status: 429, retryAfter: 3 });
      const seen: number[] = [];
      for (let round = 0; round < 4; round += 1) seen.push((await client.send('GET', tagsPath)).status);
      assert.deepEqual(seen, [200, 503, 503, 200]);
      assert.equal(fault.hits(), 2);
      assert.equal((await client.send('GET', '/acr/v1/app/_manifests?n=6')).status, 200);
      const limited = await client.send('GET', '/acr/v1/app/_manifests?n=7');
      assert.deepEqual([limited.status, limited.headers['retry-after']], [429, '3']);
      acr.faults.clear();
      assert.equal((await client.send('GET', '/acr/v1/app/_manifests?n=7')).status, 200);
    }));

  it('may answer with an error although the request took effect', () =>
    withAcr(startAcr, async (acr, client) => {
      acr.world.putImage('app', { tags: ['1', '2'] });
      acr.faults.add({ operation: 'tag.delete', nth: 1 }, { kind: 'status', status: 500 });
      acr.faults.add({ operation: 'tag.delete', nth: 2 }, { kind: 'status', status: 500, processed: true });
      assert.equal((await client.send('DELETE', `${tagsPath}/1`)).status, 500);
      assert.equal(acr.world.has('app', '1'), true);
      assert.equal((await client.send('DELETE', `${tagsPath}/1`)).status, 500);
      assert.equal(acr.world.has('app', '1'), false);
    }));

  it('cut the connection before or after the effect, or in the middle of the answer', () =>
    withAcr(startAcr, async (acr, client) => {
      acr.world.putImage('app', { tags: ['1', '2'] });
      const untag = () => client.send('DELETE', `${tagsPath}/1`);
      const cut = (when: 'before' | 'after' | 'body', operation: string) =>
        acr.faults.add({ operation, nth: 1 }, { kind: 'cut', when });
      cut('before', 'tag.delete');
      await assert.rejects(untag());
      assert.equal(acr.world.has('app', '1'), true);
      acr.faults.clear();
      cut('after', 'tag.delete');
      await assert.rejects(untag());
      assert.equal(acr.world.has('app', '1'), false);
      cut('body', 'tags.list');
      await assert.rejects(client.send('GET', tagsPath), /aborted/);
      assert.equal((await client.send('GET', tagsPath)).status, 200);
      assert.equal(acr.requests.count({ operation: 'tag.delete', status: 0 }), 2);
    }));

  it('let a test step in at any request, before or after it took effect', () =>
    withAcr(startAcr, async (acr, client) => {
      acr.world.putImage('app', { tags: ['1', '2', '3'] });
      const phases: string[] = [];
      const once = ['tag.delete before', 'tag.delete after'];
      acr.faults.intercept = async (request, phase) => {
        phases.push(`${request.operation} ${phase}`);
        const killed = request.operation === 'tag.delete' && request.reference === '2' && phase === 'after';
        return killed ? 'cut' : 'proceed';
      };
      assert.equal((await client.send('DELETE', `${tagsPath}/1`)).status, 202);
      await assert.rejects(client.send('DELETE', `${tagsPath}/2`));
      assert.deepEqual(Object.keys(acr.world.tags('app')), ['3']);
      assert.deepEqual(phases, [...once, ...once]);
    }));

  it('make an answer slow, and hold up neither the next one nor the end of the emulator', async () => {
    const start = performance.now();
    await withAcr(startAcr, async (acr, client) => {
      acr.world.putImage('app', { tags: ['1'] });
      acr.faults.add({ operation: 'tags.list', nth: 1 }, { kind: 'slow', ms: 60 });
      acr.faults.add({ operation: 'manifests.list' }, { kind: 'slow', ms: 60_000 });
      const [slow, fast] = await Promise.all([client.send('GET', tagsPath), client.send('GET', '/acr/v1/app')]);
      assert.deepEqual([slow.status, fast.status], [200, 200]);
      assert.ok(performance.now() - start >= 60);
      const never = assert.rejects(client.send('GET', '/acr/v1/app/_manifests'));
      await acr.close();
      await never;
    });
    assert.ok(performance.now() - start < 5000);
  });

  it('show a listing as it was: what was deleted is still there, what is new is not', () =>
    withAcr(startAcr, async (acr, client) => {
      const old = acr.world.putImage('app', { tags: ['old'] });
      const fault = acr.faults.add({ operation: ['tags.list', 'manifests.list'] }, { kind: 'stale' });
      const young = acr.world.putImage('app', { tags: ['young'] });
      acr.world.deleteManifest('app', old.digest);
      const list = async () => [
        tagNames(await client.send('GET', tagsPath)),
        digests(await client.send('GET', '/acr/v1/app/_manifests')),
        tagNames(await client.send('GET', `${tagsPath}?digest=${old.digest}`)),
      ];
      assert.deepEqual(await list(), [['old'], [old.digest], ['old']]);
      assert.equal((await client.send('GET', '/acr/v1/app')).json.manifestCount, 1, 'the counts are of now');
      assert.equal((await client.send('GET', `${tagsPath}/young`)).status, 200);
      fault.remove();
      assert.deepEqual(await list(), [['young'], [young.digest], []]);
    }));

  it('leave names out of a listing', () =>
    withAcr(startAcr, async (acr, client) => {
      const image = acr.world.putImage('app', { tags: ['1', '2'] });
      acr.faults.add({ operation: 'tags.list' }, { kind: 'hide', names: ['1'] });
      assert.deepEqual(tagNames(await client.send('GET', tagsPath)), ['2']);
      assert.deepEqual(tagNames(await client.send('GET', `${tagsPath}?digest=${image.digest}`)), ['2']);
    }));

  it('end a listing early, repeat a page, or forget the order', () =>
    withAcr(startAcr, async (acr, client) => {
      const { digest } = acr.world.putImage('app');
      acr.world.seedTags('app', digest, ['b', 'd', 'a', 'c']);
      const path = '/v2/app/tags/list?n=2';
      const list = async () => tagNames(...(await readPages(client, path)));
      assert.deepEqual(await list(), ['a', 'b', 'c', 'd']);
      acr.faults.add({ operation: 'oci.tags.list', nth: 1 }, { kind: 'truncated' });
      assert.deepEqual(await list(), ['a', 'b']);
      acr.faults.clear();
      acr.faults.add({ operation: 'oci.tags.list', nth: 2 }, { kind: 'repeated' });
      assert.deepEqual(await list(), ['a', 'b', 'a', 'b', 'c', 'd']);
      acr.faults.clear();
      acr.faults.add({ operation: 'oci.tags.list' }, { kind: 'unsorted' });
      assert.deepEqual(await list(), ['c', 'a', 'd', 'b'], 'whole, but newest first');
    }));

  it('answer with the body of somebody else', () =>
    withAcr(startAcr, async (acr, client) => {
      acr.world.putImage('app', { tags: ['1'] });
      acr.faults.add({ operation: 'tags.list' }, { kind: 'replaced', body: '<html>Sign in</html>' });
      const answer = await client.send('GET', tagsPath);
      assert.deepEqual([answer.status, answer.bytes.toString()], [200, '<html>Sign in</html>']);
    }));

  it('lie about digests and corrupt bytes', () =>
    withAcr(startAcr, async (acr, client) => {
      acr.world.putImage('app', { tags: ['1'], layers: ['a layer'] });
      const other = digestOf('another');
      acr.faults.add({ operation: 'tag.delete' }, { kind: 'wrong-digest', digest: other });
      acr.faults.add({ operation: ['manifest.get', 'blob.data'] }, { kind: 'corrupt' });
      const blob = digestOf('a layer');
      const there = (await client.send('GET', `/v2/app/blobs/${blob}`)).headers.location ?? '';
      const path = there.slice(`https://${acr.dataHost}`.length);
      const bytes = (await client.send('GET', path, { host: acr.dataHost, authorization: null })).bytes;
      assert.equal(bytes.length, 'a layer'.length);
      assert.notEqual(digestOf(bytes), blob);
      const manifest = await client.send('GET', '/v2/app/manifests/1');
      assert.notEqual(digestOf(manifest.bytes), manifest.headers['docker-content-digest']);
      const untagged = await client.send('DELETE', `${tagsPath}/1`);
      assert.equal(untagged.headers['x-ms-int-docker-content-digest'], other);
    }));
});

describe('emulated registry: the request log', () => {
  it('names operation, class, repository, reference, status and who it was, with the path decoded', () =>
    withAcr(startAcr, async (acr, client) => {
      acr.world.putImage('team/app', { tags: ['1'] });
      await client.send('GET', '/acr/v1/team%2Fapp/_tags?n=5&orderby=timedesc');
      await client.send('DELETE', '/acr/v1/team%2Fapp/_tags/1');
      await client.send('GET', '/nothing/here', { authorization: null });
      const seen = acr.requests.all().map(({ at: _at, ...entry }) => entry);
      const common = { repository: 'team/app', identity: 'admin' };
      assert.deepEqual(seen, [
        {
          ...common,
          sequence: 1,
          method: 'GET',
          path: '/acr/v1/team/app/_tags',
          query: { n: '5', orderby: 'timedesc' },
          operation: 'tags.list',
          operationClass: 'Read',
          status: 200,
        },
        {
          ...common,
          sequence: 2,
          method: 'DELETE',
          path: '/acr/v1/team/app/_tags/1',
          query: {},
          operation: 'tag.delete',
          operationClass: 'Delete',
          reference: '1',
          status: 202,
        },
        {
          sequence: 3,
          method: 'GET',
          path: '/nothing/here',
          query: {},
          operation: 'unknown',
          operationClass: 'Read',
          status: 404,
        },
      ]);
      assert.equal(acr.requests.count({ operationClass: 'Delete' }), 1);
      acr.requests.clear();
      assert.equal(acr.requests.count(), 0);
      await client.send('GET', '/v2/');
      assert.equal(acr.requests.all()[0]?.sequence, 4);
    }));

  it('goes with a Date of the emulated world on every answer', () =>
    withAcr(startAcr, async (acr, client) => {
      acr.clock.advance(400 * 24 * 60 * 60_000);
      for (const path of ['/v2/', '/acr/v1/none', '/nothing']) {
        const date = Date.parse((await client.send('GET', path)).headers['date'] ?? '');
        assert.ok(Math.abs(date - acr.clock.now()) < 2000, path);
      }
    }));
});
