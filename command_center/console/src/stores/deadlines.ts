import type { Clock, Incident } from '@/api/types'

/** The statutory deadline that comes next: of the clocks still running the one due first. */
export function nextClock(incident: Pick<Incident, 'clocks'>): Clock | null {
  const running = incident.clocks.filter((clock) => isRunning(clock))
  running.sort((a, b) => Date.parse(a.due_at) - Date.parse(b.due_at))
  return running[0] ?? null
}

/** Late but not yet done still runs: a deadline missed is shown until it is met. */
export function isRunning(clock: Clock): boolean {
  return clock.done_at === null && clock.state !== 'done' && clock.state !== 'closed'
}
