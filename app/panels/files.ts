import { button, el, select } from '../page/dom.ts'
import type { Lab } from '../page/lab.ts'
import type { Given, Item, Role } from '../protocol.ts'

export interface FilesActions {
  readonly open: (given: readonly Given[]) => void
  readonly example: () => void
  readonly changed: (items: readonly Item[]) => void
}

const roles: Readonly<Record<Role, string>> = {
  probabilities: 'Probabilities',
  labels: 'Labels',
  image: 'Image',
}

/** More than these are folded away at first. */
const fewFiles = 4

/** What is open, and what each file is taken for; files are dropped anywhere on the page, or chosen. */
export class FilesPanel {
  readonly element = el('section', { class: 'files', 'aria-label': 'Files' })
  readonly #lab: Lab
  readonly #actions: FilesActions
  #isExample = false
  #unfolded: boolean | undefined

  constructor(lab: Lab, actions: FilesActions) {
    this.#lab = lab
    this.#actions = actions
    this.#listenToDrops()
    this.show([], false)
  }

  get isExample(): boolean {
    return this.#isExample
  }

  show(items: readonly Item[], isExample: boolean): void {
    this.#isExample = isExample
    const rows = items.map((item) => this.#row(item, items))
    const note = isExample
      ? el(
          'p',
          { class: 'note' },
          'A built-in example. Open your own files, or drop them here: nothing leaves this machine.',
        )
      : undefined
    this.element.replaceChildren(
      el(
        'div',
        { class: 'files-head' },
        el('h2', {}, 'Files'),
        this.#opener('Open files…', false),
        this.#opener('Folder…', true),
        isExample ? undefined : button('Example', this.#actions.example, { class: 'plain' }),
      ),
      ...(note ? [note] : []),
      rows.length === 0
        ? el('p', { class: 'note' }, 'Nothing is open.')
        : el(
            'details',
            {
              open: this.#unfolded ?? (!isExample && rows.length <= fewFiles),
              ontoggle: (event: Event) => this.#fold(event),
            },
            el('summary', {}, rows.length === 1 ? items[0].name : `${rows.length} files`),
            el('ul', { class: 'file-list' }, ...rows),
          ),
    )
  }

  #fold({ target }: Event): void {
    this.#unfolded = (target as HTMLDetailsElement).open
  }

  #row(item: Item, items: readonly Item[]): HTMLElement {
    const choices = Object.entries(roles).map(([value, text]) => ({ value, text }))
    const role = select(choices, item.role, (value) => this.#setRole(item, value as Role, items))
    role.setAttribute('aria-label', `What ${item.name} is`)
    const size = `${item.grid.shape.join('×')}${item.channels > 1 ? ` × ${item.channels}` : ''}`
    return el(
      'li',
      {},
      el('span', { class: 'name', title: `${item.name}\n${size} voxels` }, item.name),
      role,
      button('✕', () => this.#actions.changed(items.filter(({ id }) => id !== item.id)), {
        class: 'plain',
        'aria-label': `Close ${item.name}`,
      }),
    )
  }

  #setRole(item: Item, role: Role, items: readonly Item[]): void {
    this.#lab.data
      .call<Item>('setRole', { id: item.id, role })
      .then((changed) => this.#actions.changed(items.map((each) => (each.id === item.id ? changed : each))))
      .catch((error) => {
        this.#lab.fail(error)
        this.#actions.changed(items)
      })
  }

  /** The browser's own dialog, behind a button. */
  #opener(text: string, folder: boolean): HTMLElement {
    const input = el('input', {
      type: 'file',
      multiple: true,
      hidden: true,
      'aria-label': text,
      onchange: () => {
        this.#actions.open(
          [...(input.files ?? [])].map((file) => ({ path: file.webkitRelativePath || file.name, file })),
        )
        input.value = ''
      },
    })
    if (folder) input.setAttribute('webkitdirectory', '')
    return el(
      'span',
      {},
      button(text, () => input.click()),
      input,
    )
  }

  #listenToDrops(): void {
    const over = (on: boolean) => document.body.classList.toggle('dropping', on)
    addEventListener('dragover', (event) => {
      event.preventDefault()
      over(true)
    })
    addEventListener('dragleave', (event) => {
      if (event.relatedTarget === null) over(false)
    })
    addEventListener('drop', (event) => {
      event.preventDefault()
      over(false)
      const entries = [...(event.dataTransfer?.items ?? [])].flatMap((item) => item.webkitGetAsEntry() ?? [])
      Promise.all(entries.map(filesBelow))
        .then((found) => this.#actions.open(found.flat()))
        .catch((error) => this.#lab.fail(error))
    })
  }
}

/** The files of an entry that was dropped, folders included. */
async function filesBelow(entry: FileSystemEntry): Promise<Given[]> {
  const path = entry.fullPath.replace(/^\//, '')
  if (entry.isFile) {
    const file = await new Promise<File>((resolve, reject) => (entry as FileSystemFileEntry).file(resolve, reject))
    return [{ path, file }]
  }
  const reader = (entry as FileSystemDirectoryEntry).createReader()
  const all: Given[] = []
  // A reader gives some hundred entries at a time.
  for (;;) {
    const some = await new Promise<FileSystemEntry[]>((resolve, reject) => reader.readEntries(resolve, reject))
    if (some.length === 0) return all
    for (const each of some) all.push(...(await filesBelow(each)))
  }
}
