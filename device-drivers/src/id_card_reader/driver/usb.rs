//! The reader on USB bulk pipes.

use super::SamReader;
use crate::bulk_pipes::{UsbBulk, UsbId};
use crate::id_card_reader::four_pipes::{FourPipes, PipeLayout};

/// A card reader on USB bulk pipes.
pub type UsbIdCardReader = SamReader<FourPipes<UsbBulk>>;

impl SamReader<FourPipes<UsbBulk>> {
    /// A reader that is opened at its first use; it may be plugged in later. Vendor and product differ from maker
    /// to maker, so they are the terminal's configuration.
    pub fn usb(id: UsbId, layout: PipeLayout) -> UsbIdCardReader {
        SamReader::over(FourPipes::new(UsbBulk::new(id, &layout.outs(), &layout.ins()), layout))
    }
}
