//! `[devices]` of `terminal.toml`: which devices this terminal has, and where. What is not declared is not there.
//!
//! ```toml
//! [devices.id_card_reader]
//! transport = "serial"
//! port = "/dev/serial/by-id/usb-maker_reader"
//! baud = 115200
//!
//! [devices.social_security_card_reader]
//! reader = "ACS ACR39U"
//!
//! [devices.receipt_printer]
//! transport = "usb"
//! device = "/dev/usb/lp0"
//! model = "80mm"
//!
//! [devices.document_printer]
//! uri = "ipp://localhost:60000/ipp/print"
//! two_sided = true
//!
//! [devices.document_camera]
//! transport = "v4l2"
//! device = "/dev/v4l/by-id/usb-maker_camera-video-index0"
//!
//! [devices.cabinet]
//! board = { port = "/dev/serial/by-id/usb-maker_board" }
//! presence = { on = "board" }
//! doors = [{ on = "board", number = 0 }, { on = "gpio", chip = "/dev/gpiochip0", offset = 4, active_low = true }]
//! card_light = { on = "board", number = 0 }
//! help_light = { on = "led", name = "upboard:red:" }
//!
//! [devices.ups]
//! name = "kiosk"
//!
//! [devices.speaker]
//! socket = "/run/speech-dispatcher/speechd.sock"
//!
//! [devices.code_scanner]
//! transport = "serial"
//! port = "/dev/serial/by-id/usb-maker_scanner"
//! suffix = true
//! ```

use device_drivers::receipt_printer::Connection;
use serde::Deserialize;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

/// The declared devices.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Devices {
    /// 身份证阅读器.
    pub id_card_reader: Option<ReaderDevice>,
    /// 社保卡读卡器.
    pub social_security_card_reader: Option<SocialCardReaderDevice>,
    /// 凭条打印机.
    pub receipt_printer: Option<PrinterDevice>,
    /// A4 打印机.
    pub document_printer: Option<DocumentPrinterDevice>,
    /// 高拍仪.
    pub document_camera: Option<CameraDevice>,
    /// Presence sensor, doors and lights.
    pub cabinet: Option<CabinetDevices>,
    /// UPS.
    pub ups: Option<UpsDevice>,
    /// The voice.
    pub speaker: Option<SpeakerDevice>,
    /// 扫码器.
    pub code_scanner: Option<ScannerDevice>,
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

/// 社保卡读卡器: any reader that the system's `pcscd` knows.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SocialCardReaderDevice {
    /// A part of the reader's name, as `devctl social-security-card list` shows it; empty is the first reader of all.
    #[serde(default)]
    pub reader: String,
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

/// A4 打印机: an IPP Everywhere printer, on its own cable or behind `ipp-usb`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DocumentPrinterDevice {
    /// Its address, `ipp://HOST[:PORT]/PATH`.
    pub uri: String,
    /// Print on both sides; a printer that cannot turn paper prints on one.
    #[serde(default = "both_sides")]
    pub two_sided: bool,
}

fn both_sides() -> bool {
    true
}

/// 高拍仪, and how it is connected.
#[derive(Clone, Debug, Deserialize)]
#[serde(tag = "transport", rename_all = "kebab-case", deny_unknown_fields)]
pub enum CameraDevice {
    /// A camera of Video4Linux.
    V4l2 {
        /// Its node, by a name that stays: `/dev/v4l/by-id/…-video-index0`.
        device: PathBuf,
        /// Pixels across, of a size that it has.
        #[serde(default = "usual_width")]
        width: u32,
        /// Pixels down.
        #[serde(default = "usual_height")]
        height: u32,
    },
    /// The simulator's.
    Socket {
        /// Its socket.
        path: PathBuf,
    },
}

fn usual_width() -> u32 {
    1_280
}

fn usual_height() -> u32 {
    720
}

