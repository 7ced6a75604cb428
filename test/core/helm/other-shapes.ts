/** Maps between brackets, anchors, whole images, registries and lists. */
import { api, bitnami, image, type Shape, split, web, whole } from './values-shape.ts';

/** Those of a map between brackets. */
const flows: readonly Shape[] = [
  {
    title: 'a flow map',
    images: image,
    before: 'image: { repository: shop/web, tag: 1234567, x: [1,2] } # flow\n',
    after: 'image: { repository: shop/web, tag: WEB, x: [1,2] } # flow\n',
    rendered: [web],
  },
  {
    title: 'a flow map without a tag',
    images: image,
    before: 'image: {repository: shop/web}\n',
    after: 'image: {repository: shop/web, tag: WEB}\n',
    rendered: [web],
  },
  {
    title: 'a flow map over several lines, with comments and a comma at the end',
    images: image,
    before: 'image: {\n  repository: shop/web, # a, b\n  pullPolicy: Always # c\n  , # d\n}\n',
    after: 'image: {\n  repository: shop/web, # a, b\n  pullPolicy: Always # c\n  , tag: WEB, # d\n}\n',
    rendered: [web],
  },
  {
    title: 'a flow map over several lines that ends without a comma',
    images: image,
    before: '{\n  "image": {\n    "repository": "shop/web",\n    "x": null # } ,\n  }\n}\n',
    after: '{\n  "image": {\n    "repository": "shop/web",\n    "x": null, tag: WEB # } ,\n  }\n}\n',
    rendered: [web],
  },
  {
    title: 'a flow map with a tag of nothing',
    images: image,
    before: 'image: {tag: , repository: shop/web}\n',
    after: 'image: {tag: WEB , repository: shop/web}\n',
    rendered: [web],
  },
  {
    title: 'a flow map with a key alone',
    images: image,
    before: 'image: {tag, repository: shop/web}\n',
    after: 'image: {tag: WEB, repository: shop/web}\n',
    rendered: [web],
  },
];

