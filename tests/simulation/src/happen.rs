//! What goes wrong, done to the run; and what is lost for good by it, which nobody can be asked to bring back.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use anyhow::Result;

use crate::chance::Chance;
use crate::city::Asked;
use crate::faults::Fault;
use crate::kiosk::rows;
use crate::network::Link;
use crate::terminal::{Terminal, copy_folder};
use crate::world::{Event, MORNING_MS, World};

/// Most terminals, copied disks included.
const TERMINALS: usize = 5;

/// Bytes of a delivery log that nobody can read.
const DAMAGE: [u8; 8192] = [0x5a; 8192];

impl World<'_> {
    /// One thing goes wrong.
    pub(crate) fn goes_wrong(&mut self, fault: Fault) -> Result<()> {
        match fault {
            Fault::Link(at, link) => {
                let (at, name) = self.which(at);
                self.say(&name, format!("{link:?}"));
                self.links[at] = link;
                Ok(())
            }
            Fault::AgentKilled(at, down) => {
                let (at, name) = self.which(at);
                self.say(&name, "agent is killed");
                self.terminals[at].kill_agent();
                self.after(down, Event::AgentUp(at));
                Ok(())
            }
            Fault::KioskKilled(at, down) => {
                let (at, name) = self.which(at);
                self.say(&name, "kiosk is killed");
                self.terminals[at].outbox = None;
                self.after(down, Event::KioskUp(at));
                Ok(())
            }
            Fault::Reboot(at, down) => {
                let (at, name) = self.which(at);
                self.say(&name, "is switched off");
                self.terminals[at].reboot();
                self.after(down, Event::KioskUp(at));
                self.after(down, Event::AgentUp(at));
                Ok(())
            }
            Fault::Pause(at, ms) => {
                let (at, name) = self.which(at);
                self.say(&name, format!("stands still for {ms} ms"));
                self.terminals[at].paused_until_ms = self.now() + ms;
                Ok(())
            }
            Fault::Clock(at, off_ms) => {
                let (at, name) = self.which(at);
                self.say(&name, format!("clock jumps: {off_ms} ms off"));
                self.terminals[at].clocks.wall_offset_ms.store(MORNING_MS + off_ms, Ordering::Relaxed);
                Ok(())
            }
            Fault::DiskFull(at, full) => {
                let (at, name) = self.which(at);
                self.say(&name, if full { "disk is full" } else { "disk has room" });
                self.terminals[at].disk_full(full)
            }
            Fault::SlowDisk(at, ms) => {
                let (at, name) = self.which(at);
                self.say(&name, format!("disk takes up to {ms} ms"));
                self.terminals[at].disk_ms = ms;
                Ok(())
            }
            Fault::Damage(at) => self.damage(at),
            Fault::DamageLog(at) => self.damage_log(at),
            Fault::Image(at) => self.image(at),
            Fault::PutBack(at) => self.put_back(at, "state"),
            Fault::PutBackOutbox(at) => self.put_back(at, "outbox"),
            Fault::CopyDisk(at) => self.copy_disk(at),
            city => self.city_goes_wrong(city),
        }
    }

    fn city_goes_wrong(&mut self, fault: Fault) -> Result<()> {
        match fault {
            Fault::CityKilled(down) => {
                self.say("city", "is killed");
                self.city.stop()?;
                self.after(down, Event::CityUp);
            }
            Fault::CityDiesAtReply(times) => self.city_dies_at_reply = times,
            Fault::CityClock(off_ms) => {
                self.say("city", format!("clock jumps: {off_ms} ms off"));
                self.city_wall_ms = MORNING_MS + off_ms;
            }
            Fault::BackUp => {
                let copied = self.city.back_up()?;
                if copied {
                    self.say("city", "is copied");
                }
            }
            Fault::Restore { blobs_lost } => {
                let restored = self.city.restore(blobs_lost)?;
                if restored {
                    let epoch = self.city.epoch().unwrap_or_default().to_owned();
                    let epoch = self.trace.alias("epoch", &epoch);
                    self.say("city", format!("is put back from the copy, blobs lost: {blobs_lost}, {epoch}"));
                    self.count_losses()?;
                }
            }
            Fault::Budget(records) => {
                self.say("city", format!("takes {records} records a second, and starts anew"));
                self.city.stop()?;
                self.city.budget(records);
                self.city_up()?;
            }
            _ => {}
        }
        Ok(())
    }

    fn which(&self, at: usize) -> (usize, String) {
        let at = at % self.terminals.len();
        (at, self.terminals[at].name.clone())
    }

    /// Ends both processes of a terminal.
    fn stop(&mut self, at: usize) {
        self.terminals[at].kill_agent();
        self.terminals[at].outbox = None;
    }

    fn start(&mut self, at: usize) -> Result<()> {
        self.kiosk_up(at)?;
        self.agent_up(at)
    }

    fn damage(&mut self, at: usize) -> Result<()> {
        let (at, name) = self.which(at);
        self.stop(at);
        if let Some(case_id) = self.terminals[at].damage()?
            && let Some(record) = self.truth.record_mut(&case_id)
        {
            record.damaged = true;
            let number = record.number;
            self.say(&name, format!("#{number} is damaged on the disk"));
        }
        self.start(at)
    }

    fn damage_log(&mut self, at: usize) -> Result<()> {
        let (at, name) = self.which(at);
        self.terminals[at].kill_agent();
        let state = self.terminals[at].state();
        if state.join("delivery.db").exists() {
            self.say(&name, "delivery log is damaged");
            std::fs::write(state.join("delivery.db"), DAMAGE)?;
            for end in ["-wal", "-shm"] {
                let _ = std::fs::remove_file(state.join(format!("delivery.db{end}")));
            }
        }
        self.agent_up(at)
    }

    fn image(&mut self, at: usize) -> Result<()> {
        let (at, name) = self.which(at);
        self.stop(at);
        let image = self.folder.join(format!("image-{}", self.images.len()));
        copy_folder(&self.terminals[at].state(), &image)?;
        self.images.push((name.clone(), image));
        self.say(&name, "an image is taken");
        self.start(at)
    }

    /// Puts the last image of this terminal's own disk back: all of it, or the outbox with its blobs alone.
    fn put_back(&mut self, at: usize, what: &str) -> Result<()> {
        let (at, name) = self.which(at);
        let image = self.images.iter().rev().find(|(of, _)| *of == name).map(|(_, image)| image.clone());
        let Some(image) = image else { return Ok(()) };
        self.stop(at);
        let state = self.terminals[at].state();
        if what == "state" {
            std::fs::remove_dir_all(&state)?;
            copy_folder(&image, &state)?;
        } else {
            for end in ["", "-wal", "-shm"] {
                let file = format!("outbox.db{end}");
                let _ = std::fs::remove_file(state.join(&file));
                if image.join(&file).exists() {
                    std::fs::copy(image.join(&file), state.join(&file))?;
                }
            }
        }
        self.say(&name, format!("the image is put back: {what}"));
        self.count_losses()?;
        self.start(at)
    }

    fn copy_disk(&mut self, at: usize) -> Result<()> {
        let (at, name) = self.which(at);
        if self.terminals.len() >= TERMINALS {
            return Ok(());
        }
        self.stop(at);
        let twin_name = format!("{name}'{}", self.terminals.len());
        let folder = self.folder.join(format!("twin-{}", self.terminals.len()));
        copy_folder(&self.terminals[at].state(), &folder.join("state"))?;
        let chance = Chance::new(self.chance.next(), 3);
        let (code, now) = (self.terminals[at].code.clone(), Arc::clone(&self.now_ms));
        let twin = Terminal::new(&twin_name, &code, &folder, &now, MORNING_MS, chance);
        self.terminals.push(twin);
        self.links.push(Link::good());
        let twin = self.terminals.len() - 1;
        self.say(&twin_name, format!("is switched on with a copy of {name}'s disk"));
        self.start(at)?;
        self.start(twin)?;
        self.after(30_000, Event::Care(twin));
        Ok(())
    }

    /// What no disk and no city holds any more was destroyed with the disks: the program cannot bring that back, and
    /// the judge does not ask for it. A row whose content was given back counts as held: it was given back on the
    /// city's word.
    fn count_losses(&mut self) -> Result<()> {
        self.city_up()?;
        let mut on_disk = BTreeSet::new();
        for terminal in &self.terminals {
            let rows = rows(&terminal.state().join("outbox.db"))?;
            on_disk.extend(rows.into_iter().filter(|row| !row.voided).map(|row| row.case_id));
        }
        let mut in_city: BTreeMap<String, bool> = BTreeMap::new();
        for ((case_id, _), holding) in self.city.holdings()? {
            *in_city.entry(case_id).or_default() |= holding.incomplete;
        }
        let records: Vec<_> = self.truth.all().cloned().collect();
        for record in records.iter().filter(|record| !on_disk.contains(&record.case_id)) {
            let held = in_city.get(&record.case_id);
            if held.is_none() && !record.destroyed {
                self.say("world", format!("the last copy of #{} is destroyed", record.number));
            }
            if let Some(record) = self.truth.record_mut(&record.case_id) {
                record.destroyed |= held.is_none();
                record.blobs_destroyed = true;
            }
        }
        Ok(())
    }

    /// A request in words.
    pub(crate) fn describe(&mut self, asked: &Asked) -> String {
        let method = &asked.method;
        let path: Vec<&str> = asked.path.trim_start_matches("/v1/").split('/').collect();
        match path.as_slice() {
            ["hello"] => {
                let hello: Option<sync_protocol::HelloRequest> = serde_json::from_slice(&asked.body).ok();
                let Some(hello) = hello else { return "hello?".into() };
                let life = self.trace.alias("life", &hello.incarnation);
                format!("hello: {life} ends at {}", hello.finalised_seq)
            }
            ["records", case_id, rest @ ..] => {
                let is_put = rest.is_empty();
                let calm = self.calm;
                let name = match self.truth.record_mut(case_id) {
                    Some(record) => {
                        record.puts += u64::from(is_put);
                        record.puts_since_calm += u64::from(is_put && calm);
                        format!("#{}", record.number)
                    }
                    None => "a void".into(),
                };
                format!("{} {name}", if is_put { "puts" } else { "asks for the receipt of" })
            }
            ["blobs", sha256] => {
                let offset = asked.headers.get("upload-offset").and_then(|value| value.to_str().ok());
                format!("{method} blob {} {}", &sha256[..8.min(sha256.len())], offset.unwrap_or_default())
            }
            _ => format!("{method} {}", asked.path),
        }
    }

    /// An answer in words.
    pub(crate) fn describe_answer(&mut self, answered: &crate::city::Answered) -> String {
        let header = |name: &str| answered.headers.get(name).and_then(|value| value.to_str().ok());
        if answered.status != 200 {
            let wait = header("retry-after").map(|after| format!(", wait {after} s")).unwrap_or_default();
            let offset = header("upload-offset").map(|offset| format!(", at {offset}")).unwrap_or_default();
            return format!("{}{wait}{offset}", answered.status);
        }
        if let Ok(reply) = serde_json::from_slice::<sync_protocol::ReceiptReply>(&answered.body)
            && let Ok(receipt) = sync_protocol::Receipt::unverified(&reply.receipt)
        {
            let epoch = self.trace.alias("epoch", &receipt.epoch);
            let complete = if receipt.complete { "complete" } else { "not complete" };
            return format!("{:?}, {complete}, {epoch}", receipt.status);
        }
        if let Ok(reply) = serde_json::from_slice::<sync_protocol::HelloReply>(&answered.body)
            && let Ok(hello) = sync_protocol::HelloAnswer::verify(&reply.hello, &self.kit.city)
        {
            let epoch = self.trace.alias("epoch", &hello.epoch);
            let (received, durable, commands) = (&hello.received, hello.durable_seq, &hello.commands);
            return format!(
                "{epoch}, received {received:?}, durable {durable}, allows {}, wait {} s {commands:?}",
                hello.send_allowance, hello.retry_after_s
            );
        }
        "200".into()
    }
}
