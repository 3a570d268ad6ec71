//! The few calls of Video4Linux that capturing needs, with the structures of `linux/videodev2.h` for 64-bit Linux.
//!
//! This is a foreign interface and the only place of the cameras with `unsafe`. Every structure's size is part of
//! its call's number, so the kernel refuses a call whose structure were laid out wrongly; the sizes are checked when
//! this is compiled as well. A ready binding was not taken: it runs bindgen and so wants libclang on every machine
//! that builds the kiosk.
#![allow(unsafe_code)]

use std::ffi::c_void;
use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::ptr::NonNull;

use rustix::ioctl::{Opcode, Setter, Updater, opcode};
use rustix::mm::{MapFlags, ProtFlags};

/// `V4L2_BUF_TYPE_VIDEO_CAPTURE`.
const CAPTURE: u32 = 1;
/// `V4L2_MEMORY_MMAP`.
const MMAP: u32 = 1;
/// `V4L2_FIELD_NONE`: whole frames, not interlaced.
const PROGRESSIVE: u32 = 1;

const GROUP: u8 = b'V';
const S_FMT: Opcode = opcode::read_write::<Format>(GROUP, 5);
const REQBUFS: Opcode = opcode::read_write::<RequestBuffers>(GROUP, 8);
const QUERYBUF: Opcode = opcode::read_write::<Buffer>(GROUP, 9);
const QBUF: Opcode = opcode::read_write::<Buffer>(GROUP, 15);
const DQBUF: Opcode = opcode::read_write::<Buffer>(GROUP, 17);
const STREAMON: Opcode = opcode::write::<i32>(GROUP, 18);
// The kernel's own numbers; another layout would give others.
const _: () = assert!(S_FMT == 0xC0D0_5605 && REQBUFS == 0xC014_5608 && QUERYBUF == 0xC058_5609);
const _: () = assert!(QBUF == 0xC058_560F && DQBUF == 0xC058_5611 && STREAMON == 0x4004_5612);

/// `v4l2_format` with `v4l2_pix_format`; the union is 200 bytes and aligned to 8.
#[repr(C)]
#[allow(dead_code)] // the kernel reads and writes all of it
struct Format {
    kind: u32,
    aligned: u32,
    width: u32,
    height: u32,
    four_cc: [u8; 4],
    field: u32,
    bytes_per_line: u32,
    size_image: u32,
    rest: [u32; 44],
}

/// `v4l2_requestbuffers`.
#[repr(C)]
#[allow(dead_code)] // the kernel reads and writes all of it
struct RequestBuffers {
    count: u32,
    kind: u32,
    memory: u32,
    rest: [u32; 2],
}

/// `v4l2_buffer`.
#[repr(C)]
#[allow(dead_code)] // the kernel reads and writes all of it
#[derive(Default)]
struct Buffer {
    index: u32,
    kind: u32,
    bytes_used: u32,
    flags: u32,
    field: u32,
    aligned: u32,
    time: [u64; 2],
    time_code: [u32; 4],
    sequence: u32,
    memory: u32,
    /// A union of pointers and numbers; for [`MMAP`] the low half is where the buffer lies in the device.
    offset: u32,
    offset_high: u32,
    length: u32,
    rest: [u32; 2],
    tail: u32,
}

/// `V4L2_BUF_FLAG_ERROR`: the frame may be damaged.
const DAMAGED: u32 = 0x40;

/// Does one call whose structure goes both ways.
fn call<const OPCODE: Opcode, T>(device: BorrowedFd<'_>, value: &mut T) -> io::Result<()> {
    // SAFETY: every OPCODE above is made from the type of its structure, all fields are plain numbers, and `value`
    // is exclusively ours for the length of the call.
    unsafe { rustix::ioctl::ioctl(device, Updater::<OPCODE, T>::new(value)) }.map_err(io::Error::from)
}

/// Asks for a format and size, and returns what the driver makes of them.
pub(super) fn set_format(
    device: BorrowedFd<'_>,
    four_cc: [u8; 4],
    width: u32,
    height: u32,
) -> io::Result<([u8; 4], u32, u32)> {
    let mut format = Format {
        kind: CAPTURE,
        aligned: 0,
        width,
        height,
        four_cc,
        field: PROGRESSIVE,
        bytes_per_line: 0,
        size_image: 0,
        rest: [0; 44],
    };
    call::<S_FMT, _>(device, &mut format)?;
    Ok((format.four_cc, format.width, format.height))
}