/** Those whose parts stand elsewhere in the text. */
const anchors: readonly Shape[] = [
  {
    title: 'an alias at the place of the tag',
    images: [...image, 'x:{{ .Values.version }}'],
    before: 'version: &v "1.0"\nimage:\n  repository: shop/web\n  tag: *v # theirs\n',
    after: 'version: &v "1.0"\nimage:\n  repository: shop/web\n  tag: WEB # theirs\n',
    rendered: [web, 'x:1.0'],
  },
  {
    title: 'an anchor at the tag that nothing else uses',
    images: image,
    before: 'image:\n  repository: shop/web\n  tag: &v "1.0"\n',
    after: 'image:\n  repository: shop/web\n  tag: &v WEB\n',
    rendered: [web],
  },
  {
    title: 'an anchor without a value',
    images: image,
    before: 'image:\n  repository: shop/web\n  tag: &v # none\n  x: *v\n',
    refused: /values\.yaml, line 4: "image\.x" would not be what it has to be with "image\.tag" set/,
  },
  {
    title: 'an anchor at the tag that something else uses',
    images: image,
    before: 'image:\n  repository: shop/web\n  tag: &v "1.0"\nlabels:\n  version: *v\n',
    refused:
      /values\.yaml, line 5: "labels\.version" would not be what it has to be with "image\.tag" set, as where both use one anchor/,
  },
  {
    title: 'one tag for two images of one repository',
    images: [split('a.image'), split('b.image')],
    before:
      'a:\n  image:\n    repository: shop/web\n    tag: &v x\nb:\n  image:\n    repository: shop/web\n    tag: *v\n',
    after:
      'a:\n  image:\n    repository: shop/web\n    tag: &v WEB\nb:\n  image:\n    repository: shop/web\n    tag: WEB\n',
    rendered: [web, web],
  },
  {
    title: 'one tag for two images of the build',
    images: [split('a.image'), split('b.image')],
    before:
      'a:\n  image:\n    repository: shop/web\n    tag: &v x\nb:\n  image:\n    repository: shop/api\n    tag: *v\n',
    after:
      'a:\n  image:\n    repository: shop/web\n    tag: &v WEB\nb:\n  image:\n    repository: shop/api\n    tag: API\n',
    rendered: [web, api],
  },
  {
    title: 'an alias of the whole map',
    images: [split('image'), split('job.image')],
    before: 'image: &image\n  repository: shop/web\njob:\n  image: *image\n',
    after: 'image: &image\n  repository: shop/web\n  tag: WEB\njob:\n  image: *image\n',
    rendered: [web, web],
  },
  {
    title: 'a map that is merged and has a tag of its own',
    images: [split('image'), split('job.image')],
    before: 'image: &image\n  repository: shop/web\n  tag: x\njob:\n  image:\n    <<: *image\n    pullPolicy: Always\n',
    after:
      'image: &image\n  repository: shop/web\n  tag: WEB\njob:\n  image:\n    <<: *image\n    pullPolicy: Always\n    tag: WEB\n',
    rendered: [web, web],
  },
  {
    title: 'a merge of another repository over the tag',
    images: [split('web.image'), split('api.image')],
    before:
      'web:\n  image: &image {repository: shop/web, tag: x}\napi:\n  image: {<<: [*image, {a: b}], repository: shop/api}\n',
    after:
      'web:\n  image: &image {repository: shop/web, tag: WEB}\napi:\n  image: {<<: [*image, {a: b}], repository: shop/api, tag: API}\n',
    rendered: [web, api],
  },
  {
    title: 'a merge behind a key that it replaces',
    images: image,
    before: 'base: &base {tag: x}\nimage:\n  repository: shop/web\n  tag: own\n  <<: *base\n',
    refused: /values\.yaml, line 1: "image\.tag" cannot be set: the key "tag" stands twice in its map/,
  },
  {
    title: 'a merge of two maps, of which the first wins',
    images: [split('a'), split('image')],
    before: 'a: &a {repository: shop/web, tag: x}\nb: &b {repository: quay.io/x, tag: y}\nimage:\n  <<: [*a, *b]\n',
    after:
      'a: &a {repository: shop/web, tag: WEB}\nb: &b {repository: quay.io/x, tag: y}\nimage:\n  <<: [*a, *b]\n  tag: WEB\n',
    rendered: [web, web],
  },
  {
    title: 'a merge of the map above',
    images: [split('a.image'), split('b.image')],
    before: 'defaults: &d\n  image:\n    repository: shop/web\n    tag: x\na:\n  <<: *d\nb:\n  <<: *d\n',
    after: 'defaults: &d\n  image:\n    repository: shop/web\n    tag: WEB\na:\n  <<: *d\nb:\n  <<: *d\n',
    rendered: [web, web],
  },
  {
    title: 'a tag that stands twice',
    images: image,
    before: 'image:\n  tag: a\n  repository: shop/web\n  tag: b\n',
    refused: /values\.yaml, line 4: "image\.tag" cannot be set: the key "tag" stands twice/,
  },
  {
    title: 'a key that stands twice elsewhere',
    images: image,
    before: 'image:\n  repository: shop/web\nx: 1\nx: 2\n',
    after: 'image:\n  repository: shop/web\n  tag: WEB\nx: 1\nx: 2\n',
    rendered: [web],
  },
  {
    title: 'a tag of a kind that is no text',
    images: image,
    before: 'image:\n  repository: shop/web\n  tag: !!int 5\n',
    refused: /values\.yaml, line 3: "image\.tag" cannot be set: a value has a tag \(a word with "!" before it\)/,
  },
  {
    title: 'a tag that is a list',
    images: image,
    before: 'image:\n  repository: shop/web\n  tag: [a]\n',
    refused: /values\.yaml, line 3: "image\.tag" cannot be set: a map or a list stands where a value is expected/,
  },
  {
    title: 'two documents, of which helm 3 reads one and helm 4 both',
    images: image,
    before: 'image:\n  repository: shop/web\n---\nimage:\n  tag: b\n',
    refused: /values\.yaml, line 3: it holds more than one document/,
  },
  {
    title: 'a list instead of values',
    images: image,
    before: '- image\n',
    refused: /values\.yaml of shop is not a map of values/,
  },
  {
    title: 'what is no YAML',
    images: image,
    before: 'image:\n  repository: shop/web\n  password: "hunter2\n',
    refused: /^(?!.*hunter2).*values\.yaml, line 4: a quote, a bracket, a comma or a space is missing/,
  },
];

