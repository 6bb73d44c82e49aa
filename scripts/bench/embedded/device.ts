import { WebSocket } from 'ws'
import type { Program } from './programs.ts'

/** How long each part of one exchange took, from the moment of sending. */
export interface Turn {
  readonly acceptedMs: number
  readonly firstTokenMs: number
  readonly frames: number
}

export interface Device {
  /** Sends a message and waits for the end of its answer. Rejects with the code of an error. */
  say(text: string): Promise<Turn>
  cut(): void
}

/** As much of a frame as has to be looked at. */
interface Frame {
  readonly type: string
  readonly code?: string
  readonly sid?: string
  readonly clientMessageId?: string
  readonly answerId?: string
  readonly status?: string
  readonly answer?: { readonly answerId: string }
}

interface Exchange {
  readonly clientMessageId: string
  readonly sentAt: number
  acceptedMs: number
  firstTokenMs: number
  frames: number
  answerId: string | undefined
  readonly done: (turn: Turn) => void
  readonly failed: (error: Error) => void
}

/** Opens a socket and says hello, or whatever the bare server is to send back; resolves with the first frame. */
export async function openSocket(program: Program, user: string): Promise<WebSocket> {
  const token = await program.token(user)
  const socket = new WebSocket(new URL('/chat/ws', program.url.replace(/^http/, 'ws')), {
    origin: program.url.replace(/\/$/, ''),
    perMessageDeflate: false,
  })
  return new Promise((resolve, reject) => {
    socket.once('open', () => socket.send(JSON.stringify({ type: 'hello', token, deviceId: `device-of-${user}` })))
    socket.once('message', () => resolve(socket))
    socket.once('error', reject)
    socket.once('close', (code) => reject(new Error(`a socket ended with ${code}`)))
  })
}

/** One device that talks to the quick demo model, in one session. */
export async function openDevice(program: Program, user: string): Promise<Device> {
  const socket = await openSocket(program, user)
  let sid: string | undefined
  let exchange: Exchange | undefined
  let count = 0

  socket.on('message', (data) => {
    if (!exchange) return
    const passed = performance.now() - exchange.sentAt
    exchange.frames += 1
    const frame = JSON.parse(String(data)) as Frame
    const ours = exchange.answerId !== undefined && frame.answerId === exchange.answerId
    if (frame.type === 'message' && frame.clientMessageId === exchange.clientMessageId) {
      sid = frame.sid
      exchange.acceptedMs = passed
      exchange.answerId = frame.answer?.answerId
    } else if (frame.type === 'answer.delta' && ours && Number.isNaN(exchange.firstTokenMs)) {
      exchange.firstTokenMs = passed
    } else if (frame.type === 'answer.done' && ours) {
      if (frame.status === 'done') finish(exchange.done)
      else fail(`the answer ended as ${frame.status}`)
    } else if (frame.type === 'error') fail(`error ${frame.code}`)
  })
  socket.on('close', (code) => fail(`the connection ended with ${code}`))

  function finish(done: Exchange['done']): void {
    const turn = exchange
    exchange = undefined
    if (turn) done(turn)
  }

  function fail(why: string): void {
    const turn = exchange
    exchange = undefined
    turn?.failed(new Error(why))
  }

  return {
    say: (text) =>
      new Promise((done, failed) => {
        const clientMessageId = `${user}-${++count}`
        const unknown = { acceptedMs: Number.NaN, firstTokenMs: Number.NaN, frames: 0, answerId: undefined }
        const frame = JSON.stringify({ type: 'message.send', clientMessageId, sid, text, modelId: 'demo-quick' })
        exchange = { clientMessageId, sentAt: performance.now(), ...unknown, done, failed }
        socket.send(frame)
      }),
    cut: () => socket.terminate(),
  }
}
