// The API reference of the three entry points, with the documents of docs/ beside it.
import katex from '@vscode/markdown-it-katex'
import { Converter, ReflectionKind } from 'typedoc'

/** Entry points are called as they are imported. */
function nameEntryPoints(app) {
  const names = { index: 'halfdice', src: 'halfdice', 'src/node': 'halfdice/node', 'src/report': 'halfdice/report' }
  app.converter.on(Converter.EVENT_RESOLVE_BEGIN, ({ project }) => {
    for (const module of project.getReflectionsByKind(ReflectionKind.Module)) {
      module.name = names[module.name] ?? names[`src/${module.name}`] ?? module.name
    }
  })
}

/** @type {import('typedoc').TypeDocOptions} */
export default {
  name: 'halfdice',
  plugin: [nameEntryPoints],
  entryPoints: ['../src/index.ts', '../src/node.ts', '../src/report.ts'],
  tsconfig: './tsconfig.json',
  basePath: '..',
  out: '../out/docs',
  readme: '../README.md',
  projectDocuments: [
    '../docs/*.md',
    '../docs/results/*/README.md',
    '../examples/README.md',
    '../CHANGELOG.md',
    '../CONTRIBUTING.md',
    '../SECURITY.md',
  ],
  includeVersion: true,
  excludeExternals: true,
  excludePrivate: true,
  disableSources: true,
  validation: { notExported: false, invalidLink: true, notDocumented: false, invalidPath: true },
  cleanOutputDir: true,
  hideGenerator: true,
  // Formulas as MathML, which browsers draw without fonts or styles of ours.
  markdownItLoader: (parser) => parser.use(katex.default ?? katex, { output: 'mathml', throwOnError: true }),
  navigation: { includeCategories: false, includeGroups: true },
  highlightLanguages: ['typescript', 'javascript', 'json', 'yaml', 'sh', 'console', 'python', 'html'],
}
