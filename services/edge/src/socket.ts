/** The little of a WebSocket that a connection needs; the transport supplies it. */
export interface Socket {
  /** `dropped`: the transport's own bound was passed and the frame is gone. */
  send(frame: Uint8Array): 'sent' | 'buffered' | 'dropped'
  /** Bytes that the peer has not taken yet. */
  buffered(): number
  close(code: number, reason: string): void
}

/** What the transport tells a connection. Nothing comes after `closed`. */
export interface SocketListener {
  message(frame: Uint8Array, binary: boolean): void
  /** The peer has taken what was buffered, or some of it. */
  drained(): void
  closed(code: number): void
}
