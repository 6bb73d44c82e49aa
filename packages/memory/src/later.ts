export type Later = (task: () => void) => void

/**
 * Runs tasks in their order, in a later turn of the event loop: what is published never comes back inside the publisher's
 * own stack, as it would not over a network. One task's fault does not keep the others from running.
 */
export function laterQueue(onError: (error: unknown) => void): Later {
  let tasks: (() => void)[] = []

  function run(): void {
    const due = tasks
    tasks = []
    for (const task of due) {
      try {
        task()
      } catch (error) {
        onError(error)
      }
    }
  }

  return (task) => {
    if (tasks.push(task) === 1) setImmediate(run)
  }
}
