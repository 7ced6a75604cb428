import assert from 'node:assert/strict';
import fc from 'fast-check';
import { startAcr } from './acr.ts';
import { type Client, digests, type Reply, readPages, tagNames, withAcr } from './client.ts';
import { createOrder } from './order.ts';

const names = (count: number): string[] => Array.from({ length: count }, (_, index) => `t${index}`);

async function timed<T>(work: () => Promise<T> | T): Promise<[T, number]> {
  const start = performance.now();
  const result = await work();
  return [result, performance.now() - start];
}

/** What a cleaner does: ask for the tags of a digest, untag, look at the first page again. */
async function untagAndAsk(client: Client, indexes: readonly string[]): Promise<void> {
  for (let round = 0; round < 200; round += 1) {
    const reply = await client.send('GET', `/acr/v1/many/_tags?digest=${indexes[round]}`);
    assert.deepEqual(tagNames(reply), [`v${round}`]);
    assert.equal((await client.send('DELETE', `/acr/v1/tags/_tags/t${round}`)).status, 202);
    assert.equal((await client.send('GET', '/acr/v1/tags/_tags?n=1&orderby=timedesc')).status, 200);
  }
}

describe('emulated registry: listings of /acr/v1', () => {
  it('have 100 entries on a page, at most 1000 whatever is asked, and a relative link to the next', () =>
    withAcr(startAcr, async (acr, client) => {
      const { digest } = acr.world.putImage('team/app');
      acr.world.seedTags('team/app', digest, names(2500));
      const first = await client.send('GET', '/acr/v1/team%2Fapp/_tags');
      assert.equal(first.json.tags?.length, 100);
      assert.equal(
        first.headers['link'],
        `</acr/v1/team%2Fapp/_tags?last=${first.json.tags?.at(-1)?.name}&n=100&orderby=>; rel="next"`,
      );
      const pages = await readPages(client, '/acr/v1/team/app/_tags?n=5000');
      assert.deepEqual(
        pages.map(page => page.json.tags?.length),
        [1000, 1000, 500],
      );
      assert.deepEqual(tagNames(...pages), names(2500).sort());
      assert.equal((await client.send('GET', '/acr/v1/team/app/_tags?n=x')).status, 400);
      assert.equal((await client.send('GET', '/acr/v1/team/app/_tags?orderby=size')).status, 400);
    }));

  it('have the recorded shape', () =>
    withAcr(startAcr, async (acr, client) => {
      acr.clock.advance(Date.parse('2030-01-02T03:04:05.678Z') - acr.clock.now());
      const at = Date.parse('2030-01-02T03:04:05.678Z');
      const image = acr.world.putImage('app', { tags: ['b', 'a'], at });
      const untagged = acr.world.putIndex('app', [image], { at });
      const all = { deleteEnabled: true, writeEnabled: true, readEnabled: true, listEnabled: true };
      const times = { createdTime: '2030-01-02T03:04:05.6780000Z', lastUpdateTime: '2030-01-02T03:04:05.6780000Z' };
      const tags = await client.send('GET', '/acr/v1/app/_tags?n=1');
      assert.deepEqual(JSON.parse(tags.bytes.toString()), {
        registry: acr.host,
        imageName: 'app',
        tags: [{ name: 'a', digest: image.digest, ...times, signed: false, changeableAttributes: all }],
      });
      const { manifests = [] } = (await client.send('GET', '/acr/v1/app/_manifests')).json;
      const find = (digest: string) => manifests.find(item => item.digest === digest);
      const shown = { ...find(image.digest), imageSize: 0 };
      assert.deepEqual(shown, {
        digest: image.digest,
        imageSize: 0,
        ...times,
        architecture: 'amd64',
        os: 'linux',
        mediaType: 'application/vnd.oci.image.manifest.v1+json',
        configMediaType: 'application/vnd.oci.image.config.v1+json',
        tags: ['a', 'b'],
        changeableAttributes: all,
      });
      assert.equal('tags' in (find(untagged.digest) ?? {}), false, 'absent, not empty');
      assert.equal('architecture' in (find(untagged.digest) ?? {}), false);
      const one = await client.send('GET', `/acr/v1/app/_manifests/${image.digest}`);
      assert.deepEqual(one.json.manifest, find(image.digest));
    }));

  it('go by time, up and down, and a tag that moved counts as new', () =>
    withAcr(startAcr, async (acr, client) => {
      const images = ['b', 'c', 'a'].map(tag => {
        acr.clock.advance(1000);
        return acr.world.putImage('app', { tags: [tag] });
      });
      const list = async (order: string) =>
        tagNames(...(await readPages(client, `/acr/v1/app/_tags?n=1&orderby=${order}`)));
      assert.deepEqual(await list('timeasc'), ['b', 'c', 'a']);
      assert.deepEqual(await list('timedesc'), ['a', 'c', 'b']);
      assert.deepEqual(await list(''), ['a', 'b', 'c']);
      acr.clock.advance(1000);
      acr.world.tag('app', 'b', images[1]?.digest ?? '');
      assert.deepEqual(await list('timedesc'), ['b', 'a', 'c']);
      const pages = await readPages(client, '/acr/v1/app/_manifests?n=2&orderby=timedesc');
      assert.deepEqual(digests(...pages), images.map(({ digest }) => digest).reverse());
    }));

  it('go on after an entry that was deleted meanwhile, in every order', () =>
    withAcr(startAcr, async (acr, client) => {
      const { digest } = acr.world.putImage('app');
      for (const order of ['', 'timeasc', 'timedesc']) {
        acr.world.seedTags('app', digest, names(5));
        const seen: string[] = [];
        for (let last: string | undefined = ''; last !== undefined; ) {
          const reply: Reply = await client.send('GET', `/acr/v1/app/_tags?n=1&orderby=${order}&last=${last}`);
          last = tagNames(reply)[0];
          if (last === undefined) continue;
          seen.push(last);
          if (seen.length % 2 === 0) acr.world.untag('app', last);
        }
        assert.deepEqual([...seen].sort(), names(5), order);
      }
    }));

  it('find the tags of one digest, paged as well', () =>
    withAcr(startAcr, async (acr, client) => {
      const first = acr.world.putImage('app', { tags: ['x', 'a', 'm'] });
      acr.world.putImage('app', { tags: ['b', 'n'] });
      const path = `/acr/v1/app/_tags?digest=${encodeURIComponent(first.digest)}`;
      assert.deepEqual(tagNames(await client.send('GET', path)), ['a', 'm', 'x']);
      const pages = await readPages(client, `${path}&n=2`);
      assert.deepEqual(
        pages.map(page => tagNames(page)),
        [['a', 'm'], ['x']],
      );
      const none = await client.send('GET', `/acr/v1/app/_tags?digest=sha256:${'0'.repeat(64)}`);
      assert.deepEqual([none.status, tagNames(none)], [200, []]);
      assert.equal((await client.send('GET', '/acr/v1/app/_tags?digest=bad')).status, 400);
    }));

  it('show ten tags of a manifest when that switch says so, though it has more', () =>
    withAcr(startAcr, async (acr, client) => {
      acr.behaviour.tagsPerManifest = 10;
      const { digest } = acr.world.putImage('app', { tags: names(12) });
      const { manifests = [] } = (await client.send('GET', '/acr/v1/app/_manifests')).json;
      assert.equal(manifests[0]?.tags?.length, 10);
      assert.equal(tagNames(await client.send('GET', `/acr/v1/app/_tags?digest=${digest}`)).length, 12);
    }));

  it('list the catalog by pages', () =>
    withAcr(startAcr, async (acr, client) => {
      for (const name of ['c', 'a/x', 'b']) acr.world.putImage(name);
      for (const path of ['/acr/v1/_catalog', '/v2/_catalog']) {
        const pages = await readPages(client, `${path}?n=2`);
        assert.deepEqual(
          pages.map(page => page.json.repositories),
          [['a/x', 'b'], ['c']],
        );
        assert.equal(pages[0]?.headers['link'], `<${path}?last=b&n=2&orderby=>; rel="next"`);
      }
    }));
});

