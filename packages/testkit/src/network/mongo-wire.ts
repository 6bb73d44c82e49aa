import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { BSON, type Document } from 'mongodb'

/** What a client has asked a MongoDB for. */
export interface MongoCommand {
  readonly name: string
  readonly database: string
  /** As it was sent, with its document sequences in their places. */
  readonly body: Document
}

/** What becomes of a reply: it is lost with its connection, or it comes when the promise resolves. */
export type Fate = 'cut' | Promise<void> | undefined

/** A stretch of network in front of a MongoDB that understands what passes. */
export interface MongoWire {
  readonly port: number
  /** Everything that was asked so far, but for the driver's own greetings. */
  readonly commands: readonly MongoCommand[]
  /** Asked of every reply, when the server has done what was asked and sent it. Another rule takes the place of this one. */
  onReply(rule: (command: MongoCommand) => Fate): void
  /** From now on nothing passes either way, and nobody notices. */
  freeze(): void
  /** What was kept arrives. */
  thaw(): void
  close(): Promise<void>
}

/** Listens on a free port of 127.0.0.1 and hands everything on to the server's. */
export async function startMongoWire(serverPort: number): Promise<MongoWire> {
  const commands: MongoCommand[] = []
  const sockets = new Set<Socket>()
  let rule: (command: MongoCommand) => Fate = () => undefined
  let frozen: Promise<void> | undefined
  let thaw = (): void => undefined

  /** What is between two sockets goes through in order, one message after the other. */
  function pipe(from: Socket, to: Socket, pass: (message: Buffer) => Fate): void {
    let order: Promise<void> = Promise.resolve()
    eachMessage(from, (message) => {
      order = order.then(async () => {
        const fate = pass(message)
        if (fate === 'cut') return void to.destroy()
        await fate
        await frozen
        to.write(message)
      })
    })
    from.on('error', () => to.destroy())
    // Not before what came before it.
    from.on('close', () => void order.then(() => to.destroy()))
  }

  const listener = createServer((client) => {
    const server = connect(serverPort, '127.0.0.1')
    const asked = new Map<number, MongoCommand>()
    for (const socket of [client, server]) {
      sockets.add(socket)
      socket.setNoDelay(true)
      socket.on('close', () => sockets.delete(socket))
    }
    pipe(client, server, (message) => {
      const command = commandIn(message)
      if (command && !GREETINGS.has(command.name)) {
        commands.push(command)
        asked.set(message.readInt32LE(REQUEST_ID), command)
      }
      return undefined
    })
    pipe(server, client, (message) => {
      const id = message.readInt32LE(RESPONSE_TO)
      const command = asked.get(id)
      asked.delete(id)
      return command && rule(command)
    })
  })
  listener.listen(0, '127.0.0.1')
  await once(listener, 'listening')

  return {
    port: (listener.address() as AddressInfo).port,
    commands,
    onReply(next) {
      rule = next
    },
    freeze() {
      frozen ??= new Promise((resolve) => {
        thaw = resolve
      })
    },
    thaw() {
      thaw()
      frozen = undefined
    },
    async close() {
      listener.close()
      for (const socket of sockets) socket.destroy()
      thaw()
      if (listener.listening) await once(listener, 'close')
    },
  }
}

const GREETINGS = new Set(['hello', 'isMaster', 'ismaster', 'endSessions'])

const HEADER = 16
const REQUEST_ID = 4
const RESPONSE_TO = 8
const OPCODE = 12
const OP_MSG = 2013

/** Whole messages, however they were cut into packets. */
function eachMessage(socket: Socket, listener: (message: Buffer) => void): void {
  let rest = Buffer.alloc(0)
  socket.on('data', (bytes) => {
    rest = Buffer.concat([rest, bytes])
    while (rest.length >= HEADER && rest.length >= rest.readInt32LE(0)) {
      const length = rest.readInt32LE(0)
      listener(rest.subarray(0, length))
      rest = rest.subarray(length)
    }
  })
}

function commandIn(message: Buffer): MongoCommand | undefined {
  if (message.readInt32LE(OPCODE) !== OP_MSG) return undefined
  const body: Document = {}
  let at = HEADER + 4
  while (at < message.length) {
    const kind = message.readUInt8(at)
    const length = message.readInt32LE(at + 1)
    const section = message.subarray(at + 1, at + 1 + length)
    if (kind === 0) Object.assign(body, BSON.deserialize(section))
    else Object.assign(body, sequenceIn(section))
    at += 1 + length
  }
  const [name = ''] = Object.keys(body)
  return { name, database: String(body.$db), body }
}

function sequenceIn(section: Buffer): Document {
  const end = section.indexOf(0, 4)
  const documents: Document[] = []
  for (let at = end + 1; at < section.length; ) {
    const length = section.readInt32LE(at)
    documents.push(BSON.deserialize(section.subarray(at, at + length)))
    at += length
  }
  return { [section.toString('utf8', 4, end)]: documents }
}
