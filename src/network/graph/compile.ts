import { type AttributeProto, dataTypes, type ModelProto, type NodeProto, type TensorProto } from '../onnx/model.ts'
import { topologicalOrder } from './gradients.ts'
import { type Attribute, type EmitOptions, type Emitter, formatShape, type Target, type Tensor } from './tensor.ts'

export interface GraphPlan {
  /** Placeholders by the name under which the session is fed. */
  readonly inputs: Readonly<Record<string, Tensor>>
  /** Results by the name under which the session returns them. */
  readonly outputs: Readonly<Record<string, Tensor>>
  /** Names instead of fixed sizes for some axes of an input or output: `{ image: ['batch', 1, 'height', 'width'] }`. */
  readonly symbolicShapes?: Readonly<Record<string, readonly (string | number)[]>>
  readonly metadata?: Readonly<Record<string, string>>
}

/** ONNX operator set 21 and IR version 10 are what ONNX Runtime 1.18 (May 2024) and later read. */
const onnxOpset = 21
const onnxIrVersion = 10

/** Lowers the graph that the outputs reach to an ONNX model. */
export function compile(plan: GraphPlan, target: Target): ModelProto {
  const nodes: NodeProto[] = []
  const initializers: TensorProto[] = []
  const constants = new Map<string, string>()
  /** The results of every node, by what it computes: what two gradients need is computed once. */
  const values = new Map<string, string[]>()
  const names = new Map<Tensor, string>()
  const domains = new Set([''])
  const order = topologicalOrder(Object.values(plan.outputs))
  const used = new Set([...Object.values(plan.outputs), ...order.flatMap((node) => node.inputs)])
  for (const [name, tensor] of Object.entries(plan.inputs)) names.set(tensor, name)

  const constant = (data: Float32Array | BigInt64Array, dims: readonly number[]): string => {
    const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
    const type = data instanceof Float32Array ? 'float32' : 'int64'
    // Only small constants are compared: scalars, shapes and axes, of which there are many equal ones.
    const key = bytes.length <= 128 ? `${type} ${formatShape(dims)} ${bytes.join()}` : undefined
    const known = key === undefined ? undefined : constants.get(key)
    if (known !== undefined) return known
    const name = `c${initializers.length}`
    initializers.push({ name, dims, dataType: dataTypes[type], rawData: bytes })
    if (key !== undefined) constants.set(key, name)
    return name
  }
  const emit: Emitter = {
    target,
    node: (opType, inputs, { attributes = {}, outputs = 1, domain = '', anew = false }: EmitOptions = {}) => {
      const key = JSON.stringify([domain, opType, inputs, attributes, outputs])
      const known = values.get(key)
      if (known !== undefined && !anew) return known
      domains.add(domain)
      const results = Array.from({ length: outputs }, (_, i) =>
        outputs === 1 ? `v${nodes.length}` : `v${nodes.length}_${i}`,
      )
      nodes.push({
        name: `n${nodes.length}`,
        opType,
        domain,
        input: inputs,
        output: results,
        attribute: Object.entries(attributes).map(([name, attribute]) => attributeProto(name, attribute)),
      })
      if (!anew) values.set(key, results)
      return results
    },
    constant,
    ints: (values) => constant(BigInt64Array.from(values, BigInt), [values.length]),
    blockedValues: new Map(),
    isUsed: (tensor) => used.has(tensor),
  }

  for (const node of order) {
    if (node.outputs.every((output) => names.has(output))) continue
    const inputs = node.inputs.map((input) => nameOf(names, input))
    const results = node.lower(emit, inputs)
    for (const [i, output] of node.outputs.entries()) if (results[i] !== undefined) names.set(output, results[i])
  }
  // A result takes the output's name where it can: an Identity would copy it.
  const computed = new Set(nodes.flatMap(({ output }) => output))
  const finalNames = new Map<string, string>()
  const outputs = Object.entries(plan.outputs).map(([name, tensor]) => {
    const source = nameOf(names, tensor)
    if (computed.has(source) && !finalNames.has(source)) finalNames.set(source, name)
    else nodes.push({ name, opType: 'Identity', domain: '', input: [source], output: [name], attribute: [] })
    return valueInfo(name, tensor, plan.symbolicShapes?.[name])
  })
  const finalName = (name: string) => finalNames.get(name) ?? name
  const written = nodes.map((node) => ({
    ...node,
    input: node.input.map(finalName),
    output: node.output.map(finalName),
  }))
  return {
    irVersion: onnxIrVersion,
    producerName: 'halfdice',
    graph: {
      name: 'halfdice',
      node: neededNodes(written, Object.keys(plan.outputs)),
      initializer: initializers,
      input: Object.entries(plan.inputs).map(([name, tensor]) => valueInfo(name, tensor, plan.symbolicShapes?.[name])),
      output: outputs,
    },
    opsetImport: [...domains].map((domain) => ({ domain, version: domain === '' ? onnxOpset : 1 })),
    metadataProps: Object.entries(plan.metadata ?? {}).map(([key, value]) => ({ key, value })),
  }
}

/** The nodes that the outputs reach: a value may have been written in two layouts of which one is read. */
function neededNodes(nodes: readonly NodeProto[], outputs: readonly string[]): readonly NodeProto[] {
  const read = new Set(outputs)
  const needed = nodes.toReversed().filter(({ input, output }) => {
    if (!output.some((name) => read.has(name))) return false
    for (const name of input) read.add(name)
    return true
  })
  return needed.reverse()
}

function nameOf(names: ReadonlyMap<Tensor, string>, tensor: Tensor): string {
  const name = names.get(tensor)
  if (name === undefined) throw new Error(`${tensor.node.operator}: output ${tensor.index} was not lowered`)
  return name
}

function valueInfo(name: string, tensor: Tensor, shape: readonly (string | number)[] = tensor.shape) {
  return { name, elementType: dataTypes[tensor.type], shape }
}

function attributeProto(name: string, attribute: Attribute): AttributeProto {
  if ('int' in attribute) return { name, type: 2, i: attribute.int }
  if ('float' in attribute) return { name, type: 1, f: attribute.float }
  if ('string' in attribute) return { name, type: 3, s: new TextEncoder().encode(attribute.string) }
  if ('floats' in attribute) return { name, type: 6, floats: attribute.floats }
  return { name, type: 7, ints: attribute.ints }
}
