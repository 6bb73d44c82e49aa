/** What is said to "long": more than 2 000 words, so that there is time to stop, reload and look at two devices. */
export const GUIDE = `# From your key press to the last word

You asked for a long answer, so here is the whole story of one: what happens between the moment you press Enter and the moment the last word of an answer stands on your screen. It takes a few minutes to be told, and that is on purpose. You can use them to reload this page in the middle of a sentence, to open it in a second tab, or to press *Stop*. What has been said until then will be kept.

## 1. A message leaves your device

Before your message is sent, your browser gives it an id of its own. This id is the most important part of what follows, because networks have an unpleasant habit: when no reply comes, nobody can tell whether the request was lost or the reply was. A browser that simply sends again would say everything twice; one that does not send again would sometimes say nothing at all.

With an id of its own the message can be sent as often as necessary. The server keeps it once, and answers each repetition with the same confirmation. If the same id ever came with another text, that would be a mistake somewhere, and it is refused as one. So the browser does what it should do: it sends, it waits, and if it hears nothing it sends again, after a reload and on another connection too. You see the message at once, marked as being on its way; the mark goes when the confirmation has come.

## 2. The edge, which keeps nothing

The first service that your message meets is called the *edge*. It holds the connection between your browser and the server: one WebSocket, on which each message is one small JSON object. The edge knows who you are, because your first frame carried a token that was signed by the site that you use. It checks that the page you came from is one of those that may connect at all, that the frame is well formed, that no text is longer than allowed, and that you are not sending faster than a person can.

Then it does something that may be surprising: it puts your message on a log, and forgets it. An edge has no memory that another edge would need. Everything that must outlive a connection lives elsewhere. That is why any number of edges can stand side by side, why you can be connected to any of them, and why nothing is lost when one of them is switched off while you are typing. Your browser notices that the connection is gone, goes to another one, and carries on.

## 3. The one writer

The log is read by the service called *storage*. For each user there is exactly one place that writes, at any one time: users are divided into partitions, and each partition has one owner. Because there is only one writer, the order of things is never in question. Your message gets the next number of the conversation, and the place for its answer gets the number after that. Numbers have no gaps, and the time of day decides nothing; clocks of different machines disagree too often to be trusted with such things.

What if an owner hangs, another one takes over, and the first one wakes up again and wants to go on where it was? It can try. Each owner has a number too, which is higher than that of the owner before, and the places that it wants to write to know the highest number that they have seen. Somebody who comes with a lower one is turned away. This is called a fence, and there are several of them in this system; they are the reason why it needs very few locks.

## 4. Accepted means stored

Only when your message has been written, and the database has confirmed that it will survive a power failure, are your devices told about it. To you that is a small change of a symbol. To the system it is a promise: a message that was shown as accepted is in the history, once, for good.

If the message can't be stored, you are told that as well, within a few seconds, with an error that says whether it is worth trying again. There is no state in which a message waits for ever in the hope that something will turn up. That sounds obvious, but it has to be built: every wait in the system has an end, and every end has a consequence that somebody has thought about.

The text of your message is encrypted before it reaches the database. Each conversation has a key of its own, and that key is itself encrypted with a key which only the operator of the server has. So a copy of the database alone is of no use to anybody. When a conversation is erased, its key is destroyed first, and with it all that was ever written in it becomes unreadable, in backups too.

## 5. Waiting for a turn

The question is stored; now somebody has to answer it. Storage puts a job into a queue, and the job says nothing but which answer is wanted. It holds no text, because what lies in a queue can be read by whoever looks after the queue.

Within one conversation, answers are written one after the other. If you ask three questions in a row, the second answer begins when the first has ended, so that each can take into account what was said before it. Across conversations there is no such order: as many answers are written at the same time as there are workers to write them. While your question waits, you see that it is pending, because nothing is more annoying than a screen that does not say whether anything is going on.

## 6. The worker begins

A *worker* takes the job. The first thing it does is to claim the answer: it raises a counter in the database, from the number that it has read to the next one, and only if nobody else has raised it in the meantime. If two workers try this at the same moment, exactly one of them succeeds, and the other one quietly leaves. The counter is called the *attempt*, and from now on everything that this worker writes carries its number.

Then the worker collects what the model needs to know. A model has no memory between two requests; it has to be handed the conversation each time. There is a limit to how much it can read, so the worker begins with your question and walks backwards through the conversation, until the budget is used up. What is oldest is left out first. An answer that you have replaced by another one is not part of it, and neither is anything that you wrote after the question.

## 7. The model speaks

Now the model is asked, and it answers in small pieces: half a word, a word, a punctuation mark. The first piece is passed on at once, because the time until the first word is what feels fast or slow. After that the worker collects what comes in, and sends it on about thirty times a second, for all the answers that it is writing, together. You do not notice the difference, but the machines do: it is the difference between ten thousand small messages and a few hundred.

Each portion has a number, and once a portion has been given its number it never changes. If the worker does not hear whether a portion arrived, it sends exactly the same bytes again, and the receiver can tell that it has them already. Nothing is ever added to a portion that may be on its way. It is a small rule, and without it one would sooner or later find a word twice, or not at all.

## 8. On all your screens

The portions reach every device on which you are signed in, at the same time. A device that is slow may have some of them skipped; it then receives a snapshot, which is all of the text so far, and goes on from there. A device that joins in the middle is treated in the same way. And when your connection breaks, your browser comes back with the last position that it has seen, and receives what it missed, in order, without gaps and without repetitions.

If so much time has passed that the server cannot give you everything any more, it says so, plainly, and your browser loads the conversation again. What it never does is to pretend. Most errors in systems like this one are not spectacular; they are small gaps that nobody notices until somebody relies on what is missing.

## 9. When something breaks

Models fail. They are overloaded, they stop in the middle of a sentence, or they say nothing for half a minute. There are limits for each of these: for the first word, for the pause between two words, and for the whole answer. If a fault happens before you have seen anything, the worker waits a moment and asks again, and you never learn about it. If it happens later, the text that you have seen is taken back, visibly, and the answer begins anew under the next attempt. Two attempts are never mixed.

Workers fail, too. When one of them dies, its job goes to another, which claims the answer with a higher number. Should the first one turn out to be alive after all, only very slow, then whatever it still tries to write carries the lower number, and is refused. And should everybody involved die at the same time, there is a last resort: storage looks through the unfinished answers every few seconds and does what has to be done about them. That is how it can be promised that every question comes to an end, and to one end only.

## 10. When you have had enough

You can stop an answer whenever you like, from any device. Your wish is written down first, and then sent as a signal. The signal makes it fast; the note makes it certain, because workers look at the notes of all their answers once a second. The request to the model is ended, so that nobody pays for words that nobody wants to read. What was said until then stays in the conversation, and so does the number of tokens that it took, even where it had to be estimated. An estimate is marked as an estimate.

## 11. The last word

How does anybody know that an answer is complete? Not by the connection coming to an end: connections end for all sorts of reasons. Every model has its own way of saying that it has finished, and only when that mark has been seen is the answer called *done*. Without it, the answer has failed, however complete it may look.

The finished text is recorded, so that nothing can be added to it any more, and then sent to storage, which writes it into the place that was reserved for it at the very beginning. Your devices are told that the answer is done, together with its length and a fingerprint. Each of them compares these with what it has on the screen. If they differ, and they hardly ever do, the device fetches the stored text. In the end, what you read is what is stored, on every screen, to the letter.

## 12. What is missing from this story

I have left out a good deal: how a person can be brought into a conversation without a single word of the model slipping through afterwards; how keys are exchanged while everything is running; how a server that is about to stop says goodbye to ten thousand connections without all of them coming back in the same second. If you would like to know more, the documents that come with Chatbox describe the protocol frame by frame and the rules one by one, each with the reason for it.

As for me, I am only the demo model, and everything that I said was written down beforehand. But it came to you by exactly the way that it describes: through the edge, the log, the one writer, the queue, a worker, a few thousand small portions, and one end mark. Here it comes.`
