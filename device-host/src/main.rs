//! `device-host LIBRARY`: runs one closed library of a device's maker, in a process where nothing else is.
//!
//! It is started by `device_drivers::vendor_library`, asked over standard input and answers over standard output, in
//! the messages of `device_drivers::vendor_library::protocol`. It ends when it is told to, when the kiosk is gone, and
//! when the library did what it must not.
//!
//! Deliberately absent: a log (it might quote a resident), a second library, any knowledge of a verb, recovery inside
//! the process (the kiosk starts another).

mod inherited;
mod limits;
mod line;
mod plugin;

use std::path::Path;
use std::process::ExitCode;

use device_drivers::vendor_library::protocol::{Answer, Frame, LoadFault, Request, VERSION};

use crate::line::{Line, LineError};
use crate::plugin::{Plugin, PluginError};

/// The command line is wrong, or the surroundings are not those that the kiosk makes.
const EXIT_USAGE: u8 = 2;
/// The line to the kiosk broke, or the kiosk spoke another language.
const EXIT_LINE: u8 = 3;

fn main() -> ExitCode {
    let mut arguments = std::env::args_os().skip(1);
    let (Some(library), None) = (arguments.next(), arguments.next()) else {
        eprintln!(
            "usage: device-host LIBRARY (started by the kiosk, which speaks to it over stdin and stdout)"
        );
        return ExitCode::from(EXIT_USAGE);
    };
    // When the kiosk ends, this process ends its group; it must not be that of somebody's shell.
    if rustix::process::getpgrp() != rustix::process::getpid() {
        eprintln!("device-host must lead a process group of its own");
        return ExitCode::from(EXIT_USAGE);
    }
    if inherited::close().is_err() {
        return ExitCode::from(EXIT_LINE);
    }
    let Ok(mut line) = Line::take_over() else { return ExitCode::from(EXIT_LINE) };
    let code = match serve(Path::new(&library), &mut line) {
        Ok(()) => 0,
        Err(LineError) => EXIT_LINE,
    };
    // Not by returning: the library may have closed the line's descriptors, which Rust must not close again.
    std::process::exit(code.into())
}

/// Answers the kiosk until it says stop.
fn serve(library: &Path, line: &mut Line) -> Result<(), LineError> {
    let first = line.receive()?;
    let mut plugin = match start(library, &first)? {
        Ok(plugin) => plugin,
        Err(error) => return line.answer(first.ticket(), &error.as_answer()),
    };
    line.answer(first.ticket(), &Answer::Started { identity: plugin.identity() })?;
    drop(first);
    loop {
        let frame = line.receive()?;
        match Request::from_frame(&frame)? {
            Request::Call { verb, output_bytes_max, input } => {
                match plugin.call(verb, input, output_bytes_max) {
                    Ok(output) => line.answer(frame.ticket(), &Answer::Done(&output))?,
                    Err(PluginError::Refused(refusal)) => {
                        line.answer(frame.ticket(), &Answer::Refused(refusal))?;
                    }
                    // Its memory may be anybody's by now.
                    Err(error) => return line.answer(frame.ticket(), &error.as_answer()),
                }
            }
            Request::Stop => {
                plugin.close();
                return Ok(());
            }
            Request::Start { .. } => return Err(LineError),
        }
    }
}

/// Confines this process, then lets the library in.
fn start(library: &Path, first: &Frame) -> Result<Result<Plugin, PluginError>, LineError> {
    let Request::Start { version, limits, settings } = Request::from_frame(first)? else {
        return Err(LineError);
    };
    if version != VERSION {
        return Ok(Err(PluginError::unusable(
            LoadFault::OtherRelease,
            &format!("it speaks version {VERSION}"),
        )));
    }
    if let Err(error) = limits::confine(&limits) {
        return Ok(Err(PluginError::unusable(LoadFault::NotConfined, &error.to_string())));
    }
    Ok(Plugin::load(library).and_then(|mut plugin| plugin.open(settings).map(|()| plugin)))
}

impl PluginError {
    fn as_answer(&self) -> Answer<'_> {
        match self {
            PluginError::Unusable { fault, detail } => Answer::Unusable { fault: *fault, detail },
            PluginError::Refused(refusal) => Answer::Refused(*refusal),
            PluginError::Misbehaved(how) => Answer::Misbehaved(*how),
        }
    }
}