/// Gets buffers of the device, queues all of them and starts the stream.
pub(super) fn start(device: BorrowedFd<'_>, count: u32) -> io::Result<Vec<Mapped>> {
    let mut request = RequestBuffers { count, kind: CAPTURE, memory: MMAP, rest: [0; 2] };
    call::<REQBUFS, _>(device, &mut request)?;
    let buffers: Vec<Mapped> =
        (0..request.count).map(|index| Mapped::new(device, index)).collect::<Result<_, _>>()?;
    (0..request.count).try_for_each(|index| give_back(device, index))?;
    // SAFETY: STREAMON reads one 32-bit number, which is given by value.
    unsafe { rustix::ioctl::ioctl(device, Setter::<STREAMON, i32>::new(CAPTURE as i32)) }?;
    Ok(buffers)
}

/// A buffer that the device has filled.
pub(super) struct Filled {
    pub(super) index: u32,
    pub(super) bytes: usize,
    pub(super) damaged: bool,
}

/// Takes a filled buffer; `None` when none is ready (the device is opened non-blocking).
pub(super) fn take(device: BorrowedFd<'_>) -> io::Result<Option<Filled>> {
    let mut buffer = Buffer { kind: CAPTURE, memory: MMAP, ..Buffer::default() };
    match call::<DQBUF, _>(device, &mut buffer) {
        Ok(()) => {}
        Err(e) if e.kind() == io::ErrorKind::WouldBlock => return Ok(None),
        Err(e) => return Err(e),
    }
    let damaged = buffer.flags & DAMAGED != 0;
    Ok(Some(Filled { index: buffer.index, bytes: buffer.bytes_used as usize, damaged }))
}

/// Gives a buffer back to be filled again.
pub(super) fn give_back(device: BorrowedFd<'_>, index: u32) -> io::Result<()> {
    let mut buffer = Buffer { index, kind: CAPTURE, memory: MMAP, ..Buffer::default() };
    call::<QBUF, _>(device, &mut buffer)
}

/// A buffer of the device, mapped for reading.
pub(super) struct Mapped {
    start: NonNull<c_void>,
    length: usize,
}

// SAFETY: the mapping belongs to this value alone and is not tied to a thread.
unsafe impl Send for Mapped {}

impl Mapped {
    fn new(device: BorrowedFd<'_>, index: u32) -> io::Result<Mapped> {
        let mut buffer = Buffer { index, kind: CAPTURE, memory: MMAP, ..Buffer::default() };
        call::<QUERYBUF, _>(device, &mut buffer)?;
        let length = buffer.length as usize;
        let none = std::ptr::null_mut();
        // SAFETY: a fresh mapping at an address of the kernel's choice; nothing else refers to it.
        let start = unsafe {
            rustix::mm::mmap(
                none,
                length,
                ProtFlags::READ,
                MapFlags::SHARED,
                device.as_fd(),
                u64::from(buffer.offset),
            )
        }?;
        let start = NonNull::new(start).ok_or(io::ErrorKind::OutOfMemory)?;
        Ok(Mapped { start, length })
    }

    /// The first `count` bytes, copied out. To be called only between [`take`] and [`give_back`], when the device
    /// does not write.
    pub(super) fn copy(&self, count: usize) -> Vec<u8> {
        let count = count.min(self.length);
        let mut bytes = vec![0; count];
        // SAFETY: `start` is mapped for `length` bytes, and `count` is not more than that; source and target are
        // different memory. The device may be unplugged, but its pages stay until they are unmapped.
        unsafe { std::ptr::copy_nonoverlapping(self.start.as_ptr().cast::<u8>(), bytes.as_mut_ptr(), count) };
        bytes
    }
}

impl Drop for Mapped {
    fn drop(&mut self) {
        // SAFETY: mapped in `new` with this length and not used after this.
        let _ = unsafe { rustix::mm::munmap(self.start.as_ptr(), self.length) };
    }
}
