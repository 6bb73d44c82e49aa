export const FAILING =
  'This is the beginning of an answer that will not come to its end. It starts well, says what it is going to say, and then, in the middle of a sentence that had'

export const CODE = `This is all that a page needs for a chat of its own, with the client library of Chatbox:

\`\`\`ts
import { createChat } from '@chatbox/client'

const chat = createChat({
  url: 'https://chat.example.com',
  // Your site knows its users: it signs a token for each of them.
  token: async () => (await fetch('/my/chat-token')).text(),
})

chat.on('answer', ({ text, status }) => {
  document.querySelector('#answer').textContent = text
  if (status === 'done') console.log('The model has finished.')
})

chat.connect()
await chat.send({ text: 'How does this work?' }).accepted
\`\`\`

The token is made on your server, with a secret that never leaves it:

\`\`\`js
import { SignJWT } from 'jose'

const token = await new SignJWT({ sub: user.id, name: user.name })
  .setProtectedHeader({ alg: 'HS256' })
  .setExpirationTime('1h')
  .sign(secret)
\`\`\`

Inside a sentence, code looks like \`this\`. The block above should be shown as it is, with its indentation, and with a way to copy it.`

export const FORMATTING = `# What can be formatted

Answers may use Markdown. This one uses most of it, so that you can see how each part looks.

## In a sentence

Words can be **strong**, *emphasised*, ***both***, ~~struck out~~ or \`code\`. A link such as [the Markdown guide](https://www.markdownguide.org) opens in a new tab, and only if its address is an ordinary one.

## Lists

1. First things first.
2. Lists may have lists in them:
   - this is one,
   - and this is another.
3. And that was the third.

## A table

| shape | processes | database | for |
|:--|--:|:--|:--|
| embedded | 1 | a file | trying it, small sites |
| distributed | any number | MongoDB | many users, no single point of failure |

## A quotation

> What can be said at all can be said clearly.

## What is not shown

Raw HTML is text, not markup: <b>this is not bold</b>, and <script>alert('this does not run')</script> does nothing. Images are not loaded: ![a picture](https://example.com/picture.png).

---

That was everything. Say **code** for a block of code, or **long** for several pages of text.`
