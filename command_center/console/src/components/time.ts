/** Times in words: 24-hour, absolute with relative. */
import { i18n } from '@/locales'

const t = (key: string, values: Record<string, unknown> = {}) => i18n.global.t(key, values)
const two = (value: number) => String(value).padStart(2, '0')

export function hourMinute(iso: string | number | null, withSeconds = false): string {
  if (iso === null) return t('time.unknown')
  const at = new Date(iso)
  const text = `${two(at.getHours())}:${two(at.getMinutes())}`
  return withSeconds ? `${text}:${two(at.getSeconds())}` : text
}

export function dayTime(iso: string | number | null, now = Date.now()): string {
  if (iso === null) return t('time.unknown')
  const at = new Date(iso)
  const today = new Date(now)
  if (at.toDateString() === today.toDateString()) return hourMinute(iso)
  const day = `${two(at.getMonth() + 1)}-${two(at.getDate())}`
  return at.getFullYear() === today.getFullYear() ? `${day} ${hourMinute(iso)}` : `${at.getFullYear()}-${day} ${hourMinute(iso)}`
}

/** 14:32 · 12 分钟前 */
export function withAge(iso: string | null, now: number): string {
  if (iso === null) return t('time.unknown')
  return `${dayTime(iso, now)} · ${age(iso, now)}`
}

export function age(iso: string | number, now: number): string {
  const minutes = Math.floor((now - new Date(iso).getTime()) / 60_000)
  if (minutes < 1) return t('time.justNow')
  if (minutes < 60) return t('time.ago', { text: t('time.minutes', { n: minutes }) })
  if (minutes < 1440) return t('time.ago', { text: t('time.hours', { n: Math.floor(minutes / 60) }) })
  return t('time.ago', { text: t('time.days', { n: Math.floor(minutes / 1440) }) })
}

/** A length of time in the largest two units that matter. */
export function span(ms: number): string {
  const seconds = Math.floor(Math.abs(ms) / 1000)
  if (seconds < 60) return t('time.sec', { n: seconds })
  const minutes = Math.floor(seconds / 60)
  if (minutes < 60) return t('time.min', { n: minutes })
  if (minutes < 1440) return t('time.hour', { h: Math.floor(minutes / 60), m: minutes % 60 })
  return t('time.day', { d: Math.floor(minutes / 1440), h: Math.floor((minutes % 1440) / 60) })
}

/** 剩 42 分 / 超时 8 分 */
export function remaining(due: string, now: number): string {
  const left = Date.parse(due) - now
  return left >= 0 ? t('time.remaining', { text: span(left) }) : t('time.overdue', { text: span(left) })
}

/** To the minute: reports are timed in minutes, and a second must not put them out of order. */
export function minuteOf(at: Date): Date {
  return new Date(Math.floor(at.getTime() / 60_000) * 60_000)
}

export function isoWithOffset(at: Date): string {
  const offset = -at.getTimezoneOffset()
  const sign = offset >= 0 ? '+' : '-'
  const local = new Date(at.getTime() + offset * 60_000).toISOString().slice(0, 19)
  return `${local}${sign}${two(Math.floor(Math.abs(offset) / 60))}:${two(Math.abs(offset) % 60)}`
}
