/** Where all apps of this test are. */
export const APPS_HOST = 'apps.example.com'
/** Environment variable by which a process is told where that is on this machine. */
export const APPS_PORT = 'UPGRADE_APPS_PORT'
