//! The document printer's driver against `ippeveprinter`, the IPP Everywhere printer of CUPS: an independent
//! implementation that decodes and validates what we send, with faults from its print command.
//!
//! It needs a system bus to start, although it announces nothing here, so each test brings a private one. Its print
//! command is a script: pages come out as lines that it writes, and troubles as its `STATE:` lines.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use device_drivers::document_printer::{
    Deadlines, DocumentPrinter, Failure, Go, IppDocumentPrinter, JobState, Obstacle, PrintOut, Printed, Sides,
};

use crate::document_printer::{DEADLINES, PATIENCE, driver, error, pdf, print};
use crate::program::{Program, START_DEADLINE, command, free_ports};

/// `trouble` holds a page and a keyword: before that page the printer has the trouble until the file is gone. `abort`
/// makes it give up before the first page. A trouble lasts half a minute at most: nobody may be there to end it.
const PRINT_COMMAND: &str = r#"#!/bin/sh
dir="$(dirname "$0")"
cp "$1" "$dir/arrived.pdf"
env > "$dir/environment"
[ -e "$dir/abort" ] && { echo "ERROR: made up" >&2; exit 1; }
pages="$(cat "$dir/pages")"
page=1
while [ "$page" -le "$pages" ]; do
    if [ -e "$dir/trouble" ]; then
        read -r at reason < "$dir/trouble"
        if [ "$at" = "$page" ]; then
            echo "STATE: +$reason" >&2
            looks=0
            while [ -e "$dir/trouble" ] && [ "$looks" -lt 1500 ]; do sleep 0.02; looks=$((looks + 1)); done
            echo "STATE: -$reason" >&2
        fi
    fi
    sleep 0.03
    echo "ATTR: job-impressions=$pages job-impressions-completed=$page" >&2
    page=$((page + 1))
done
"#;

/// A private bus, and a printer on it.
pub(crate) struct Eve {
    printer: Option<Program>,
    _bus: Program,
    port: u16,
    dir: tempfile::TempDir,
}

impl Eve {
    pub(crate) fn start() -> Eve {
        let dir = tempfile::tempdir().unwrap();
        let command = dir.path().join("print");
        std::fs::write(&command, PRINT_COMMAND).unwrap();
        std::fs::set_permissions(&command, std::fs::Permissions::from_mode(0o755)).unwrap();
        std::fs::create_dir(dir.path().join("spool")).unwrap();
        let mut eve = Eve { printer: None, _bus: start_bus(dir.path()), port: free_ports(1), dir };
        eve.set_pages(2);
        eve.power_on();
        eve
    }

    pub(crate) fn uri(&self) -> String {
        format!("ipp://localhost:{}/ipp/print", self.port)
    }

    fn driver(&self, terminal: &str) -> IppDocumentPrinter {
        // It answers in milliseconds; the machine that it runs on may be busy.
        let deadlines =
            Deadlines { answer: Duration::from_secs(5), wake: Duration::from_secs(5), ..DEADLINES };
        driver(&self.uri(), terminal).with_deadlines(deadlines)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.path("log")).unwrap_or_default()
    }

    fn set_pages(&self, pages: u32) {
        std::fs::write(self.path("pages"), pages.to_string()).unwrap();
    }

    fn trouble_at(&self, page: u32, reason: &str) {
        std::fs::write(self.path("trouble"), format!("{page} {reason}\n")).unwrap();
    }

    fn end_trouble(&self) {
        let _ = std::fs::remove_file(self.path("trouble"));
    }

    /// Switches the printer off, as a plug does.
    fn power_off(&mut self) {
        self.printer = None;
    }

    fn power_on(&mut self) {
        let log = self.path("log");
        let mut printer = start_printer(self.dir.path(), self.port, &log);
        let mut asking = self.driver("DG0001");
        printer.wait_until(&log, || asking.status().is_ok());
        self.printer = Some(printer);
    }
}

