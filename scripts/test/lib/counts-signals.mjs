// Says each signal it gets, and ends in the way it is told to.
const [end] = process.argv.slice(2)
let interrupts = 0
process.on('SIGINT', () => {
  interrupts += 1
  console.log(`interrupt ${interrupts}`)
  if (interrupts < 2) return
  if (end === 'signal') process.kill(process.pid, 'SIGKILL')
  process.exit(7)
})
setInterval(() => undefined, 1000)
console.log('ready')
