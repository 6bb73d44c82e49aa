export * from './secrets.ts'
export * from './urls.ts'
export * from './values.ts'
