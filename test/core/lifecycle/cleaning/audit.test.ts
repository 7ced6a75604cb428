import { deepEqual, equal, match, ok } from 'node:assert/strict';
import fc from 'fast-check';
import { type Audit, auditEstate } from '../../../../core/lifecycle/cleaning/audit.ts';
import { createInventory, type Inventory } from '../../../../core/lifecycle/cleaning/inventory.ts';
import { notConfigured } from '../../../../core/lifecycle/facts/read-others.ts';
import { planImages } from '../../../../core/lifecycle/keep-policy/keep-plan.ts';
import type { Digest } from '../../../../core/oci/digest.ts';
import { helmConfig, ociIndex, ociManifest } from '../../../../core/oci/media-types.ts';
import { readPolicy, someFacts, somePolicy } from '../keep-policy/policy-random.ts';
import { digestOf } from '../keep-policy/policy-world.ts';
import { type CleanScenario, lookAt, mapImages } from './planned-world.ts';

const gone = { 1: 'main 9d deleted', 2: 'main 8d deleted', 3: 'main 7d alive' };

/** Layers of images by `registry name`: `base:100` is a layer and its bytes. Manifests have 0 bytes. */
function inventoryOf(content: Readonly<Record<string, string>>): Inventory {
  const inventory = createInventory();
  for (const [key, text] of Object.entries(content)) {
    const [registry = '', name = '', kind = ''] = key.split(' ');
    const layers = text.split(' ').flatMap(each => {
      const [layer = '', size = ''] = each.split(':');
      return layer === ''
        ? []
        : [{ mediaType: 'application/x', digest: digestOf(`layer ${layer}`), size: Number(size) }];
    });
    const isChart = kind === 'chart';
    inventory.addManifest(registry, {
      digest: digestOf(name),
      mediaType: kind === 'index' ? ociIndex : ociManifest,
      bytes: new Uint8Array(),
      layers,
      ...(isChart && { config: { mediaType: helmConfig, digest: digestOf(`config ${name}`), size: 0 } }),
    });
  }
  return inventory;
}

/** The letter that a digest stands for. */
function nameOf(digest: Digest): string | undefined {
  return ['i', 'b', 's', 'x', 'y'].find(each => digestOf(each) === digest);
}

function audit(world: CleanScenario, inventory?: Inventory): Audit {
  const { facts, plan } = lookAt(world);
  return auditEstate(facts, plan, inventory);
}

/** Images and bytes by owner, where there are any. */
function ownersOf({ owners }: Audit): Record<string, readonly [images: number, bytes: number]> {
  return Object.fromEntries(
    owners.flatMap(({ owner, images, bytes }) => (images > 0 || bytes > 0 ? [[owner, [images, bytes]]] : [])),
  );
}

