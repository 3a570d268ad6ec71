//! How long a resident waits until a case with a photo is on the disk, against the least that can be done with the same
//! bytes: a file that is written, synced and renamed, its folder synced, and a row in SQLite.

use anyhow::{Result, ensure};
use kiosk_store::{NewRecord, Outbox};
use rand::RngCore;
use rusqlite::Connection;
use simulator::world::TERMINAL_CODE;
use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::commits::{insert_one, open_bare};
use super::records::{Maker, row_bytes};
use super::site::Site;
use super::table::{Better, Row, Samples};

/// A photo, as large as the goal says.
const PHOTO: usize = 2 * 1024 * 1024;

/// Commits so many cases with a photo each, in turns with the reference.
pub fn measure(rounds: usize) -> Result<Vec<Row>> {
    let site = Site::make()?;
    let maker = Maker::new(&site)?;
    let state = site.world.terminal_state();
    let mut outbox = Outbox::open(&state, TERMINAL_CODE)?;
    let bare = Bare::open(&state)?;
    let [mut commits, mut whole, mut references] = [(); 3].map(|()| Samples::default());
    let mut photo = vec![0; PHOTO];
    // The first only warm the caches.
    for round in 0..rounds + 3 {
        rand::rng().fill_bytes(&mut photo);
        let begun = Instant::now();
        let blob = maker.seal_photo(&photo)?;
        let record = maker.make_with(outbox.incarnation(), outbox.next_slot(), vec![blob])?;
        let (row, bytes) = (vec![0x5a; row_bytes(&record)], record.blobs[0].bytes.clone());
        let made = begun.elapsed();
        let committed = commit(&mut outbox, record)?;
        let reference = bare.keep(round, &bytes, &row)?;
        if round >= 3 {
            commits.add_ms(committed);
            whole.add_ms(made + committed);
            references.add_ms(reference);
        }
    }
    outbox.verify_all()?;
    ensure!(outbox.head() == rounds as u64 + 3, "commits are missing");
    let row = |what: &str, measured: f64, reference: f64| {
        Row::new(what, "ms", measured).beside("ms bare file and FULL insert", reference, measured / reference)
    };
    Ok(vec![
        row("commit of a case with a 2 MiB photo, median", commits.median(), references.median())
            .goal(Better::Smaller, 1.25),
        row("the same, p99", commits.p99(), references.p99()).limit(Better::Smaller, 50.0),
        row("the same with sealing and signing, median", whole.median(), references.median()),
        row("the same, p99", whole.p99(), references.p99()),
    ])
}

fn commit(outbox: &mut Outbox, record: NewRecord) -> Result<Duration> {
    let begun = Instant::now();
    outbox.commit(record)?;
    Ok(begun.elapsed())
}

/// The reference.
struct Bare {
    folder: PathBuf,
    db: Connection,
}

impl Bare {
    fn open(state: &Path) -> Result<Bare> {
        let folder = state.join("bare");
        fs::create_dir(&folder)?;
        let db = open_bare(&state.join("bare.db"))?;
        Ok(Bare { folder, db })
    }

    fn keep(&self, number: usize, bytes: &[u8], row: &[u8]) -> Result<Duration> {
        let begun = Instant::now();
        let (staged, named) = (self.folder.join("new"), self.folder.join(number.to_string()));
        let mut file = File::create(&staged)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        drop(file);
        fs::rename(&staged, &named)?;
        File::open(&self.folder)?.sync_all()?;
        insert_one(&self.db, row)?;
        Ok(begun.elapsed())
    }
}
