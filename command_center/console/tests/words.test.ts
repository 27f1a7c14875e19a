import { describe, expect, test } from 'vitest'
import { destination } from '@/router'
import { remaining, span } from '@/components/time'
import { Problem } from '@/api/problem'
import { canDial, lossOf } from '@/views/consultation/words'
import type { Participant } from '@/api/types'

const ONE: Participant = {
  id: '1', kind: 'site', name: 'a', protocol: 'sip', state: 'unregistered', reason_code: null, reason_text: null,
  microphone_muted: false, speaker_muted: false, in_picture: false, joined_at: null, stats: null, join_url: null,
}

describe('words', () => {
  test('a countdown says how long is left and how late it is', () => {
    const now = Date.parse('2026-11-21T03:00:00Z')
    expect(remaining('2026-11-21T03:42:00Z', now)).toBe('剩 42 分')
    expect(remaining('2026-11-21T02:52:00Z', now)).toBe('超时 8 分')
    expect(span(26 * 3600 * 1000)).toBe('1 天 2 时')
  })
  test('an unanswered request says that nothing typed is lost', () => {
    expect(new Problem(0, 'no_connection', null).words('zh-CN')).toContain('已填内容不会丢失')
  })
  test('a log-in never leads to another site', () => {
    expect(destination('//evil.example/desk')).toBe('/')
    expect(destination('/incidents/1')).toBe('/incidents/1')
  })
  test('phones come by themselves and are not dialled; rooms are', () => {
    expect(canDial(ONE)).toBe(true)
    expect(canDial({ ...ONE, protocol: 'webrtc' })).toBe(false)
    expect(canDial({ ...ONE, state: 'joined' })).toBe(false)
  })
  test('the loss shown is the worse of both directions', () => {
    expect(lossOf({ ...ONE, stats: { loss_pct: 1, in: { loss_pct: 1 }, out: { loss_pct: 7 } } })).toBe(7)
  })
})
