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
    }
}
