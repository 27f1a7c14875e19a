/** Chinese first, English second; the choice is kept on this machine. */
import { createI18n } from 'vue-i18n'
import en from './en'
import zh from './zh-CN'

export type Locale = 'zh-CN' | 'en'
const KEY = 'cc.locale'

export const i18n = createI18n({
  legacy: false,
  locale: 'zh-CN' as string,
  fallbackLocale: 'zh-CN',
  messages: { 'zh-CN': zh, en } as Record<string, typeof zh>,
  missingWarn: false,
  fallbackWarn: false,
})

export function preferredLocale(): Locale {
  const kept = localStorage.getItem(KEY)
  return kept === 'en' || kept === 'zh-CN' ? kept : 'zh-CN'
}

export function setLocale(locale: Locale): void {
  i18n.global.locale.value = locale
  localStorage.setItem(KEY, locale)
  document.documentElement.lang = locale
  document.title = i18n.global.t('app.name')
}
