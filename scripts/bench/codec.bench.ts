import { clientDecoder, encodeFrame, withPosition } from '@chatbox/protocol'
import { compare, ROUNDS } from './codec/compare.ts'
import { clientSamples, hostileSamples, serverSamples } from './codec/frames.ts'
import { machineFacts } from './lib/machine.ts'
import { type Cell, table } from './lib/table.ts'

// npm run bench -- codec: what the schemas, sanitising and positions cost above JSON.parse and JSON.stringify alone.

const GOAL = 3
const AT = 'k3Jv9LpQ.m0aQxZ7m.1z4'

const utf8 = new TextDecoder()
const decode = clientDecoder()

for (const line of machineFacts()) console.log(line)
console.log(`Nanoseconds, the best of ${ROUNDS} rounds each. Goal: at most ${GOAL} ×.`)

const missed: string[] = []

function ratio(name: string, ours: number, alone: number): string {
  const times = ours / alone
  if (times > GOAL) missed.push(`${name} (${times.toFixed(1)} ×)`)
  return `${times.toFixed(2)} ×`
}

// A server sees frames of all types; one that had seen a single one would be faster than any is.
for (let i = 0; i < 2_000; i++) {
  for (const [, frame] of clientSamples) decode(encodeFrame(frame))
  for (const [, frame] of serverSamples) withPosition(encodeFrame(frame), AT)
}

const decoded = clientSamples.map(([name, frame]): Cell[] => {
  const text = JSON.stringify(frame)
  const bytes = encodeFrame(frame)
  if (!decode(bytes).ok) throw new Error(`${name} is no valid frame`)
  const [alone = 0, ready = 0, ours = 0] = compare(
    () => JSON.parse(utf8.decode(bytes)),
    () => JSON.parse(text),
    () => decode(bytes),
  )
  return [
    name,
    bytes.length,
    alone,
    ours,
    ratio(`decoding ${name}`, ours, alone),
    ready,
    `${(ours / ready).toFixed(2)} ×`,
  ]
})
console.log('\nFrames to the server: bytes to a valid, sanitised frame, against JSON.parse of the same bytes.')
console.log('On the right, for comparison, JSON.parse of a string that is there already.\n')
console.log(table(['frame', 'bytes', 'JSON.parse', 'decode', 'ratio', 'of a string', 'ratio'], decoded))

const encoded = serverSamples.map(([name, frame]): Cell[] => {
  const bytes = encodeFrame(frame)
  const positioned = { at: AT, ...frame }
  const [alone = 0, ours = 0, aloneAt = 0, oursAt = 0] = compare(
    () => JSON.stringify(frame),
    () => encodeFrame(frame),
    () => JSON.stringify(positioned),
    () => withPosition(bytes, AT),
  )
  return [
    ...[name, bytes.length, alone, ours, ratio(`encoding ${name}`, ours, alone)],
    ...[aloneAt, oursAt, ratio(`the position of ${name}`, oursAt, aloneAt)],
  ]
})
console.log('\nFrames to the client: a frame to bytes, against JSON.stringify to a string; and a position written in')
console.log('front of bytes, against JSON.stringify of the frame with its position.\n')
console.log(
  table(['frame', 'bytes', 'JSON.stringify', 'encode', 'ratio', 'with position', 'withPosition', 'ratio'], encoded),
)

const refused = hostileSamples.map(([name, text]): Cell[] => {
  const bytes = new TextEncoder().encode(text)
  if (decode(bytes).ok) throw new Error(`${name} is a valid frame`)
  const [alone = 0, ours = 0] = compare(
    () => JSON.parse(utf8.decode(bytes)),
    () => decode(bytes),
  )
  return [name, bytes.length, alone / 1_000, ours / 1_000, `${(ours / alone).toFixed(2)} ×`]
})
console.log(
  '\nFrames that are refused, in microseconds: no goal, but none should cost more than the deepest does JSON.parse alone.\n',
)
console.log(table(['frame', 'bytes', 'JSON.parse', 'decode', 'ratio'], refused))

console.log(missed.length === 0 ? '\nAll are within the goal.' : `\nNot within the goal: ${missed.join(', ')}.`)
