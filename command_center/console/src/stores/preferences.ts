import { defineStore } from 'pinia'
import { ref } from 'vue'
import { preferredLocale, setLocale, type Locale } from '@/locales'

export type Theme = 'dark' | 'light'
const KEY = 'cc.theme'

/** Theme and language of this machine. */
export const usePreferences = defineStore('preferences', () => {
  const theme = ref<Theme>(localStorage.getItem(KEY) === 'light' ? 'light' : 'dark')
  const locale = ref<Locale>(preferredLocale())

  function apply(): void {
    document.documentElement.dataset.theme = theme.value
    document.documentElement.classList.toggle('dark', theme.value === 'dark')
    setLocale(locale.value)
  }
  function toggleTheme(): void {
    theme.value = theme.value === 'dark' ? 'light' : 'dark'
    localStorage.setItem(KEY, theme.value)
    apply()
  }
  function toggleLocale(): void {
    locale.value = locale.value === 'en' ? 'zh-CN' : 'en'
    apply()
  }
  return { theme, locale, apply, toggleTheme, toggleLocale }
})
