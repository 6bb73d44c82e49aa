import type { Collection, Db, Document, ObjectId } from 'mongodb'

export const collectionNames = [
  'sessions',
  'messages',
  'leases',
  'replicas',
  'settings',
  'disabledUsers',
  'audit',
] as const
export type CollectionName = (typeof collectionNames)[number]

/** A document as the driver takes and gives it; `documents/` knows what is in it. */
export type Row = Document & { _id: string | number | ObjectId }

export type Collections = Readonly<Record<CollectionName, Collection<Row>>>

export const collectionsOf = (db: Db): Collections => ({
  sessions: db.collection('sessions'),
  messages: db.collection('messages'),
  leases: db.collection('leases'),
  replicas: db.collection('replicas'),
  settings: db.collection('settings'),
  disabledUsers: db.collection('disabledUsers'),
  audit: db.collection('audit'),
})