fn start_bus(dir: &Path) -> Program {
    let socket = dir.join("bus");
    let configuration = format!(
        "<busconfig><type>system</type><listen>unix:path={}</listen><auth>EXTERNAL</auth>\
         <policy context=\"default\"><allow user=\"*\"/><allow own=\"*\"/><allow send_destination=\"*\"/>\
         <allow receive_sender=\"*\"/></policy></busconfig>",
        socket.display()
    );
    std::fs::write(dir.join("bus.conf"), configuration).unwrap();
    let mut dbus = command("dbus-daemon");
    dbus.arg(format!("--config-file={}", dir.join("bus.conf").display()));
    dbus.args(["--nofork", "--nopidfile", "--nosyslog"]);
    let log = dir.join("bus.log");
    let mut bus = Program::start("dbus-daemon", &mut dbus, &log);
    bus.wait_until(&log, || socket.exists());
    bus
}

fn start_printer(dir: &Path, port: u16, log: &Path) -> Program {
    let mut printer = command("ippeveprinter");
    printer
        .env("DBUS_SYSTEM_BUS_ADDRESS", format!("unix:path={}", dir.join("bus").display()))
        .args(["-r", "off", "-n", "localhost", "-2", "-vvv", "-p", &port.to_string()])
        .args(["-f", "application/pdf,image/urf,image/pwg-raster", "-c"])
        .arg(dir.join("print"))
        .arg("-d")
        .arg(dir.join("spool"))
        .arg("kiosk-test");
    Program::start("ippeveprinter", &mut printer, log)
}

#[test]
fn a_print_out_arrives_whole_and_is_confirmed() {
    let eve = Eve::start();
    let mut printer = eve.driver("DG0001");
    eve.set_pages(3);
    for _ in 0..2 {
        assert_eq!(print(&mut printer, &pdf(3)), Ok(Printed { impressions: Some(3) }), "{}", eve.log());
        assert!(std::fs::read(eve.path("arrived.pdf")).unwrap() == pdf(3));
    }
}

#[test]
fn what_is_asked_for_is_understood_by_another_implementation() {
    let eve = Eve::start();
    let mut printer = eve.driver("DG0001");
    assert!(printer.status().unwrap().two_sided, "-2 makes it a printer that turns paper");
    let document = pdf(2);
    let print_out = PrintOut { pdf: &document, copies: 2, sides: Sides::Both };
    assert!(printer.print(&print_out, PATIENCE, &mut |_| Go::On).is_ok(), "{}", eve.log());
    // What the printer hands to its print command is what it understood.
    let environment = std::fs::read_to_string(eve.path("environment")).unwrap();
    for said in [
        "CONTENT_TYPE=application/pdf",
        "IPP_COPIES=2",
        "IPP_SIDES=two-sided-long-edge",
        "IPP_MEDIA=iso_a4_210x297mm",
        "IPP_JOB_NAME=kiosk print-out",
    ] {
        assert!(environment.lines().any(|line| line == said), "{said} is not in\n{environment}");
    }
    // It checks each request's form (RFC 8011 §4.1) and says so when something is wrong.
    let log = eve.log();
    for complaint in
        ["bad-request", "Missing required", "out of order", "unsupported-attributes-tag", "conflict"]
    {
        assert!(!log.contains(complaint), "{complaint} in\n{log}");
    }
}

#[test]
fn trouble_that_is_put_right_costs_nothing_whatever_the_printer_calls_it() {
    let eve = Eve::start();
    for (page, reason) in [(1, "media-empty"), (2, "media-jam"), (2, "cover-open")] {
        eve.trouble_at(page, reason);
        let mut printer = eve.driver("DG0001");
        let document = pdf(2);
        let mut looks = 0;
        let printed = printer.print(&PrintOut::once(&document), PATIENCE, &mut |progress| {
            assert_eq!(progress.state, JobState::Processing, "it never stops");
            looks += 1;
            if looks == 10 {
                let seen = eve.driver("DG0002").status().unwrap();
                assert!(seen.attention.is_some(), "{reason} is told while the printer is at work");
                eve.end_trouble();
            }
            Go::On
        });
        assert_eq!(printed, Ok(Printed { impressions: Some(2) }), "{reason}: {}", eve.log());
    }
}

