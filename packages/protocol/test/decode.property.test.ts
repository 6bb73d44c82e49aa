import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type ClientFrame, type ClientFrameType, clientDecoder, clientFrames, encodeFrame } from '../src/index.ts'
import { clientFrame } from './support/arbitraries.ts'
import { utf8 } from './support/decoding.ts'
import { fullClient } from './support/frames.ts'

const decode = clientDecoder()
const schemas: Record<string, { safeParse(value: unknown): { success: boolean } }> = clientFrames()

const CODES = ['invalid_json', 'invalid_frame', 'unknown_type', 'too_large']
const FIELD = /^[A-Za-z]+(\.\d+(\.[A-Za-z]+)?)?$/

/** What must hold whatever came in; gives whether it was taken. */
function takenSafely(bytes: Uint8Array): boolean {
  const decoded = decode(bytes)
  expect(Object.getOwnPropertyNames(Object.prototype)).toEqual(prototype)
  if (decoded.ok) {
    expect(schemas[decoded.frame.type]?.safeParse(decoded.frame).success).toBe(true)
  } else {
    expect(CODES).toContain(decoded.fault.code)
    if (decoded.fault.field !== undefined) expect(decoded.fault.field).toMatch(FIELD)
  }
  return decoded.ok
}
const prototype = Object.getOwnPropertyNames(Object.prototype)

describe('whatever comes in, the decoder neither throws nor touches a prototype (security 19)', () => {
  test('any bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        takenSafely(bytes)
      }),
      { numRuns: 2_000 },
    )
  })

  test('any JSON', () => {
    fc.assert(
      fc.property(fc.json({ stringUnit: 'binary' }), (text) => {
        takenSafely(utf8(text))
      }),
      { numRuns: 1_000 },
    )
  })

  test('frames with bytes changed, added, and left out', () => {
    const change = fc.record({ at: fc.nat(), remove: fc.nat({ max: 3 }), add: fc.uint8Array({ maxLength: 4 }) })
    let refused = 0
    fc.assert(
      fc.property(clientFrame, fc.array(change, { minLength: 1, maxLength: 4 }), (frame, changes) => {
        let bytes = Buffer.from(encodeFrame(frame))
        for (const { at, remove, add } of changes) {
          const place = at % (bytes.length + 1)
          bytes = Buffer.concat([bytes.subarray(0, place), add, bytes.subarray(place + remove)])
        }
        if (!takenSafely(bytes)) refused++
      }),
      { numRuns: 2_000 },
    )
    expect(refused).toBeGreaterThan(100)
  })

  const hostile = fc.oneof(
    fc.anything({ withNullPrototype: false }),
    fc.constantFrom<unknown>({ $gt: '' }, '\ud800', '__proto__', '', -0, 1e300, [], {}, [[]], null),
  )
  const key = fc.oneof(
    fc.constantFrom('__proto__', 'constructor', 'role', 'userId', 'seq', 'sid', 'type', 'text', 'files', 'metadata'),
    fc.string(),
  )

  test('frames with fields changed and added: what is taken holds to its schema, and no other field gets through', () => {
    let [taken, refused] = [0, 0]
    fc.assert(
      fc.property(clientFrame, fc.array(fc.tuple(key, hostile), { minLength: 1, maxLength: 3 }), (frame, fields) => {
        const text = JSON.stringify(frame)
        const added = fields.flatMap(([name, value]) => {
          const json = stringified(value)
          return json === undefined ? [] : [`${JSON.stringify(name)}:${json}`]
        })
        const mutated = `${text.slice(0, -1)}${added.map((one) => `,${one}`).join('')}}`
        if (takenSafely(utf8(mutated))) taken++
        else refused++
      }),
      { numRuns: 2_000 },
    )
    expect(taken).toBeGreaterThan(0)
    expect(refused).toBeGreaterThan(500)
  })
})

/** `fc.anything` makes what JSON cannot hold, too. */
function stringified(value: unknown): string | undefined {
  try {
    return JSON.stringify(value)
  } catch {
    return undefined
  }
}