impl CameraDevice {
    /// The name under which it appears when it is plugged in.
    pub fn node(&self) -> &Path {
        match self {
            CameraDevice::V4l2 { device, .. } => device,
            CameraDevice::Socket { path } => path,
        }
    }

    fn node_mut(&mut self) -> &mut PathBuf {
        match self {
            CameraDevice::V4l2 { device, .. } => device,
            CameraDevice::Socket { path } => path,
        }
    }
}

/// What the cabinet feels and shows. Any part may be missing.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CabinetDevices {
    /// The board that some of the parts are on.
    pub board: Option<BoardLine>,
    /// Tells whether somebody stands before the machine.
    pub presence: Option<Contact>,
    /// Contacts of the doors.
    #[serde(default)]
    pub doors: Vec<Contact>,
    /// The switch inside the jack for headphones: open while they are plugged in, as such switches are. Wired like a door.
    pub headphones: Option<Contact>,
    /// Beside the card reader.
    pub card_light: Option<Lamp>,
    /// Beside the receipt's mouth.
    pub receipt_light: Option<Lamp>,
    /// Seen from afar.
    pub help_light: Option<Lamp>,
}

/// Where the cabinet board is (docs/CABINET_BOARD.md).
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BoardLine {
    /// The tty.
    pub port: PathBuf,
    /// Bits per second.
    #[serde(default = "usual_baud")]
    pub baud: u32,
}

/// Where a sensor or a door's contact is connected.
#[derive(Clone, Debug, Deserialize)]
#[serde(tag = "on", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Contact {
    /// On the board.
    Board {
        /// Which door, from 0; a board has one sensor.
        #[serde(default)]
        number: u8,
    },
    /// On a line of the machine's own.
    Gpio(GpioLine),
}

/// A GPIO line.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GpioLine {
    /// The chip's node, as `/dev/gpiochip0`.
    pub chip: PathBuf,
    /// The line's number on the chip.
    pub offset: u32,
    /// A low level means "near" or "open".
    #[serde(default)]
    pub active_low: bool,
}

/// Where a light is connected.
#[derive(Clone, Debug, Deserialize)]
#[serde(tag = "on", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Lamp {
    /// On the board.
    Board {
        /// Which light, from 0.
        number: u8,
    },
    /// One of the kernel's LEDs.
    Led {
        /// Its name in `/sys/class/leds`.
        name: String,
    },
}

/// UPS, through the server of the Network UPS Tools.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UpsDevice {
    /// Address of `upsd`.
    #[serde(default = "usual_upsd")]
    pub server: SocketAddr,
    /// What `upsd` calls it.
    pub name: String,
}

fn usual_upsd() -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], device_drivers::ups::driver::NUT_PORT))
}

/// The voice, through Speech Dispatcher.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SpeakerDevice {
    /// The server's Unix socket.
    pub socket: PathBuf,
}

/// 扫码器.
#[derive(Clone, Debug, Deserialize)]
pub struct ScannerDevice {
    /// How it is connected.
    #[serde(flatten)]
    pub connection: ScannerConnection,
    /// It is set to end every code with CR, LF or both: a code that just stops then came in part, and is not taken for a
    /// short one.
    #[serde(default)]
    pub suffix: bool,
    /// Milliseconds of silence that end a code, or show that its rest was lost; 100 unless told.
    pub silence_ms: Option<u64>,
}

