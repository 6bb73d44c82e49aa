import { randomBytes } from 'node:crypto'
import { type BusListener, type EventPacket, type Fabric, type UserId, userId } from '@chatbox/core'
import { createKeyring, sealedFabric } from '@chatbox/crypto'
import { memoryFabric } from '@chatbox/memory'
import { createVerifier, signToken } from '@chatbox/runtime'

/** One part of what a promise costs: microseconds of one call, alone in this process. */
export interface Cost {
  readonly what: string
  readonly us: number
}

const ROUNDS = 15
const PER_ROUND = 400

export async function measureGuarantees(): Promise<Cost[]> {
  const keyring = createKeyring({ keys: [{ id: 'k1', key: randomBytes(32) }] })
  const memory = memoryFabric({ bounds: { logEvents: 10 } })
  const sealed = sealedFabric(memory, keyring, { onUnopenable: () => undefined })
  const box = keyring.box('user', 'somebody')
  const aad = randomBytes(40)
  const texts = [200, 2_000].map((bytes) => randomBytes(bytes))
  const values = texts.map((text) => box.seal(text, aad))
  const secret = randomBytes(32).toString('base64url')
  const verifier = createVerifier({ secret })
  const tokens: string[] = []
  const tokenCount = ROUNDS * PER_ROUND + PER_ROUND
  for (let i = 0; i < tokenCount; i++) tokens.push(await signToken({ secret, userId: `u-${i}`, ttlMs: 3_600_000 }))
  const [again = ''] = tokens
  let user = 0
  const newUser = (): UserId => userId(`user-${user++}`)

  const costs: [what: string, call: (i: number) => unknown][] = [
    ...texts.flatMap((text, i): [string, () => unknown][] => [
      [`sealing ${text.length} bytes`, () => box.seal(text, aad)],
      [`opening ${text.length} bytes`, () => box.open(values[i] ?? text, aad)],
    ]),
    ["a user's keys, made when the first event is sealed", () => keyring.box('user', `u-${user++}`).seal(aad, aad)],
    ['a token, the first time', (i) => verifier.verify(tokens[i % tokens.length] ?? '')],
    ['a token that is remembered', () => verifier.verify(again)],
    ['an event to one device: logged, published, received', await delivery(memory)],
    ['the same, sealed', await delivery(sealed)],
    ['a new user connects: subscribe', async () => (await sealed.bus.subscribe(newUser(), NOBODY))()],
    [
      'the same, then reads the log and the open answers',
      async () => {
        const uid = newUser()
        const leave = await sealed.bus.subscribe(uid, NOBODY)
        await sealed.bus.top(uid)
        await sealed.bus.read(uid, await sealed.bus.top(uid))
        await sealed.answers.snapshot(uid)
        await leave()
      },
    ],
  ]
  const measured: Cost[] = []
  for (const [what, call] of costs) measured.push({ what, us: await best(call) })
  await memory.close()
  return measured
}

const NOBODY: BusListener = { event: () => undefined, gap: () => undefined }

const EVENT: EventPacket = { header: { class: 'logged', type: 'message' }, body: randomBytes(200) }

/** Sends one event to somebody who listens already; each call waits until it is there. */
async function delivery({ bus }: Fabric): Promise<() => Promise<void>> {
  const uid = userId('somebody who listens')
  let arrived: () => void = () => undefined
  await bus.subscribe(uid, { event: () => arrived(), gap: () => undefined })
  return () =>
    new Promise((resolve, reject) => {
      arrived = resolve
      bus.append(uid, EVENT, 1).catch(reject)
    })
}

/** The best of several rounds, as with the codec: what else the machine does only ever adds. */
async function best(call: (i: number) => unknown): Promise<number> {
  let least = Number.POSITIVE_INFINITY
  for (let round = 0, i = 0; round <= ROUNDS; round++) {
    const start = process.hrtime.bigint()
    for (let n = 0; n < PER_ROUND; n++) await call(i++)
    const us = Number(process.hrtime.bigint() - start) / 1_000 / PER_ROUND
    // The first round warms up.
    if (round > 0) least = Math.min(least, us)
  }
  return least
}
