//! Simulated devices for a laptop: served until they are ended, with orders from standard input.
//!
//! Orders are lines: `fault NAME` (some take a number: `truncated:200`), `fault none`, `unplug`, `plug`, `quit`, and
//! what the kind knows besides. Each is answered by `done: …` or `error: …`. When standard input is closed the device
//! stays, unless it was started with `--attached`.

mod cabinet;
mod camera;
mod code_scanner;
mod document_printer;
mod id_card;
mod receipt_printer;
mod social_security_card;
mod speaker;
mod ups;

use std::io;

use clap::Subcommand;

use crate::answer::{Failure, Outcome, fact};

#[derive(clap::Args)]
pub struct Simulate {
    /// End when standard input closes: with the program that started this
    #[arg(long)]
    attached: bool,
    #[command(subcommand)]
    kind: Kind,
}

#[derive(Subcommand)]
enum Kind {
    /// ID-card reader on a serial line 身份证阅读器
    IdCard(id_card::SimulatedIdCard),
    /// Receipt printer on a serial line, USB or network 凭条打印机
    ReceiptPrinter(receipt_printer::SimulatedReceiptPrinter),
    /// A4 printer A4 打印机
    DocumentPrinter(document_printer::SimulatedDocumentPrinter),
    /// Social-security card in a running vpcd 社会保障卡
    SocialSecurityCard(social_security_card::SimulatedSocialSecurityCard),
    /// Camera on a socket 摄像头
    Camera(camera::SimulatedCamera),
    /// Code scanner on a serial line, or one that types 扫码器
    CodeScanner(code_scanner::SimulatedCodeScanner),
    /// Cabinet board on a serial line 机柜控制板
    Cabinet(cabinet::SimulatedCabinet),
    /// UPS behind a server of NUT 不间断电源
    Ups(ups::SimulatedUps),
    /// Voice behind a server that speaks SSIP 语音
    Speaker(speaker::SimulatedVoice),
}

/// The hands at a simulated device.
trait Hands {
    /// The orders that the kind knows besides, and its faults.
    fn known(&self) -> (&'static str, String);
    /// Lets something go wrong from now on, or ends that.
    fn set_fault(&mut self, fault: Option<&str>) -> Result<(), String>;
    /// Pulls the plug, or puts it in again.
    fn plug(&mut self, plugged: bool) -> io::Result<()>;
    /// Obeys an order of the kind's own, and tells what was asked for.
    fn obey(&mut self, order: &str, value: &str) -> Result<String, String>;
}

impl Simulate {
    pub fn run(self) -> Outcome {
        let started = match self.kind {
            Kind::IdCard(kind) => kind.start()?,
            Kind::ReceiptPrinter(kind) => kind.start()?,
            Kind::DocumentPrinter(kind) => kind.start()?,
            Kind::SocialSecurityCard(kind) => kind.start()?,
            Kind::Camera(kind) => kind.start()?,
            Kind::CodeScanner(kind) => kind.start()?,
            Kind::Cabinet(kind) => kind.start()?,
            Kind::Ups(kind) => kind.start()?,
            Kind::Speaker(kind) => kind.start()?,
        };
        serve(started, self.attached)
    }
}

/// What a kind brings when it has started.
struct Started {
    hands: Box<dyn Hands>,
    /// Where the driver finds it, as an option of the kind's own command.
    way: String,
    /// What is wrong from the start.
    fault: Option<String>,
}

fn cannot_start(error: &io::Error) -> Failure {
    Failure::usage(format!("the simulated device cannot start: {error}"))
}

fn serve(started: Started, attached: bool) -> Outcome {
    let Started { mut hands, way, fault } = started;
    if let Some(fault) = fault {
        hands.set_fault(Some(&fault)).map_err(Failure::usage)?;
    }
    let (orders, faults) = hands.known();
    fact("orders", format!("{orders} fault unplug plug quit").trim_start());
    fact("faults", faults);
    fact("ready", way);
    for line in io::stdin().lines() {
        let Ok(line) = line else { break };
        match line.trim() {
            "" => {}
            "quit" => return Ok(()),
            order => match obeyed(hands.as_mut(), order) {
                Ok(told) => fact("done", if told.is_empty() { order } else { &told }),
                Err(sentence) => fact("error", sentence),
            },
        }
    }
    if attached {
        return Ok(());
    }
    // Started in the background: it stays until it is ended.
    loop {
        std::thread::park();
    }
}

fn obeyed(hands: &mut dyn Hands, line: &str) -> Result<String, String> {
    let (order, value) = line.split_once(' ').unwrap_or((line, ""));
    match order {
        "fault" => {
            hands.set_fault(Some(value.trim()).filter(|fault| *fault != "none"))?;
            Ok(String::new())
        }
        "unplug" | "plug" => {
            hands.plug(order == "plug").map_err(|error| error.to_string())?;
            Ok(String::new())
        }
        _ => hands.obey(order, value.trim()),
    }
}

fn no_such_order<T>(order: &str) -> Result<T, String> {
    Err(format!("there is no order {order:?}"))
}

/// Faults by name, each with its number where none is given, and how it is made of one.
type Faults<F> = [(&'static str, u64, fn(u64) -> F)];

/// The fault that `text` names.
fn fault<F>(faults: &Faults<F>, text: &str) -> Result<F, String> {
    let (name, number) = match text.split_once(':') {
        Some((name, number)) => {
            let number: u64 = number.parse().map_err(|_| format!("{number:?} is no number"))?;
            (name, Some(number))
        }
        None => (text, None),
    };
    let known = faults.iter().find(|(known, ..)| *known == name);
    let (_, usual, make) = known.ok_or_else(|| format!("there is no fault {name:?}"))?;
    Ok(make(number.unwrap_or(*usual)))
}

fn names<F>(faults: &Faults<F>) -> String {
    let names: Vec<_> = faults.iter().map(|(name, ..)| *name).collect();
    names.join(" ")
}
