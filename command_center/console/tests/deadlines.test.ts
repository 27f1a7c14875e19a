import { describe, expect, test } from 'vitest'
import type { Clock } from '@/api/types'
import { isRunning, nextClock } from '@/stores/deadlines'

function clock(due: string, changes: Partial<Clock> = {}): Clock {
  return { id: due, label: '', basis: '', starts_at: '2026-01-01T00:00:00Z', due_at: due, done_at: null, state: 'running', to_whom: '', ...changes }
}

describe('the next statutory deadline', () => {
  test('is the one due first, whatever the order of the list', () => {
    const clocks = [clock('2026-01-01T04:00:00Z'), clock('2026-01-01T02:00:00Z'), clock('2026-01-01T03:00:00Z')]
    expect(nextClock({ clocks })?.due_at).toBe('2026-01-01T02:00:00Z')
  })
  test('passes over what is done or closed', () => {
    const clocks = [clock('2026-01-01T01:00:00Z', { state: 'done', done_at: '2026-01-01T00:30:00Z' }), clock('2026-01-01T02:00:00Z', { state: 'closed' })]
    expect(nextClock({ clocks })).toBeNull()
  })
  test('stays in sight when it is late and not yet met', () => {
    expect(isRunning(clock('2026-01-01T01:00:00Z', { state: 'late' }))).toBe(true)
    expect(isRunning(clock('2026-01-01T01:00:00Z', { state: 'late', done_at: '2026-01-01T02:00:00Z' }))).toBe(false)
  })
})
