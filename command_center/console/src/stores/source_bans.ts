import { defineStore } from 'pinia'
import { computed, ref } from 'vue'
import { listSourceBans } from '@/api/source_bans'
import type { SourceBan } from '@/api/types'
import { useClock } from './clock'
import { useLive } from './live'

/** Who was shut out within the last day, kept fresh by live events. */
export const useSourceBans = defineStore('source_bans', () => {
  const bans = ref<SourceBan[]>([])
  const clock = useClock()
  const active = computed(() => bans.value.filter((ban) => ban.is_active && Date.parse(ban.until) > clock.now))

  async function refresh(): Promise<void> {
    try {
      bans.value = (await listSourceBans()).items
    } catch {
      // Kept as it was; the next event or reconnection reads it again.
    }
  }
  function begin(): () => void {
    void refresh()
    return useLive().listen((event) => {
      if (event.type === 'source.banned' || event.type === 'source.pardoned') void refresh()
    })
  }
  return { bans, active, refresh, begin }
})
