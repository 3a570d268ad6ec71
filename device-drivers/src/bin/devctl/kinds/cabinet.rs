//! The cabinet: who stands near, doors and lights, on a board or on Linux's own lines.

use std::path::PathBuf;
use std::str::FromStr;
use std::time::{Duration, Instant};

use clap::{Subcommand, ValueEnum};
use device_drivers::cabinet::{
    ActiveLevel, CabinetDoor, CabinetError, DoorState, GpioInput, GpioPresenceSensor, IndicatorLight,
    LedLight, LightPattern, Presence, PresenceSensor,
};
use device_drivers::cabinet_board::{CabinetBoard, LightSettings};
use device_drivers::serial_line::SerialLine;
use device_drivers::transport::Transport;
use device_drivers::{Fault, Remedy};

use crate::answer::{Failure, Outcome, fact};
use crate::tape::Tape;

/// The board's name in recordings.
const KIND: &str = "cabinet-board";

/// How often a board is asked something, so that its light does not go out.
const KEEP_LIT: Duration = Duration::from_secs(1);

#[derive(clap::Args)]
pub struct CabinetKind {
    #[command(flatten)]
    way: Way,
    /// Bits per second of the board's line
    #[arg(long, default_value_t = 115_200)]
    baud: u32,
    #[command(flatten)]
    tape: Tape,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(clap::Args)]
#[group(multiple = false)]
struct Way {
    /// Serial port of a cabinet board, better by /dev/serial/by-id/
    #[arg(long, value_name = "PATH")]
    port: Option<PathBuf>,
    /// An LED of Linux by its name, or the folder of its files
    #[arg(long, value_name = "NAME")]
    led: Option<String>,
    /// A sensor's line, as /dev/gpiochip0:5, with :low where a low level means "near"
    #[arg(long, value_name = "CHIP:LINE")]
    gpio: Option<Line>,
}

#[derive(Subcommand)]
enum Verb {
    /// Board, presence and doors
    Look,
    /// Let a light show something
    Light {
        /// The light's number, from 0; an LED has but one
        number: u8,
        #[arg(value_enum)]
        pattern: Pattern,
        /// Seconds to keep it so; a board puts it out 10 s after the last question
        #[arg(long, default_value_t = 0)]
        seconds: u64,
    },
    /// Let the board test itself
    SelfTest,
}

#[derive(Clone, Copy, ValueEnum)]
enum Pattern {
    Off,
    On,
    Slow,
    Fast,
}

#[derive(Clone)]
struct Line(GpioInput);

impl FromStr for Line {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Line, Self::Err> {
        let (text, active) = match text.strip_suffix(":low") {
            Some(text) => (text, ActiveLevel::Low),
            None => (text, ActiveLevel::High),
        };
        let line = text.rsplit_once(':').and_then(|(chip, line)| Some((chip, line.parse().ok()?)));
        let (chip, offset) = line.ok_or("looks like /dev/gpiochip0:5 or /dev/gpiochip0:5:low")?;
        Ok(Line(GpioInput { chip: chip.into(), offset, active }))
    }
}

impl From<CabinetError> for Failure {
    fn from(error: CabinetError) -> Failure {
        Failure::device(&error, error.remedy())
    }
}

impl CabinetKind {
    pub fn run(self) -> Outcome {
        let Way { port, led: None, gpio: None } = &self.way else {
            let reel = self.tape.none()?;
            return reel.finish(self.ask_linux());
        };
        let line = |port: &PathBuf| Box::new(SerialLine::new(port, self.baud)) as Box<dyn Transport>;
        let (transport, reel) = self.tape.thread(KIND, port.as_ref().map(line))?;
        let outcome = ask_board(&CabinetBoard::over(transport), &self.verb);
        reel.finish(outcome)
    }

    /// An LED or a line of Linux.
    fn ask_linux(&self) -> Outcome {
        match (&self.way, &self.verb) {
            (Way { led: Some(name), .. }, Verb::Light { pattern, seconds, .. }) => {
                let mut led =
                    if name.contains('/') { LedLight::in_folder(name) } else { LedLight::named(name) };
                show(&mut led, "led", *pattern)?;
                std::thread::sleep(Duration::from_secs(*seconds));
                Ok(())
            }
            (Way { gpio: Some(line), .. }, Verb::Look) => {
                fact("presence", presence(GpioPresenceSensor::new(line.0.clone()).presence()?));
                Ok(())
            }
            _ => Err(Failure::usage("a line can be looked at, an LED can be lit, a board can do everything")),
        }
    }
}

fn ask_board(board: &CabinetBoard, verb: &Verb) -> Outcome {
    match verb {
        Verb::Look => look(board),
        Verb::Light { number, pattern, seconds } => {
            show(&mut board.light(*number, LightSettings::default()), &format!("light {number}"), *pattern)?;
            let until = Instant::now() + Duration::from_secs(*seconds);
            while Instant::now() < until {
                std::thread::sleep(KEEP_LIT.min(until.saturating_duration_since(Instant::now())));
                board.identity()?;
            }
            Ok(())
        }
        Verb::SelfTest => {
            let found = board.self_test()?;
            let word = |bad| if bad { "bad" } else { "good" };
            fact("supply", word(found.supply));
            fact("presence-sensor", word(found.presence_sensor));
            fact("lights", word(found.lights));
            fact("memory", word(found.memory));
            if found.is_good() {
                return Ok(());
            }
            let what = "the cabinet board's self-test found a fault";
            Err(Failure::device(&what, Remedy::CallOperator(Fault::CabinetFault)))
        }
    }
}

fn look(board: &CabinetBoard) -> Outcome {
    let identity = board.identity()?;
    let (major, minor) = identity.firmware;
    fact("board", format!("{}, number {}, firmware {major}.{minor}", identity.name, identity.serial));
    fact("lights", identity.lights);
    for number in 0..identity.doors {
        let report = board.door(number).look()?;
        fact(&format!("door {number}"), if report.state == DoorState::Open { "open" } else { "closed" });
    }
    if !identity.has_presence_sensor {
        fact("presence", "no sensor");
        return Ok(());
    }
    let felt = board.presence_sensor().presence();
    fact("presence", felt.map_or("unknown", presence));
    Ok(felt.map(drop)?)
}

fn presence(presence: Presence) -> &'static str {
    match presence {
        Presence::Near => "near",
        Presence::Far => "far",
    }
}

fn show(light: &mut dyn IndicatorLight, name: &str, pattern: Pattern) -> Outcome {
    let (pattern, word) = match pattern {
        Pattern::Off => (LightPattern::Off, "off"),
        Pattern::On => (LightPattern::On, "on"),
        Pattern::Slow => (LightPattern::Slow, "slow"),
        Pattern::Fast => (LightPattern::Fast, "fast"),
    };
    light.show(pattern)?;
    fact(name, word);
    Ok(())
}
