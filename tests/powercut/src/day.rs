//! The scripted day, in parts. Each part is recorded from its first system call to its last and can be judged alone.

use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, Result, ensure};
use kiosk_store::{Outbox, RecordKind};
use rusqlite::{Connection, params};

use crate::broken_sync::BrokenSync;
use crate::chance::Chance;
use crate::recorder;
use crate::records::{ENTERED, make_record, sha256};
use crate::story::{DeliveryState, OutboxState, Recording, Story, Survived, Track};
use crate::terminal::{Promise, TERMINAL, Terminal, nothing_yet};

/// Name of the state folder below the recorded root. The terminal makes it itself.
pub const STATE: &str = "state";
/// SQLite writes its log back into the database at a thousand pages; this is just before.
const NEARLY_FULL_LOG: u64 = 990 * (4096 + 24);

/// The parts of a day, in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// A new terminal: nothing is there, the schemas are made, work begins, processes restart.
    Fresh,
    /// What a cut left of the part before: recovery, and work goes on.
    Survivor,
    /// Files written by the first release of the schemas: migration, then work.
    Older,
    /// The outbox's log is nearly full: the write-back in the middle of a commit, then the log from its beginning.
    FullOutbox,
    /// The same for the delivery log and an audit chain.
    FullDelivery,
    /// A record that was damaged while the machine was off; then the city holds things for good, and their room is given
    /// back.
    Upkeep,
}

impl Part {
    /// All parts.
    pub const ALL: [Self; 6] =
        [Self::Fresh, Self::Survivor, Self::Older, Self::FullOutbox, Self::FullDelivery, Self::Upkeep];

    /// As it appears in findings.
    pub fn name(self) -> &'static str {
        match self {
            Self::Fresh => "fresh",
            Self::Survivor => "survivor",
            Self::Older => "older",
            Self::FullOutbox => "full-outbox",
            Self::FullDelivery => "full-delivery",
            Self::Upkeep => "upkeep",
        }
    }

    /// From its name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|part| part.name() == name)
    }
}

/// A part that begins with an empty folder (all but [`Part::Survivor`]).
pub fn record(part: Part, root: &Path, seed: u64, visits: usize, promise: Promise) -> Result<Recording> {
    play(part, root, before(part, root, seed)?, seed, visits, Day { promise, breaks: None })
}

/// The same part on a disk of which one sync breaks.
pub fn record_broken(
    part: Part,
    root: &Path,
    seed: u64,
    visits: usize,
    broken: BrokenSync,
) -> Result<Recording> {
    let day = Day { promise: Promise::AfterTheCommit, breaks: Some(broken) };
    play(part, root, before(part, root, seed)?, seed, visits, day)
}

/// What is there before a part begins.
fn before(part: Part, root: &Path, seed: u64) -> Result<Story> {
    let state = root.join(STATE);
    match part {
        Part::Older => write_older(&state, seed),
        Part::Upkeep => write_damaged(&state, seed),
        _ => Ok(nothing_yet()),
    }
}

/// The part that begins with what a cut left in `root`.
pub fn record_survivor(
    root: &Path,
    before: &Recording,
    survived: Survived,
    seed: u64,
    visits: usize,
) -> Result<Recording> {
    let day = Day { promise: Promise::AfterTheCommit, breaks: None };
    play(Part::Survivor, root, what_survived(before, survived), seed, visits, day)
}

/// What is out of the ordinary.
#[derive(Clone, Copy)]
struct Day {
    promise: Promise,
    /// The sync that breaks, counted from where the part is judged.
    breaks: Option<BrokenSync>,
}

