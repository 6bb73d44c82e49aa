import { type MessageView, type SessionView, sanitise } from '@chatbox/protocol'

/** Means something wherever it stands, in CommonMark and what GitHub adds to it. */
const ANYWHERE = /[\\`*_{}[\]<>#&|~^$]/g
/** Means something at the beginning of a line. */
const AT_START = /^(?:([+\-=:])|(\d{1,9})([.)]))/

const inline = (text: string): string => text.replace(ANYWHERE, '\\$&')

/** One line of text, whatever is in it. */
const title = (text: string): string => inline(sanitise(text).replace(/\s+/g, ' '))

/**
 * What somebody said as paragraphs and line breaks, so that no text can pass for a heading, a list, a link, or for what somebody else
 * said: read as Markdown, it shows exactly what it is.
 */
export function paragraphs(text: string): string {
  return sanitise(text)
    .split(/\n(?:\s*\n)+/)
    .map((paragraph) => paragraph.split('\n').map(line).join('\\\n'))
    .join('\n\n')
}

function line(text: string): string {
  const indent = /^\s*/.exec(text)?.[0] ?? ''
  const escaped = inline(text.slice(indent.length).trimEnd()).replace(AT_START, (_all, mark, digits, point) =>
    mark === undefined ? `${digits}\\${point}` : `\\${mark}`,
  )
  // Spaces at the beginning of a line are dropped, or make it code.
  return indent.replaceAll('\t', '    ').replace(/[^\n]/g, '&nbsp;') + escaped
}

const time = (ms: number): string => `${new Date(ms).toISOString().slice(0, 19).replace('T', ' ')} UTC`

export const markdownHead = (session: SessionView, exportedAt: number): string =>
  [
    `# ${session.name === undefined ? 'Conversation' : title(session.name)}`,
    `Begun ${time(session.startedAt)}, exported ${time(exportedAt)}.`,
    '',
  ].join('\n\n')

export function markdownOf(message: MessageView): string {
  const parts = [`## ${speaker(message)}, ${time(message.ts)}`]
  if (message.text.trim() !== '') parts.push(paragraphs(message.text))
  if (message.author === 'assistant') {
    const remark = REMARKS[message.status]
    if (remark !== undefined) parts.push(`*${remark}*`)
  } else {
    for (const { name, fileId } of message.files ?? []) parts.push(`*Attached:* ${title(name ?? fileId)}`)
  }
  return `${parts.join('\n\n')}\n\n`
}

const REMARKS = {
  done: undefined,
  pending: 'This answer was still being written.',
  cancelled: 'This answer was stopped.',
  failed: 'This answer failed.',
} as const

function speaker(message: MessageView): string {
  switch (message.author) {
    case 'user':
      return 'You'
    case 'assistant':
      return `Assistant (${title(message.modelId)})`
    case 'admin':
      return message.name === undefined ? 'Support' : `Support (${title(message.name)})`
    case 'system':
      return 'Note'
  }
}