/** Those of whole names, of registries and of lists. */
const others: readonly Shape[] = [
  {
    title: 'whole images: bare, with a tag, with a host, with a digest',
    images: [whole('image'), whole('job.image'), whole('apiImage'), whole('worker')],
    before: `image: shop/web # bare\njob: {image: 'shop/web:1.0'}\napiImage: acr.azurecr.io/shop/api:x@sha256:${'0'.repeat(64)}\nworker: localhost:5000/shop/api:x\n`,
    after:
      'image: "shop/web:TAG@#WEB" # bare\njob: {image: "shop/web:TAG@#WEB"}\napiImage: "acr.azurecr.io/shop/api:TAG@#API"\nworker: "localhost:5000/shop/api:TAG@#API"\n',
    rendered: [web, web, `acr.azurecr.io/${api}`, `localhost:5000/${api}`],
  },
  {
    title: "Bitnami's parts",
    images: [bitnami('image')],
    before: 'image:\n  registry: acr.azurecr.io\n  repository: shop/web\n  tag: 1.0.0-debian-12-r3\n  digest: ""\n',
    after: 'image:\n  registry: acr.azurecr.io\n  repository: shop/web\n  tag: TAG\n  digest: #WEB\n',
    rendered: ['acr.azurecr.io/shop/web@#WEB'],
  },
  {
    title: 'a registry with a part of the repository in it',
    images: [bitnami('image')],
    before: 'image:\n  registry: acr.azurecr.io/shop\n  repository: web\n  tag: x\n',
    after: 'image:\n  registry: acr.azurecr.io/shop\n  repository: web\n  tag: WEB\n',
    rendered: [`acr.azurecr.io/${web}`],
  },
  {
    title: 'a global registry over a foreign one',
    images: ['{{ .Values.global.imageRegistry }}/{{ .Values.image.repository }}:{{ .Values.image.tag }}'],
    before:
      'global:\n  imageRegistry: acr.azurecr.io\nimage:\n  registry: docker.io\n  repository: shop/web\n  tag: x\n',
    after:
      'global:\n  imageRegistry: acr.azurecr.io\nimage:\n  registry: docker.io\n  repository: shop/web\n  tag: WEB\n',
    rendered: [`acr.azurecr.io/${web}`],
  },
  {
    title: 'containers in a list',
    images: [
      '{{ (index .Values.containers 0).image }}',
      '{{ (index .Values.containers 1).image.repository }}:{{ (index .Values.containers 1).image.tag }}',
    ],
    before: 'containers:\n- name: a\n  image: shop/web:1\n-   image:\n      repository: shop/api\n    name: b\n',
    after:
      'containers:\n- name: a\n  image: "shop/web:TAG@#WEB"\n-   image:\n      repository: shop/api\n      tag: API\n    name: b\n',
    rendered: [web, api],
  },
  {
    title: 'words that are the same as an image, and are none',
    images: [...image, 'x:{{ .Values.name }}'],
    before:
      'name: shop/web\nlabels: {app: shop/api}\ngit:\n  repository: shop/api\n  branch: main\nimage:\n  repository: shop/web\n  tag: x\n',
    after:
      'name: shop/web\nlabels: {app: shop/api}\ngit:\n  repository: shop/api\n  branch: main\nimage:\n  repository: shop/web\n  tag: WEB\n',
    rendered: [web, 'x:shop/web'],
  },
];

/** All of these. */
export const otherShapes: readonly Shape[] = [...flows, ...anchors, ...others];
