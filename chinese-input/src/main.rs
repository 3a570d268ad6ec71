//! `chinese-input`: the process in which the input libraries live, and the command that prepares their tables.
//!
//! `chinese-input deploy FOLDER` makes librime's tables of our schemas, once for each image of a terminal.
//! `chinese-input serve FOLDER [RIME-DATA MODEL]` is started by [`chinese_input::InputClient`], a process for each session.
//!
//! Deliberately absent: a log, an option that lets anything be written while somebody types.

use std::ffi::OsString;
use std::process::ExitCode;

use chinese_input::{Sources, child, deploy};

const USAGE: &str = "usage: chinese-input deploy FOLDER | chinese-input serve FOLDER [RIME-DATA MODEL]";
/// The command line is wrong.
const EXIT_USAGE: u8 = 2;
/// The tables could not be made, or the surroundings are not those that the kiosk makes.
const EXIT_FAILED: u8 = 1;

fn main() -> ExitCode {
    let words: Vec<OsString> = std::env::args_os().skip(1).collect();
    match words.as_slice() {
        [word, folder] if word == "deploy" => match deploy(&Sources::deployed_in(folder)) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                eprintln!("{error}");
                ExitCode::from(EXIT_FAILED)
            }
        },
        [word, folder] if word == "serve" => serve(&Sources::deployed_in(folder)),
        [word, folder, rime_data, model] if word == "serve" => {
            serve(&Sources { rime_data: rime_data.into(), deployed: folder.into(), model: model.into() })
        }
        _ => {
            eprintln!("{USAGE}");
            ExitCode::from(EXIT_USAGE)
        }
    }
}

fn serve(sources: &Sources) -> ExitCode {
    if child::confine().and_then(|()| child::end_with_kiosk()).is_err() {
        return ExitCode::from(EXIT_FAILED);
    }
    match child::serve(sources, std::io::stdin().lock(), std::io::stdout().lock()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::from(EXIT_FAILED),
    }
}
