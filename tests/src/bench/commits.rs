//! How many records reach the disk in a second, against what SQLite itself can do in the same folder.

use anyhow::{Context, Result, ensure};
use kiosk_store::{NewRecord, Outbox};
use rusqlite::Connection;
use simulator::world::TERMINAL_CODE;
use std::path::Path;
use std::time::Instant;

use super::records::{Maker, row_bytes};
use super::site::Site;
use super::table::{Better, Pairs, Row};

/// Commits of one kind before the next kind's turn: short, so that a busy disk disturbs all kinds alike.
const BLOCK: usize = 50;

/// Commits so many blocks of each kind, in turns.
pub fn measure(blocks: usize) -> Result<Vec<Row>> {
    let site = Site::make()?;
    let maker = Maker::new(&site)?;
    let state = site.world.terminal_state();
    let mut outbox = Outbox::open(&state, TERMINAL_CODE)?;
    let sample = maker.make(outbox.incarnation(), outbox.next_slot())?;
    let size = row_bytes(&sample);
    let bare = open_bare(&state.join("bare.db"))?;
    let row = vec![0x5a; size];
    let [mut sealed, mut ready, mut sealing] = [(); 3].map(|()| Pairs::default());
    // The first block of each only fills caches and makes the files grow.
    for block in 0..=blocks {
        let with_sealing = rate(|| seal_and_commit(&maker, &mut outbox))?;
        let (incarnation, slot, mut records) = (outbox.incarnation(), outbox.next_slot(), Vec::new());
        let sealing_alone = rate(|| {
            records = maker.chain(incarnation, slot, BLOCK)?;
            Ok(())
        })?;
        let without = rate(|| records.into_iter().try_for_each(|record| commit(&mut outbox, record)))?;
        let reference = rate(|| insert(&bare, &row))?;
        if block > 0 {
            sealed.add(with_sealing, reference);
            ready.add(without, reference);
            sealing.add(sealing_alone, without);
        }
    }
    outbox.verify_all()?;
    ensure!(outbox.head() == 2 * (BLOCK * (blocks + 1)) as u64, "commits are missing");
    let reference = format!("/s bare SQLite FULL, {size} B rows");
    Ok(vec![
        // Without a goal: the reference neither seals nor signs.
        sealed.row("durable commits, seal + sign + store", "/s", &reference),
        ready.row("durable commits, store alone", "/s", &reference).goal(Better::Larger, 0.8),
        sealing.row("seal + sign alone, nothing stored", "/s", "/s store alone"),
    ])
}

/// A database as bare as one can be that still survives a power cut.
pub fn open_bare(file: &Path) -> Result<Connection> {
    let db = Connection::open(file)?;
    db.query_row("PRAGMA journal_mode = WAL", [], |row| row.get::<_, String>(0))?;
    db.execute_batch(
        "PRAGMA synchronous = FULL; CREATE TABLE bare (id INTEGER PRIMARY KEY, row BLOB NOT NULL)",
    )?;
    let level: i64 = db.query_row("PRAGMA synchronous", [], |row| row.get(0))?;
    ensure!(level == 2, "the reference is not FULL");
    Ok(db)
}

/// One bare FULL insert.
pub fn insert_one(db: &Connection, row: &[u8]) -> Result<()> {
    db.prepare_cached("INSERT INTO bare (row) VALUES (?1)")?.execute([row])?;
    Ok(())
}

fn insert(db: &Connection, row: &[u8]) -> Result<()> {
    (0..BLOCK).try_for_each(|_| insert_one(db, row))
}

fn seal_and_commit(maker: &Maker, outbox: &mut Outbox) -> Result<()> {
    for _ in 0..BLOCK {
        let record = maker.make(outbox.incarnation(), outbox.next_slot())?;
        commit(outbox, record)?;
    }
    Ok(())
}

fn commit(outbox: &mut Outbox, record: NewRecord) -> Result<()> {
    outbox.commit(record).context("a commit failed")
}

/// How many a second a block of them is.
fn rate(work: impl FnOnce() -> Result<()>) -> Result<f64> {
    let begun = Instant::now();
    work()?;
    Ok(BLOCK as f64 / begun.elapsed().as_secs_f64())
}
