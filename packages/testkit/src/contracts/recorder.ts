import { randomUUID } from 'node:crypto'
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Bus, BusListener, EventPacket, Position, UserId } from '@chatbox/core'
import { expect, vi } from 'vitest'
import { signal, text } from './samples.ts'

export interface Recorded {
  readonly packet: EventPacket
  readonly position: Position | undefined
}

export interface Recorder {
  readonly listener: BusListener
  readonly events: readonly Recorded[]
  readonly gaps: number
  /** The bodies so far, as texts. */
  readonly texts: string[]
}

/** A listener that keeps all it hears, so that no test misses what came early. */
export function recorder(): Recorder {
  const events: Recorded[] = []
  let gaps = 0
  return {
    listener: {
      event: (packet, position) => void events.push({ packet, position }),
      gap: () => {
        gaps += 1
      },
    },
    events,
    get gaps() {
      return gaps
    },
    get texts() {
      return events.map(({ packet }) => text(packet))
    },
  }
}

/** Until the assertion holds; fails with what it last said. */
export const eventually = <T>(assertion: () => T | Promise<T>): Promise<T> =>
  vi.waitFor(assertion, { timeout: 10_000, interval: 5 })

/** Lets everything else that is due run first. */
export const turn = (): Promise<void> => nextTurn()

/** Subscribes a recorder. */
export async function record(bus: Bus, uid: UserId): Promise<Recorder> {
  const heard = recorder()
  await bus.subscribe(uid, heard.listener)
  return heard
}

/**
 * Resolves when all that was published for the user before this call has been delivered, and gives what the recorder has heard until then:
 * a marker goes the same way, and comes last.
 */
export async function heardBy(bus: Bus, uid: UserId, heard: Recorder): Promise<Recorded[]> {
  const marker = `marker ${randomUUID()}`
  await bus.signal(uid, signal(marker))
  await eventually(() => expect(heard.texts).toContain(marker))
  return heard.events.slice(0, heard.texts.indexOf(marker)).filter(({ packet }) => !text(packet).startsWith('marker '))
}

export const textsHeardBy = async (bus: Bus, uid: UserId, heard: Recorder): Promise<string[]> =>
  (await heardBy(bus, uid, heard)).map(({ packet }) => text(packet))
