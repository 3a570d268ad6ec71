// receiptio prints a receipt, or asks for the printer's state, and says what came of it.
'use strict'

const receiptio = require('receiptio')

const { PRINTER: printer, RECEIPT: receipt, OPTIONS: options = '' } = process.env

receiptio.print(receipt ?? '', `-d ${printer} -l zh -t 20 ${options}`).then(
  (answer) => console.log(answer),
  (error) => {
    console.error(error)
    process.exit(1)
  }
)
