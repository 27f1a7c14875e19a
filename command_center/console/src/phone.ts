import { createApp } from 'vue'
import { i18n, preferredLocale, setLocale } from './locales'
import './styles/phone.css'
import PhonePage from './views/phone/PhonePage.vue'

/** The phone page: no component library, no store, so that it opens on a thin line. */
export function startPhone(): void {
  document.documentElement.dataset.theme = 'light'
  setLocale(preferredLocale())
  const token = decodeURIComponent(location.pathname.split('/')[2] ?? '')
  createApp(PhonePage, { token }).use(i18n).mount('#app')
}
