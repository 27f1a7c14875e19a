import { createPinia } from 'pinia'
import { createApp } from 'vue'
import App from './App.vue'
import { installElement } from './adapters/element'
import './styles/element.css'
import './styles/console.css'
import { i18n } from './locales'
import { makeRouter } from './router'
import { usePreferences } from './stores/preferences'

export function startConsole(): void {
  const app = createApp(App)
  app.use(createPinia())
  usePreferences().apply()
  app.use(i18n)
  app.use(makeRouter())
  installElement(app)
  app.mount('#app')
}
