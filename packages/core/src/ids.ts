/** Ids are strings that cannot be passed for one another. The brand exists in types only. */
declare const brand: unique symbol
type Branded<T, B extends string> = T & { readonly [brand]: B }

export type UserId = Branded<string, 'UserId'>
export type SessionId = Branded<string, 'SessionId'>
export type AnswerId = Branded<string, 'AnswerId'>
export type ConnectionId = Branded<string, 'ConnectionId'>
export type DeviceId = Branded<string, 'DeviceId'>
/** One running edge process. */
export type EdgeId = Branded<string, 'EdgeId'>
export type RequestId = Branded<string, 'RequestId'>
export type ClientMessageId = Branded<string, 'ClientMessageId'>
/** Who owns a partition or works on a job: one running process. */
export type ReplicaId = Branded<string, 'ReplicaId'>

export const userId = (id: string): UserId => id as UserId
export const sessionId = (id: string): SessionId => id as SessionId
export const answerId = (id: string): AnswerId => id as AnswerId
export const connectionId = (id: string): ConnectionId => id as ConnectionId
export const deviceId = (id: string): DeviceId => id as DeviceId
export const edgeId = (id: string): EdgeId => id as EdgeId
export const requestId = (id: string): RequestId => id as RequestId
export const clientMessageId = (id: string): ClientMessageId => id as ClientMessageId
export const replicaId = (id: string): ReplicaId => id as ReplicaId