describe('emulated registry: tags/list', () => {
  it('is lexical, goes on after any name, and is empty for n = 0', () =>
    withAcr(startAcr, async (acr, client) => {
      const { digest } = acr.world.putImage('team/app');
      acr.world.seedTags('team/app', digest, ['10', '9', '47', '471', '47.1', 'A', 'a', '_']);
      const list = async (query: string) => tagNames(await client.send('GET', `/v2/team/app/tags/list${query}`));
      assert.deepEqual(await list(''), ['10', '47', '47.1', '471', '9', 'A', '_', 'a']);
      assert.deepEqual(await list('?n=0'), []);
      assert.deepEqual(await list('?last=47.&n=2'), ['47.1', '471']);
      assert.deepEqual(tagNames(...(await readPages(client, '/v2/team/app/tags/list?n=3'))), await list(''));
      assert.equal((await client.send('GET', '/v2/none/tags/list')).code, 'NAME_UNKNOWN');
    }));
});

describe('emulated registry: large repositories', () => {
  it('are filled at once, and listing, finding and untagging stay fast', () =>
    withAcr(startAcr, async (acr, client) => {
      const { digest } = acr.world.putImage('tags', { tags: ['latest'] });
      const [, seeding] = await timed(() => acr.world.seedTags('tags', digest, names(100_000)));
      const [made, bulk] = await timed(() =>
        acr.world.seedManifests('many', { manifests: 50_000, indexes: 2000, tag: ordinal => `v${ordinal}` }),
      );
      assert.equal(made.images.length + made.indexes.length, 50_000);
      // Half a second each on two cores; the bounds leave room for a machine that is busy.
      assert.ok(seeding < 5000 && bulk < 5000, `${seeding} and ${bulk} ms`);
      const [pages, listing] = await timed(() => readPages(client, '/acr/v1/tags/_tags?n=1000'));
      assert.equal(tagNames(...pages).length, 100_001);
      const [found, all] = await timed(() => readPages(client, '/acr/v1/many/_manifests?n=1000'));
      assert.equal(digests(...found).length, 50_000);
      assert.ok(listing < 15_000 && all < 15_000, `${listing} and ${all} ms`);
      const [, untagging] = await timed(() => untagAndAsk(client, made.indexes));
      assert.ok(untagging < 10_000, `${untagging} ms for 200 rounds`);
    })).timeout(60_000);
});

describe('emulated registry: an order', () => {
  it('is always that of a sorted set', () => {
    const key = fc.string({ maxLength: 3 });
    const step = fc.record({ kind: fc.constantFrom('add', 'remove', 'read'), key });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), fc.array(key, { maxLength: 100 }), (steps, seed) => {
        const order = createOrder(seed);
        const truth = new Set(seed);
        for (const { kind, key } of steps) {
          if (kind === 'add' && !truth.has(key)) {
            order.add(key);
            truth.add(key);
          } else if (kind === 'remove') {
            order.remove(key);
            truth.delete(key);
          }
          const sorted = [...truth].sort((left, right) => (left < right ? -1 : 1));
          if (kind === 'read')
            assert.deepEqual(
              [...order.after(key)],
              sorted.filter(name => name > key),
            );
          if (kind === 'read')
            assert.deepEqual([...order.after(key, true)], sorted.filter(name => name < key).reverse());
        }
      }),
    );
  });
});
