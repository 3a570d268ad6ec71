//! What happens to processes, disks and the database while the weather changes.

use std::time::Duration;

use anyhow::Result;
use rand::Rng;
use rand::rngs::StdRng;
use tokio::time::sleep;

use crate::city::{City, GATEWAYS};
use crate::program::Program;
use crate::small_disk::SmallDisk;
use crate::world::World;

/// A kind of incident.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Incident {
    /// kill -9 of an agent.
    KillAgent,
    /// kill -9 of the kiosk's writer.
    KillFeeder,
    /// kill -9 of a gateway.
    KillGateway,
    /// kill -9 of PostgreSQL with all its processes.
    KillDatabase,
    /// kill -9 of everything that runs.
    Blackout,
    /// An agent stands still for a while, and then goes on.
    PauseAgent,
    /// A gateway stands still, with whatever leases and transactions it has.
    PauseGateway,
    /// The database is copied while it runs, and the copy called durable.
    Copy,
    /// The last copy is put back.
    Restore,
    /// A terminal's disk is full.
    FullTerminal,
    /// The disk of the city's blobs is full.
    FullCity,
}

impl Incident {
    /// One of each, kills twice.
    pub const ALL: [Self; 14] = [
        Self::KillAgent,
        Self::KillAgent,
        Self::KillFeeder,
        Self::KillGateway,
        Self::KillGateway,
        Self::KillDatabase,
        Self::Blackout,
        Self::PauseAgent,
        Self::PauseGateway,
        Self::Copy,
        Self::Copy,
        Self::Restore,
        Self::FullTerminal,
        Self::FullCity,
    ];

    /// How it is counted.
    pub fn name(self) -> &'static str {
        match self {
            Self::KillAgent => "agent killed",
            Self::KillFeeder => "feeder killed",
            Self::KillGateway => "gateway killed",
            Self::KillDatabase => "database killed",
            Self::Blackout => "everything killed at once",
            Self::PauseAgent => "agent paused",
            Self::PauseGateway => "gateway paused",
            Self::Copy => "database copied",
            Self::Restore => "database restored from an older copy",
            Self::FullTerminal => "terminal's disk full",
            Self::FullCity => "city's disk full",
        }
    }

    /// Lets it happen, and returns when it is over; what it leads to may last longer.
    pub async fn happen(self, world: &World, random: &mut StdRng) -> Result<()> {
        let terminal = &world.terminals[random.random_range(0..world.terminals.len())];
        let gateway = &world.city.gateways[random.random_range(0..GATEWAYS)];
        let happened = match self {
            Self::KillAgent => terminal.agent.kill(),
            Self::KillFeeder => terminal.feeder.as_ref().is_some_and(Program::kill),
            Self::KillGateway => gateway.kill(),
            Self::KillDatabase => world.city.kill_database().await.map(|()| true)?,
            Self::Blackout => blackout(world).await?,
            Self::PauseAgent => pause(&terminal.agent, random).await,
            Self::PauseGateway => pause(gateway, random).await,
            Self::Copy => world.city.copy_database().await.map(|()| true)?,
            Self::Restore => world.city.restore_database().await?,
            Self::FullTerminal => {
                let disks: Vec<&SmallDisk> =
                    world.terminals.iter().filter_map(|terminal| terminal.disk.as_ref()).collect();
                match disks.is_empty() {
                    true => false,
                    false => full(disks[random.random_range(0..disks.len())], random).await?,
                }
            }
            Self::FullCity => match &world.city.disk {
                None => false,
                Some(disk) => full(disk, random).await?,
            },
        };
        if happened {
            world.tally.count(self.name());
        }
        Ok(())
    }
}

async fn blackout(world: &World) -> Result<bool> {
    for terminal in &world.terminals {
        terminal.agent.kill();
        terminal.feeder.as_ref().map(Program::kill);
    }
    let City { gateways, .. } = &world.city;
    for gateway in gateways {
        gateway.kill();
    }
    world.city.kill_database().await.map(|()| true)
}

async fn pause(program: &Program, random: &mut StdRng) -> bool {
    let paused = program.pause();
    // Longer than any of the waits of a terminal.
    sleep(Duration::from_millis(random.random_range(500..7_000))).await;
    program.resume() && paused
}

async fn full(disk: &SmallDisk, random: &mut StdRng) -> Result<bool> {
    // From no room at all to room for a part of what is under way.
    disk.fill(random.random_range(0..200_000))?;
    sleep(Duration::from_millis(random.random_range(1_000..4_000))).await;
    disk.empty().map(|()| true)
}
