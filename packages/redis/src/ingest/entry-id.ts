/** An entry's id is good for one life of the server: a log that was lost gives the same ids again (docs/decisions/0005). */
export const entryId = (run: string, streamId: string): string => `${run}.${streamId}`

/** Its place in the stream, if it is of that life. */
export const streamIdIn = (run: string, id: string): string | undefined =>
  id.startsWith(`${run}.`) ? id.slice(run.length + 1) : undefined
