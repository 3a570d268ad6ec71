//! What goes wrong in a run, and when: drawn from its seed before it begins. Each run leaves most kinds out, so that some
//! runs see one kind often and others see many together.

use crate::chance::Chance;
use crate::network::Link;

const SECOND: u64 = 1_000;
const MINUTE: u64 = 60 * SECOND;
const YEAR: i64 = 365 * 24 * 60 * 60 * 1000;

/// Something that goes wrong. Terminals are named by a number that is taken modulo how many there are then.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The link of a terminal changes.
    Link(usize, Link),
    /// The agent is killed, and started again after so long.
    AgentKilled(usize, u64),
    /// The kiosk's process is killed, and started again after so long.
    KioskKilled(usize, u64),
    /// The machine is switched off for so long.
    Reboot(usize, u64),
    /// Both processes stop for so long and go on as if nothing had been.
    Pause(usize, u64),
    /// The wall clock shows another time from now on: so much beside the true one.
    Clock(usize, i64),
    /// The gateway is killed, and started again after so long.
    CityKilled(u64),
    /// The next so many answers of the city are never sent: it is killed between commit and reply.
    CityDiesAtReply(u64),
    /// The city's clock is off by so much.
    CityClock(i64),
    /// The store is copied.
    BackUp,
    /// The copy is put back; the folder of blobs may be gone too.
    Restore {
        /// Whether it is.
        blobs_lost: bool,
    },
    /// The city takes on so many records in a second.
    Budget(u32),
    /// The disk has no room any more, or has room again.
    DiskFull(usize, bool),
    /// Writes to the disk take up to so long.
    SlowDisk(usize, u64),
    /// A record on the disk is damaged.
    Damage(usize),
    /// The delivery log is damaged.
    DamageLog(usize),
    /// An image of the disk is taken.
    Image(usize),
    /// The last image is put back.
    PutBack(usize),
    /// Only the outbox of the image is put back.
    PutBackOutbox(usize),
    /// The disk is copied into another machine, which is switched on beside the first.
    CopyDisk(usize),
}

/// What a run is made of.
#[derive(Debug)]
pub struct Script {
    /// Terminals at the beginning.
    pub terminals: usize,
    /// How long things go wrong, in milliseconds.
    pub lasts_ms: u64,
    /// When a resident finishes a case, and where.
    pub visits: Vec<(u64, usize)>,
    /// What goes wrong, and when.
    pub faults: Vec<(u64, Fault)>,
}

/// Kinds of faults: how they are drawn.
const KINDS: [fn(&mut Chance, usize) -> Fault; 19] = [
    |chance, at| Fault::Link(at, Link::bad(chance)),
    |chance, at| Fault::Link(at, Link::bad(chance)),
    |_, at| Fault::Link(at, Link::good()),
    |chance, at| Fault::AgentKilled(at, chance.below(5 * MINUTE)),
    |chance, at| Fault::KioskKilled(at, chance.below(2 * MINUTE)),
    |chance, at| Fault::Reboot(at, chance.between(20 * SECOND, 20 * MINUTE)),
    |chance, at| Fault::Pause(at, chance.between(SECOND, 15 * MINUTE)),
    |chance, at| {
        let years = chance.below(21) as i64 - 10;
        let some = chance.below(2 * 60 * MINUTE) as i64 - 60 * MINUTE as i64;
        Fault::Clock(at, if chance.permille(600) { years * YEAR } else { some })
    },
    |chance, _| Fault::CityKilled(chance.below(10 * MINUTE)),
    |chance, _| Fault::CityDiesAtReply(chance.between(1, 3)),
    |chance, _| Fault::CityClock(chance.below(40 * MINUTE) as i64 - 20 * MINUTE as i64),
    |_, _| Fault::BackUp,
    |chance, _| Fault::Restore { blobs_lost: chance.permille(400) },
    |chance, _| Fault::Budget(if chance.permille(700) { chance.between(1, 3) as u32 } else { 1000 }),
    |chance, at| Fault::DiskFull(at, chance.permille(600)),
    |chance, at| Fault::SlowDisk(at, chance.between(1, 90 * SECOND)),
    |_, at| Fault::Damage(at),
    |_, at| Fault::DamageLog(at),
    |chance, at| match chance.below(8) {
        0..3 => Fault::Image(at),
        3..5 => Fault::PutBack(at),
        5 => Fault::PutBackOutbox(at),
        _ => Fault::CopyDisk(at),
    },
];

impl Script {
    /// Draws a run.
    pub fn draw(seed: u64) -> Self {
        let mut chance = Chance::new(seed, 1);
        let terminals = chance.between(1, 3) as usize;
        let lasts_ms = chance.between(10 * MINUTE, 120 * MINUTE);
        let mut visits: Vec<(u64, usize)> =
            (0..chance.between(4, 30)).map(|_| (chance.below(lasts_ms), chance.below(8) as usize)).collect();
        visits.sort_unstable();
        let often = chance.between(100, 700);
        let kinds: Vec<_> = KINDS.iter().filter(|_| chance.permille(often)).collect();
        let mut faults: Vec<(u64, Fault)> = Vec::new();
        for _ in 0..chance.between(2, 40) {
            if let Some(draw) = chance.pick(&kinds) {
                let at_ms = chance.below(lasts_ms);
                let terminal = chance.below(8) as usize;
                faults.push((at_ms, draw(&mut chance, terminal)));
            }
        }
        faults.sort_by_key(|(at_ms, _)| *at_ms);
        Self { terminals, lasts_ms, visits, faults }
    }
}

impl Fault {
    /// Its kind, for figures.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Link(_, link) if *link == Link::good() => "link heals",
            Self::Link(..) => "bad link",
            Self::AgentKilled(..) => "agent killed",
            Self::KioskKilled(..) => "kiosk killed",
            Self::Reboot(..) => "reboot",
            Self::Pause(..) => "pause",
            Self::Clock(..) => "clock jump",
            Self::CityKilled(_) => "city killed",
            Self::CityDiesAtReply(_) => "city dies before it answers",
            Self::CityClock(_) => "city's clock jump",
            Self::BackUp => "copy of the city",
            Self::Restore { .. } => "city put back",
            Self::Budget(_) => "city's budget",
            Self::DiskFull(..) => "disk full",
            Self::SlowDisk(..) => "slow disk",
            Self::Damage(_) => "record damaged",
            Self::DamageLog(_) => "delivery log damaged",
            Self::Image(_) => "image taken",
            Self::PutBack(_) | Self::PutBackOutbox(_) => "image put back",
            Self::CopyDisk(_) => "disk copied",
        }
    }

    /// Whether a terminal's books may differ from the city's ever after: records were lost or doubled with disks.
    pub fn changes_disks(&self) -> bool {
        matches!(
            self,
            Self::Damage(_)
                | Self::DamageLog(_)
                | Self::PutBack(_)
                | Self::PutBackOutbox(_)
                | Self::CopyDisk(_)
        )
    }
}
