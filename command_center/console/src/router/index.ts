import { createRouter, createWebHistory, type Router, type RouteRecordRaw } from 'vue-router'
import { useSession } from '@/stores/session'

declare module 'vue-router' {
  interface RouteMeta {
    /** The permission without which the page would be empty; none: incident.read. */
    needs?: string
  }
}

/** Where each role begins its work: the first of these pages that it may use. */
const HOMES = [
  ['incident.read', '/desk'],
  ['account.read', '/accounts'],
  ['audit.read', '/audit'],
  ['system.read', '/system'],
] as const

export function home(): string {
  const session = useSession()
  return HOMES.find(([needs]) => session.may(needs))?.[1] ?? '/welcome'
}

const children: RouteRecordRaw[] = [
  { path: '', redirect: { name: 'welcome' } },
  { path: 'desk', name: 'desk', component: () => import('@/views/desk/DeskPage.vue') },
  { path: 'report', name: 'report', component: () => import('@/views/report/ReportPage.vue') },
  { path: 'incidents', name: 'incidents', component: () => import('@/views/incident/IncidentList.vue') },
  { path: 'incidents/:id', name: 'incident', component: () => import('@/views/incident/IncidentPage.vue'), props: true },
  { path: 'incidents/:id/report', name: 'follow-up', component: () => import('@/views/report/ReportPage.vue'), props: true },
  { path: 'dispatch', name: 'dispatch', component: () => import('@/views/dispatch/DispatchPage.vue') },
  { path: 'sweeps', name: 'sweeps', component: () => import('@/views/sweeps/SweepsPage.vue') },
  { path: 'map', name: 'map', meta: { needs: 'library.read' }, component: () => import('@/views/library/MapPage.vue') },
  { path: 'consultations', name: 'consultations', component: () => import('@/views/consultation/ConsultationList.vue') },
  { path: 'consultations/:id', name: 'consultation', component: () => import('@/views/consultation/ConsultationPage.vue'), props: true },
  { path: 'recordings', name: 'recordings', component: () => import('@/views/recordings/RecordingList.vue') },
  { path: 'recordings/:id', name: 'recording', component: () => import('@/views/recordings/RecordingPage.vue'), props: true },
  { path: 'plans', name: 'plans', component: () => import('@/views/library/PlansPage.vue') },
  { path: 'resources', name: 'resources', meta: { needs: 'library.read' }, component: () => import('@/views/library/LibraryPage.vue'), props: { sections: ['teams', 'depots', 'experts', 'cameras'] } },
  { path: 'hazards', name: 'hazards', meta: { needs: 'library.read' }, component: () => import('@/views/library/LibraryPage.vue'), props: { sections: ['hazards'] } },
  { path: 'contacts', name: 'contacts', meta: { needs: 'library.read' }, component: () => import('@/views/library/LibraryPage.vue'), props: { sections: ['sites', 'organisations'] } },
  { path: 'accounts', name: 'accounts', meta: { needs: 'account.read' }, component: () => import('@/views/administration/AccountsPage.vue') },
  { path: 'directory', name: 'directory', meta: { needs: 'library.read' }, component: () => import('@/views/administration/DirectoryPage.vue') },
  { path: 'audit', name: 'audit', meta: { needs: 'audit.read' }, component: () => import('@/views/administration/AuditPage.vue') },
  { path: 'system', name: 'system', meta: { needs: 'system.read' }, component: () => import('@/views/administration/SystemPage.vue') },
  { path: 'welcome', name: 'welcome', meta: { needs: '' }, component: () => import('@/views/administration/WelcomePage.vue') },
  { path: ':rest(.*)*', name: 'missing', component: () => import('@/views/MissingPage.vue') },
]

export function makeRouter(): Router {
  const router = createRouter({
    history: createWebHistory(),
    routes: [
      { path: '/login', name: 'login', component: () => import('@/views/login/LoginPage.vue') },
      { path: '/', component: () => import('@/layouts/MainLayout.vue'), children },
    ],
  })
  router.beforeEach(async (to) => {
    const session = useSession()
    try {
      await session.begin()
    } catch {
      return to.name === 'login' ? true : { name: 'login', query: { to: to.fullPath } }
    }
    if (!session.user && to.name !== 'login') return { name: 'login', query: { to: to.fullPath } }
    if (session.user && to.name === 'login') return destination(to.query.to)
    // Only now it is known who came.
    if (session.user && to.name === 'welcome' && home() !== to.path) return home()
    return true
  })
  return router
}

/** Only a path of this console is followed after logging in. */
export function destination(wanted: unknown): string {
  return typeof wanted === 'string' && /^\/(?!\/)/.test(wanted) ? wanted : '/'
}
