import { describe, expect, test } from 'vitest'
import {
  afterClose,
  answerNotices,
  answerRefView,
  answerView,
  clientFrames,
  closeCodes,
  defaultLimits,
  errorBody,
  errorCodes,
  errorView,
  feedbackView,
  fileView,
  HARD_FRAME_LIMIT,
  loggedFrames,
  modelView,
  noticeCodes,
  serverFrames,
  sessionView,
  spokenView,
  UNAUTHENTICATED_FRAME_LIMIT,
  usageView,
} from '../src/index.ts'
import { bracedNamesAfter, page, quoted, quotedNames, tableAfter } from './support/document.ts'
import { fieldsOf } from './support/shape.ts'

describe('docs/PROTOCOL.md and the schemas say the same', () => {
  const client = clientFrames()
  const clientRows = new Map(tableAfter('<!-- frames:client -->').map((row) => [quoted(row[0]), row[1] ?? '']))

  test('the same frames go to the server', () => {
    expect([...clientRows.keys()]).toEqual(Object.keys(client))
  })

  test.each(Object.entries(client))('the fields of %s', (type, schema) => {
    const named = quotedNames(clientRows.get(type) ?? '')
    // `requestId?` may stand in every frame, and is said once, above the table.
    const expected = fieldsOf(schema, 'type').filter((name) => name !== 'requestId?')
    expect(named.sort()).toEqual(expected)
    expect(fieldsOf(schema).some((name) => name.startsWith('requestId'))).toBe(true)
  })

  const serverRows = new Map(tableAfter('<!-- frames:server -->').map((row) => [quoted(row[0]), row]))

  test('the same frames go to the client', () => {
    expect([...serverRows.keys()]).toEqual(Object.keys(serverFrames))
  })

  test.each(Object.entries(serverFrames))('the fields of %s', (type, schema) => {
    // Logged frames carry `at`, those of watchers `of`: said once, above the table. `ready` names its own `at`.
    const without = type === 'ready' ? ['type'] : ['type', 'at', 'of']
    expect(quotedNames(serverRows.get(type)?.[2] ?? '').sort()).toEqual(fieldsOf(schema, ...without))
  })

  test('the same frames are logged, and only they carry a position', () => {
    const logged = [...serverRows].filter(([, row]) => row[1] === 'yes').map(([type]) => type)
    expect(logged).toEqual([...loggedFrames])
    const positioned = Object.entries(serverFrames).filter(([, schema]) => 'at' in schema.shape)
    expect(positioned.map(([type]) => type)).toEqual(['ready', ...loggedFrames])
  })

  test.each([
    ['A file is', fieldsOf(clientFrames()['message.send'].shape.files.unwrap().element)],
    ['A file is', fieldsOf(fileView)],
    ['`message.answer`, when there is one, is', fieldsOf(answerRefView)],
    ['`usage` is', fieldsOf(usageView)],
    ['`error` in `answer.done` is', fieldsOf(errorView)],
    ['`models` is a list of', fieldsOf(modelView)],
    ['`session`: ', fieldsOf(sessionView)],
    ['`feedback?`: `', fieldsOf(feedbackView)],
  ])('%s', (words, fields) => {
    expect(bracedNamesAfter(words).sort()).toEqual(fields)
  })

  test('what `ready.limits` names', () => {
    const line = page.split('\n').find((one) => one.startsWith('`limits` holds'))
    expect(quotedNames(line ?? '')).toEqual(['limits', ...Object.keys(defaultLimits)])
  })

  test('a message in history has the fields of the frame', () => {
    expect(fieldsOf(serverFrames.message, 'type', 'at', 'of')).toEqual(fieldsOf(spokenView))
    const own = [
      'answerId',
      'author',
      'error?',
      'feedback?',
      'kind',
      'modelId',
      'notices?',
      'seq',
      'sid',
      'status',
      'text',
      'ts',
      'usage?',
    ]
    expect(fieldsOf(answerView)).toEqual(own.sort())
  })

  test('an error over REST', () => {
    const named = /`\{"error": \{([^}]*)\}\}`/.exec(page)?.[1]?.replaceAll('"', '').split(', ')
    expect(named?.sort()).toEqual(fieldsOf(errorBody.shape.error))
  })

  test('the same error codes, retryable or not', () => {
    const rows = tableAfter('<!-- errors -->').map((row) => [quoted(row[0]), row[1]])
    const coded = Object.entries(errorCodes).map(([code, { retryable }]) => [code, retryable ? 'yes' : 'no'])
    expect(rows).toEqual(coded)
  })

  test('the same close codes, and what a client does on each', () => {
    const rows = tableAfter('<!-- close-codes -->').map((row) => [Number(row[0]), quoted(row[1]), row[2]])
    const coded = Object.entries(closeCodes).map(([name, { code, after }]) => [code, name, after])
    expect(rows).toEqual(coded)
    for (const [code, , after] of rows) expect(afterClose(Number(code))).toBe(after)
  })

  test('the same notices of an answer', () => {
    const told = page.split('\n').flatMap((line) => /^- `(context_\w+|model_\w+)`: /.exec(line)?.[1] ?? [])
    expect(told).toEqual([...answerNotices])
  })

  test('the same notice codes', () => {
    const line = page.split('\n').find((one) => one.startsWith('Notice codes:'))
    expect(quotedNames(line ?? '')).toEqual([...noticeCodes])
  })

  test('the same limits', () => {
    const rows = new Map(tableAfter('| limit | default |').map((row) => [row[0], numbersOf(row[1] ?? '')]))
    expect(Object.fromEntries(rows)).toEqual({
      'text of a message': [defaultLimits.text],
      'a metadata value': [defaultLimits.metadataValue, defaultLimits.metadataEntries],
      'file id': [defaultLimits.fileId, defaultLimits.files],
      url: [defaultLimits.url],
      'model id': [defaultLimits.modelId],
      'session id': [defaultLimits.sessionId],
      frame: [defaultLimits.frame],
      'frame, hard': [HARD_FRAME_LIMIT],
      'frame before `hello` was accepted': [UNAUTHENTICATED_FRAME_LIMIT],
    })
  })
})

/** `1 000 bytes, 16 entries` has two numbers; a space, breaking or not, stands between thousands. */
const numbersOf = (cell: string): number[] =>
  [...cell.matchAll(/\d+(?:[ \u00a0\u202f]\d{3})*/g)].map((match) => Number(match[0].replaceAll(/\D/g, '')))