describe('an audit', () => {
  const shared: CleanScenario = {
    registries: { ci: 'delete', prod: 'keep' },
    builds: gone,
    images: {
      'ci/shop/web a': { builds: [1] },
      'ci/shop/web b': { builds: [3] },
      'ci/shop/api c': { builds: [2] },
      'ci/pay/ledger d': { builds: [2] },
      'prod/shop/web a': { promoted: [1] },
    },
  };
  const layers = inventoryOf({
    'ci a': 'base:100 a:10',
    'ci b': 'base:100 b:20',
    'ci c': 'base:100 api:50 c:1',
    'ci d': 'pay:7 api:50',
    'prod a': 'base:100 a:10',
  });

  it('counts a layer once in a registry, and once more in another', () => {
    const { total, registries } = audit(shared, layers);
    equal(total.bytes, 188 + 110);
    deepEqual(
      registries.map(({ name, bytes, images }) => [name, bytes, images]),
      [
        ['ci', 188, 4],
        ['prod', 110, 1],
      ],
    );
  });

  it('tells what a repository and a team have, and what nobody else there has', () => {
    const { repositories, teams } = audit(shared, layers);
    deepEqual(
      repositories.map(({ registry, name, bytes, ownBytes }) => `${registry}/${name} ${bytes} ${ownBytes}`),
      ['ci/shop/api 151 1', 'ci/shop/web 130 30', 'prod/shop/web 110 110', 'ci/pay/ledger 57 7'],
    );
    deepEqual(
      teams.map(({ name, bytes, ownBytes, images }) => `${name} ${bytes} ${ownBytes} ${images}`),
      ['shop 291 241 4', 'pay 57 7 1'],
    );
  });

  it('shows as free what nothing needs that stays', () => {
    const { total, repositories, registries } = audit(shared, layers);
    // The base is in b, whose build is there; the copy in prod stays by the registry's rule.
    equal(total.freedBytes, 10 + 50 + 1 + 7);
    equal(total.leaving, 3);
    deepEqual(
      repositories.map(each => each.freedBytes),
      [51, 10, 0, 57],
    );
    deepEqual(
      registries.map(each => each.freedBytes),
      [68, 0],
    );
  });

  it('gives a layer to the strongest of those who have a part in it', () => {
    deepEqual(ownersOf(audit(shared, layers)), { gone: [4, 10 + 50 + 1 + 7 + 110], living: [1, 120] });
  });

  it('takes from records, and without one from tags that were set while the build of that id ran, whose an image is', () => {
    const world: CleanScenario = {
      builds: { ...gone, 4: 'main 6d ?', 5: 'main 5d deleted' },
      images: {
        'ci/web recorded': { builds: [1] },
        'ci/web living': { builds: [1, 3] },
        'ci/web silent': { builds: [4] },
        'ci/web tagged': { tags: ['2'], pushed: '8d' },
        'ci/web taggedLiving': { tags: ['app-3'], pushed: '7d' },
        'ci/web late': { tags: ['2'], pushed: '1d' },
        'ci/web version': { tags: ['5.1'], pushed: '5d' },
        'ci/web named': { tags: ['latest'] },
        'ci/web untagged': { tags: [] },
        'ci/charts chart': { builds: [1], content: ['1.0.0_c.1'], tags: [] },
      },
    };
    const names = Object.keys(world.images).map(key => key.split(' ')[1] ?? '');
    const { owners } = audit(world, inventoryOf(Object.fromEntries(names.map(name => [`ci ${name}`, `${name}:1`]))));
    deepEqual(Object.fromEntries(owners.map(({ owner, images }) => [owner, images])), {
      gone: 1,
      taggedGone: 1,
      unasked: 0,
      chart: 1,
      nobody: 4,
      unknown: 1,
      living: 2,
    });
  });

  it('finds a chart by its configuration', () => {
    const inventory = inventoryOf({ 'ci a chart': 'a:5', 'ci b': 'b:6' });
    const world: CleanScenario = { images: { 'ci/charts a': { tags: ['1.0.0'] }, 'ci/web b': { tags: ['1.0.0'] } } };
    deepEqual(ownersOf(audit(world, inventory)), { chart: [1, 5], nobody: [1, 6] });
  });

  it('takes the parts of an image, and what refers to it, for whose the image is', () => {
    const world: CleanScenario = {
      builds: gone,
      images: {
        'ci/web top': { builds: [3], children: ['x'] },
        'ci/web x': { tags: [] },
        'ci/web old': { builds: [1], children: ['y', 'x'] },
        'ci/web y': { tags: [] },
        'ci/web signature': { tags: ['sha256-y.sig'] },
        'ci/web sbom': { tags: [], subject: 'signature' },
        'ci/web stray': { tags: [] },
      },
    };
    const { owners } = audit(world);
    deepEqual(
      owners.flatMap(({ owner, images }) => (images > 0 ? [[owner, images]] : [])),
      [
        ['gone', 4],
        ['nobody', 1],
        ['living', 2],
      ],
    );
  });

  it('takes no image from its build because somebody copied it by hand', () => {
    const { owners } = audit({
      registries: { ci: 'delete', prod: 'delete' },
      builds: gone,
      images: { 'ci/web a': { builds: [1] }, 'prod/byhand/web a': { tags: ['stable'] }, 'ci/web b': { tags: ['v1'] } },
    });
    deepEqual(
      owners.flatMap(({ owner, images }) => (images > 0 ? [[owner, images]] : [])),
      [
        ['gone', 2],
        ['nobody', 1],
      ],
    );
  });

  it('counts by the size that the registry lists what it has no manifest of, and says so', () => {
    const { facts, plan } = lookAt({
      builds: gone,
      images: {
        'ci/web a': { builds: [1] },
        'ci/web i': { builds: [1], children: ['x', 'y'] },
        'ci/web x': { tags: [] },
        'ci/web y': { tags: [] },
      },
    });
    const sized = mapImages(facts, image => ({ ...image, size: 40 }));
    const { total, assumptions } = auditEstate(sized, plan, inventoryOf({ 'ci y': 'y:3' }));
    equal(total.bytes, 40 + 40 + 3);
    ok(assumptions.some(each => each.startsWith('Of 3 images the manifest was not read.')));
    equal(auditEstate(sized, plan).total.bytes, 120);
  });

  it('leaves out what lies elsewhere, and takes the larger of two sizes of one layer', () => {
    const inventory = createInventory();
    const foreign = 'application/vnd.docker.image.rootfs.foreign.diff.tar.gzip';
    const add = (name: string, size: number) =>
      inventory.addManifest('ci', {
        digest: digestOf(name),
        mediaType: ociManifest,
        bytes: new Uint8Array(9),
        layers: [
          { mediaType: foreign, digest: digestOf('windows'), size: 1e9 },
          { mediaType: 'application/x', digest: digestOf('shared'), size },
        ],
      });
    add('a', 5);
    add('b', 6);
    add('a', 700);
    equal(audit({ images: { 'ci/web a': {}, 'ci/web b': {} } }, inventory).total.bytes, 9 + 9 + 6);
  });

  it('lists the biggest and the oldest images, an index with all that is in it', () => {
    const world: CleanScenario = {
      builds: { ...gone, 1: 'main 400d deleted' },
      images: {
        'ci/web i': { builds: [1], children: ['x', 'y'] },
        'ci/web x': { tags: [], pushed: '900d' },
        'ci/web y': { tags: [] },
        'ci/web b': { builds: [3] },
        'ci/web s': { tags: [], subject: 'b', pushed: '?' },
      },
    };
    const inventory = inventoryOf({ 'ci i index': '', 'ci x': 'base:10 x:1', 'ci y': 'base:10 y:2', 'ci b': 'b:12' });
    const { biggest, oldest } = audit(world, inventory);
    deepEqual(
      biggest.map(({ digest, bytes, isLeaving, tags }) => [nameOf(digest), bytes, isLeaving, tags]),
      [
        ['i', 13, true, ['1']],
        ['b', 12, false, ['3']],
      ],
    );
    deepEqual(
      oldest.map(({ digest }) => nameOf(digest)),
      ['i', 'b'],
    );
  });

  it('tells how old the bytes are, by the newest image that has them', () => {
    const world: CleanScenario = {
      images: {
        'ci/web a': { tags: ['a'], pushed: '800d' },
        'ci/web b': { tags: ['b'], pushed: '30d' },
        'ci/web c': { tags: ['c'], pushed: '31d' },
        'ci/web d': { tags: ['d'], pushed: '?' },
      },
    };
    const inventory = inventoryOf({ 'ci a': 'base:100 a:1', 'ci b': 'base:100 b:2', 'ci c': 'c:4', 'ci d': 'd:8' });
    deepEqual(
      audit(world, inventory).ages.flatMap(({ name, bytes }) => (bytes > 0 ? [`${name}: ${bytes}`] : [])),
      ['up to 30 days: 102', '30 to 90 days: 4', 'older than 2 years: 1', 'not known: 8'],
    );
  });

  it('tells builds of projects that were not asked apart from those that could not be read, and names the cure', () => {
    const { facts, plan } = lookAt({
      builds: { 1: 'main 9d ?', 2: 'main 8d ?' },
      images: { 'ci/web a': { builds: [1] }, 'ci/web b': { builds: [2] } },
    });
    const builds = facts.builds.map(each =>
      each.build.id === 1 ? { ...each, state: { kind: 'unknown' as const, reason: notConfigured } } : each,
    );
    const inventory = inventoryOf({ 'ci a': 'a:1', 'ci b': 'b:2' });
    const found = auditEstate({ ...facts, builds }, plan, inventory);
    deepEqual(ownersOf(found), { unasked: [1, 1], unknown: [1, 2] });
    match(found.assumptions.join('\n'), /projects that were not asked\. .*Name these projects in a configuration/);
    equal(/not asked\. /.test(auditEstate(facts, plan, inventory).assumptions.join('\n')), false);
  });

  it('says what it assumes', () => {
    const { facts, plan } = lookAt({ images: { 'ci/web a': {} }, unread: { contoso: '401' } });
    const text = auditEstate(facts, plan).assumptions.join('\n');
    match(text, /Nothing was given that tells what runs/);
    match(text, /No build record was found/);
    match(text, /Not every organization/);
    const told = audit({ builds: gone, images: { 'ci/web a': { builds: [1] } }, runs: { prod: [] } }).assumptions;
    deepEqual(
      told.filter(each => /tells what runs|No build record|Not every/.test(each)),
      [],
    );
  });

  it('is the same in whatever order the facts come', () => {
    fc.assert(
      fc.property(someFacts, somePolicy, (facts, policy) => {
        const rules = readPolicy(policy);
        const turned = { ...facts, registries: [...facts.registries].reverse(), builds: [...facts.builds].reverse() };
        const one = auditEstate(facts, planImages(rules, facts));
        deepEqual(auditEstate(turned, planImages(rules, turned)), one);
      }),
      { numRuns: 100 },
    );
  });

  it('agrees with sets of layers, in random worlds', () => {
    fc.assert(
      fc.property(
        someFacts,
        somePolicy,
        fc.array(fc.nat(11), { minLength: 12, maxLength: 12 }),
        (facts, policy, picks) => {
          const plan = planImages(readPolicy(policy), facts);
          const inventory = createInventory();
          const layersOf = (digest: Digest) => {
            const at = Number.parseInt(digest.slice(7, 11), 16);
            return [0, 1, 2].map(step => picks[(at + step * 5) % 12] ?? 0);
          };
          for (const { registry, digest } of plan.images) {
            const layers = layersOf(digest).map(each => ({
              mediaType: 'application/x',
              digest: digestOf(`l${each}`),
              size: 10 ** each,
            }));
            inventory.addManifest(registry, { digest, mediaType: ociManifest, bytes: new Uint8Array(), layers });
          }
          const found = auditEstate(facts, plan, inventory);
          const bytesOf = (images: typeof plan.images) => {
            const keys = new Set(
              images.flatMap(({ registry, digest }) => layersOf(digest).map(each => `${registry} ${each}`)),
            );
            return [...keys].reduce((sum, key) => sum + 10 ** Number(key.split(' ')[1]), 0);
          };
          const kept = plan.images.filter(each => each.decision === 'keep');
          equal(found.total.bytes, bytesOf(plan.images));
          equal(found.total.bytes - found.total.freedBytes, bytesOf(kept));
          for (const of of [found.owners, found.ages])
            equal(
              of.reduce((sum, each) => sum + each.bytes, 0),
              found.total.bytes,
            );
          for (const { registry, name, bytes } of found.repositories) {
            equal(bytes, bytesOf(plan.images.filter(each => each.registry === registry && each.repository === name)));
          }
        },
      ),
      { numRuns: 200 },
    );
  });
});
