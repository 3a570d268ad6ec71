//! What helps, for a technician at the terminal, in English and Chinese.

use device_drivers::{Fault, Hint, Remedy};

/// One piece of advice in two languages.
pub struct Advice {
    pub english: &'static str,
    pub chinese: &'static str,
}

/// The remedy as a stable word.
pub fn code(remedy: Remedy) -> String {
    match remedy {
        Remedy::Retry => "retry".to_owned(),
        Remedy::AskCitizen(hint) => format!("ask-citizen {}", hint.code()),
        Remedy::CallOperator(fault) => format!("call-operator {}", fault.code()),
    }
}

/// What helps.
pub fn advice(remedy: Remedy) -> Advice {
    let (english, chinese) = match remedy {
        Remedy::Retry => (
            "Try again; if it stays so, look at cable and power.",
            "请再试一次；若仍如此，请检查线缆和电源。",
        ),
        Remedy::AskCitizen(hint) => at_the_device(hint),
        Remedy::CallOperator(fault) => at_the_machine(fault),
    };
    Advice { english, chinese }
}

fn at_the_device(hint: Hint) -> (&'static str, &'static str) {
    match hint {
        Hint::LayCard => ("Lay a card on the reader, or put it in.", "请放上或插入卡片。"),
        Hint::LayCardAgain => {
            ("Take the card off, wait a second, and lay it on again.", "请取下卡片，稍等一秒再放上。")
        }
        Hint::HoldCardStill => {
            ("Lay the card on again and leave it still until it is read.", "请重新放好卡片，读完前不要移动。")
        }
        Hint::NotAnIdCard => {
            ("This is no identity card: lay one on the reader.", "这不是居民身份证，请放身份证。")
        }
        Hint::CardRefused => (
            "The reader does not accept this card: try another card to tell card and reader apart.",
            "读卡器不认可此卡，请换一张卡以判断是卡还是读卡器的问题。",
        ),
        Hint::UnknownDocument => (
            "An identity card of a kind that is not known here: report its kind to the project.",
            "此证件类型本终端尚不支持，请上报。",
        ),
        Hint::NotASocialSecurityCard => {
            ("This is no social-security card: put one in.", "这不是社会保障卡，请插入社保卡。")
        }
        Hint::CardLocked => (
            "The card shows its records only to holders of a key: try another card.",
            "此卡的信息需密钥才能读取，请换一张卡试。",
        ),
        Hint::LayMaterial => ("Lay a paper or card under the camera.", "请在高拍仪下放一张纸或卡片。"),
        Hint::HoldMaterialStill => ("Lay it down and take the hand away.", "请放好后把手移开。"),
        Hint::LayMaterialFlat => (
            "Lay it flat; if it is flat, focus the camera and clean its lens.",
            "请把材料放平；若已放平，请调焦并擦净镜头。",
        ),
        Hint::MoveMaterialInside => ("Move it into the middle of the mat.", "请把材料移到垫板中间。"),
        Hint::TurnMaterialFromLight => {
            ("Turn it away from the lamp, or dim the lamp.", "请避开反光，或调暗灯光。")
        }
        Hint::UncoverCamera => {
            ("Uncover the lens and switch the lamp on.", "请移开镜头前的遮挡物，并打开补光灯。")
        }
        Hint::HoldFaceStill => ("Stand still before the face camera.", "请面对摄像头，保持不动。"),
        Hint::TurnFaceToLight => {
            ("Turn the face to the light, away from a bright window.", "请面向光源，不要背对明亮的窗户。")
        }
        Hint::ScanAgain => (
            "Scan the code once more; if it happens often, check the scanner's cable and its suffix.",
            "请再扫一次；若经常出现，请检查扫码器的线缆和后缀设置。",
        ),
        Hint::ScanAnotherCode => {
            ("This code cannot be used here: scan another one.", "此码不能在这里使用，请换一个码。")
        }
    }
}

