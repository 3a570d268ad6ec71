//! The code scanner: hands codes on while the session wants them. What is held before it at any other time is read off and
//! forgotten; what a code says, neither log nor health ever hears.

use super::advice::notice_of;
use super::declared::{ScannerConnection, ScannerDevice};
use super::health::{HealthBook, Trouble};
use super::station::{self, Hand, Station};
use crate::inbox::Inbox;
use device_drivers::code_scanner::{
    CodeScanner, KeyboardCodeScanner, ScanEnd, ScannerError, SerialCodeScanner,
};
use kiosk_core::private::Private;
use kiosk_core::remedy::Remedy;
use kiosk_core::session::{Device, Ticket};
use std::time::{Duration, Instant};

/// Its name in health and logs.
pub const NAME: &str = "code-scanner";
/// How long one turn waits for a code. An order waits as long at most.
const LISTEN: Duration = Duration::from_millis(100);
/// Time between two looks whether a scanner that nobody wants is still there.
const PRESENCE: Duration = Duration::from_secs(2);

/// What the session asks of the scanner.
pub enum Order {
    /// Hand on each code from now on; report with this ticket.
    Start(Ticket),
    /// Hand on nothing more.
    Stop,
}

/// Starts the scanner's thread.
pub fn spawn(device: ScannerDevice, inbox: Inbox, health: HealthBook) -> std::io::Result<Hand<Order>> {
    let desk = ScannerDesk { device, inbox, scanner: None, wanted: None };
    station::spawn(NAME, desk, health)
}

struct ScannerDesk {
    device: ScannerDevice,
    inbox: Inbox,
    scanner: Option<Box<dyn CodeScanner>>,
    wanted: Option<Ticket>,
}

impl Station for ScannerDesk {
    type Order = Order;

    fn open(&mut self) -> Result<(), Trouble> {
        let mut scanner = scanner(&self.device);
        scanner.clear().map_err(trouble_of)?;
        self.scanner = Some(scanner);
        Ok(())
    }

    fn close(&mut self) {
        self.scanner = None;
    }

    fn turn(&mut self) -> Result<(), Trouble> {
        match self.wanted {
            Some(ticket) => self.listen(ticket),
            None => self.forget(),
        }
    }

    /// Whatever was scanned before an order belongs to nobody.
    fn obey(&mut self, order: Order) -> Result<(), Trouble> {
        self.wanted = match order {
            Order::Start(ticket) => Some(ticket),
            Order::Stop => None,
        };
        self.forget()
    }

    fn pause(&self) -> Duration {
        if self.wanted.is_some() { Duration::ZERO } else { PRESENCE }
    }

    fn report(&mut self, here: bool) {
        self.inbox.device(Device::ScannerPresent(here));
    }
}

impl ScannerDesk {
    fn listen(&mut self, ticket: Ticket) -> Result<(), Trouble> {
        let Some(scanner) = &mut self.scanner else { return Ok(()) };
        match scanner.next_code(Instant::now() + LISTEN) {
            Ok(None) => Ok(()),
            Ok(Some(code)) => {
                self.inbox.device(Device::CodeScanned(ticket, Private::from(code.as_str())));
                Ok(())
            }
            Err(error) => self.failed(ticket, error),
        }
    }

    fn failed(&self, ticket: Ticket, error: ScannerError) -> Result<(), Trouble> {
        let remedy = match error.remedy() {
            device_drivers::Remedy::CallOperator(fault) => return Err(fault.into()),
            device_drivers::Remedy::AskCitizen(hint) => Remedy::AskCitizen(notice_of(hint)),
            device_drivers::Remedy::Retry => Remedy::Retry,
        };
        tracing::info!(%error, "a scan came to nothing");
        self.inbox.device(Device::ScanFailed(ticket, remedy));
        Ok(())
    }

    /// Forgets what has come, and sees on the way whether the scanner is still there.
    fn forget(&mut self) -> Result<(), Trouble> {
        self.scanner.as_mut().map_or(Ok(()), |scanner| scanner.clear().map_err(trouble_of))
    }
}

fn scanner(device: &ScannerDevice) -> Box<dyn CodeScanner> {
    let end = if device.suffix { ScanEnd::Suffix } else { ScanEnd::SuffixOrSilence };
    let silence = device.silence_ms.map(Duration::from_millis);
    match &device.connection {
        ScannerConnection::Serial { port, baud } => {
            let mut scanner = SerialCodeScanner::new(port, *baud, end);
            if let Some(silence) = silence {
                scanner.set_silence(silence);
            }
            Box::new(scanner)
        }
        ScannerConnection::Keyboard { device } => {
            let mut scanner = KeyboardCodeScanner::new(device, end);
            if let Some(silence) = silence {
                scanner.set_silence(silence);
            }
            Box::new(scanner)
        }
    }
}

