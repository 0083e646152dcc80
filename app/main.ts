import { App } from './page/app.ts'
import { openServed } from './page/served.ts'

const root = document.getElementById('lab')
if (!root) throw new Error('the page has lost its place for the lab')
const app = new App(root, new URL('./worker.js', import.meta.url))
openServed(app)
