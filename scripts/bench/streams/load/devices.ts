import { join, settleIn, type Target, tokensFor } from '../../distributed/load/member.ts'
import { serve } from '../../lib/child.ts'
import { sharedNow } from '../../lib/clock.ts'
import type { LeanSocket } from '../../lib/lean-socket.ts'
import { type Tally, tally } from '../tally.ts'
import { readTokens } from '../token.ts'
import { type Listener, type Listeners, listenersOf } from './listeners.ts'

// A process of devices, each of another user, that ask and listen at an edge.

export interface Devices extends Listeners {
  open(opening: Target & { readonly users: readonly string[]; readonly secret: string }): Promise<void>
  /** When the first token of a higher attempt came, on the shared clock: one for each stream that has had it. */
  taken(none: undefined): readonly number[]
}

const DELTA = Buffer.from('{"type":"answer.delta"')
const TEXT = Buffer.from('"text":"')
const ATTEMPT = Buffer.from('"attempt":')
const DONE = Buffer.from('"type":"answer.done"')
const WHOLE = Buffer.from('"status":"done"')
const ERROR = Buffer.from('{"type":"error"')

const counted: Tally = tally()
let devices: readonly Device[] = []
let target: Target | undefined
let ways: ReturnType<typeof listenersOf> | undefined

interface Device extends Listener {
  readonly user: string
  readonly token: string
  /** None after it was closed, as for being too slow. */
  socket: LeanSocket | undefined
  attempt: number
  takenAt: number | undefined
}

const begins = (frame: Buffer, word: Buffer) => frame.compare(word, 0, word.length, 0, word.length) === 0

function hear(device: Device, frame: Buffer): void {
  if (begins(frame, DELTA)) delta(device, frame)
  else if (begins(frame, ERROR)) device.state = 'broken'
  else if (frame.includes(DONE)) device.state = frame.includes(WHOLE) ? 'whole' : 'broken'
}

function delta(device: Device, frame: Buffer): void {
  counted.frame()
  // One digit: nothing here is attempted ten times.
  const attempt = (frame[frame.indexOf(ATTEMPT) + ATTEMPT.length] ?? 0) - 0x30
  if (attempt > device.attempt) {
    if (device.attempt > 0) device.takenAt ??= sharedNow()
    device.attempt = attempt
  }
  let first = device.state === 'asked'
  if (first) device.state = 'speaking'
  readTokens(frame, frame.indexOf(TEXT) + TEXT.length, (units) => {
    counted.token(units)
    if (first) counted.first(units)
    first = false
  })
}

let asked = 0

function newDevice(user: string, token: string): Device {
  const device: Device = {
    user,
    token,
    socket: undefined,
    state: 'idle',
    attempt: 0,
    takenAt: undefined,
    ask() {
      device.attempt = 0
      device.takenAt = undefined
      asked += 1
      const clientMessageId = `${user}-${asked}`
      // A conversation of its own, so that nothing of an earlier answer is in the prompt.
      device.socket?.send(JSON.stringify({ type: 'message.send', clientMessageId, text: 'Go on and on.' }))
    },
  }
  return device
}

function open(target: Target, device: Device): Promise<void> {
  const { user, token } = device
  return new Promise((resolve, reject) => {
    join(
      target,
      { user, token, resume: undefined },
      {
        ready(_frame, socket) {
          device.socket = socket
          resolve()
        },
        event: (frame) => hear(device, frame),
        closed({ code, error }) {
          device.socket = undefined
          device.state = 'broken'
          reject(new Error(`a connection ended with ${code} ${error ?? ''}`))
        },
      },
    )
  })
}

function all(): ReturnType<typeof listenersOf> {
  if (!ways) throw new Error('nobody is there')
  return ways
}

serve<Devices>({
  async open({ users, secret, ...to }) {
    target = to
    const tokens = await tokensFor(users, secret)
    devices = users.map((user, i) => newDevice(user, tokens[i] ?? ''))
    await settleIn(devices, (device) => open(to, device))
    ways = listenersOf(devices, counted)
  },
  taken: () => devices.flatMap(({ takenAt }) => takenAt ?? []),
  async begin(beginning) {
    const to = target
    const gone = devices.filter(({ socket }) => !socket)
    if (to) await settleIn(gone, (device) => open(to, device))
    return all().begin(beginning)
  },
  mark: () => all().mark(),
  heard: () => all().heard(),
  firsts: () => all().firsts(),
  over: () => all().over(),
})
