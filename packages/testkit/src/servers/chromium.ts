import type { Finder } from './finder.ts'
import { aptInstall } from './lib/apt.ts'
import { isDebian, isProgram, mayInstallPackages, onPath } from './lib/machine.ts'
import { CommandFailed } from './lib/run.ts'

export interface ChromiumSource {
  readonly kind: 'program'
  readonly path: string
}

const NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable']

/** Where browsers are on macOS, which does not put them on PATH. */
const ON_MACOS = [
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  '/Applications/Chromium.app/Contents/MacOS/Chromium',
]

export const chromiumFinder: Finder<ChromiumSource> = {
  name: 'Chromium',
  advice: 'install Chromium or Google Chrome, or set CHROME_PATH to its program',

  async look() {
    const named = process.env.CHROME_PATH
    if (named && !isProgram(named))
      throw new CommandFailed(`CHROME_PATH is ${named}, and there is no program of that name`)
    const path = named || onPath(...NAMES) || ON_MACOS.find(isProgram)
    return path ? { kind: 'program', path } : undefined
  },

  async setUp() {
    // What Ubuntu calls chromium in apt is an empty package that asks for a snap.
    if (!mayInstallPackages('debian') || !isDebian()) return undefined
    return {
      what: 'apt-get install chromium',
      async work() {
        // Without fonts a page has no letters.
        await aptInstall('chromium', 'fonts-liberation', 'fonts-dejavu-core')
        const path = onPath(...NAMES)
        if (!path) throw new CommandFailed('chromium was installed, and is not on PATH')
        return { kind: 'program', path }
      },
    }
  },

  describe: (source) => source.path,
}

/** For playwright-core's `chromium.launch({ executablePath, args })`: no sandbox for root, no calls home. */
export const CHROMIUM_ARGS = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--no-first-run',
]
