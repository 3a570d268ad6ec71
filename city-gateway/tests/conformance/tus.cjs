// tus-js-client against the gateway: one piece, or whatever is left.
'use strict'

const fs = require('fs')
const https = require('https')
const tus = require('tus-js-client')

const { TUS_URL, TUS_CERTIFICATE, TUS_AUTHORITY, TUS_FILE, TUS_SHA256, TUS_STEP } = process.env
const identity = fs.readFileSync(TUS_CERTIFICATE)
const agent = new https.Agent({ cert: identity, key: identity, ca: fs.readFileSync(TUS_AUTHORITY) })
const begin = TUS_STEP === 'begin'

const upload = new tus.Upload(fs.createReadStream(TUS_FILE), {
  endpoint: TUS_URL,
  uploadUrl: begin ? null : `${TUS_URL}/${TUS_SHA256}`,
  uploadSize: fs.statSync(TUS_FILE).size,
  chunkSize: 256 * 1024,
  retryDelays: null,
  metadata: { filename: TUS_SHA256 },
  httpStack: new tus.DefaultHttpStack({ agent }),
  onChunkComplete(chunk, accepted) {
    if (begin) {
      if (accepted !== 256 * 1024) throw new Error(`accepted ${accepted}`)
      upload.abort().then(() => process.exit(0))
    }
  },
  onSuccess() {
    process.exit(begin ? 1 : 0)
  },
  onError(error) {
    console.error(String(error))
    process.exit(1)
  },
})
upload.start()
