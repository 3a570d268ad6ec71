//! How long a resident waits for candidates: after a key, and after the pen is lifted. Each figure stands beside two of the
//! same run: the library alone in this process, and an empty round trip through the same two pipes.
//!
//! `cargo run --release -p chinese-input --example input_figures`, after `cargo build --release -p chinese-input`.
//! Nothing is judged here: a figure says as much about the machine and its other work as about us.

use std::io::{Read, Write};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use chinese_input::{
    ClientConfig, HandwritingEngine, InputClient, InputEngine, Key, Mark, Method, Point, Rime, Script,
    Sources, Stroke,
};

/// What is typed, each way in turn.
const TYPED: [(Method, &str, &[&str]); 3] = [
    (
        Method::Pinyin,
        "pinyin",
        &[
            "nihao",
            "dongguanshi",
            "guangdongsheng",
            "shenfenzheng",
            "shehuibaozhang",
            "zhonghuarenmingongheguo",
        ],
    ),
    (
        Method::Jyutping,
        "jyutping",
        &["nei5hou2", "dung1gun2", "gwongdungsaang", "san1fan2zing3", "se5wui6bou2zoeng3", "hoenggong"],
    ),
    (Method::Strokes, "strokes", &["szhs", "hspn", "nnhphzpn", "szhhpnhszh", "pnhszhszh", "zzhhspn"]),
];
/// How often each is typed.
const ROUNDS: usize = 40;
/// 国: eight strokes as lines between corners, from 0 to 999.
const DRAWN: [&[(u16, u16)]; 8] = [
    &[(180, 150), (190, 880)],
    &[(180, 150), (830, 140), (825, 880)],
    &[(320, 310), (690, 300)],
    &[(350, 500), (660, 490)],
    &[(500, 310), (500, 700)],
    &[(300, 710), (710, 700)],
    &[(580, 560), (650, 640)],
    &[(190, 860), (820, 850)],
];
/// Goals after a key and after the pen is lifted, in milliseconds.
const GOALS_MS: (u32, u32) = (10, 60);

fn main() -> Result<()> {
    let program = match std::env::args_os().nth(1) {
        Some(program) => program.into(),
        // Examples lie in a folder beside the programs.
        None => std::env::current_exe()?
            .parent()
            .and_then(|folder| folder.parent())
            .context("no build folder")?
            .join("chinese-input"),
    };
    let folder = tempfile::tempdir()?;
    let started = Instant::now();
    ensure!(
        Command::new(&program).arg("deploy").arg(folder.path()).status()?.success(),
        "the schemas could not be deployed"
    );
    println!("schemas deployed in {:.0} ms", milliseconds(started.elapsed()));
    let sources = Sources::deployed_in(folder.path());
    let config = ClientConfig::new(&program, sources.clone());
    let mut echo = echo()?;
    let rime = Rime::open(&sources)?;

    for (method, name, words) in TYPED {
        let mut client = InputClient::new(config.clone(), method, Script::Simplified);
        let started = Instant::now();
        client.start()?;
        println!("{name}: child started in {:.1} ms", milliseconds(started.elapsed()));
        let mut alone = rime.engine(method, Script::Simplified)?;
        let marks = words.iter().map(|word| word.chars().filter_map(Key::new).map(Mark::Key).collect());
        compare(
            &format!("{name}, candidates after a key"),
            GOALS_MS.0,
            &marks.collect::<Vec<_>>(),
            &mut client,
            &mut alone,
            &mut echo,
        )?;
    }
    let mut client = InputClient::new(config, Method::Handwriting, Script::Simplified);
    let started = Instant::now();
    client.start()?;
    println!("handwriting: child started in {:.1} ms", milliseconds(started.elapsed()));
    let mut alone = HandwritingEngine::open(&sources)?;
    compare(
        "handwriting, candidates after pen up",
        GOALS_MS.1,
        &[drawn()],
        &mut client,
        &mut alone,
        &mut echo,
    )
}

/// Enters all through both engines in turn, an empty round trip beside each.
fn compare(
    what: &str,
    goal_ms: u32,
    inputs: &[Vec<Mark>],
    client: &mut InputClient,
    alone: &mut dyn InputEngine,
    echo: &mut impl FnMut() -> Result<Duration>,
) -> Result<()> {
    let (mut through_child, mut library, mut empty) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        for marks in inputs {
            for mark in marks {
                through_child.push(timed(client, mark)?);
                library.push(timed(alone, mark)?);
                empty.push(echo()?);
            }
            client.clear()?;
            alone.clear()?;
        }
    }
    println!("{what} (goal {goal_ms} ms; {} times)", through_child.len());
    for (name, mut times) in
        [("in the child", through_child), ("library alone", library), ("empty round trip", empty)]
    {
        times.sort();
        let at = |share: usize| milliseconds(times[(times.len() - 1) * share / 100]);
        println!(
            "    {name:<18} median {:>7.3} ms   p99 {:>7.3} ms   most {:>7.3} ms",
            at(50),
            at(99),
            at(100)
        );
    }
    Ok(())
}

fn timed(engine: &mut dyn InputEngine, mark: &Mark) -> Result<Duration> {
    let started = Instant::now();
    engine.enter(mark)?;
    Ok(started.elapsed())
}

/// A program that sends back what it gets, over pipes like those of the child.
fn echo() -> Result<impl FnMut() -> Result<Duration>> {
    let mut child = Command::new("cat").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
    let mut to = child.stdin.take().context("standard input was asked for")?;
    let mut from = child.stdout.take().context("standard output was asked for")?;
    Ok(move || {
        let started = Instant::now();
        to.write_all(&[0; 64])?;
        from.read_exact(&mut [0; 64])?;
        Ok(started.elapsed())
    })
}

/// 国 with the points that a panel gives.
fn drawn() -> Vec<Mark> {
    const STEPS: u32 = 16;
    let stroke = |corners: &&[(u16, u16)]| {
        let between =
            |a: u16, b: u16, step| ((u32::from(a) * (STEPS - step) + u32::from(b) * step) / STEPS) as u16;
        let points: Vec<Point> = corners
            .windows(2)
            .flat_map(|pair| {
                (0..=STEPS).map(|step| Point {
                    x: between(pair[0].0, pair[1].0, step),
                    y: between(pair[0].1, pair[1].1, step),
                })
            })
            .collect();
        Mark::Stroke(Stroke::new(&points).expect("corners were given"))
    };
    DRAWN.iter().map(stroke).collect()
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}
