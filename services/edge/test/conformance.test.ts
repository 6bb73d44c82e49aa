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

  it('takes text of every length of UTF-8, split anywhere', async () => {
    const text = JSON.stringify({ type: 'ping', requestId: 'utf-8', more: '¢ह€𐍈😀' })
    for (let pieces = 2; pieces <= Buffer.byteLength(text); pieces += 1) {
      for (const fragment of fragments(text, pieces)) raw.send(fragment)
      if (pieces >= 15) break
    }
    // Each is valid text with a field that nobody knows, which the protocol answers; the connection lives.
    raw.send({ opcode: opcodes.text, payload: ping('alive') })
    await answered('alive')
    expect(raw.ended).toBe(false)
  })

  it('answers a close with its own code, or with none for those of libraries, and hears nothing after it', async () => {
    for (const [code, answer] of [
      [1000, 1000],
      [1001, 1001],
      [3000, 1005],
      [4999, 4999],
    ] as const) {
      const other = await openRawSocket(edge.url)
      const payload = Buffer.concat([Buffer.of(code >> 8, code & 0xff), Buffer.from('so long')])
      other.send({ opcode: opcodes.close, payload })
      expect(await other.closed()).toBe(answer)
    }
    raw.send({ opcode: opcodes.close })
    raw.send({ opcode: opcodes.text, payload: ping('too late') })
    await raw.closed()
    expect(pongs()).toEqual([])
  })

  it('obeys nothing that comes without a mask', async () => {
    const neighbour = await edge.device('berta')
    raw.send({ opcode: opcodes.text, payload: ping('unmasked'), masked: false })
    // The transport takes its first bytes for the mask, and what follows for nonsense.
    for (let i = 0; i < 5; i += 1) await echo(neighbour)
    expect(pongs()).toEqual([])
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
    ['a close code that is one byte', [{ opcode: 8, payload: Buffer.from([3]) }]],
    ['a close code that nobody may send', [{ opcode: 8, payload: Buffer.from([0x03, 0xed]) }]],
    ['a close reason that is not UTF-8', [{ opcode: 8, payload: Buffer.from([0x03, 0xe8, 0xff]) }]],
  ])('is ended by %s, and its neighbour is not', async (_, frames) => {
    const neighbour = await edge.device('berta')
    for (const frame of frames) raw.send(frame)
    await raw.closed()
    expect(pongs()).toEqual([])
    await echo(neighbour)
  })
})
