//! `cargo xtask fleet`: a fleet of emulated terminals comes back to one gateway after an outage. Prints a table, and
//! draws it.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::Result;
use clap::Parser;
use kiosk_fleet::chart::{Panel, Scale, Series, draw};
use kiosk_fleet::city::{Size, project};
use kiosk_fleet::herd::{Options, PEAK_S, Report, run};

/// The longest wait that the sync agent knows by itself; for the largest fleet.
const CAP: Duration = Duration::from_secs(15 * 60);

/// The fleet for which that wait is kept; smaller ones come back faster, so that the city is equally busy.
const LARGEST: usize = 100_000;

/// The shortest return: below that, ten seconds are no part of it.
const SHORTEST: Duration = Duration::from_secs(30);

/// A fleet comes back after an outage.
#[derive(Parser)]
struct Arguments {
    /// How many terminals; several fleets one after the other. Without it the whole curve
    #[arg(long, value_name = "N")]
    terminals: Vec<usize>,
    /// How many cases each holds
    #[arg(long, default_value_t = 3)]
    cases: u64,
    /// The longest wait of a terminal, and so the time of the return; by itself it grows with the fleet up to 15 minutes
    #[arg(long, value_name = "SECONDS")]
    cap: Option<u64>,
    /// After how many seconds without a request a connection is closed
    #[arg(long, default_value_t = 20)]
    idle: u64,
    /// Where the picture goes; without it only the whole curve is drawn, into the documents
    #[arg(long, value_name = "FILE")]
    svg: Option<PathBuf>,
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let whole = arguments.terminals.is_empty();
    let fleets = if whole { vec![1_000, 3_000, 10_000, 30_000, 100_000] } else { arguments.terminals };
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let begun = Instant::now();
    let mut reports = Vec::new();
    for (at, &terminals) in fleets.iter().enumerate() {
        let cap = arguments.cap.map_or_else(|| cap(terminals), Duration::from_secs);
        let idle = Duration::from_secs(arguments.idle);
        let say = |line: &str| {
            eprintln!("  … [{}/{}] {:>5.0} s  {line}", at + 1, fleets.len(), begun.elapsed().as_secs_f64());
        };
        let options = Options { terminals, cases: arguments.cases, cap, idle, size: Size::Full };
        reports.push(runtime.block_on(run(options, say))?);
        println!("{}", table(&reports));
    }
    let docs = whole.then(|| project().join("docs/fleet.svg"));
    if let Some(file) = arguments.svg.or(docs) {
        std::fs::write(&file, draw(&panels(&reports)))?;
        println!("{} is drawn", file.display());
    }
    Ok(())
}

fn cap(terminals: usize) -> Duration {
    CAP.mul_f64(terminals as f64 / LARGEST as f64).clamp(SHORTEST, CAP)
}

fn table(reports: &[Report]) -> String {
    let mut text = String::from(
        "\n| terminals | cases | return | mean | peak in 10 s | peak/mean | CPU/case gateway + PostgreSQL | gateway memory 10 % → 90 %, most | connections, most | resumed | hellos, not answered | records sent again |\n|---|---|---|---|---|---|---|---|---|---|---|---|\n",
    );
    for report in reports {
        let [gateway, postgres] = report.cpu_ms_per_case;
        let memory = &report.gateway_mib[..report.gateway_mib.len().min(report.window_s())];
        let at = |share: usize| memory.get(memory.len() * share / 100).copied().unwrap_or(f64::NAN);
        let most = memory.iter().copied().fold(0.0, f64::max);
        let files = report.gateway_files.iter().copied().max().unwrap_or(0);
        let [full, resumed] = report.handshakes;
        let share = 100.0 * resumed as f64 / (full + resumed).max(1) as f64;
        let (mean, peak) = (report.mean(), report.peak());
        text.push_str(&format!(
            "| {} | {} | {} s | {mean:.0} /s | {peak:.0} /s | {:.2} | {gateway:.2} + {postgres:.2} ms | {:.0} → {:.0}, {most:.0} MiB | {files} | {share:.1} % | {}, {} | {} |\n",
            report.terminals,
            report.delivered,
            report.window_s(),
            peak / mean,
            at(10),
            at(90),
            report.passed.hellos,
            report.passed.hellos_failed,
            report.passed.records_failed,
        ));
    }
    text
}

fn panels(reports: &[Report]) -> Vec<Panel> {
    let cost = |name: &str, of: fn(&Report) -> f64| {
        let points = reports.iter().map(|report| (report.terminals as f64, of(report))).collect();
        Series { name: name.into(), points, is_limit: false }
    };
    let mut panels = vec![Panel {
        title: "CPU for each case, from TLS to the opened content (milliseconds)".into(),
        across: "terminals",
        scale: Scale::Powers,
        series: vec![
            cost("together", |report| report.cpu_ms_per_case.iter().sum()),
            cost("gateway", |report| report.cpu_ms_per_case[0]),
            cost("PostgreSQL", |report| report.cpu_ms_per_case[1]),
        ],
    }];
    let Some(largest) = reports.iter().max_by_key(|report| report.terminals) else { return panels };
    let window = largest.window_s();
    let (end, mean) = (window as f64, largest.mean());
    let tens = largest.by_second[..window].chunks(PEAK_S).enumerate();
    let rate = tens.map(|(at, seconds)| {
        let cases: u64 = seconds.iter().sum();
        ((at * PEAK_S) as f64, cases as f64 / seconds.len() as f64)
    });
    let limit = |name: &str, value: f64| Series {
        name: name.into(),
        points: vec![(0.0, value), (end, value)],
        is_limit: true,
    };
    let across = "seconds since the network is back";
    panels.push(Panel {
        title: format!("{} terminals come back: cases a second, by ten seconds", largest.terminals),
        across,
        scale: Scale::Linear,
        series: vec![
            Series { name: "delivered".into(), points: rate.collect(), is_limit: false },
            limit("mean", mean),
            limit("1.5 times the mean", mean * 1.5),
        ],
    });
    let memory = largest.gateway_mib.iter().take(window).enumerate().step_by(5);
    panels.push(Panel {
        title: "the gateway's memory meanwhile (MiB)".into(),
        across,
        scale: Scale::Linear,
        series: vec![Series {
            name: "resident".into(),
            points: memory.map(|(second, &mib)| (second as f64, mib)).collect(),
            is_limit: false,
        }],
    });
    panels
}
