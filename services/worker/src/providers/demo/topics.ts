interface Topic {
  readonly words: RegExp
  readonly text: string
}

const WORDS_TO_TRY = `- **long** – an answer of several pages, with headings. Reload the page in the middle of it, or press *Stop*.
- **slow** – the same answers, word by word. It goes together with the others: *slow long*.
- **code** – a block of code. **table** or **markdown** – everything else that can be formatted.
- **fail** – the answer breaks off, as it does when a model has a fault. What was said is kept.
- **refuse** – the model declines to answer at all.
- **hang** – the model never says a word, until the time limit ends it.
- **what did I say?** – shows that the conversation is handed on to the model.`

/** The first topic counts that has the most words of the question. */
const TOPICS: readonly Topic[] = [
  {
    words: /\b(hi|hello|hey|good (morning|afternoon|evening)|greetings)\b/g,
    text: `Hello, and welcome to Chatbox.

You are talking to its built-in **demo model**. It needs no key and no network; it picks prepared answers by the words that you use. Everything around it is the real thing: your message was stored and encrypted before you saw it accepted, and this answer travels the same way as one from a large model would.

Ask me *what Chatbox is*, *how it works*, or *what to try next*.`,
  },
  {
    words: /\b(what is|what's|about|explain|describe|introduce|chatbox|product)\b/g,
    text: `**Chatbox lets a website talk to its users through a language model.** It is the part between your page and the model:

- It keeps conversations: every message is stored, encrypted, before it is shown as accepted, and none is stored twice.
- It streams answers to all devices of a user at once, and to those that come back in the middle of one.
- It survives what goes wrong in practice: a dropped connection, a killed process, a model that stops in the middle of a sentence.
- It is built so that a person of your team can step in where a model does not get any further.

You run it yourself. On one machine it is a single process with nothing to install beside Node. When that is not enough, the same services are built to run as separate processes, as many of each as you need.

Ask me *how it works* if you want to know what happens between your key press and this sentence.`,
  },
  {
    words: /\b(how|work|works|working|architecture|inside|services?|design|happens)\b/g,
    text: `Your message passes four services, each with one task.

1. The **edge** holds your WebSocket. It checks who you are and what you sent, and puts the message on a log. It keeps nothing itself.
2. **Storage** reads that log. It is the only one that writes conversations: it gives the message its place, stores it, and only then tells your devices that it was accepted.
3. The **worker** takes the question, collects what was said before it, asks the model, and passes on what the model says: the first word at once, the rest in small portions about thirty times a second.
4. When the model says that it has finished, and not a moment sooner, the answer is stored and your devices are told.

In the embedded shape, which you are probably using now, all of them run in one process and talk over in-memory adapters. The code of the services is the same in both shapes.

Say **long** if you would like the whole story.`,
  },
  {
    words: /\b(try|next|can you do|help|commands?|features?|test|demo|play|options)\b/g,
    text: `Here is what you can try with this demo. Put one of these words in a message:

${WORDS_TO_TRY}

And some things to try with the page itself:

1. Open it in a second tab and write in one of them: both show the same.
2. Reload while an answer is being written. It goes on where it is.
3. Stop the server, wait a little, and start it again. Your conversations are still there.`,
  },
  {
    words: /\b(devices?|tabs?|phone|sync|reload|reconnect|reconnects|connection|offline|resume|websocket)\b/g,
    text: `Everything that belongs to you shows on all your devices at the same time, and in the same order.

Each event of a conversation has a position. When a connection drops, your device comes back with the last position that it has seen, and gets what it missed: every event, in order, none of them twice. If too much time has passed for that, it is told so, and loads the conversation again. It never has a gap without knowing.

An answer that is being written is sent as a snapshot first, and live from there on. So you can reload this page in the middle of a sentence, or open it in another tab, and read on. Try it: say **slow**, and press reload.`,
  },
  {
    words: /\b(secure|security|encrypt|encrypted|encryption|privacy|private|safe|data|stored|store|gdpr|keys?)\b/g,
    text: `What you write is yours, and it is treated that way.

- **At rest**, messages, answers and names are encrypted with AES-256-GCM. Each conversation has a key of its own, and that key is wrapped by a key which only you, who run the server, hold.
- **In logs** there are codes and ids. What somebody wrote is never logged.
- **At the door**, only pages of origins that you name may connect, every frame is checked before anything is done with it, and tokens are never part of an address.
- **On the page**, formatted text from a model can't load or run anything: raw HTML, images and odd links stay plain text.

In the embedded shape the keys are made at the first start and lie in the data folder, readable by the owner of the process alone. Keep a copy of them: without the keys nobody can read the conversations, you included.`,
  },
  {
    words: /\b(models?|llm|gpt|openai|anthropic|claude|dify|provider|providers|ai|real)\b/g,
    text: `I am no language model. I am the **demo provider**: a few prepared texts and some rules for choosing among them, there so that you can try Chatbox without a key.

To the rest of the system a provider is one small interface: it gets the conversation, the limits and a signal that says when to stop, and it gives pieces of text, the number of tokens, and an end mark. Time limits, repetitions, cancelling, storing and streaming are the same for all of them, and none of it is a provider's business.

Two rules are worth knowing. An answer counts as done only when the provider itself says so; a connection that simply ends is a fault. And where a second try is needed after you have seen some text, that text is taken back first, so that you never read a mixture of two answers.`,
  },
  {
    words:
      /\b(install|start|run|deploy|deployment|setup|set up|docker|server|hosting|production|scale|redis|mongodb)\b/g,
    text: `To run Chatbox on your machine you need Node, and one command:

\`\`\`sh
npm start -- --port 8080 --data ./data
\`\`\`

It prints the address when it is ready. Conversations, keys and everything else that must last are in the data folder; to move to another machine, stop the process and copy that folder.

That is the **embedded** shape: one process, a file as its database. Chatbox is built for a **distributed** shape as well, in which the same services run as separate processes, any number of each, over Redis and MongoDB. You choose between them by choosing adapters; the services do not know the difference.`,
  },
  {
    words: /\b(website|page|embed|widget|integrate|integration|api|client|protocol|frontend|javascript|react)\b/g,
    text: `There are three ways to put Chatbox on a site of your own.

1. **The widget** is the chat that you see here: streaming, safe Markdown, keyboard and screen reader, dark and light.
2. **The client** is a small library for browser and Node that knows the protocol. It connects, sends, repeats what was not confirmed, resumes after a break, and gives you typed events. You draw the rest.
3. **The protocol** is one WebSocket with one JSON object per message, and a little REST for history. It is written down in full in \`docs/PROTOCOL.md\`, so that you can speak it from any language.

Your site decides who its users are: it signs a token for each of them, and Chatbox checks that token. Say **code** to see how little is needed.`,
  },
  {
    words: /\b(stop|cancel|cancelled|abort|interrupt)\b/g,
    text: `You can stop an answer at any time, from any of your devices, before its first word too.

The stop is written down first and signalled afterwards, so that it holds even if the signal is lost. The worker then ends its request to the model, which saves you what the rest would have cost. What had been said until then is kept, and marked as cancelled, and the tokens that it took are counted.

Try it: say **long**, and press *Stop* after a few sentences.`,
  },
  {
    words: /\b(crash|crashes|killed?|error|errors|fault|faults|failure|reliable|reliability|lost|lose|guarantee)\b/g,
    text: `Chatbox makes a few promises, and its tests break things on purpose to see that they hold.

- A message that was shown as accepted is stored. It is in the history exactly once, even if your browser had to send it five times.
- A question comes to exactly one end: done, failed or cancelled. Nothing stays "typing" for ever.
- If the process that writes an answer dies, the answer is done again by another one. You never see words of both.
- The text on each of your devices is the text that was stored.
- What can't be saved is answered with a clear error within seconds, and it is safe to try again.

To see a failure, say **fail**. To see one of the server, stop it while I am speaking, and start it again.`,
  },
  {
    words: /\b(thanks|thank you|cheers|great|nice|cool|awesome|perfect)\b/g,
    text: `You're welcome. If you would like to see more, ask me *what to try next*; and when you have seen enough, put a real model in my place.`,
  },
  {
    words: /\b(bye|goodbye|see you|farewell)\b/g,
    text: 'Goodbye. This conversation stays in your list, and you can go on with it whenever you like, on any of your devices.',
  },
]

/** What is said slowly where nothing else was asked for. */
export const SLOWLY = `This answer takes its time **on purpose**: each word is followed by a pause, so that you can try what happens while one is being written. Reload this page now, and it goes on where it is. Open a second tab, and you will see the same words appear in both at the same moment. Or press *Stop*: what has been said until then is kept, and the rest is never asked for. If you do none of this, nothing bad happens; it simply comes to its end, like every other answer, and is stored.`

export const OTHERWISE = `I am the built-in demo model. I choose among prepared answers by the words that I recognise, and in this message I recognised none. A real model would have answered you.

These are things that I can tell you about:

- what Chatbox is, and how it works
- your devices, and what happens when a connection drops
- security, and where your data is
- models and providers
- how to run it, and how to put it on a site

Or put one of these words in a message:

${WORDS_TO_TRY}`

export function topicFor(question: string): string | undefined {
  let best: { hits: number; text?: string } = { hits: 0 }
  for (const { words, text } of TOPICS) {
    const hits = new Set(question.match(words)).size
    if (hits > best.hits) best = { hits, text }
  }
  return best.text
}
