import { type Bus, type EventPacket, type Position, sameLog, Unavailable, type UserId } from '@chatbox/core'

/** Reads a user's events as a careful edge does, and keeps what it came to know of them. */
export interface Follower {
  /** Texts of the logged events, in the order in which they were taken in. */
  readonly texts: readonly string[]
  /** How often it had to say that something is lost, and which texts it had by then. */
  readonly losses: readonly number[]
  readonly gaps: number
  /** Resolves when everything up to the top of the log has been taken in. */
  settled(): Promise<void>
  stop(): Promise<void>
}

export async function follow(bus: Bus, uid: UserId, textOf: (packet: EventPacket) => string): Promise<Follower> {
  const texts: string[] = []
  const losses: number[] = []
  let gaps = 0
  let last: Position | undefined
  let reading: Promise<void> | undefined
  let again = false

  /** Everything after the last event that it took in; until that has worked. */
  async function catchUp(): Promise<void> {
    do {
      again = false
      try {
        if (!last) {
          last = await bus.top(uid)
          continue
        }
        const read = await bus.read(uid, last)
        if (read.kind === 'lost') {
          losses.push(texts.length)
          last = read.top
          continue
        }
        for (const { packet, position } of read.events) take(packet, position)
      } catch (error) {
        if (!(error instanceof Unavailable)) throw error
        again = true
        await new Promise((resolve) => setTimeout(resolve, 20))
      }
    } while (again)
  }

  function doubt(): void {
    again = true
    reading ??= catchUp().finally(() => {
      reading = undefined
    })
  }

  function take(packet: EventPacket, position: Position): void {
    if (last && sameLog(last, position) && position.offset <= last.offset) return
    texts.push(textOf(packet))
    last = position
  }

  const leave = await bus.subscribe(uid, {
    event(packet, position) {
      if (!position) return
      if (reading || !last || !sameLog(last, position) || position.offset > last.offset + 1) return doubt()
      take(packet, position)
    },
    gap() {
      gaps += 1
      doubt()
    },
  })
  doubt()
  await reading

  return {
    texts,
    losses,
    get gaps() {
      return gaps
    },
    async settled() {
      for (;;) {
        await reading
        const top = await bus.top(uid)
        if (!reading && last && sameLog(top, last) && top.offset === last.offset) return
        doubt()
      }
    },
    stop: leave,
  }
}
