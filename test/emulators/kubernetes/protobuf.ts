/**
 * What newer clients send in place of JSON, as far as Helm stores by it: Secrets and ConfigMaps.
 * https://kubernetes.io/docs/reference/using-api/api-concepts/#protobuf-encoding
 */

/** Fields by their numbers, each with all its values; varints are left out, for nothing here needs one. */
type Message = ReadonlyMap<number, readonly Buffer[]>;

const magic = Buffer.from('k8s\0');

/** The object in an envelope of Kubernetes; undefined for what is none. Throws for a kind that is not known here. */
export function readEnvelope(body: Buffer): object | undefined {
  if (!body.subarray(0, magic.length).equals(magic)) return undefined;
  // https://github.com/kubernetes/apimachinery/blob/v0.34.4/pkg/runtime/generated.proto: typeMeta = 1, raw = 2
  const envelope = readMessage(body.subarray(magic.length));
  const kind = textOf(readMessage(bytesOf(envelope, 1)), 2);
  const object = readMessage(bytesOf(envelope, 2));
  // https://github.com/kubernetes/api/blob/v0.34.4/core/v1/generated.proto: metadata = 1, data = 2, of a Secret type = 3
  const metadata = readMetadata(readMessage(bytesOf(object, 1)));
  if (kind === 'Secret') return { metadata, data: readMap(object, 2, 'base64'), type: textOf(object, 3) };
  if (kind === 'ConfigMap') return { metadata, data: readMap(object, 2, 'utf8') };
  if (kind === 'DeleteOptions') return {};
  throw new Error(`the emulator reads no ${kind} that is sent as protobuf`);
}

/** https://github.com/kubernetes/apimachinery/blob/v0.34.4/pkg/apis/meta/v1/generated.proto */
function readMetadata(message: Message): object {
  return {
    name: textOf(message, 1),
    namespace: textOf(message, 3),
    resourceVersion: textOf(message, 6),
    labels: readMap(message, 11, 'utf8'),
    annotations: readMap(message, 12, 'utf8'),
  };
}

function readMap(message: Message, field: number, encoding: 'utf8' | 'base64'): Record<string, string> {
  const entries = (message.get(field) ?? []).map(readMessage);
  return Object.fromEntries(entries.map(entry => [textOf(entry, 1), bytesOf(entry, 2).toString(encoding)]));
}

function textOf(message: Message, field: number): string {
  return bytesOf(message, field).toString('utf8');
}

function bytesOf(message: Message, field: number): Buffer {
  return message.get(field)?.at(-1) ?? Buffer.alloc(0);
}

/** https://protobuf.dev/programming-guides/encoding/ */
function readMessage(bytes: Buffer): Message {
  const fields = new Map<number, Buffer[]>();
  let at = 0;
  const varint = (): number => {
    let [value, factor] = [0, 1];
    for (;;) {
      const byte = bytes.readUInt8(at++);
      value += (byte & 127) * factor;
      if (byte < 128) return value;
      factor *= 128;
    }
  };
  while (at < bytes.length) {
    const tag = varint();
    const wire = tag % 8;
    if (wire === 0) varint();
    else if (wire === 2) {
      const length = varint();
      const field = Math.floor(tag / 8);
      fields.set(field, [...(fields.get(field) ?? []), bytes.subarray(at, at + length)]);
      at += length;
    } else throw new Error(`the emulator reads no wire type ${wire}`);
  }
  return fields;
}
