//! The simulator's program. With `launch-child` as its first argument it is the launcher of a supervised process;
//! otherwise it runs a demo until it is told to stop.

use std::process::ExitCode;

use clap::Parser;
use simulator::arguments::Arguments;
use simulator::{demo, launch};
use tracing_subscriber::EnvFilter;

/// Exit code when another simulator already has the folder or the port.
const ALREADY_RUNNING: u8 = 3;

fn main() -> ExitCode {
    let mut arguments = std::env::args_os().skip(1);
    if arguments.next().is_some_and(|first| first == launch::LAUNCH) {
        eprintln!("{}", launch::launch_child(&arguments.collect::<Vec<_>>()));
        return ExitCode::FAILURE;
    }
    let arguments = Arguments::parse();
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("warn"));
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
    match demo::run(arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) if error.is::<demo::AlreadyRunning>() => {
            eprintln!("{error}");
            ExitCode::from(ALREADY_RUNNING)
        }
        Err(error) => {
            eprintln!("模拟台停止。The simulator stops: {error:#}");
            ExitCode::FAILURE
        }
    }
}
