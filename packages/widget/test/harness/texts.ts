export const rich = `Here is a short tour of what an answer may hold.

## Text

Words can be **strong**, *stressed*, ~~struck out~~ or \`code\`. A [link](https://example.com/docs) says where it leads, and bare addresses such as https://example.com/help work too.

1. First, the question is accepted and kept.
2. Then the answer is written, piece by piece.
   - A piece that was missed is made up for.
   - A piece that came twice is ignored.
3. At last the text on every device is the same.

> Quotes are set apart from what the answer says itself.

## Code

\`\`\`ts
import { createChat } from '@chatbox/client'

const chat = createChat({ url: location.origin, token: () => fetchToken() })
chat.on('answer', ({ text }) => console.log(text)) // and here is a line that is too long to fit on the screen
chat.connect()
\`\`\`

### A table

| Shape | Needs | Users |
|:--|:--|--:|
| embedded | a folder | 500 |
| distributed | Redis, MongoDB | 100 000 |

![a picture of a cat](https://example.com/cat.png) is only named, never loaded. <b onclick="x()">Raw HTML</b> is text.
`

export const long = Array.from(
  { length: 40 },
  (_, n) =>
    `**Paragraph ${n + 1}.** The quick brown fox jumps over the lazy dog, and does so again for as long as anybody looks. It has been doing this for many years, and nobody has asked it to stop.`,
).join('\n\n')
