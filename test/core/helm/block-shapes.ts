/** Maps in blocks. */
import { api, image, type Shape, split, web } from './values-shape.ts';

/** Those of a map in blocks. */
export const blockShapes: readonly Shape[] = [
  {
    title: 'what helm create writes, with comments behind, between and after',
    images: image,
    before:
      '# The image.\nimage:\n  repository: shop/web   # ours\n  # not pinned\n  tag: latest\t# a tab before\n\nother: 1\n',
    after:
      '# The image.\nimage:\n  repository: shop/web   # ours\n  # not pinned\n  tag: WEB\t# a tab before\n\nother: 1\n',
    rendered: [web],
  },
  {
    title: 'a tag in double quotes',
    images: image,
    before: 'image:\n  repository: "shop/web"\n  tag: "1.0"\n',
    after: 'image:\n  repository: "shop/web"\n  tag: WEB\n',
    rendered: [web],
  },
  {
    title: 'a tag in single quotes',
    images: image,
    before: "image:\n  tag:   'it''s'\n  repository: 'shop/web'\n",
    after: "image:\n  tag:   WEB\n  repository: 'shop/web'\n",
    rendered: [web],
  },
  ...[
    '1234567',
    '1e3',
    '0x10',
    '20261122.10',
    '010',
    '1_000',
    '12:30:45',
    'on',
    'no',
    '2026-11-22',
    '.inf',
    '!!str 5',
  ].map(tag => ({
    title: `a tag ${tag}, which is no text`,
    images: image,
    before: `image:\n  repository: shop/web\n  tag: ${tag}\n`,
    after: `image:\n  repository: shop/web\n  tag: ${tag.startsWith('!!') ? '!!str ' : ''}WEB\n`,
    rendered: [web],
  })),
  {
    title: 'no tag',
    images: image,
    before: 'image:\n  repository: shop/web\n  pullPolicy: Always # always\n\n# end\nreplicas: 1\n',
    after: 'image:\n  repository: shop/web\n  pullPolicy: Always # always\n  tag: WEB\n\n# end\nreplicas: 1\n',
    rendered: [web],
  },
  {
    title: 'no tag, and a text in a block at the end of the map',
    images: image,
    before: 'image:\n  repository: shop/web\n  note: |+\n    a\n\n\nreplicas: 1\n',
    after: 'image:\n  repository: shop/web\n  note: |+\n    a\n\n\n  tag: WEB\nreplicas: 1\n',
    rendered: [web],
  },
  {
    title: 'no tag, and lists and maps at the end of the map',
    images: image,
    before: 'image:\n  repository: shop/web\n  pullSecrets:\n  - name: a\n    more:\n    -\n      - x # last\n# end\n',
    after:
      'image:\n  repository: shop/web\n  pullSecrets:\n  - name: a\n    more:\n    -\n      - x # last\n  tag: WEB\n# end\n',
    rendered: [web],
  },
  {
    title: 'a tag of nothing',
    images: image,
    before: 'image:\n  tag:\n  repository: shop/web\n',
    after: 'image:\n  tag: WEB\n  repository: shop/web\n',
    rendered: [web],
  },
  {
    title: 'a tag of nothing, with a comment behind it and one below',
    images: image,
    before: 'image:\n  repository: shop/web\n  tag:   # none\n    # nor here\nother: ~\n',
    after: 'image:\n  repository: shop/web\n  tag: WEB   # none\n    # nor here\nother: ~\n',
    rendered: [web],
  },
  {
    title: 'a null',
    images: image,
    before: 'image:\n  repository: shop/web\n  tag: null # none\n',
    after: 'image:\n  repository: shop/web\n  tag: WEB # none\n',
    rendered: [web],
  },
  {
    title: 'a comment between the key and its value',
    images: image,
    before: 'image:\n  repository:\n    # where\n    shop/web\n  tag:\n    # which\n    latest # this\n',
    after: 'image:\n  repository:\n    # where\n    shop/web\n  tag:\n    # which\n    WEB # this\n',
    rendered: [web],
  },
  {
    title: 'line ends of Windows, a byte order mark and no line end at the end',
    images: image,
    before: '\ufeffimage:\r\n  repository: shop/web\r\n  # a\r\nother: 1',
    after: '\ufeffimage:\r\n  repository: shop/web\r\n  tag: WEB\r\n  # a\r\nother: 1',
    rendered: [web],
  },
  {
    title: 'nothing behind the last word',
    images: image,
    before: 'image:\n  repository: shop/web',
    after: 'image:\n  repository: shop/web\n  tag: WEB',
    rendered: [web],
  },
  {
    title: 'a tag that is a text in a block',
    images: image,
    before: 'image:\n  tag: |- # as is\n    latest\n\n  repository: shop/web\n',
    after: 'image:\n  tag: WEB # as is\n\n  repository: shop/web\n',
    rendered: [web],
  },
  {
    title: 'a tag that is a folded text at the end, with line ends of Windows',
    images: image,
    before: 'image:\r\n  repository: shop/web\r\n  tag: >-\r\n    latest\r\n',
    after: 'image:\r\n  repository: shop/web\r\n  tag: WEB\r\n',
    rendered: [web],
  },
  {
    title: 'a tag in quotes over two lines',
    images: image,
    before: 'image:\n  tag: "la\\\n    test" # joined\n  repository: shop/web\n',
    after: 'image:\n  tag: WEB # joined\n  repository: shop/web\n',
    rendered: [web],
  },
  {
    title: 'keys with question marks',
    images: image,
    before: '? image\n:\n  ? repository\n  : shop/web\n  ? tag\n  : latest\n',
    after: '? image\n:\n  ? repository\n  : shop/web\n  ? tag\n  : WEB\n',
    rendered: [web],
  },
  {
    title: 'a document between its marks',
    images: image,
    before: '---\nimage:\n  repository: shop/web\n... # end\n',
    after: '---\nimage:\n  repository: shop/web\n  tag: WEB\n... # end\n',
    rendered: [web],
  },
  {
    title: 'repository and tag at the root',
    images: ['{{ .Values.repository }}:{{ .Values.tag }}'],
    before: 'repository: shop/web\ntag: 1\n',
    after: 'repository: shop/web\ntag: WEB\n',
    rendered: [web],
  },
  {
    title: 'an image six maps deep',
    images: [split('a.b.c.d.e.image')],
    before: 'a:\n b:\n  c:\n   d:\n    e:\n     image:\n            repository: shop/web\n',
    after: 'a:\n b:\n  c:\n   d:\n    e:\n     image:\n            repository: shop/web\n            tag: WEB\n',
    rendered: [web],
  },
  {
    title: 'a host before the repository',
    images: image,
    before: 'image:\n  repository: acr.azurecr.io/shop/web\n  tag: x\n',
    after: 'image:\n  repository: acr.azurecr.io/shop/web\n  tag: WEB\n',
    rendered: [`acr.azurecr.io/${web}`],
  },
  {
    title: 'the same repository at a foreign host beside it',
    images: [split('a.image'), split('b.image')],
    before:
      'a:\n  image:\n    repository: quay.io/shop/web\n    tag: x\nb:\n  image:\n    repository: shop/web\n    tag: x\n',
    after:
      'a:\n  image:\n    repository: quay.io/shop/web\n    tag: x\nb:\n  image:\n    repository: shop/web\n    tag: WEB\n',
    rendered: ['quay.io/shop/web:x', web],
  },
  {
    title: 'one repository twice, and two images of the build',
    images: [split('web.image'), split('worker.image'), split('api.image')],
    before:
      'web:\n  image: {repository: shop/web, tag: a}\nworker:\n  image:\n    repository: shop/web\napi:\n  image:\n    tag: b\n    repository: shop/api\n',
    after:
      'web:\n  image: {repository: shop/web, tag: WEB}\nworker:\n  image:\n    repository: shop/web\n    tag: WEB\napi:\n  image:\n    tag: API\n    repository: shop/api\n',
    rendered: [web, web, api],
  },
  {
    title: 'an image and its tag, as ingress-nginx has them',
    images: [
      '{{ .Values.controller.image.image }}:{{ .Values.controller.image.tag }}@{{ .Values.controller.image.digest }}',
    ],
    before: 'controller:\n  image:\n    image: shop/web\n    tag: v1\n    digest: sha256:0\n',
    after: 'controller:\n  image:\n    image: shop/web\n    tag: TAG\n    digest: #WEB\n',
    rendered: [web],
  },
];
