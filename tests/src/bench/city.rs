//! The gateway on PostgreSQL: the true program, terminals over TLS, and `pgbench` with the same rows on the same server
//! in turns with it.

use anyhow::Result;
use kiosk_fleet::bare::{self, Bare};
use kiosk_fleet::city::{City, Size, store};
use kiosk_fleet::load::{Load, Sample, store_rate};
use std::sync::Arc;
use tokio::runtime::Builder;

use super::table::{Better, Pairs, Row, Samples};

/// Cases a second at which the time to the receipt is taken: a city's busiest hour.
const PACE: u32 = 700;

/// Terminals that send one case after the other, and as many clients of `pgbench`.
const CLIENTS: [usize; 3] = [1, 8, 64];

/// Records that always wait for the store when groups are measured, how many of them share a statement, and how many
/// statements are under way: as the gateway does it.
const WAITING: u64 = 512;
const BATCH: u64 = 256;
const LANES: u64 = 2;

/// Rows that one case is: the record, and its place in the opener's work.
const ROWS: u32 = 2;

/// How much is measured.
pub struct Amount {
    /// Turns of each kind.
    pub rounds: usize,
    /// Cases in a turn.
    pub cases: u64,
    /// Cases in a turn of the store by itself.
    pub grouped: u64,
    /// Seconds at a steady pace.
    pub paced_s: u64,
}

/// Measures all of it.
pub fn measure(amount: &Amount) -> Result<Vec<Row>> {
    // As many threads as the gateway has; both share the machine.
    Builder::new_multi_thread().worker_threads(2).enable_all().build()?.block_on(async {
        let mut city = City::start(Size::Full)?;
        let load = Arc::new(Load::new(&city, 64)?);
        let sample = load.sample()?;
        let bare_database = city.another_database().await?;
        let mut bare = Bare::new(bare_database, &sample)?;
        let mut rows = single(amount, &mut city, &load, &sample, &mut bare).await?;
        rows.extend(paced(amount, &mut city, &load, &mut bare).await?);
        let kept = city.count("SELECT count(*) FROM inbox")?;
        city.check(kept)?;
        rows.extend(grouped(amount, &city, &sample).await?);
        Ok(rows)
    })
}

/// The whole way over TLS, and the store by itself, which is what a bare insert can be compared with: `pgbench` checks no
/// signature, signs no receipt and opens nothing.
async fn single(
    amount: &Amount,
    city: &mut City,
    load: &Load,
    sample: &Sample,
    bare: &mut Bare,
) -> Result<Vec<Row>> {
    let store = Arc::new(store(&city.another_database().await?).await?);
    let mut rows = Vec::new();
    for clients in CLIENTS {
        // One alone is slow: it waits for the disk each time.
        let share = if clients == 1 { amount.cases / 8 } else { amount.cases };
        let each = (share / clients as u64).max(1);
        let [mut way, mut alone] = [(); 2].map(|()| Pairs::default());
        for round in 0..=amount.rounds {
            eprintln!("  … city: {clients} at a time, round {round} of {}", amount.rounds);
            let accepted = load.rate(clients, each).await?;
            // Nothing of the gateway's may go on while the others are measured.
            city.settle().await?;
            let kept = store_rate(&store, sample, each * clients as u64, clients as u64).await?;
            city.settle().await?;
            let reference = bare.rate(clients, each)?;
            city.settle().await?;
            // The first fills caches.
            if round > 0 {
                way.add(accepted, reference);
                alone.add(kept, reference);
            }
        }
        let name = "/s bare pgbench, two rows";
        let what = format!("cases accepted, {clients} terminals, one at a time each");
        rows.push(way.row(&what, "/s", name));
        let what = format!("the store alone ({ROWS} rows each), {clients} at a time");
        rows.push(alone.row(&what, "/s", name).goal(Better::Larger, 0.8));
    }
    Ok(rows)
}

async fn paced(amount: &Amount, city: &mut City, load: &Arc<Load>, bare: &mut Bare) -> Result<Vec<Row>> {
    eprintln!("  … city: {PACE} a second for {} s, then pgbench", amount.paced_s);
    let [mut ours, mut theirs] = [(); 2].map(|()| Samples::default());
    load.paced(PACE, amount.paced_s).await?.into_iter().for_each(|time| ours.add(time));
    city.settle().await?;
    bare.paced(PACE, amount.paced_s, 64)?.into_iter().for_each(|time| theirs.add(time));
    let row = |what: &str, ours: f64, theirs: f64| {
        Row::new(what, "ms", ours).beside("ms bare pgbench, two rows", theirs, ours / theirs)
    };
    let what = format!("from when it is to be sent to its receipt, {PACE} cases/s");
    Ok(vec![
        row(&format!("{what}, median"), ours.median(), theirs.median()),
        row(&format!("{what}, p99"), ours.p99(), theirs.p99()).limit(Better::Smaller, 250.0),
    ])
}

async fn grouped(amount: &Amount, city: &City, sample: &Sample) -> Result<Vec<Row>> {
    let (ours, theirs) = (city.another_database().await?, city.another_database().await?);
    let store = Arc::new(store(&ours).await?);
    let mut pairs = Pairs::default();
    for round in 0..=amount.rounds {
        eprintln!("  … city: the store by itself, round {round} of {}", amount.rounds);
        let measured = store_rate(&store, sample, amount.grouped, WAITING).await?;
        city.sql(&ours, "CHECKPOINT")?;
        let reference = bare::many(&theirs, sample, amount.grouped, BATCH, LANES).await?;
        city.sql(&theirs, "CHECKPOINT")?;
        if round > 0 {
            pairs.add(measured, reference);
        }
    }
    let what = format!("cases kept by the store ({ROWS} rows each), {WAITING} waiting");
    let name = format!("/s bare insert of {BATCH} cases, two rows each");
    let enough = f64::from(20_000 / ROWS);
    Ok(vec![pairs.row(&what, "/s", &name).goal(Better::Larger, 0.8).limit(Better::Larger, enough)])
}