/// How a code scanner is connected.
#[derive(Clone, Debug, Deserialize)]
#[serde(tag = "transport", rename_all = "kebab-case", deny_unknown_fields)]
pub enum ScannerConnection {
    /// A serial line, or a USB scanner that is set to be one (CDC-ACM), which does not care about the rate.
    Serial {
        /// The tty.
        port: PathBuf,
        /// Bits per second.
        #[serde(default = "usual_baud")]
        baud: u32,
    },
    /// A scanner that types as a keyboard does, on a US layout.
    Keyboard {
        /// Its input device, better by `/dev/input/by-id/…-event-kbd`.
        device: PathBuf,
    },
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
        let camera = self.document_camera.as_mut().map(CameraDevice::node_mut);
        let board =
            self.cabinet.as_mut().and_then(|cabinet| cabinet.board.as_mut()).map(|board| &mut board.port);
        let speaker = self.speaker.as_mut().map(|speaker| &mut speaker.socket);
        let scanner = self.code_scanner.as_mut().map(|scanner| match &mut scanner.connection {
            ScannerConnection::Serial { port, .. } => port,
            ScannerConnection::Keyboard { device } => device,
        });
        let ports = reader.into_iter().chain(printer).chain(camera).chain(board);
        ports.chain(speaker).chain(scanner).collect()
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
            [document_camera]
            transport = "v4l2"
            device = "dev/camera"
            height = 960
            "#,
        )
        .unwrap();
        devices.resolve(Path::new("/etc/kiosk"));
        let names = ["/etc/kiosk/dev/reader", "/dev/usb/lp0", "/etc/kiosk/dev/camera"];
        assert_eq!(devices.names(), names.map(Path::new));
        let camera = devices.document_camera.unwrap();
        assert!(matches!(camera, CameraDevice::V4l2 { width: 1280, height: 960, .. }));
        assert_eq!(devices.receipt_printer.unwrap().model, "80mm");
        assert!(parse("").unwrap().id_card_reader.is_none());
        let scanner =
            parse("[code_scanner]\ntransport = \"keyboard\"\ndevice = \"/dev/input/by-id/kbd\"").unwrap();
        assert_eq!(scanner.names(), [Path::new("/dev/input/by-id/kbd")]);
        assert!(!scanner.code_scanner.unwrap().suffix);
        let usb = parse("[id_card_reader]\ntransport = \"usb\"\nvendor = 0x0400\nproduct = 0xc35a").unwrap();
        let reader = usb.id_card_reader.unwrap().connection;
        assert!(matches!(reader, ReaderConnection::Usb { product: 0xc35a, interface: 0, .. }));
    }

    #[test]
    fn the_a4_printer_needs_its_address_alone() {
        let printer = |text: &str| parse(text).unwrap().document_printer.unwrap();
        let usual = printer("[document_printer]\nuri = \"ipp://localhost:60000/ipp/print\"");
        assert!(usual.two_sided && usual.uri.ends_with("/ipp/print"));
        assert!(!printer("[document_printer]\nuri = \"ipp://p\"\ntwo_sided = false").two_sided);
    }

    #[test]
    fn the_social_security_cards_reader_is_named_or_is_the_first() {
        let reader = |text: &str| parse(text).unwrap().social_security_card_reader.unwrap().reader;
        assert_eq!(reader("[social_security_card_reader]"), "");
        assert_eq!(reader("[social_security_card_reader]\nreader = \"ACR39U\""), "ACR39U");
        assert!(parse("").unwrap().social_security_card_reader.is_none());
    }

    #[test]
    fn what_nobody_knows_is_said() {
        for (text, word) in [
            ("[id_card_raeder]\ntransport = \"serial\"\nport = \"a\"", "id_card_raeder"),
            ("[id_card_reader]\ntransport = \"pigeon\"\nport = \"a\"", "pigeon"),
            ("[id_card_reader]\ntransport = \"serial\"", "port"),
            ("[receipt_printer]\ntransport = \"tcp\"\nport = \"a\"", "port"),
            ("[social_security_card_reader]\nport = \"a\"", "port"),
            ("[document_printer]\nuri = \"ipp://p\"\nduplex = true", "duplex"),
            ("[code_scanner]\ntransport = \"keyboard\"\nport = \"a\"", "device"),
            ("[code_scanner]\ntransport = \"serial\"\nport = \"a\"\nsufix = true", "sufix"),
            ("[document_camera]\ntransport = \"socket\"\npath = \"a\"\nwidth = 640", "width"),
        ] {
            let error = parse(text).unwrap_err().to_string();
            assert!(error.contains(word), "{text}: {error}");
        }
    }
}
