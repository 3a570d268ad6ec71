//! The bulk pipes of a USB device, for devices that have a protocol and no kernel driver.
//!
//! [`BulkPipes`] is what a driver needs of them; [`UsbBulk`] is the real thing, over the kernel's usbfs. No USB
//! device can be simulated below this seam without kernel modules, so simulators implement the trait.

use std::time::{Duration, Instant};

use nusb::transfer::{Buffer, Bulk, In, Out};
use nusb::{Endpoint, MaybeFuture};
use zeroize::Zeroize;

use crate::transport::{LineError, Ready};

/// Room for one packet of any bulk pipe; full-speed pipes use 64 bytes of it.
pub const PACKET_BYTES_MAX: usize = 1024;
/// Reads that wait in the kernel on each pipe, so that the device can always get rid of what it has to say.
const READS_AHEAD: usize = 4;
/// How long a transfer that was given up may take to come back.
const CANCEL: Duration = Duration::from_millis(100);

/// A USB device's bulk pipes, named by their endpoint addresses. Every call blocks, at most until its deadline.
pub trait BulkPipes: Send {
    /// Opens the device if needed. Packets that wait in its pipes stay there.
    fn ready(&mut self) -> Result<Ready, LineError>;

    /// Sends `bytes` as one transfer to an OUT pipe.
    fn send(&mut self, pipe: u8, bytes: &[u8], deadline: Instant) -> Result<(), LineError>;

    /// Takes one packet from an IN pipe and returns its length, which may be 0 (the end of a transfer whose length
    /// is a whole number of packets). `None` means that no packet came before `until`.
    fn receive(
        &mut self,
        pipe: u8,
        packet: &mut [u8; PACKET_BYTES_MAX],
        until: Instant,
    ) -> Result<Option<usize>, LineError>;
}

/// Which USB device is meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UsbId {
    /// Vendor (idVendor).
    pub vendor: u16,
    /// Product (idProduct).
    pub product: u16,
    /// Serial number, where several devices of one product are connected.
    pub serial: Option<String>,
    /// Number of the interface that holds the pipes.
    pub interface: u8,
}

/// A real device. Needs write access to its node under `/dev/bus/usb` (a udev rule).
pub struct UsbBulk {
    id: UsbId,
    out_pipes: Vec<u8>,
    in_pipes: Vec<u8>,
    open: Option<Open>,
}

/// An open device: dropping it gives the interface back.
struct Open {
    outs: Vec<(u8, Endpoint<Bulk, Out>)>,
    ins: Vec<(u8, Endpoint<Bulk, In>)>,
}

impl UsbBulk {
    /// The device with these pipes; it is opened at its first use and may be plugged in later.
    pub fn new(id: UsbId, out_pipes: &[u8], in_pipes: &[u8]) -> UsbBulk {
        UsbBulk { id, out_pipes: out_pipes.to_vec(), in_pipes: in_pipes.to_vec(), open: None }
    }

    fn connect(&self) -> Result<Open, String> {
        let text = |error: nusb::Error| error.to_string();
        let found = nusb::list_devices().wait().map_err(text)?.find(|device| {
            device.vendor_id() == self.id.vendor
                && device.product_id() == self.id.product
                && self.id.serial.as_deref().is_none_or(|serial| device.serial_number() == Some(serial))
        });
        let device = found.ok_or("not connected")?.open().wait().map_err(text)?;
        let interface = device.detach_and_claim_interface(self.id.interface).wait().map_err(text)?;
        let mut open = Open { outs: Vec::new(), ins: Vec::new() };
        for &pipe in &self.out_pipes {
            open.outs.push((pipe, interface.endpoint(pipe).map_err(text)?));
        }
        for &pipe in &self.in_pipes {
            open.ins.push((pipe, interface.endpoint(pipe).map_err(text)?));
        }
        // A pipe that was halted when the device was last given up stays so. Devices that do not know the request
        // have no halted pipes either.
        for (_, endpoint) in &mut open.outs {
            let _ = endpoint.clear_halt().wait();
        }
        for (_, endpoint) in &mut open.ins {
            let _ = endpoint.clear_halt().wait();
        }
        Ok(open)
    }

    fn lost(&mut self, why: &str) -> LineError {
        let UsbId { vendor, product, .. } = self.id;
        tracing::debug!(vendor, product, why, "the USB device was lost");
        self.open = None;
        LineError::Gone
    }
}

impl BulkPipes for UsbBulk {
    fn ready(&mut self) -> Result<Ready, LineError> {
        if self.open.is_some() {
            return Ok(Ready::StillOpen);
        }
        match self.connect() {
            Ok(open) => {
                self.open = Some(open);
                Ok(Ready::Opened)
            }
            Err(why) => Err(self.lost(&why)),
        }
    }

    fn send(&mut self, pipe: u8, bytes: &[u8], deadline: Instant) -> Result<(), LineError> {
        let open = self.open.as_mut().ok_or(LineError::Gone)?;
        let (_, endpoint) = open.outs.iter_mut().find(|(at, _)| *at == pipe).ok_or(LineError::Gone)?;
        endpoint.submit(Buffer::from(bytes.to_vec()));
        let left = deadline.saturating_duration_since(Instant::now());
        match endpoint.wait_next_complete(left) {
            Some(done) if done.status.is_ok() => Ok(()),
            Some(done) => {
                let why = done.status.map_err(|error| error.to_string()).err().unwrap_or_default();
                Err(self.lost(&why))
            }
            None => {
                endpoint.cancel_all();
                match endpoint.wait_next_complete(CANCEL) {
                    Some(_) => Err(LineError::Stuck),
                    None => Err(self.lost("a transfer cannot be taken back")),
                }
            }
        }
    }

    fn receive(
        &mut self,
        pipe: u8,
        packet: &mut [u8; PACKET_BYTES_MAX],
        until: Instant,
    ) -> Result<Option<usize>, LineError> {
        let open = self.open.as_mut().ok_or(LineError::Gone)?;
        let (_, endpoint) = open.ins.iter_mut().find(|(at, _)| *at == pipe).ok_or(LineError::Gone)?;
        let size = endpoint.max_packet_size().min(PACKET_BYTES_MAX);
        while endpoint.pending() < READS_AHEAD {
            endpoint.submit(Buffer::new(size));
        }
        let left = until.saturating_duration_since(Instant::now());
        let Some(mut done) = endpoint.wait_next_complete(left) else { return Ok(None) };
        if let Err(error) = done.status {
            done.buffer.zeroize();
            return Err(self.lost(&error.to_string()));
        }
        let count = done.buffer.len();
        packet[..count].copy_from_slice(&done.buffer);
        // It may have held a card.
        done.buffer.zeroize();
        Ok(Some(count))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_device_that_is_not_connected_is_gone_and_can_be_waited_for() {
        // FFFF is no vendor's number.
        let id = UsbId { vendor: 0xFFFF, product: 0xFFFF, serial: None, interface: 0 };
        let mut pipes = UsbBulk::new(id, &[0x02], &[0x81]);
        for _ in 0..2 {
            assert_eq!(pipes.ready(), Err(LineError::Gone));
            assert_eq!(pipes.send(0x02, &[1], Instant::now()), Err(LineError::Gone));
            assert_eq!(pipes.receive(0x81, &mut [0; PACKET_BYTES_MAX], Instant::now()), Err(LineError::Gone));
        }
    }
}
