const wireVarint = 0;
const wireBytes = 2;
const wireFixed32 = 5;

/** Writes messages of Protocol Buffers: fields by number, in the order of the calls. */
export class ProtobufWriter {
  private readonly parts: Uint8Array[] = [];
  private length = 0;

  private raw(bytes: Uint8Array): this {
    this.parts.push(bytes);
    this.length += bytes.length;
    return this;
  }

  private varint(value: number | bigint): this {
    let rest = BigInt.asUintN(64, BigInt(value));
    const bytes: number[] = [];
    do {
      const low = Number(rest & 127n);
      rest >>= 7n;
      bytes.push(rest === 0n ? low : low | 128);
    } while (rest !== 0n);
    return this.raw(Uint8Array.from(bytes));
  }

  private tag(field: number, wire: number): this {
    return this.varint((field << 3) | wire);
  }

  /** int32, int64, bool and enum fields. */
  integer(field: number, value: number | bigint): this {
    return this.tag(field, wireVarint).varint(value);
  }

  float(field: number, value: number): this {
    const bytes = new Uint8Array(4);
    new DataView(bytes.buffer).setFloat32(0, value, true);
    return this.tag(field, wireFixed32).raw(bytes);
  }

  bytes(field: number, value: Uint8Array): this {
    return this.tag(field, wireBytes).varint(value.length).raw(value);
  }

  string(field: number, value: string): this {
    return this.bytes(field, new TextEncoder().encode(value));
  }

  message(field: number, value: ProtobufWriter): this {
    return this.bytes(field, value.finish());
  }

  finish(): Uint8Array {
    const all = new Uint8Array(this.length);
    let offset = 0;
    for (const part of this.parts) {
      all.set(part, offset);
      offset += part.length;
    }
    return all;
  }
}
