//! Measures speed and memory of the built programs, each figure beside a reference that is measured in the
//! same run, and prints the ratios with the goals. Started by `cargo xtask bench`.

#[path = "../bench/mod.rs"]
mod bench;

use anyhow::Result;
use bench::table::{self, Row};
use bench::{camera, city, commits, delivery, devices, photos, screen, sessions, start};
use clap::{Parser, ValueEnum};
use std::time::Duration;

/// Speed and memory, each figure beside its reference.
#[derive(Parser)]
struct Arguments {
    /// Fewer rounds: shows that everything works, not how fast it is
    #[arg(long)]
    quick: bool,
    /// Only this group of figures
    #[arg(long, value_name = "NAME")]
    only: Option<Group>,
}

/// What belongs together.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Group {
    /// Process start and memory, against Chromium
    Start,
    /// Touches and page changes, against Chromium
    Screen,
    /// Memory after a thousand residents, against after ten
    Sessions,
    /// Durable commits, against bare SQLite
    Commits,
    /// Durable commits with a photo, against a bare file and a bare row
    Photos,
    /// Delivery to the city, against bare HTTP/2
    Delivery,
    /// The city on PostgreSQL, against pgbench
    City,
    /// Card, receipt and idle devices, against the line itself; the camera's frames, against a bare decoder
    Devices,
}

impl Group {
    fn measure(self, quick: bool) -> Result<Vec<Row>> {
        let of = |quickly, usually| if quick { quickly } else { usually };
        match self {
            Group::Start => start::measure(of(2, 9)),
            Group::Screen => screen::measure(of(20, 120), of(10, 100)),
            Group::Sessions => sessions::measure(of(20, 1_000)),
            Group::Commits => commits::measure(of(4, 40)),
            Group::Photos => photos::measure(of(20, 300)),
            Group::City => city::measure(&city::Amount {
                rounds: of(1, 5),
                cases: if quick { 256 } else { 8192 },
                grouped: if quick { 2048 } else { 40_960 },
                paced_s: if quick { 3 } else { 60 },
            }),
            Group::Devices => {
                let mut rows = devices::measure(of(3, 30), Duration::from_secs(of(3, 30) as u64))?;
                rows.extend(camera::measure(of(10, 60), Duration::from_secs(of(3, 10) as u64))?);
                Ok(rows)
            }
            Group::Delivery => delivery::measure(of(1_000, 10_000), of(1, 3)),
        }
    }
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let groups: Vec<Group> = match arguments.only {
        Some(group) => vec![group],
        None => Group::value_variants().to_vec(),
    };
    println!("load before: {}", load());
    let mut rows = Vec::new();
    for (at, group) in groups.iter().enumerate() {
        let name = group.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default();
        eprintln!("  … [{}/{}] {name}", at + 1, groups.len());
        rows.extend(group.measure(arguments.quick)?);
    }
    println!("load after:  {}\n", load());
    table::print(&rows);
    Ok(())
}

/// What else the machine was doing: the waiting processes of the last 1, 5 and 15 minutes, and its cores.
fn load() -> String {
    let averages = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let averages: Vec<&str> = averages.split_whitespace().take(3).collect();
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    format!("{} on {cores} cores", averages.join(" "))
}
