//! A simulated server of NUT with one UPS.

use std::io;
use std::net::SocketAddr;

use device_drivers::ups::protocol::UpsName;
use device_drivers::ups::simulator::{ServerFault, SimulatedUpsServer};

use super::{Faults, Hands, Started, cannot_start, fault, names, no_such_order};
use crate::answer::Failure;

const FAULTS: &Faults<ServerFault> = &[
    ("silent", 0, |_| ServerFault::Silence),
    ("closes", 0, |_| ServerFault::Close),
    ("closes-inside", 0, |_| ServerFault::CloseInside),
    ("byte-by-byte", 0, |_| ServerFault::ByteByByte),
    ("endless-line", 0, |_| ServerFault::EndlessLine),
    ("endless-list", 0, |_| ServerFault::EndlessList),
    ("no-text", 0, |_| ServerFault::NoText),
    ("open-quote", 0, |_| ServerFault::OpenQuote),
    ("other-ups", 0, |_| ServerFault::OtherUps),
    ("other-variable", 0, |_| ServerFault::OtherVariable),
    ("data-stale", 0, |_| ServerFault::Error("DATA-STALE")),
    ("driver-not-connected", 0, |_| ServerFault::Error("DRIVER-NOT-CONNECTED")),
    ("unknown-ups", 0, |_| ServerFault::Error("UNKNOWN-UPS")),
    ("access-denied", 0, |_| ServerFault::Error("ACCESS-DENIED")),
];

#[derive(clap::Args)]
pub struct SimulatedUps {
    /// Address to listen at; port 0 takes a free one
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:0")]
    listen: SocketAddr,
    /// Name of the UPS
    #[arg(long, default_value = "kiosk")]
    name: UpsName,
    /// What is wrong from the start
    #[arg(long, value_name = "FAULT")]
    fault: Option<String>,
}

impl SimulatedUps {
    pub fn start(self) -> Result<Started, Failure> {
        let name = self.name.as_str();
        let server = SimulatedUpsServer::start_at(self.listen, name).map_err(|error| cannot_start(&error))?;
        let way = format!("--server {} --name {name}", server.address());
        Ok(Started { hands: Box::new(Server(server)), way, fault: self.fault })
    }
}

struct Server(SimulatedUpsServer);

impl Hands for Server {
    fn known(&self) -> (&'static str, String) {
        ("set", names(FAULTS))
    }

    fn set_fault(&mut self, name: Option<&str>) -> Result<(), String> {
        self.0.set_fault(name.map(|name| fault(FAULTS, name)).transpose()?);
        Ok(())
    }

    fn plug(&mut self, plugged: bool) -> io::Result<()> {
        if plugged {
            return self.0.plug();
        }
        self.0.unplug();
        Ok(())
    }

    /// `set ups.status OB LB`
    fn obey(&mut self, order: &str, value: &str) -> Result<String, String> {
        match (order, value.split_once(' ')) {
            ("set", Some((name, value))) => {
                self.0.set(name, Some(value));
                Ok(String::new())
            }
            _ => no_such_order(order),
        }
    }
}