fn trouble_of(error: ScannerError) -> Trouble {
    match error.remedy() {
        device_drivers::Remedy::CallOperator(fault) => fault.into(),
        device_drivers::Remedy::Retry | device_drivers::Remedy::AskCitizen(_) => {
            device_drivers::Fault::ScannerGone.into()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inbox::{Message, inbox};
    use device_drivers::code_scanner::simulator::{
        self, ScannerFault, ScannerKind, ScannerProfile, SimulatedScannerHandle,
    };
    use kiosk_core::remedy::Notice;
    use kiosk_core::session::Event;
    use std::path::Path;

    const LONG: Duration = Duration::from_secs(10);
    const BOTH: [ScannerKind; 2] = [ScannerKind::Serial, ScannerKind::Keyboard];

    struct Bench {
        scanner: SimulatedScannerHandle,
        hand: Hand<Order>,
        messages: async_channel::Receiver<Message>,
    }

    impl Bench {
        /// A scanner of this kind, and its thread, which has found it.
        fn set_up(folder: &Path, kind: ScannerKind) -> Bench {
            let port = folder.join("scanner");
            let scanner = simulator::serve(&port, ScannerProfile { kind, suffix: b"\r" }).unwrap();
            let way = match kind {
                ScannerKind::Serial => format!("transport = \"serial\"\nport = {port:?}"),
                ScannerKind::Keyboard => format!("transport = \"keyboard\"\ndevice = {port:?}"),
            };
            // A busy machine may itself keep the simulator waiting in the middle of a code.
            let device = toml::from_str(&format!("{way}\nsuffix = true\nsilence_ms = 1000")).unwrap();
            let (inbox, messages) = inbox();
            let hand = spawn(device, inbox, HealthBook::forgetful()).unwrap();
            let bench = Bench { scanner, hand, messages };
            assert_eq!(bench.next(), Device::ScannerPresent(true), "{kind:?}");
            bench
        }

        fn order(&self, order: Order) {
            self.hand.order(order).ok().unwrap();
        }

        fn next(&self) -> Device {
            self.within(LONG).expect("something is told")
        }

        fn within(&self, time: Duration) -> Option<Device> {
            let until = Instant::now() + time;
            loop {
                match self.messages.try_recv() {
                    Ok(Message::Event(Event::Device(report))) => return Some(report),
                    Ok(other) => panic!("{other:?}"),
                    Err(_) if Instant::now() < until => std::thread::sleep(Duration::from_millis(5)),
                    Err(_) => return None,
                }
            }
        }

        /// An order is obeyed after the turn that goes on: scans until a code comes under this ticket, and gives all that
        /// was told meanwhile.
        fn until_it_listens(&self, ticket: u64) -> Vec<Device> {
            let mut told = Vec::new();
            for round in 0..100 {
                let text = format!("ROUND-{round}");
                self.scanner.scan(text.as_bytes());
                assert!(self.scanner.wait_until_sent(LONG));
                told.extend(std::iter::from_fn(|| self.within(Duration::from_millis(200))));
                if told.last() == Some(&code(ticket, &text)) {
                    return told;
                }
            }
            panic!("nobody listens: {told:?}");
        }
    }

    fn code(ticket: u64, text: &str) -> Device {
        Device::CodeScanned(Ticket(ticket), text.into())
    }

    #[test]
    fn only_what_is_scanned_while_it_is_wanted_is_handed_on() {
        for kind in BOTH {
            let folder = tempfile::tempdir().unwrap();
            let bench = Bench::set_up(folder.path(), kind);
            bench.scanner.scan(b"OF-NOBODY");
            assert!(bench.scanner.wait_until_sent(LONG));
            // The last bytes may still be on the wire.
            std::thread::sleep(Duration::from_millis(300));
            bench.order(Order::Start(Ticket(1)));
            let told = bench.until_it_listens(1);
            assert!(!told.contains(&code(1, "OF-NOBODY")), "{kind:?}");
            bench.scanner.scan(b"MINE");
            assert_eq!(bench.next(), code(1, "MINE"), "{kind:?}");

            bench.order(Order::Stop);
            bench.order(Order::Start(Ticket(2)));
            bench.until_it_listens(2);
            bench.scanner.scan_with(b"TORN-APART", ScannerFault::BreaksOff { after: 4 });
            let torn = Device::ScanFailed(Ticket(2), Remedy::AskCitizen(Notice::ScanAgain));
            assert_eq!(bench.next(), torn, "{kind:?}");
            bench.scanner.scan("不是码".as_bytes());
            assert_eq!(bench.next(), code(2, "不是码"), "{kind:?}");
        }
    }

    #[test]
    fn a_scanner_that_comes_back_goes_on_where_it_was_wanted() {
        for kind in BOTH {
            let folder = tempfile::tempdir().unwrap();
            let bench = Bench::set_up(folder.path(), kind);
            bench.order(Order::Start(Ticket(7)));
            bench.scanner.unplug();
            assert_eq!(bench.next(), Device::ScannerPresent(false), "{kind:?}");
            bench.scanner.plug().unwrap();
            let back = Instant::now();
            assert_eq!(bench.next(), Device::ScannerPresent(true), "{kind:?}");
            assert!(back.elapsed() < Duration::from_secs(5), "{:?}", back.elapsed());
            bench.scanner.scan(b"AFTER");
            assert_eq!(bench.next(), code(7, "AFTER"), "{kind:?}");
        }
    }
}