fn play(part: Part, root: &Path, story: Story, seed: u64, visits: usize, day: Day) -> Result<Recording> {
    recorder::start(root, seed ^ part as u64)?;
    let mut terminal = Terminal::new(&root.join(STATE), story, seed ^ (part as u64) << 32, day.promise);
    let mut chance = Chance::new(seed, &[part as u64, 0xda4]);
    let arm = || day.breaks.into_iter().for_each(recorder::arm);
    if !matches!(part, Part::FullOutbox | Part::FullDelivery) {
        arm();
    }
    terminal.start_kiosk()?;
    terminal.start_sync()?;
    let mut judged_from = 0;
    match part {
        Part::FullOutbox => {
            terminal.visit()?;
            terminal.fill_outbox_log(NEARLY_FULL_LOG)?;
            arm();
            judged_from = recorder::position();
        }
        Part::FullDelivery => {
            terminal.visit()?;
            terminal.fill_delivery_log(NEARLY_FULL_LOG)?;
            terminal.fill_audit_log(NEARLY_FULL_LOG)?;
            arm();
            judged_from = recorder::position();
        }
        Part::Upkeep => terminal.close_damaged()?,
        Part::Fresh | Part::Survivor | Part::Older => {}
    }
    for visit in 0..visits {
        terminal.visit()?;
        match chance.below(6) {
            0 => terminal.fail_to_deliver()?,
            1 => {}
            _ => terminal.deliver(1 + visit % 4)?,
        }
        match chance.below(8) {
            0 => {
                terminal.stop_kiosk();
                terminal.start_kiosk()?;
            }
            1 => {
                terminal.stop_kiosk();
                terminal.stop_sync();
                terminal.start_sync()?;
                terminal.start_kiosk()?;
            }
            2 if visit > 2 => terminal.city_restored()?,
            _ => {}
        }
        if part == Part::Upkeep && visit % 2 == 1 {
            terminal.all_is_durable()?;
            terminal.give_back()?;
        }
    }
    let head = terminal.head()?;
    terminal.stop_sync();
    terminal.stop_kiosk();
    let story = std::mem::replace(&mut terminal.story, nothing_yet());
    ensure!(head == story.outbox.newest().records.len() as u64, "the story and the outbox agree on the day");
    let broken = recorder::broken();
    let log = recorder::stop()?;
    let judged = (judged_from..=log.ops.len()).collect();
    let recording = Recording { part: part.name(), log, story, judged, broken };
    nothing_in_clear(&recording)?;
    Ok(recording)
}

/// I7, for every byte that ever went to any file of the terminal, and so for every image a cut can leave.
fn nothing_in_clear(recording: &Recording) -> Result<()> {
    for op in &recording.log.ops {
        let recorder::Op::Write { bytes, .. } = op else { continue };
        for entered in ENTERED {
            let found = bytes.windows(entered.len()).any(|window| window == entered.as_bytes());
            ensure!(!found, "what a resident entered was written in clear");
        }
    }
    Ok(())
}

/// The story of a terminal that goes on after a cut.
fn what_survived(before: &Recording, survived: Survived) -> Story {
    let story = &before.story;
    let outbox = story.outbox.states[survived.outbox].clone();
    let audits = [0, 1].map(|at| story.audits[at].states[survived.audits[at]]);
    Story {
        incarnation: outbox.incarnation.clone(),
        handed: story.handed.clone(),
        voids: story.voids.clone(),
        named_from: vec![None; story.handed.len()],
        audited: [0, 1].map(|at| story.audited[at][..audits[at]].to_vec()),
        delivery: Track::new(story.delivery.states[survived.delivery].clone()),
        audits: audits.map(Track::new),
        outbox: Track::new(outbox),
    }
}

/// Writes an outbox in which the second of five records is damaged.
fn write_damaged(state: &Path, seed: u64) -> Result<Story> {
    let mut story = nothing_yet();
    let mut chance = Chance::new(seed, &[0xda3a]);
    let mut outbox = Outbox::open(state, TERMINAL)?;
    let mut promised =
        OutboxState { incarnation: Some(outbox.incarnation().to_owned()), ..Default::default() };
    for at in 0..5 {
        let handed = make_record(&mut chance, &story, RecordKind::Case, 1_795_200_000_000 + at as i64);
        outbox.commit(handed.record(outbox.next_slot()))?;
        promised.records.push(at);
        promised.prints.extend(handed.stub.as_ref().map(|stub| (at, stub.print)));
        story.handed.push(handed);
        story.outbox = Track::new(promised.clone());
    }
    drop(outbox);
    let db = Connection::open(state.join("outbox.db"))?;
    let trigger: String =
        db.query_row("SELECT sql FROM sqlite_master WHERE name = 'record_is_sealed_update'", [], |row| {
            row.get(0)
        })?;
    db.execute_batch(&format!(
        "BEGIN; DROP TRIGGER record_is_sealed_update; UPDATE record SET ciphertext = x'00' WHERE seq = 2; \
         {trigger}; COMMIT"
    ))?;
    promised.damaged.insert(1);
    story.incarnation = promised.incarnation.clone();
    story.outbox = Track::new(promised);
    Ok(story)
}

