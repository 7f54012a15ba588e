import { basename, dirname } from 'node:path'
import type { Config } from '../../../config/options.ts'
import { OUR_FOLDER } from '../../../daemon/private-file.ts'
import { secretsFileOf } from '../../../daemon/state-file.ts'
import { isOpenToOthers } from '../../../system/open-to-others.ts'
import { shellList } from '../../shell.ts'
import { type Check, ok, problem, skipped } from './check.ts'

/** Whether files that hold prompts, keys or tokens are for their owner alone. */
export function checkPermissions(config: Config, authFile: string | undefined): Check {
  if (process.platform === 'win32') return skipped('Permissions', 'Not checked: Windows has no file modes.')
  const { pidFile, logFile, stateFile, apiKeyFile, tlsKey } = config
  const files = [authFile, pidFile, logFile, stateFile, secretsFileOf(stateFile), apiKeyFile, tlsKey]
  // Another folder may be meant for everybody, like /tmp.
  const folders = [dirname(stateFile)].filter((folder) => basename(folder) === OUR_FOLDER)
  const open = [...folders, ...files].filter((path) => path !== undefined).filter(isOpenToOthers)
  if (open.length === 0) return ok('Permissions', 'Files with secrets or logs are private.')
  return problem('Permissions', `Others can read ${open.join(', ')}.`, `Run: chmod go= ${shellList(open)}`)
}
