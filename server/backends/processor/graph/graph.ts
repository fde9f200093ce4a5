import { ProtobufWriter } from './protobuf.js';

/** Field numbers and codes below are those of onnx.proto (ONNX IR version 10). */
const typeCodes = { float32: 1, uint8: 2, int8: 3, int32: 6, int64: 7, bool: 9 } as const;
const attributeCodes = { float: 1, integer: 2, string: 3, graph: 5, integers: 7 } as const;
const irVersion = 10;
const opset = 21;

export type ElementType = keyof typeof typeCodes;
/** A fixed size, or a name for a size that is known when the graph runs. */
export type Dimension = number | string;
/** The name of a value in a graph. */
export type Value = string;

/** A region of the file that holds the weights. */
export interface ExternalData {
  readonly file: string;
  readonly offset: number;
  readonly length: number;
}

/** Numbers are written as integers; a float attribute says so. */
export type Attribute = number | string | readonly number[] | { readonly float: number } | GraphBuilder;

export interface NodeOptions {
  readonly domain?: string;
  readonly attributes?: Readonly<Record<string, Attribute>>;
}

const microsoft = 'com.microsoft';

function writeAttribute(name: string, value: Attribute): ProtobufWriter {
  const attribute = new ProtobufWriter().string(1, name);
  if (typeof value === 'number') return attribute.integer(3, value).integer(20, attributeCodes.integer);
  if (typeof value === 'string')
    return attribute.bytes(4, new TextEncoder().encode(value)).integer(20, attributeCodes.string);
  if (value instanceof GraphBuilder) return attribute.message(6, value.write()).integer(20, attributeCodes.graph);
  if ('float' in value) return attribute.float(2, value.float).integer(20, attributeCodes.float);
  for (const item of value) attribute.integer(8, item);
  return attribute.integer(20, attributeCodes.integers);
}

function writeValueInfo(name: Value, type: ElementType, shape: readonly Dimension[]): ProtobufWriter {
  const dimensions = new ProtobufWriter();
  for (const dimension of shape) {
    const written = new ProtobufWriter();
    if (typeof dimension === 'string') written.string(2, dimension);
    else written.integer(1, dimension);
    dimensions.message(1, written);
  }
  const tensor = new ProtobufWriter().integer(1, typeCodes[type]).message(2, dimensions);
  return new ProtobufWriter().string(1, name).message(2, new ProtobufWriter().message(1, tensor));
}

/** Builds an ONNX graph: nodes in order of execution, constants, inputs and outputs. */
export class GraphBuilder {
  private readonly nodes: ProtobufWriter[] = [];
  private readonly initializers = new Map<Value, ProtobufWriter>();
  private readonly inputs: ProtobufWriter[] = [];
  private readonly outputs: ProtobufWriter[] = [];

  constructor(private readonly name: string) {}

  /** Adds a node with named outputs; an empty name leaves an optional input or output out. */
  node(operator: string, inputs: readonly Value[], outputs: readonly Value[], options: NodeOptions = {}): void {
    const node = new ProtobufWriter();
    for (const input of inputs) node.string(1, input);
    for (const output of outputs) node.string(2, output);
    node.string(3, `${this.name}/${this.nodes.length}`).string(4, operator);
    for (const [name, value] of Object.entries(options.attributes ?? {})) node.message(5, writeAttribute(name, value));
    if (options.domain !== undefined) node.string(7, options.domain);
    this.nodes.push(node);
  }

  /** Adds a node of ONNX's own operators with one output and returns that. */
  operator(
    operator: string,
    inputs: readonly Value[],
    attributes: Readonly<Record<string, Attribute>> = {},
    output: Value = `${this.name}/${this.nodes.length}/${operator}`,
  ): Value {
    this.node(operator, inputs, [output], { attributes });
    return output;
  }

  /** Adds a node of onnxruntime's operators (domain com.microsoft) with one output and returns that. */
  contributed(
    operator: string,
    inputs: readonly Value[],
    attributes: Readonly<Record<string, Attribute>> = {},
    output: Value = `${this.name}/${this.nodes.length}/${operator}`,
  ): Value {
    this.node(operator, inputs, [output], { domain: microsoft, attributes });
    return output;
  }

  /** Adds a node of onnxruntime's operators with several outputs. */
  contributedNode(
    operator: string,
    inputs: readonly Value[],
    outputs: readonly Value[],
    attributes: Readonly<Record<string, Attribute>> = {},
  ): void {
    this.node(operator, inputs, outputs, { domain: microsoft, attributes });
  }

  /** A constant of whole numbers: a list, or a single one without dimensions. */
  integers(name: Value, value: number | readonly number[]): Value {
    const list = typeof value === 'number' ? [value] : value;
    const data = BigInt64Array.from(list, BigInt);
    return this.constant(name, 'int64', typeof value === 'number' ? [] : [list.length], data);
  }

  /** A constant number without dimensions. */
  float(name: Value, value: number): Value {
    return this.constant(name, 'float32', [], Float32Array.of(value));
  }

  /** A constant inside the graph's own file; the first one of a name counts. */
  constant(name: Value, type: ElementType, shape: readonly number[], data: ArrayBufferView): Value {
    if (this.initializers.has(name)) return name;
    const tensor = this.tensor(name, type, shape);
    this.initializers.set(name, tensor.bytes(9, new Uint8Array(data.buffer, data.byteOffset, data.byteLength)));
    return name;
  }

  /** A constant in the file of weights. */
  weight(name: Value, type: ElementType, shape: readonly number[], data: ExternalData): Value {
    if (this.initializers.has(name)) return name;
    const tensor = this.tensor(name, type, shape);
    const entries = { location: data.file, offset: String(data.offset), length: String(data.length) };
    for (const [key, value] of Object.entries(entries))
      tensor.message(13, new ProtobufWriter().string(1, key).string(2, value));
    this.initializers.set(name, tensor.integer(14, 1));
    return name;
  }

  private tensor(name: Value, type: ElementType, shape: readonly number[]): ProtobufWriter {
    const tensor = new ProtobufWriter();
    for (const dimension of shape) tensor.integer(1, dimension);
    return tensor.integer(2, typeCodes[type]).string(8, name);
  }

  input(name: Value, type: ElementType, shape: readonly Dimension[]): Value {
    this.inputs.push(writeValueInfo(name, type, shape));
    return name;
  }

  output(name: Value, type: ElementType, shape: readonly Dimension[]): Value {
    this.outputs.push(writeValueInfo(name, type, shape));
    return name;
  }

  /** The graph as a GraphProto. */
  write(): ProtobufWriter {
    const graph = new ProtobufWriter();
    for (const node of this.nodes) graph.message(1, node);
    graph.string(2, this.name);
    for (const tensor of this.initializers.values()) graph.message(5, tensor);
    for (const input of this.inputs) graph.message(11, input);
    for (const output of this.outputs) graph.message(12, output);
    return graph;
  }

  /** The graph as the bytes of a model file. */
  writeModel(): Uint8Array {
    const model = new ProtobufWriter().integer(1, irVersion).string(2, 'locret').message(7, this.write());
    const domains: readonly (readonly [string, number])[] = [
      ['', opset],
      [microsoft, 1],
    ];
    for (const [domain, version] of domains)
      model.message(8, new ProtobufWriter().string(1, domain).integer(2, version));
    return model.finish();
  }
}
