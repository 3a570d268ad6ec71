"""python-escpos prints to the simulated printer over TCP, and says what it understands of its state."""

import os
import sys

from escpos.printer import Network

printer = Network(os.environ["PRINTER"], port=int(os.environ["PORT"]), timeout=20)
if sys.argv[1] == "status":
    print(printer.is_online(), printer.paper_status())
else:
    printer.set(align="center", custom_size=True, width=2, height=2, bold=True)
    printer.text("DEMO RECEIPT\n")
    printer.set(align="left", normal_textsize=True, bold=False)
    # It has no Chinese code page of its own.
    printer._raw(b"\x1c\x26" + "示例市政务服务中心：受理回执\n".encode("gb18030") + b"\x1c\x2e")
    printer.set(align="center")
    printer.qr(os.environ["CODE"], native=sys.argv[1] == "native", size=6)
    printer.text("\n")
    printer.cut()
printer.close()