#[test]
fn trouble_that_stays_is_named_when_the_time_is_over() {
    let eve = Eve::start();
    for (reason, obstacle) in [
        ("media-empty", Obstacle::PaperEnd),
        ("media-jam", Obstacle::Jam),
        ("cover-open", Obstacle::CoverOpen),
        ("toner-empty", Obstacle::TonerEmpty),
    ] {
        eve.trouble_at(2, reason);
        let mut printer = eve.driver("DG0001");
        let document = pdf(2);
        let printed = printer.print(&PrintOut::once(&document), Duration::from_millis(600), &mut |_| Go::On);
        let told = printed.unwrap_err();
        assert_eq!((told.failure, told.started), (Failure::Obstacle(obstacle), true), "{reason}");
        // It takes a job back only when its print command comes to an end.
        assert!(told.left_behind, "{reason}");
        eve.end_trouble();
        assert!(print(&mut printer, &pdf(2)).is_ok(), "the next print waits until nothing of ours is left");
    }
}

#[test]
fn a_job_that_the_printer_gives_up_is_told() {
    let eve = Eve::start();
    std::fs::write(eve.path("abort"), "").unwrap();
    let mut printer = eve.driver("DG0001");
    let told = print(&mut printer, &pdf(1)).unwrap_err();
    assert_eq!((told.failure, told.left_behind), (Failure::Aborted, false), "{}", eve.log());
    std::fs::remove_file(eve.path("abort")).unwrap();
    assert!(print(&mut printer, &pdf(2)).is_ok());
}

#[test]
fn a_caller_who_changes_his_mind_is_heard() {
    let eve = Eve::start();
    eve.set_pages(40);
    let mut printer = eve.driver("DG0001");
    let document = pdf(40);
    let deadlines = Deadlines { withdraw: Duration::from_secs(10), ..DEADLINES };
    printer = printer.with_deadlines(deadlines);
    let printed = printer.print(&PrintOut::once(&document), PATIENCE, &mut |_| Go::Withdraw);
    assert_eq!(printed.unwrap_err().failure, Failure::Withdrawn, "{}", eve.log());
}

#[test]
fn a_printer_at_another_terminals_job_is_busy_and_the_job_stays() {
    let eve = Eve::start();
    eve.trouble_at(1, "media-empty");
    let mut other = eve.driver("DG0002");
    std::thread::scope(|scope| {
        let printing = scope.spawn(move || print(&mut other, &pdf(2)));
        let deadline = Instant::now() + START_DEADLINE;
        while !eve.path("arrived.pdf").exists() {
            assert!(Instant::now() < deadline, "{}", eve.log());
            std::thread::sleep(Duration::from_millis(20));
        }
        assert_eq!(print(&mut eve.driver("DG0001"), &pdf(1)), Err(error(Failure::Busy, false, false)));
        eve.end_trouble();
        assert_eq!(printing.join().unwrap(), Ok(Printed { impressions: Some(2) }));
    });
}

#[test]
fn a_printer_switched_off_in_the_middle_is_told_and_comes_back() {
    let mut eve = Eve::start();
    eve.set_pages(50);
    let mut printer = eve.driver("DG0001");
    let document = pdf(50);
    let printed = printer.print(&PrintOut::once(&document), PATIENCE, &mut |progress| {
        if progress.impressions >= Some(2) {
            eve.power_off();
        }
        Go::On
    });
    let told = printed.unwrap_err();
    assert!(
        matches!(told.failure, Failure::Gone | Failure::Cut) && told.started && told.left_behind,
        "{told:?}"
    );
    assert_eq!(printer.status(), Err(error(Failure::Gone, false, false)));
    eve.set_pages(1);
    eve.power_on();
    assert!(print(&mut printer, &pdf(1)).is_ok());
}
