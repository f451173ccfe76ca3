import { ACCOUNT_ROWS } from './account-rows.ts'
import { DOWNLOAD_ROWS } from './download-rows.ts'
import { EDIT_ROWS } from './edit-rows.ts'
import { FILE_ROWS } from './file-rows.ts'
import { HOST_ROWS } from './host-rows.ts'
import type { Row } from './kind-row.ts'
import { PACKAGE_ROWS } from './package-rows.ts'
import { RELEASE_ROWS } from './release-rows.ts'
import { SYSTEM_ROWS } from './system-rows.ts'
import { UNIT_ROWS } from './unit-rows.ts'

/** The rows of all built-in kinds. */
export const ROWS: Readonly<Record<string, Row>> = {
  ...ACCOUNT_ROWS,
  ...DOWNLOAD_ROWS,
  ...EDIT_ROWS,
  ...FILE_ROWS,
  ...PACKAGE_ROWS,
  ...RELEASE_ROWS,
  ...SYSTEM_ROWS,
  ...HOST_ROWS,
  ...UNIT_ROWS,
}
