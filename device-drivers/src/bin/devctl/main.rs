//! `devctl`: a technician's way to each device of a kiosk, through the very drivers that the kiosk uses.
//!
//! One file a kind in [`kinds`], one a simulated kind in [`simulate`]. Standard output has one fact a line, a stable
//! word and its value; standard error says what went wrong and what helps, in English and Chinese. The program ends
//! with 0 when all is good, 1 when the device says no, 2 when it was called wrongly.
//! Absent: personal data on the terminal. Of a card it is told which fields are filled, of a code how long it is.

mod answer;
mod demo;
mod kinds;
mod masked;
mod private_file;
mod simulate;
mod tape;
mod words;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use answer::Outcome;

#[derive(Parser)]
#[command(name = "devctl", version, about = "Tests the devices of a kiosk, one by one 逐个测试终端的设备")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// ID-card reader 身份证阅读器
    IdCard(kinds::IdCardKind),
    /// Receipt printer 凭条打印机
    ReceiptPrinter(kinds::ReceiptPrinterKind),
    /// A4 printer A4 打印机
    DocumentPrinter(kinds::DocumentPrinterKind),
    /// Social-security card reader 社保卡读卡器
    SocialSecurityCard(kinds::SocialSecurityCardKind),
    /// Document camera and face camera 高拍仪、人像摄像头
    Camera(kinds::CameraKind),
    /// Code scanner 扫码器
    CodeScanner(kinds::CodeScannerKind),
    /// Presence sensor, lights and doors 人体感应器、指示灯、机柜门
    Cabinet(kinds::CabinetKind),
    /// UPS 不间断电源
    Ups(kinds::UpsKind),
    /// Voice 语音
    Speaker(kinds::SpeakerKind),
    /// Watchdog 看门狗
    Watchdog(kinds::WatchdogKind),
    /// A maker's closed library 厂商库
    Vendor(kinds::VendorKind),
    /// Serve a simulated device, with faults, until it is ended 模拟设备
    Simulate(simulate::Simulate),
    /// Set a fault of a running demo's device 给演示中的设备设置故障
    Fault(demo::Fault),
}

impl Command {
    fn run(self) -> Outcome {
        match self {
            Command::IdCard(kind) => kind.run(),
            Command::ReceiptPrinter(kind) => kind.run(),
            Command::DocumentPrinter(kind) => kind.run(),
            Command::SocialSecurityCard(kind) => kind.run(),
            Command::Camera(kind) => kind.run(),
            Command::CodeScanner(kind) => kind.run(),
            Command::Cabinet(kind) => kind.run(),
            Command::Ups(kind) => kind.run(),
            Command::Speaker(kind) => kind.run(),
            Command::Watchdog(kind) => kind.run(),
            Command::Vendor(kind) => kind.run(),
            Command::Simulate(simulate) => simulate.run(),
            Command::Fault(fault) => fault.run(),
        }
    }
}

fn main() -> ExitCode {
    match Arguments::parse().command.run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.tell(),
    }
}
