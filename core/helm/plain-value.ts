/** Values of a `Chart.yaml` as helm has them: its reader turns what is no text into one where a text is wanted. Pure. */
import { Scalar } from 'yaml';
import type { YamlScalar, YamlValue } from './yaml-value.ts';

/** Maps, lists, texts, truth values and null; numbers as the texts that helm makes of them. A key without a value is left out. */
export function toPlainValue(value: YamlValue): unknown {
  if (value.kind === 'scalar') return toPlainScalar(value);
  if (value.kind === 'list') return value.items.map(each => toPlainValue(each.value));
  const entries = [...value.entries].map(([key, each]) => [key, toPlainValue(each.value)] as const);
  return Object.fromEntries(entries.filter(([, each]) => each !== null));
}

function toPlainScalar({ value, node }: YamlScalar): unknown {
  if (value === null || typeof value === 'boolean' || typeof value === 'string') return value;
  const source = node?.source ?? '';
  // What YAML 1.1 takes for a time or an angle is a text to helm.
  if (node?.type !== Scalar.PLAIN || typeof value !== 'number' || source.includes(':')) return source;
  if (/^[-+]?[1-9]\d*$/.test(source) && isInteger64(BigInt(source))) return source.replace('+', '');
  return /^[-+]?0[xob]?[\da-f_]+$/i.test(source) ? String(value) : formatFloat(value);
}

/** Whether Go has a whole number for it. */
function isInteger64(value: bigint): boolean {
  return value >= -(2n ** 63n) && value < 2n ** 64n;
}

/**
 * With a fraction as helm's reader writes it, which is by the few digits that tell 32 bits apart: 20261122.10 is
 * 2.0261122e+07 there. https://github.com/kubernetes-sigs/yaml/blob/v1.4.0/yaml.go, https://pkg.go.dev/strconv#FormatFloat
 */
function formatFloat(value: number): string {
  const single = Math.fround(value);
  const exact = [1, 2, 3, 4, 5, 6, 7, 8].find(digits => Math.fround(Number(single.toPrecision(digits))) === single);
  const [digits = '', exponent = ''] = single.toExponential((exact ?? 9) - 1).split('e');
  const power = Number(exponent);
  if (!exponent || (power >= -4 && power < 6)) return String(Number(`${digits}e${power}`));
  return `${digits}e${power < 0 ? '-' : '+'}${String(Math.abs(power)).padStart(2, '0')}`;
}
