//! Loopback ports that stay the same across runs on one state folder: printed addresses go on being right.
//!
//! Between two lives of a supervised server its port must not be given to anybody else. So the simulator holds
//! every port with a bound socket that does not listen: a server may still bind it beside (both with
//! `SO_REUSEADDR`), the kernel gives it to no outgoing connection, and no other simulator picks it.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::os::fd::OwnedFd;
use std::path::Path;

use anyhow::{Context, bail};
use rustix::net::{AddressFamily, SocketFlags, SocketType, bind, socket_with};
use serde::{Deserialize, Serialize};

use crate::world::write_private;

/// Below the kernel's range for outgoing connections.
const LOWEST: u16 = 20_000;
const HIGHEST: u16 = 32_000;
const ATTEMPTS: usize = 200;

/// Who listens where.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct PortNumbers {
    /// The network switch, where the terminal believes the city to be.
    pub network: u16,
    /// The gateway's listener for terminals, behind the switch.
    pub terminals: u16,
    /// The gateway's pages.
    pub city: u16,
}

/// The ports, kept free for their servers.
pub struct Ports {
    /// The numbers.
    pub numbers: PortNumbers,
    held: Vec<OwnedFd>,
}

/// An address of this machine.
pub fn loopback(port: u16) -> SocketAddr {
    SocketAddr::from((Ipv4Addr::LOCALHOST, port))
}

impl Ports {
    /// Takes the ports of an earlier run if they are still free, else new ones, and notes them in `file`.
    pub fn choose(file: &Path) -> anyhow::Result<Self> {
        let before = std::fs::read_to_string(file).ok();
        if let Some(numbers) = before.and_then(|text| toml::from_str::<PortNumbers>(&text).ok())
            && let Ok(held) =
                [numbers.network, numbers.terminals, numbers.city].into_iter().map(again).collect()
        {
            return Ok(Self { numbers, held });
        }
        let mut held = Vec::new();
        let mut fresh = || -> anyhow::Result<u16> {
            let (port, socket) = any()?;
            held.push(socket);
            Ok(port)
        };
        let numbers = PortNumbers { network: fresh()?, terminals: fresh()?, city: fresh()? };
        write_private(file, toml::to_string(&numbers)?.as_bytes())
            .with_context(|| format!("cannot write {}", file.display()))?;
        Ok(Self { numbers, held })
    }

    /// How many ports are held.
    pub fn held(&self) -> usize {
        self.held.len()
    }
}

fn hold(port: u16, beside_closing_ones: bool) -> rustix::io::Result<OwnedFd> {
    let socket = socket_with(AddressFamily::INET, SocketType::STREAM, SocketFlags::CLOEXEC, None)?;
    if beside_closing_ones {
        rustix::net::sockopt::set_socket_reuseaddr(&socket, true)?;
    }
    bind(&socket, &loopback(port))?;
    rustix::net::sockopt::set_socket_reuseaddr(&socket, true)?;
    Ok(socket)
}

/// A port of an earlier run: connections of that run may still be closing, but nobody may listen.
fn again(port: u16) -> std::io::Result<OwnedFd> {
    drop(TcpListener::bind(loopback(port))?);
    Ok(hold(port, true)?)
}

/// Two ports in a row, held; the number is that of the first.
pub fn two_in_a_row() -> anyhow::Result<(u16, Vec<OwnedFd>)> {
    for _ in 0..ATTEMPTS {
        let (port, first) = any()?;
        if let Ok(second) = hold(port + 1, false) {
            return Ok((port, vec![first, second]));
        }
    }
    bail!("no two free ports in a row between {LOWEST} and {HIGHEST} on this machine");
}

fn any() -> anyhow::Result<(u16, OwnedFd)> {
    for _ in 0..ATTEMPTS {
        let mut random = [0; 2];
        getrandom::fill(&mut random).map_err(|error| anyhow::anyhow!("no random numbers: {error}"))?;
        let port = LOWEST + u16::from_le_bytes(random) % (HIGHEST - LOWEST);
        if let Ok(socket) = hold(port, false) {
            return Ok((port, socket));
        }
    }
    bail!("no free port between {LOWEST} and {HIGHEST} on this machine");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_stay_the_same_and_are_kept_free_for_their_servers() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("ports.toml");
        let first = Ports::choose(&file).unwrap();
        let numbers = first.numbers;
        // Its own server may listen, twice in a row, although the port is held.
        for _ in 0..2 {
            let server = TcpListener::bind(loopback(numbers.city)).unwrap();
            let client = std::net::TcpStream::connect(loopback(numbers.city)).unwrap();
            let (accepted, _) = server.accept().unwrap();
            drop((server, accepted, client));
        }
        // Another simulator does not get it while it is held.
        assert!(hold(numbers.city, false).is_err());
        drop(first);
        let second = Ports::choose(&file).unwrap();
        assert_eq!(second.numbers, numbers);
        drop(second);
        let squatter = TcpListener::bind(loopback(numbers.terminals)).unwrap();
        let third = Ports::choose(&file).unwrap();
        assert_ne!(third.numbers, numbers);
        assert_eq!(third.held(), 3);
        drop(squatter);
    }
}
