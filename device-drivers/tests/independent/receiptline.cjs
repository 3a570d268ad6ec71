// receiptline's bytes for a receipt, to standard output.
'use strict'

const receiptline = require('receiptline')

const printer = { cpl: 48, encoding: 'gb18030', spacing: true, cutting: true, command: 'escpos' }
process.stdout.write(Buffer.from(receiptline.transform(process.env.RECEIPT, printer), 'binary'))
