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
  let lastUserId: string | null = null
  const permissions = computed(() => new Set(user.value?.permissions ?? []))
  /** What the role may not do is not shown; the server refuses it in any case. */
  const may = (permission: string): boolean => permissions.value.has(permission)

  async function begin(): Promise<void> {
    if (known.value) return
    void readConfig().then((found) => (config.value = found)).catch(() => undefined)
    try {
      user.value = (await readSession()).user
      lastUserId = user.value.id
      known.value = true
    } catch (error) {
      if (error instanceof Problem && error.status === 401) known.value = true
      else throw error
    }
  }
  /** True when somebody else sat here before: what that person saw must be forgotten. */
  async function enter(username: string, password: string, code: string | null): Promise<boolean> {
    const found = (await logIn(username, password, code)).user
    const isAnother = lastUserId !== null && lastUserId !== found.id
    lastUserId = found.id
    user.value = found
    known.value = true
    expired.value = false
    return isAnother
  }
  async function leave(): Promise<void> {
    await logOut()
    user.value = null
    expired.value = false
  }
  /** The server told who it is now: a debt is paid, rights have come. */
  function renew(found: User): void {
    user.value = found
  }
  function expire(): void {
    if (user.value) expired.value = true
    user.value = null
  }
  return { user, config, known, expired, may, begin, enter, leave, renew, expire }
})