fn at_the_machine(fault: Fault) -> (&'static str, &'static str) {
    match fault {
        Fault::ReaderGone => (
            "Check the card reader's plug, the path of its port, and the right to open it.",
            "请检查身份证阅读器的插头、端口路径和访问权限。",
        ),
        Fault::ReaderSilent => (
            "The port is there and nobody answers: check the reader's power and the rate (detect-baud).",
            "端口存在但无应答：请检查阅读器电源和波特率（detect-baud）。",
        ),
        Fault::ReaderFault => (
            "Reset the reader, or cut its power for ten seconds; if that does not help, replace it.",
            "请复位阅读器或断电十秒；仍无效则更换。",
        ),
        Fault::PrinterGone => (
            "Check the receipt printer's plug, the path or address, and that no other program has it.",
            "请检查凭条打印机的插头、路径或地址，并确认没有被其他程序占用。",
        ),
        Fault::PrinterSilent => (
            "Check the receipt printer's power, the rate of the line, and that its answers are wired back.",
            "请检查凭条打印机的电源、波特率，以及回传线是否接好。",
        ),
        Fault::PrinterPaperEnd => ("Put a new roll into the receipt printer.", "请给凭条打印机装一卷新纸。"),
        Fault::PrinterCoverOpen => ("Close the receipt printer's cover.", "请关好凭条打印机的盖子。"),
        Fault::PrinterCutter => (
            "Switch the receipt printer off, take the paper out of the cutter, and switch it on.",
            "请关闭凭条打印机，清除切刀处的纸，再开机。",
        ),
        Fault::PrinterFault => (
            "Switch the receipt printer off and on; look whether the receipt is on paper before printing again.",
            "请重启凭条打印机；重打之前先看凭条是否已经印出。",
        ),
        Fault::CabinetGone => (
            "Check the board's plug, or the name of the LED or GPIO line.",
            "请检查机柜控制板的插头，或指示灯、GPIO 的名称。",
        ),
        Fault::CabinetSilent => (
            "The port is there and no board answers: check its power and the rate.",
            "端口存在但控制板无应答：请检查电源和波特率。",
        ),
        Fault::CabinetFault => (
            "Check the numbers of lights and doors, the wiring, and the right to use them.",
            "请检查灯和门的编号、接线以及使用权限。",
        ),
        Fault::WatchdogGone => (
            "There is no watchdog at that path: look which the kernel has.",
            "该路径没有看门狗，请查看内核提供的设备。",
        ),
        Fault::WatchdogFault => (
            "Another program owns the watchdog (usually systemd), or it cannot be told this timeout.",
            "看门狗已被其他程序（通常是 systemd）占用，或不接受该时限。",
        ),
        Fault::UpsGone => (
            "Check that NUT's server runs (systemctl status nut-server) and its address.",
            "请确认 NUT 服务在运行（systemctl status nut-server）并检查地址。",
        ),
        Fault::UpsSilent => (
            "Check the cable between UPS and machine, and NUT's driver (upsdrvctl).",
            "请检查 UPS 与主机之间的线缆和 NUT 驱动（upsdrvctl）。",
        ),
        Fault::UpsFault => (
            "Check the UPS's name in ups.conf and who may ask the server.",
            "请检查 ups.conf 中的 UPS 名称和访问权限。",
        ),
        Fault::VendorGone => (
            "Check the paths of device-host and the library, and that it is built for this machine.",
            "请检查 device-host 和厂商库的路径，并确认库适用于本机。",
        ),
        Fault::VendorLost => (
            "The maker's library crashes or hangs: check its limits, then tell its maker.",
            "厂商库崩溃或卡死：请检查其限制设置，并联系厂商。",
        ),
        Fault::VendorFault => (
            "The maker's library refuses: check verb, input and whether its device is connected.",
            "厂商库拒绝执行：请检查指令、输入以及设备是否已连接。",
        ),
        Fault::DocumentPrinterGone => (
            "Check the A4 printer's power and cable, and its address.",
            "请检查 A4 打印机的电源、线缆和地址。",
        ),
        Fault::DocumentPrinterSilent => (
            "The A4 printer was reached and does not answer: switch it off and on.",
            "A4 打印机已连通但无应答，请重启打印机。",
        ),
        Fault::DocumentPrinterPaperEnd => {
            ("Put A4 paper into the printer's tray.", "请给 A4 打印机的纸盒装纸。")
        }
        Fault::DocumentPrinterJam => {
            ("Take the jammed paper out of the A4 printer.", "请清除 A4 打印机中的卡纸。")
        }
        Fault::DocumentPrinterCoverOpen => {
            ("Close all covers of the A4 printer.", "请关好 A4 打印机的所有盖板。")
        }
        Fault::DocumentPrinterOutputFull => {
            ("Empty the A4 printer's output tray.", "请清空 A4 打印机的出纸盒。")
        }
        Fault::DocumentPrinterToner => {
            ("Replace the A4 printer's toner or ink.", "请更换 A4 打印机的墨粉或墨盒。")
        }
        Fault::DocumentPrinterFault => (
            "Look at the A4 printer's panel, and take left jobs back (cancel).",
            "请查看 A4 打印机面板，并撤回残留的作业（cancel）。",
        ),
        Fault::SocialSecurityReaderGone => (
            "Check the reader's plug, and that pcscd runs (systemctl status pcscd).",
            "请检查社保卡读卡器的插头，并确认 pcscd 在运行（systemctl status pcscd）。",
        ),
        Fault::SocialSecurityReaderSilent => (
            "Pull the reader's plug and put it in again, then restart pcscd.",
            "请重新插拔社保卡读卡器，并重启 pcscd。",
        ),
        Fault::SocialSecurityReaderFault => (
            "Restart pcscd and read its log; if that does not help, replace the reader.",
            "请重启 pcscd 并查看日志；仍无效则更换读卡器。",
        ),
        Fault::CameraGone => (
            "Check the camera's plug and path (camera list), and the right to open it.",
            "请检查摄像头的插头、路径（camera list）和访问权限。",
        ),
        Fault::CameraSilent => (
            "Pull the camera's plug and put it in again; plug it straight into the machine.",
            "请重新插拔摄像头，并直接插在主机上。",
        ),
        Fault::CameraFault => (
            "Check size and cable; pull the plug and put it in again; if it stays, replace the camera.",
            "请检查分辨率和线缆，重新插拔；仍无效则更换摄像头。",
        ),
        Fault::ScannerGone => (
            "Check the code scanner's plug and path, and that no other program has it.",
            "请检查扫码器的插头和路径，并确认没有被其他程序占用。",
        ),
        Fault::SpeakerGone => (
            "Check that Speech Dispatcher runs, its socket's path, and the right to open it.",
            "请确认 Speech Dispatcher 在运行，并检查套接字路径和访问权限。",
        ),
        Fault::SpeakerSilent => {
            ("Speech Dispatcher hangs: restart it.", "Speech Dispatcher 无响应，请重启该服务。")
        }
        Fault::SpeakerFault => (
            "Read Speech Dispatcher's log: a voice or the sound card is missing.",
            "请查看 Speech Dispatcher 日志：可能缺少语音或声卡。",
        ),
    }
}
