/** A large chart: 200 templates and 10 subcharts, which a package step reads. */
import type { ChartTree } from '../../test/support/charts.ts';

const templates = 200;
const subcharts = 10;

/** The chart: templates of about 2 KB; half of the subcharts are folders, half archives. */
export function makeLargeChart(): ChartTree {
  const tree: Record<string, ChartTree[string]> = makeChart('large', templates);
  for (let at = 0; at < subcharts; at += 1) {
    const [name, chart] = [`sub${at}`, makeChart(`sub${at}`, 5)];
    if (at % 2) tree[`charts/${name}-1.4.0.tgz`] = { top: name, archive: chart };
    else for (const [path, content] of Object.entries(chart)) tree[`charts/${name}/${path}`] = content;
  }
  return tree;
}

function makeChart(name: string, count: number): Record<string, ChartTree[string]> {
  const paths = Array.from({ length: count }, (_, at) => [`templates/part-${at}.yaml`, makeTemplate(name, at)]);
  return {
    'Chart.yaml': `apiVersion: v2\nname: ${name}\nversion: 1.4.0\ndescription: A chart to measure with.\n`,
    'values.yaml': `image:\n  repository: shop/${name}\n  tag: "1"\nreplicas: 2\n`,
    'README.md': `# ${name}\n`,
    ...Object.fromEntries(paths),
  };
}

/** As charts have them: much that repeats, some that does not. */
function makeTemplate(name: string, at: number): string {
  const variables = Array.from({ length: 24 }, (_, index) => {
    const key = `${name}_${at}_${(at * 7919 + index * 104_729) % 9973}`;
    return `            - name: ${key.toUpperCase()}\n              value: {{ .Values.settings.${key} | quote }}`;
  });
  return [
    'apiVersion: apps/v1',
    'kind: Deployment',
    'metadata:',
    `  name: {{ include "${name}.fullname" . }}-${at}`,
    '  labels: {{- include "labels" . | nindent 4 }}',
    'spec:',
    '  replicas: {{ .Values.replicas }}',
    '  template:',
    '    spec:',
    '      containers:',
    `        - name: part-${at}`,
    '          image: "{{ .Values.image.repository }}:{{ .Values.image.tag }}"',
    '          env:',
    ...variables,
    '',
  ].join('\n');
}
