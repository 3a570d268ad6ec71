//! A card reader on a desk: the driver, the simulated reader behind it, and made-up cards.

use std::path::PathBuf;

use device_drivers::id_card_reader::simulator::{self, CardImage, SimulatedReaderHandle};
use device_drivers::id_card_reader::{
    FourPipes, IdCardReader, MainlandCard, PipeLayout, SamReader, SerialIdCardReader,
};

pub struct Desk {
    pub reader: Box<dyn IdCardReader>,
    pub simulator: SimulatedReaderHandle,
    dir: Option<tempfile::TempDir>,
}

impl Desk {
    /// The port of a reader on a serial line.
    pub fn port(&self) -> PathBuf {
        self.dir.as_ref().expect("a reader on a serial line").path().join("reader")
    }
}

/// A reader on a serial line that takes its time.
pub fn paced_serial_desk(baud: u32) -> Desk {
    let dir = tempfile::tempdir().unwrap();
    let port = dir.path().join("reader");
    let simulator = simulator::serve(&port, baud).unwrap();
    let reader = Box::new(SerialIdCardReader::open(&port, baud).unwrap());
    Desk { reader, simulator, dir: Some(dir) }
}

pub fn serial_desk() -> Desk {
    let desk = paced_serial_desk(115_200);
    desk.simulator.set_paced(false);
    desk
}

pub fn usb_desk() -> Desk {
    let (pipes, simulator) = simulator::serve_usb();
    simulator.set_paced(false);
    let reader = Box::new(SamReader::over(FourPipes::new(pipes, PipeLayout::MINISTRY)));
    Desk { reader, simulator, dir: None }
}

/// Makes a test of each of these on a serial line and on USB pipes.
macro_rules! contract_on_every_cable {
    ($($test:ident),+ $(,)?) => {
        mod serial {
            $(#[test] fn $test() { super::$test(crate::desk::serial_desk); })+
        }
        mod usb {
            $(#[test] fn $test() { super::$test(crate::desk::usb_desk); })+
        }
    };
}
pub(crate) use contract_on_every_cable;

/// A made-up person: area code 990001 is nobody's.
pub fn person(name: &str) -> MainlandCard {
    MainlandCard {
        name: name.into(),
        sex: "2".into(),
        ethnic: "01".into(),
        birth: "19900101".into(),
        address: "广东省东莞市示例街道样本路8号".into(),
        number: "990001199001011234".into(),
        issuer: "东莞市公安局".into(),
        valid_from: "20200101".into(),
        valid_to: "20400101".into(),
    }
}

pub fn image(name: &str) -> CardImage {
    CardImage::mainland(person(name)).unwrap()
}

pub fn name_read(desk: &mut Desk) -> String {
    desk.reader.read().unwrap().text.name().to_owned()
}