/// Writes an outbox and a delivery log as the first release did: its schemas, as they stand in its migrations.
fn write_older(state: &Path, seed: u64) -> Result<Story> {
    std::fs::create_dir_all(state)?;
    let mut story = nothing_yet();
    let mut chance = Chance::new(seed, &[0x01d]);
    let mut outbox =
        OutboxState { incarnation: Some(format!("{:032x}", chance.next())), ..Default::default() };
    let mut prev = "0".repeat(64);
    let db = open_older(
        &state.join("outbox.db"),
        include_str!("../../../kiosk-store/migrations/outbox-0001.sql"),
    )?;
    db.execute(
        "INSERT INTO meta VALUES ('terminal', ?1), ('incarnation', ?2)",
        params![TERMINAL, outbox.incarnation],
    )?;
    for seq in 1..=5_i64 {
        let kind = if seq == 3 { RecordKind::Rating } else { RecordKind::Case };
        let mut handed = make_record(&mut chance, &story, kind, 1_795_200_000_000 + seq);
        handed.blobs.clear();
        let hash = sha256(handed.manifest.as_bytes());
        let word = if kind == RecordKind::Case { "case" } else { "rating" };
        db.execute(
            "INSERT INTO record VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
            params![
                seq,
                handed.case_id,
                word,
                handed.manifest,
                hash,
                prev,
                handed.sha256,
                handed.finalised_at_ms,
                handed.ciphertext
            ],
        )?;
        if let Some(stub) = &handed.stub {
            db.execute(
                "INSERT INTO stub (seq, case_number, item, verification, finalised_at_ms) VALUES (?1, ?2, ?3, ?4, ?5)",
                params![seq, stub.case_number, stub.item, stub.verification, stub.finalised_at_ms],
            )?;
            outbox.prints.insert(seq as usize - 1, stub.print);
        }
        prev = hash;
        outbox.records.push(story.handed.len());
        story.handed.push(handed);
        story.named_from.push(None);
    }
    story.delivery = Track::new(older_delivery(state, &outbox, &story)?);
    story.incarnation = outbox.incarnation.clone();
    story.outbox = Track::new(outbox);
    Ok(story)
}

fn older_delivery(state: &Path, outbox: &OutboxState, story: &Story) -> Result<DeliveryState> {
    let incarnation = outbox.incarnation.clone().context("the older outbox has a name")?;
    let path = state.join("delivery.db");
    let db = open_older(&path, include_str!("../../../kiosk-store/migrations/delivery-0001.sql"))?;
    let mut delivery = DeliveryState { epoch: Some("epoch-1".into()), ..Default::default() };
    db.execute("INSERT INTO meta VALUES ('epoch', 'epoch-1')", [])?;
    for seq in 1..=2 {
        let receipt = kiosk_store::Acknowledgement {
            incarnation: incarnation.clone(),
            seq,
            receipt: format!("older.{}.receipt", story.handed[seq as usize - 1].sha256),
            status: kiosk_store::AcknowledgementStatus::Accepted,
            complete: true,
            at_ms: 1_795_200_000_000,
        };
        db.execute(
            "INSERT INTO acknowledgement VALUES (?1, ?2, 'accepted', ?3, ?4)",
            params![incarnation, seq as i64, receipt.at_ms, receipt.receipt],
        )?;
        delivery.receipts.insert(seq, Arc::new(receipt));
    }
    Ok(delivery)
}

fn open_older(path: &Path, schema: &str) -> Result<Connection> {
    let db = Connection::open(path)?;
    db.query_row("PRAGMA journal_mode = WAL", [], |_| Ok(()))?;
    db.execute_batch(&format!("BEGIN; {schema}; PRAGMA user_version = 1; COMMIT;"))?;
    Ok(db)
}