describe('valid frames', () => {
  test('come out as they went in', () => {
    const seen = new Set<ClientFrameType>()
    fc.assert(
      fc.property(clientFrame, (frame) => {
        seen.add(frame.type)
        expect(decode(encodeFrame(frame))).toEqual({ ok: true, frame: JSON.parse(JSON.stringify(frame)) })
      }),
      { numRuns: 2_000 },
    )
    expect([...seen].sort()).toEqual(Object.keys(fullClient).sort())
  })

  test('are the same whatever the order of their fields and the white space between them', () => {
    fc.assert(
      fc.property(clientFrame, (frame) => {
        const turned = Object.fromEntries(Object.entries(frame).reverse())
        const spaced = ` ${JSON.stringify(turned, undefined, '\t')}\r\n`
        expect(decode(utf8(spaced))).toEqual({ ok: true, frame: JSON.parse(JSON.stringify(frame)) })
      }),
    )
  })

  test('hold nothing to sanitise, so that decoding again changes nothing', () => {
    const raw = fc.string({ unit: 'binary', maxLength: 200 })
    fc.assert(
      fc.property(raw, raw, raw, (text, name, value) => {
        const sent = { ...fullClient['message.send'], text, files: [{ fileId: 'f', name }], metadata: { value } }
        const once = decode(utf8(JSON.stringify(sent)))
        if (once.ok) expect(decode(encodeFrame(once.frame))).toEqual(once)
        else expect(Buffer.byteLength(name)).toBeGreaterThan(255)
      }),
      { numRuns: 1_000 },
    )
  })
})

describe('a fault holds nothing of the frame but harmless ids (M1)', () => {
  // No word of ours has this in it, so where it turns up it came from the frame.
  const CANARY = 'zq7'
  const canary = fc.string({ unit: fc.constantFrom(...'abcZ019 ._-ä€'), maxLength: 8 }).map((rest) => CANARY + rest)
  const value = fc.letrec<{ any: unknown }>((tie) => ({
    any: fc.oneof(
      { depthSize: 'small' },
      canary,
      fc.dictionary(canary, tie('any'), { maxKeys: 2 }),
      fc.array(tie('any'), { maxLength: 2 }),
    ),
  })).any
  const types = Object.keys(fullClient) as ClientFrameType[]

  test('neither a value nor a name that the sender chose', () => {
    let refused = 0
    const fields = fc.constantFrom(
      ...types.flatMap((type) => Object.keys(fullClient[type]).map((name) => [type, name])),
    )
    fc.assert(
      fc.property(fields, canary, value, fc.boolean(), ([type = '', name = ''], newName, content, rename) => {
        const frame: Record<string, unknown> = { ...fullClient[type as ClientFrameType] }
        frame[rename ? newName : name] = content
        const decoded = decode(utf8(JSON.stringify(frame)))
        if (decoded.ok) return
        refused++
        const { requestId: _, clientMessageId: __, ...said } = decoded.fault
        expect(JSON.stringify(said)).not.toContain(CANARY)
      }),
      { numRuns: 3_000 },
    )
    expect(refused).toBeGreaterThan(500)
  })

  test('the ids are those of the frame, and of a harmless form', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 80 }), (id) => {
        const decoded = decode(utf8(JSON.stringify({ type: 'ping', requestId: id, clientMessageId: id })))
        if (decoded.ok) throw new Error('clientMessageId is no field of ping')
        const harmless = /^[A-Za-z0-9_.:-]{1,64}$/.test(id) ? id : undefined
        expect(decoded.fault.requestId).toBe(harmless)
        expect(decoded.fault.clientMessageId).toBe(harmless)
      }),
    )
  })
})

test('the compiled schemas and the plain ones agree', () => {
  const anyField = fc.dictionary(fc.constantFrom('sid', 'seq', 'text', 'modelId', 'files', 'metadata'), fc.jsonValue())
  fc.assert(
    fc.property(clientFrame, anyField, (frame: ClientFrame, fields) => {
      const text = JSON.stringify({ ...frame, ...fields })
      const plain = schemas[frame.type]?.safeParse(JSON.parse(text))
      expect(decode(utf8(text)).ok).toBe(plain?.success)
    }),
    { numRuns: 2_000 },
  )
})
