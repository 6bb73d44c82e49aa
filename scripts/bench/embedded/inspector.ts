import { WebSocket } from 'ws'

/** A process that was started with `--inspect`, seen from here. */
export interface Inspector {
  /** Has all garbage collected; resolves with the KiB of the heap that are in use then. */
  collect(): Promise<number>
  close(): void
}

interface Answer {
  readonly id?: number
  readonly result?: { readonly usedSize?: number }
}

export async function openInspector(url: string): Promise<Inspector> {
  const socket = new WebSocket(url, { perMessageDeflate: false })
  const waiting = new Map<number, (answer: Answer) => void>()
  let asked = 0
  socket.on('message', (data) => {
    const answer = JSON.parse(String(data)) as Answer
    if (answer.id !== undefined) waiting.get(answer.id)?.(answer)
  })
  await new Promise((resolve, reject) => {
    socket.once('open', resolve)
    socket.once('error', reject)
  })
  const ended = new Promise<never>((_, reject) => {
    socket.once('close', () => reject(new Error('the inspected process has gone')))
  })
  // Nobody may be asking when it goes.
  ended.catch(() => undefined)
  function ask(method: string): Promise<Answer> {
    const id = ++asked
    const answered = new Promise<Answer>((resolve) => waiting.set(id, resolve))
    socket.send(JSON.stringify({ id, method }))
    return Promise.race([answered, ended])
  }

  return {
    async collect() {
      // What the first collection frees may be all that something else was kept by.
      for (let i = 0; i < 3; i++) await ask('HeapProfiler.collectGarbage')
      const { result } = await ask('Runtime.getHeapUsage')
      return (result?.usedSize ?? Number.NaN) / 1_024
    },
    close: () => socket.terminate(),
  }
}
