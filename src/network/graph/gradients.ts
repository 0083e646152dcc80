import { add } from '../ops/add.ts'
import { constant } from '../ops/constant.ts'
import { formatShape, type GraphNode, shapesEqual, sizeOf, type Tensor } from './tensor.ts'

/**
 * Derivatives of a scalar with respect to tensors, by reverse mode: nodes are visited from the loss back, each one's
 * rule turns the gradients of its outputs into those of its inputs, and what arrives by several paths is summed.
 */
export function gradients(loss: Tensor, withRespectTo: readonly Tensor[]): Tensor[] {
  if (sizeOf(loss.shape) !== 1) throw new Error(`the loss must be a scalar, not ${formatShape(loss.shape)}`)
  const needed = nodesBetween(loss, withRespectTo)
  const sums = new Map<Tensor, Tensor>([[loss, constant(Float32Array.of(1), loss.shape)]])
  for (const node of topologicalOrder([loss]).reverse()) {
    if (!needed.has(node) || node.inputs.length === 0) continue
    const outputGradients = node.outputs.map((output) => sums.get(output))
    if (outputGradients.every((gradient) => gradient === undefined)) continue
    for (const [i, gradient] of node.gradient(outputGradients).entries()) {
      const input = node.inputs[i]
      if (gradient === undefined || !needed.has(input.node)) continue
      if (!shapesEqual(gradient.shape, input.shape)) {
        const shapes = `${formatShape(gradient.shape)} for an input of ${formatShape(input.shape)}`
        throw new Error(`${node.operator}: gradient of ${shapes}`)
      }
      const sum = sums.get(input)
      sums.set(input, sum === undefined ? gradient : add(sum, gradient))
    }
  }
  return withRespectTo.map(
    (tensor) => sums.get(tensor) ?? constant(new Float32Array(sizeOf(tensor.shape)), tensor.shape),
  )
}

/** Every node that the outputs reach, inputs before the nodes that read them. */
export function topologicalOrder(outputs: readonly Tensor[]): GraphNode[] {
  const order: GraphNode[] = []
  const seen = new Set<GraphNode>()
  const stack = outputs.map((output) => ({ node: output.node, next: 0 })).reverse()
  while (stack.length > 0) {
    const frame = stack[stack.length - 1]
    if (frame.next === 0 && seen.has(frame.node)) {
      stack.pop()
    } else if (frame.next < frame.node.inputs.length) {
      seen.add(frame.node)
      const input = frame.node.inputs[frame.next++].node
      if (!seen.has(input)) stack.push({ node: input, next: 0 })
    } else {
      seen.add(frame.node)
      order.push(frame.node)
      stack.pop()
    }
  }
  return order
}

/** Nodes on a path from one of the tensors to the loss: only these need a gradient. */
function nodesBetween(loss: Tensor, tensors: readonly Tensor[]): Set<GraphNode> {
  const needed = new Set(tensors.map((tensor) => tensor.node))
  for (const node of topologicalOrder([loss])) {
    if (node.inputs.some((input) => needed.has(input.node))) needed.add(node)
  }
  return needed
}
