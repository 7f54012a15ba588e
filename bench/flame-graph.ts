/**
 * Turns a CPU profile (`node --cpu-prof`) into a flame graph: `npm run flame-graph -- FILE.cpuprofile > docs/flame-graph.svg`.
 * Width is time on the CPU, idle time left out; a frame stands on its caller. What is too narrow to see is left out.
 */
import { readFileSync } from 'node:fs'

type ProfileNode = {
  readonly id: number
  readonly callFrame: { readonly functionName: string; readonly url: string }
  readonly children?: readonly number[]
}
type Profile = {
  readonly nodes: readonly ProfileNode[]
  readonly samples: readonly number[]
  readonly timeDeltas: readonly number[]
}
type Frame = { readonly name: string; readonly origin: Origin; total: number; readonly callees: Map<string, Frame> }
type Origin = 'ours' | 'undici' | 'pino' | 'node' | 'native'

const WIDTH = 1200
const ROW = 17
const NARROWEST = 1.5
const CHARACTER = 6.4
const COLOURS: Readonly<Record<Origin, string>> = {
  ours: '#f4a259',
  undici: '#8cb369',
  pino: '#bc4b51',
  node: '#a8c5da',
  native: '#d8d8d8',
}

function main(path: string): void {
  const profile = JSON.parse(readFileSync(path, 'utf8')) as Profile
  process.stdout.write(draw(mergedStacks(profile)))
}

/** Frames of the same name on the same caller are one, whatever line of it was running. */
function mergedStacks({ nodes, samples, timeDeltas }: Profile): Frame {
  const byId = new Map(nodes.map((node) => [node.id, node]))
  const callerOf = new Map(nodes.flatMap(({ id, children = [] }) => children.map((child) => [child, id] as const)))
  const root: Frame = { name: 'all', origin: 'native', total: 0, callees: new Map() }
  samples.forEach((sample, index) => {
    const stack: ProfileNode[] = []
    for (let id: number | undefined = sample; id !== undefined; id = callerOf.get(id)) {
      const node = byId.get(id)
      if (node !== undefined && node.callFrame.functionName !== '(root)') stack.unshift(node)
    }
    if (stack.some(({ callFrame }) => callFrame.functionName === '(idle)')) return
    add(root, stack, timeDeltas[index] ?? 0)
  })
  return root
}

function add(root: Frame, stack: readonly ProfileNode[], time: number): void {
  root.total += time
  let caller = root
  for (const { callFrame } of stack) {
    const name = callFrame.functionName || '(anonymous)'
    const frame = caller.callees.get(name) ?? { name, origin: originOf(callFrame.url), total: 0, callees: new Map() }
    caller.callees.set(name, frame)
    frame.total += time
    caller = frame
  }
}

function originOf(url: string): Origin {
  if (url.includes('/node_modules/undici/')) return 'undici'
  if (url.includes('/node_modules/')) return 'pino'
  if (url.startsWith('node:')) return 'node'
  return url === '' ? 'native' : 'ours'
}

function draw(root: Frame): string {
  const boxes: string[] = []
  let deepest = 0
  const place = (frame: Frame, left: number, depth: number): void => {
    const width = (frame.total / root.total) * WIDTH
    if (width < NARROWEST) return
    deepest = Math.max(deepest, depth)
    boxes.push(box(frame, root.total, { left, width, depth }))
    let next = left
    for (const callee of [...frame.callees.values()].sort((a, b) => b.total - a.total)) {
      place(callee, next, depth + 1)
      next += (callee.total / root.total) * WIDTH
    }
  }
  place(root, 0, 0)
  const height = (deepest + 1) * ROW
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" font-family="monospace" font-size="11" role="img">
<title>Where CPU time goes, as a flame graph</title>
<g transform="translate(0 ${height - ROW})">
${boxes.join('\n')}
</g>
</svg>
`
}

type Place = { readonly left: number; readonly width: number; readonly depth: number }

function box({ name, origin, total }: Frame, all: number, { left, width, depth }: Place): string {
  const share = `${((total / all) * 100).toFixed(1)} %`
  const letters = Math.floor((width - 4) / CHARACTER)
  const label = letters < 3 ? '' : escaped(name.length > letters ? `${name.slice(0, letters - 1)}…` : name)
  const [x, y, w] = [left.toFixed(1), -depth * ROW, width.toFixed(1)]
  return (
    `<g><title>${escaped(name)} ${share}</title><rect x="${x}" y="${y}" width="${w}" height="${ROW - 1}" ` +
    `fill="${COLOURS[origin]}"/><text x="${(left + 2).toFixed(1)}" y="${y + 12}">${label}</text></g>`
  )
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
}

const profile = process.argv[2]
if (profile === undefined) {
  process.stderr.write('Usage: npm run flame-graph -- FILE.cpuprofile > docs/flame-graph.svg\n')
  process.exit(1)
}
main(profile)
