//! `[devices]` of `terminal.toml`: which devices this terminal has, and where. What is not declared is not there.
//!
//! ```toml
//! [devices.id_card_reader]
//! transport = "serial"
//! port = "/dev/serial/by-id/usb-maker_reader"
//! baud = 115200
//!
//! [devices.receipt_printer]
//! transport = "usb"
//! device = "/dev/usb/lp0"
//! model = "80mm"
//! ```

use device_drivers::receipt_printer::Connection;
use serde::Deserialize;
use std::path::{Path, PathBuf};

/// The declared devices.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Devices {
    /// 身份证阅读器.
    pub id_card_reader: Option<ReaderDevice>,
    /// 凭条打印机.
    pub receipt_printer: Option<PrinterDevice>,
}

/// 身份证阅读器.
#[derive(Clone, Debug, Deserialize)]
pub struct ReaderDevice {
    /// How it is connected.
    #[serde(flatten)]
    pub connection: ReaderConnection,
    /// A reset lets this model find a card again that was left lying: then a forgotten card is noticed. Differs from
    /// model to model; try it with a specimen card.
    #[serde(default)]
    pub finds_again_after_reset: bool,
}

/// How an identity-card reader is connected.
#[derive(Clone, Debug, Deserialize)]
#[serde(tag = "transport", rename_all = "kebab-case", deny_unknown_fields)]
pub enum ReaderConnection {
    /// A serial line, or a USB reader with a serial chip.
    Serial {
        /// The tty.
        port: PathBuf,
        /// Bits per second; others are searched for when nobody answers.
        #[serde(default = "usual_baud")]
        baud: u32,
    },
    /// Four bulk pipes.
    Usb {
        /// Vendor (idVendor).
        vendor: u16,
        /// Product (idProduct).
        product: u16,
        /// Serial number, where there are several of one product.
        serial: Option<String>,
        /// Number of the interface that holds the pipes.
        #[serde(default)]
        interface: u8,
    },
}

fn usual_baud() -> u32 {
    115_200
}

/// 凭条打印机.
#[derive(Clone, Debug, Deserialize)]
pub struct PrinterDevice {
    /// How it is connected.
    #[serde(flatten)]
    pub connection: Connection,
    /// Name of its model.
    #[serde(default = "usual_model")]
    pub model: String,
}

fn usual_model() -> String {
    "80mm".into()
}

impl Devices {
    /// Makes paths absolute that are relative to the configuration's folder.
    pub fn resolve(&mut self, folder: &Path) {
        for path in self.names_mut() {
            *path = folder.join(&*path);
        }
    }

    /// The names under which devices appear when they are plugged in.
    pub fn names(&self) -> Vec<PathBuf> {
        self.clone().names_mut().into_iter().map(|name| name.clone()).collect()
    }

    fn names_mut(&mut self) -> Vec<&mut PathBuf> {
        let reader = self.id_card_reader.as_mut().and_then(|device| match &mut device.connection {
            ReaderConnection::Serial { port, .. } => Some(port),
            ReaderConnection::Usb { .. } => None,
        });
        let printer = self.receipt_printer.as_mut().and_then(|device| match &mut device.connection {
            Connection::Serial { port, .. } => Some(port),
            Connection::Usb { device } => Some(device),
            Connection::Tcp { .. } => None,
        });
        reader.into_iter().chain(printer).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Devices, toml::de::Error> {
        toml::from_str(text)
    }

    #[test]
    fn each_device_is_declared_by_itself_and_relative_names_follow_the_file() {
        let mut devices = parse(
            r#"
            [id_card_reader]
            transport = "serial"
            port = "dev/reader"
            [receipt_printer]
            transport = "usb"
            device = "/dev/usb/lp0"
            "#,
        )
        .unwrap();
        devices.resolve(Path::new("/etc/kiosk"));
        assert_eq!(devices.names(), [Path::new("/etc/kiosk/dev/reader"), Path::new("/dev/usb/lp0")]);
        assert_eq!(devices.receipt_printer.unwrap().model, "80mm");
        assert!(parse("").unwrap().id_card_reader.is_none());
        let usb = parse("[id_card_reader]\ntransport = \"usb\"\nvendor = 0x0400\nproduct = 0xc35a").unwrap();
        let reader = usb.id_card_reader.unwrap().connection;
        assert!(matches!(reader, ReaderConnection::Usb { product: 0xc35a, interface: 0, .. }));
    }

    #[test]
    fn what_nobody_knows_is_said() {
        for (text, word) in [
            ("[id_card_raeder]\ntransport = \"serial\"\nport = \"a\"", "id_card_raeder"),
            ("[id_card_reader]\ntransport = \"pigeon\"\nport = \"a\"", "pigeon"),
            ("[id_card_reader]\ntransport = \"serial\"", "port"),
            ("[receipt_printer]\ntransport = \"tcp\"\nport = \"a\"", "port"),
        ] {
            let error = parse(text).unwrap_err().to_string();
            assert!(error.contains(word), "{text}: {error}");
        }
    }
}
