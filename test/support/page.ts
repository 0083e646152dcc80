import { type DefaultTreeAdapterMap, parse } from 'parse5'

type Node = DefaultTreeAdapterMap['node']
export type PageElement = DefaultTreeAdapterMap['element']

/** A page as a browser reads it, and what it complains about. */
export function readPage(html: string): { page: Node; faults: string[] } {
  const faults: string[] = []
  const page = parse(html, { onParseError: ({ code }) => faults.push(code) })
  return { page, faults }
}

/** All elements of a kind within a node, in their order. */
export function elements(node: Node, name: string): PageElement[] {
  const children = 'childNodes' in node ? node.childNodes.flatMap((child) => elements(child, name)) : []
  return 'tagName' in node && node.tagName === name ? [node, ...children] : children
}

export function attribute(element: PageElement | undefined, name: string): string | undefined {
  return element?.attrs.find((each) => each.name === name)?.value
}

export function textOf(node: Node): string {
  if ('value' in node) return node.value
  return 'childNodes' in node ? node.childNodes.map(textOf).join('') : ''
}

/** The cells of a table of the page by the name under which it is saved: its header, then its rows. */
export function tableOf(page: Node, name: string): string[][] {
  const figure = elements(page, 'figure').find((each) =>
    elements(each, 'a').some((link) => attribute(link, 'download') === `${name}.csv`),
  )
  if (!figure) throw new Error(`the page has no table ${name}`)
  return elements(figure, 'tr').map((row) => [...elements(row, 'th'), ...elements(row, 'td')].map(textOf))
}
