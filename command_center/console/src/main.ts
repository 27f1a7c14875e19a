/** Two programmes share one page: the light phone page under /m/ and the desk's console. */
import './styles/base.css'

if (location.pathname.startsWith('/m/')) {
  void import('./phone').then(({ startPhone }) => startPhone())
} else {
  void import('./console').then(({ startConsole }) => startConsole())
}
