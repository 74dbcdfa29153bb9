import { z } from 'zod'
import { saying } from './reasons.ts'

const App = z.union([
  z.strictObject({
    android_package: z
      .string()
      .max(255)
      .regex(/^[A-Za-z]\w*(\.[A-Za-z]\w*)+$/),
    /** Of the certificates that sign it, as `keytool` and the Play Console print them. */
    sha256_cert_fingerprints: z
      .array(z.string().regex(/^[0-9A-F]{2}(:[0-9A-F]{2}){31}$/))
      .min(1)
      .max(10),
  }),
  z.strictObject({ ios_app_id: z.string().regex(/^[A-Z0-9]{10}\.[A-Za-z0-9.-]{1,155}$/) }),
])

/** An app on a phone, as its platform knows it. */
export type NativeApp = z.output<typeof App>

export const NativeAppSchema = z.custom<NativeApp>(
  (given) => App.safeParse(given).success,
  saying('bad_native_app'),
)
