import { defineStore } from 'pinia'
import { computed, ref } from 'vue'
import { Problem } from '@/api/problem'
import { logIn, logOut, readConfig, readSession } from '@/api/session'
import type { PublicConfig, User } from '@/api/types'

/** Who sits here, and what the installation says of itself. */
export const useSession = defineStore('session', () => {
  const user = ref<User | null>(null)
  const config = ref<PublicConfig | null>(null)
  const known = ref(false)
  const expired = ref(false)
  const isDuty = computed(() => user.value?.roles.some((role) => DUTY_ROLES.has(role)) ?? false)

  async function begin(): Promise<void> {
    if (known.value) return
    void readConfig().then((found) => (config.value = found)).catch(() => undefined)
    try {
      user.value = (await readSession()).user
      known.value = true
    } catch (error) {
      if (error instanceof Problem && error.status === 401) known.value = true
      else throw error
    }
  }
  async function enter(username: string, password: string): Promise<void> {
    user.value = (await logIn(username, password)).user
    known.value = true
    expired.value = false
  }
  async function leave(): Promise<void> {
    await logOut()
    user.value = null
    expired.value = false
  }
  function expire(): void {
    if (user.value) expired.value = true
    user.value = null
  }
  return { user, config, known, expired, isDuty, begin, enter, leave, expire }
})

const DUTY_ROLES = new Set(['duty_officer', 'duty_leader', 'commander', 'trainer'])
