/** Something that a process starts and stops: a service, a connection, the ops server. */
export interface Part {
  readonly name: string
  /**
   * Resolves when the part can do its work. If it rejects it has cleaned up after itself: stop is not called. When `stopping` aborts,
   * a stop waits for it: a part that waits for somebody else resolves then as it is, and is stopped like the others.
   */
  start(stopping?: AbortSignal): Promise<void>
  /**
   * Stops taking work, finishes or hands back what it has, and releases everything.
   * When `deadline` aborts, it gives up what is left and resolves at once.
   */
  stop(deadline: AbortSignal): Promise<void>
  /** All parts have started. */
  ready?(): void
  /** A stop begins; parts still run. The ops part turns unready here, because load balancers notice late. */
  drain?(): void
  /** Where the started part listens, for the log and for whoever wants to print it (S9). */
  addresses?(): readonly string[]
}
