//! The kinds of devices, one file each, of one shape: how the device is reached, what is asked of it, and `run`.

mod cabinet;
mod camera;
mod code_scanner;
mod document_printer;
mod id_card;
mod receipt_printer;
mod social_security_card;
mod speaker;
mod ups;
mod vendor;
mod watchdog;

pub use cabinet::CabinetKind;
pub use camera::CameraKind;
pub use code_scanner::CodeScannerKind;
pub use document_printer::DocumentPrinterKind;
pub use id_card::IdCardKind;
pub use receipt_printer::ReceiptPrinterKind;
pub use social_security_card::SocialSecurityCardKind;
pub use speaker::SpeakerKind;
pub use ups::UpsKind;
pub use vendor::VendorKind;
pub use watchdog::WatchdogKind;
