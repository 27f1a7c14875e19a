import { describe, expect, test } from 'vitest'
import { blankForm, faultsOf, reportOf, type ReportForm } from '@/views/report/form'

const NOW = new Date('2026-11-21T03:00:30+08:00')

function filled(changes: Partial<ReportForm> = {}): ReportForm {
  return {
    ...blankForm(NOW), title: 'a', place_name: 'b', region_code: '440229', longitude: 113.86, latitude: 24.4,
    occurred_unknown: true, reporter_name: 'c', signer: 'd', ...changes,
  }
}

describe('the report form', () => {
  test('starts with every figure unknown, so that nothing is claimed by default', () => {
    expect(Object.values(reportOf(blankForm(NOW)).casualties).every((value) => value === null)).toBe(true)
  })
  test('has no fault once what the law asks for is there', () => {
    expect(faultsOf(filled(), NOW.getTime())).toEqual({})
  })
  test('asks for a named signer', () => {
    expect(faultsOf(filled({ signer: ' ' }), NOW.getTime()).signer).toBe('required')
  })
  test('refuses what occurred after it was received, and what lies in the future', () => {
    const late = filled({ occurred_unknown: false, occurred_at: '2026-11-21T03:00:30+08:00', received_at: '2026-11-21T02:00:00+08:00' })
    expect(faultsOf(late, NOW.getTime()).occurred_at).toBe('order')
    expect(faultsOf(filled({ sent_at: '2026-11-22T03:00:00+08:00' }), NOW.getTime()).sent_at).toBe('notFuture')
  })
  test('refuses a position outside the country and a half person', () => {
    expect(faultsOf(filled({ longitude: 13.4, latitude: 52.5 }), NOW.getTime()).position).toBe('badPosition')
    const form = filled()
    form.figures.deaths = { value: 1.5, unknown: false, pending: false }
    expect(faultsOf(form, NOW.getTime()).deaths).toBe('badNumber')
  })
  test('keeps zero apart from unknown and sends pending by name', () => {
    const form = filled()
    form.figures.deaths = { value: 0, unknown: false, pending: true }
    const report = reportOf(form)
    expect(report.casualties.deaths).toBe(0)
    expect(report.casualties.missing).toBeNull()
    expect(report.pending).toEqual(['deaths'])
  })
})
