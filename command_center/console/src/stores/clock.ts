import { defineStore } from 'pinia'
import { ref } from 'vue'

/** One ticking second for every countdown on the page. */
export const useClock = defineStore('clock', () => {
  const now = ref(Date.now())
  window.setInterval(() => (now.value = Date.now()), 1000)
  return { now }
})
