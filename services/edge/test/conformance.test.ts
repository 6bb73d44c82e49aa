import { randomId } from '@chatbox/core'
import { beforeEach, describe, expect, it } from 'vitest'
import { echo, type OpenEdge, openEdge, tokenOf, until } from './support/open-edge.ts'
import { type FrameParts, frameBytes, opcodes, openRawSocket, type RawSocket } from './support/raw-socket.ts'

// RFC 6455 as far as the transport has it (security 16, 18). Where it ends a connection without a close frame, docs/PROTOCOL.md says so.
describe('a WebSocket', () => {
  let edge: OpenEdge
  let raw: RawSocket
  beforeEach(async () => {
    edge = await openEdge()
    raw = await openRawSocket(edge.url)
    raw.send({
      opcode: opcodes.text,
      payload: JSON.stringify({ type: 'hello', token: await tokenOf('anna'), deviceId: randomId() }),
    })
    await raw.waitFor(opcodes.text)
  })

  const ping = (requestId: string) => JSON.stringify({ type: 'ping', requestId })
  const pongs = () =>
    raw.frames.flatMap(({ opcode, payload }) => {
      const frame = opcode === opcodes.text ? (JSON.parse(payload.toString()) as Record<string, unknown>) : {}
      return frame.type === 'pong' ? [frame.requestId] : []
    })
  const answered = (requestId: string) => until(() => pongs().includes(requestId), `${requestId} was answered`)
  const fragments = (text: string, pieces: number): FrameParts[] => {
    const bytes = Buffer.from(text)
    const size = Math.ceil(bytes.length / pieces)
    return Array.from({ length: pieces }, (_, i) => ({
      opcode: i === 0 ? opcodes.text : opcodes.continuation,
      payload: bytes.subarray(i * size, (i + 1) * size),
      fin: i === pieces - 1,
    }))
  }

  it('takes a message in one frame, in many, in empty ones, and byte by byte', async () => {
    raw.send({ opcode: opcodes.text, payload: ping('whole') })
    await answered('whole')
    for (const fragment of fragments(ping('many'), 7)) raw.send(fragment)
    await answered('many')
    raw.send({ opcode: opcodes.text, fin: false })
    raw.send({ opcode: opcodes.continuation, payload: ping('empty'), fin: false })
    raw.send({ opcode: opcodes.continuation })
    await answered('empty')
    for (const byte of frameBytes({ opcode: opcodes.text, payload: ping('bytes') })) raw.write(Uint8Array.of(byte))
    await answered('bytes')
    expect(pongs()).toEqual(['whole', 'many', 'empty', 'bytes'])
  })

  it('answers pings with what they say, also between the fragments of a message', async () => {
    const [first, second] = fragments(ping('in-two'), 2)
    if (!first || !second) throw new Error('no fragments')
    raw.send(first)
    raw.send({ opcode: opcodes.ping, payload: 'are you there?' })
    const pong = await raw.waitFor(opcodes.pong)
    expect(pong.payload.toString()).toBe('are you there?')
    raw.send(second)
    await answered('in-two')
    raw.send({ opcode: opcodes.ping, payload: 'x'.repeat(125) })
    await until(() => raw.frames.filter(({ opcode }) => opcode === opcodes.pong).length === 2, 'a second pong')
    // A pong that nobody asked for is no fault.
    raw.send({ opcode: opcodes.pong, payload: 'unasked' })
    raw.send({ opcode: opcodes.text, payload: ping('after') })
    await answered('after')
  })

  it('takes text of every length of UTF-8 as it was, split anywhere', async () => {
    const entries = await edge.storage.entries('anna')
    const text = 'a¢ह€𐍈😀'
    const heard = async (clientMessageId: string) => {
      const entry = await entries.next()
      expect(entry).toMatchObject({ kind: 'send', said: { cmid: clientMessageId, content: { text } } })
    }
    const frame = (clientMessageId: string) =>
      Buffer.from(JSON.stringify({ type: 'message.send', sid: 's-1', clientMessageId, text }))
    const from = frame('m-00').indexOf('a¢')
    for (let cut = 0; cut <= Buffer.byteLength(text); cut += 1) {
      const id = `m-${String(cut).padStart(2, '0')}`
      const bytes = frame(id)
      raw.send({ opcode: opcodes.text, payload: bytes.subarray(0, from + cut), fin: false })
      raw.send({ opcode: opcodes.continuation, payload: bytes.subarray(from + cut) })
      await heard(id)
    }
    const bytes = frame('in-bytes')
    for (const [i, byte] of bytes.entries()) {
      const opcode = i === 0 ? opcodes.text : opcodes.continuation
      raw.send({ opcode, payload: Uint8Array.of(byte), fin: i === bytes.length - 1 })
    }
    await heard('in-bytes')
    raw.send({ opcode: opcodes.text, payload: ping('alive') })
    await answered('alive')
  })

  it('answers a close with its own code, or with none where few would take it, and hears nothing after it', async () => {
    const own = [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 4000, 4999]
    // Those that nobody may send are among them.
    const none = [0, 999, 1004, 1005, 1006, 1012, 1013, 1014, 1015, 1016, 2999, 3000, 3999, 5000]
    for (const code of [...own, ...none]) {
      const other = await openRawSocket(edge.url)
      const payload = Buffer.concat([Buffer.of(code >> 8, code & 0xff), Buffer.from('so long')])
      other.send({ opcode: opcodes.close, payload })
      expect([code, await other.closed()]).toEqual([code, own.includes(code) ? code : 1005])
    }
    raw.send({ opcode: opcodes.close })
    raw.send({ opcode: opcodes.text, payload: ping('too late') })
    expect(await raw.closed()).toBe(1005)
    expect(pongs()).toEqual([])
  })

  it('obeys nothing that comes without a mask, and ends it as nonsense', async () => {
    const neighbour = await edge.device('berta')
    raw.send({ opcode: opcodes.text, payload: ping('unmasked'), masked: false })
    // The transport takes its first bytes for the mask, and from there on everything for something else than it is.
    await until(() => {
      if (!raw.ended) raw.send({ opcode: opcodes.text, payload: ping('after it') })
      return raw.ended
    }, 'it was ended')
    expect(pongs()).toEqual([])
    await echo(neighbour)
  })

  it.each<[string, FrameParts[]]>([
    ['text that is not UTF-8', [{ opcode: 1, payload: Buffer.from([0xce, 0xba, 0xe1, 0xff]) }]],
    ['an overlong encoding', [{ opcode: 1, payload: Buffer.from([0xc0, 0xaf]) }]],
    ['half of a surrogate pair', [{ opcode: 1, payload: Buffer.from([0xed, 0xa0, 0x80]) }]],
    ['a character beyond Unicode', [{ opcode: 1, payload: Buffer.from([0xf4, 0x90, 0x80, 0x80]) }]],
    [
      'text that ends within a character',
      [
        { opcode: 1, payload: Buffer.from([0xe2, 0x82]), fin: false },
        { opcode: 0, payload: Buffer.alloc(0) },
      ],
    ],
    ['a reserved bit', [{ opcode: 1, payload: '{}', reserved: 4 }]],
    ['an opcode that is reserved for data', [{ opcode: 3, payload: '{}' }]],
    ['an opcode that is reserved for control', [{ opcode: 11, payload: '' }]],
    ['a control frame in fragments', [{ opcode: 9, payload: 'a', fin: false }]],
    ['a control frame that is too long', [{ opcode: 9, payload: 'x'.repeat(126) }]],
    ['a continuation of nothing', [{ opcode: 0, payload: 'x' }]],
    [
      'a new message within another',
      [
        { opcode: 1, payload: '{', fin: false },
        { opcode: 1, payload: '}' },
      ],
    ],
    ['a frame above its hard limit', [{ opcode: 1, payload: ' '.repeat(131_073) }]],
    [
      'fragments that are above it together',
      [
        { opcode: 1, payload: ' '.repeat(131_072), fin: false },
        { opcode: 0, payload: ' ' },
      ],
    ],
    ['a close code that is one byte', [{ opcode: 8, payload: Buffer.from([3]) }]],
    ['a close code that nobody may send', [{ opcode: 8, payload: Buffer.from([0x03, 0xed]) }]],
    ['a close reason that is not UTF-8', [{ opcode: 8, payload: Buffer.from([0x03, 0xe8, 0xff]) }]],
  ])('is ended by %s, and its neighbour is not', async (_, frames) => {
    const neighbour = await edge.device('berta')
    for (const frame of frames) raw.send(frame)
    const [first] = frames
    // Without a close frame, so that the client sees 1006; a close that is wrong is answered, by an empty one.
    expect(await raw.closed()).toBe(first?.opcode === opcodes.close ? 1005 : undefined)
    expect(pongs()).toEqual([])
    await echo(neighbour)
  })
})
