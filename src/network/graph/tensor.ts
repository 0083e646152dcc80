export type ElementType = 'float32' | 'int64' | 'bool'

export interface TensorType {
  readonly shape: readonly number[]
  readonly type: ElementType
}

/** One value of the graph: an output of a node. Shapes are known when the graph is built. */
export interface Tensor extends TensorType {
  readonly node: GraphNode
  /** Which output of the node. */
  readonly index: number
}

/** An operator applied to tensors. Nodes never change: a graph is whatever its outputs reach. */
export interface GraphNode {
  readonly operator: string
  readonly inputs: readonly Tensor[]
  readonly outputs: readonly Tensor[]
  /** Writes the node as ONNX and returns the names of its outputs. */
  readonly lower: (emit: Emitter, inputs: readonly string[]) => readonly string[]
  /** The inputs' gradients, given the outputs' (undefined where an output does not reach the loss). */
  readonly gradient: (outputGradients: readonly (Tensor | undefined)[]) => readonly (Tensor | undefined)[]
}

/**
 * What an operator is: its forward shape rule, its ONNX lowering and its gradient rule, together in one file of ops/
 * (two operators that are each other's gradient share a file). Adding an operator is adding a file.
 */
export interface Operator<A> {
  readonly name: string
  /** Types of the outputs; throws an Error where the inputs do not fit (a defect of the caller, not of a user). */
  readonly infer: (inputs: readonly Tensor[], attributes: A) => readonly TensorType[]
  readonly lower: (emit: Emitter, inputs: readonly string[], node: AppliedNode<A>) => readonly string[]
  /** Left out where nothing may be differentiated through the operator. */
  readonly gradient?: (
    outputGradients: readonly (Tensor | undefined)[],
    node: AppliedNode<A>,
  ) => readonly (Tensor | undefined)[]
}

export interface AppliedNode<A> extends GraphNode {
  readonly attributes: A
}

/** What the ONNX nodes are made for. */
export interface Target {
  readonly device: Device
  /** `train`: fixed shapes, fastest step. `inference`: standard operators that accept any batch and image size. */
  readonly purpose: 'train' | 'inference'
  /** Channels that the runtime's blocked layout keeps together, where it has one (runtime/target.ts). */
  readonly channelBlock?: number
}

export type Device = 'cpu' | 'webgpu' | 'cuda'

export type Attribute =
  | { readonly int: number }
  | { readonly float: number }
  | { readonly string: string }
  | { readonly floats: readonly number[] }
  | { readonly ints: readonly number[] }

/** Receives ONNX nodes while a graph is lowered. */
export interface Emitter {
  readonly target: Target
  /** The results of a node, which is appended unless it is there; `outputs` (default 1) is how many to name. */
  node(opType: string, inputs: readonly string[], options?: EmitOptions): string[]
  /** A constant tensor; equal constants are stored once. */
  constant(data: Float32Array | BigInt64Array, shape: readonly number[]): string
  /** A constant vector of 64-bit integers: shapes, axes, starts. */
  ints(values: readonly number[]): string
  /** By the name of a value, the same numbers in blocked channels, where they were computed so. */
  readonly blockedValues: Map<string, string>
  /** Whether anything reads this output, so that operators can leave out unused outputs. */
  isUsed(tensor: Tensor): boolean
}

export interface EmitOptions {
  readonly attributes?: Readonly<Record<string, Attribute>>
  readonly outputs?: number
  readonly domain?: string
  /** Computed here even where it is known: what the forward pass would have to keep for the backward pass. */
  readonly anew?: boolean
}

/** Applies an operator: checks shapes and returns the outputs as tensors. */
export function applyAll<A>(operator: Operator<A>, inputs: readonly Tensor[], attributes: A): readonly Tensor[] {
  const outputs: Tensor[] = []
  const node: AppliedNode<A> = {
    operator: operator.name,
    inputs,
    attributes,
    outputs,
    lower: (emit, names) => operator.lower(emit, names, node),
    gradient: (outputGradients) => {
      if (operator.gradient === undefined) throw new Error(`${operator.name} has no gradient rule`)
      return operator.gradient(outputGradients, node)
    },
  }
  for (const [index, type] of operator.infer(inputs, attributes).entries()) outputs.push({ ...type, node, index })
  return outputs
}

/** Applies an operator of one output. */
export function apply<A>(operator: Operator<A>, inputs: readonly Tensor[], attributes: A): Tensor {
  return applyAll(operator, inputs, attributes)[0]
}

export function sizeOf(shape: readonly number[]): number {
  return shape.reduce((product, n) => product * n, 1)
}

export function shapesEqual(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((n, axis) => n === b[axis])
}

/** For messages about shapes: `2×3×4`, or `scalar`. */
export function formatShape(shape: readonly number[]): string {
  return shape.length === 0 ? 'scalar' : shape.join('×')
}
