/**
 * Answers overtake each other on a busy line. `take` is called with an answer unless one that was
 * asked for later has been taken already: what is shown never goes back in time.
 */
export function newest(): <T>(ask: () => Promise<T>, take: (found: T) => void) => Promise<void> {
  let asked = 0
  let taken = 0
  return async (ask, take) => {
    asked += 1
    const turn = asked
    const found = await ask()
    if (turn < taken) return
    taken = turn
    take(found)
  }
}
