//! A loaded library behind the five functions of `kiosk_vendor.h`. All foreign calls of this program are here.
//!
//! The library is foreign code in our memory: nothing can be promised about it, and nothing is. What comes back over
//! the interface is checked; what it does besides ends at the border of the process.
#![allow(
    unsafe_code,
    reason = "a C interface behind dlopen; this file is listed in xtask/src/tidy/sources.rs"
)]

use std::mem::ManuallyDrop;
use std::path::Path;

use device_drivers::vendor_library::protocol::{
    DETAIL_BYTES_MAX, IDENTITY_BYTES_MAX, LoadFault, Misbehaviour, Refusal,
};
use libloading::os::unix::{Library, RTLD_LOCAL, RTLD_NOW};
use zeroize::Zeroizing;

/// `KIOSK_VENDOR_ABI`.
const ABI: u32 = 1;

type AbiFn = unsafe extern "C" fn() -> u32;
type IdentityFn = unsafe extern "C" fn(*mut u8, u32, *mut u32) -> i32;
type OpenFn = unsafe extern "C" fn(*const u8, u32) -> i32;
type CallFn = unsafe extern "C" fn(u32, *const u8, u32, *mut u8, u32, *mut u32) -> i32;
type CloseFn = unsafe extern "C" fn();

/// Why a library did not do what it was asked.
pub enum PluginError {
    /// It cannot be used.
    Unusable { fault: LoadFault, detail: String },
    /// It refused.
    Refused(Refusal),
    /// It did what it must not.
    Misbehaved(Misbehaviour),
}

impl PluginError {
    /// A detail comes from the loader or the library: what would spoil a log line is left out, the end first.
    pub fn unusable(fault: LoadFault, detail: &str) -> PluginError {
        let mut kept = String::new();
        for character in detail.chars().filter(|character| !character.is_control()) {
            if kept.len() + character.len_utf8() > DETAIL_BYTES_MAX {
                break;
            }
            kept.push(character);
        }
        PluginError::Unusable { fault, detail: kept }
    }
}

/// The library. There is one, and it stays until the process ends.
pub struct Plugin {
    identity: String,
    open: OpenFn,
    call: CallFn,
    close: CloseFn,
    /// Never unloaded: many libraries crash when they are, and the process ends anyway.
    _library: ManuallyDrop<Library>,
}

impl Plugin {
    /// Loads the library with all it needs, and asks what it is.
    pub fn load(path: &Path) -> Result<Plugin, PluginError> {
        // RTLD_NOW: a function that is missing somewhere below is reported here, not by a crash at its first use.
        // SAFETY: loading runs the library's own initialisers, about which nothing can be known. This process exists
        // to take the consequences.
        let library = unsafe { Library::open(Some(path), RTLD_NOW | RTLD_LOCAL) }
            .map_err(|error| PluginError::unusable(LoadFault::NotALibrary, &error.to_string()))?;
        let library = ManuallyDrop::new(library);
        let abi: AbiFn = function(&library, "kiosk_vendor_abi")?;
        let identity: IdentityFn = function(&library, "kiosk_vendor_identity")?;
        let open: OpenFn = function(&library, "kiosk_vendor_open")?;
        let call: CallFn = function(&library, "kiosk_vendor_call")?;
        let close: CloseFn = function(&library, "kiosk_vendor_close")?;
        // SAFETY: every version of the header declares this function like that, and it takes nothing.
        let theirs = unsafe { abi() };
        if theirs != ABI {
            let detail = format!("it was built for version {theirs}, this is {ABI}");
            return Err(PluginError::unusable(LoadFault::OtherAbi, &detail));
        }
        let identity = ask_identity(identity)?;
        Ok(Plugin { identity, open, call, close, _library: library })
    }

    /// Name and version; printable.
    pub fn identity(&self) -> &str {
        &self.identity
    }

    /// Makes the library ready.
    pub fn open(&mut self, settings: &[u8]) -> Result<(), PluginError> {
        // SAFETY: as the header declares it; the settings outlive the call, and their length fits 32 bits because they
        // came in a frame.
        let code = unsafe { (self.open)(settings.as_ptr(), settings.len() as u32) };
        Refusal::from_code(code).map_or(Ok(()), |refusal| Err(PluginError::Refused(refusal)))
    }

    /// Has it do one thing.
    pub fn call(
        &mut self,
        verb: u32,
        input: &[u8],
        output_bytes_max: u32,
    ) -> Result<Zeroizing<Vec<u8>>, PluginError> {
        let mut room = Room::new(output_bytes_max);
        let mut length = 0;
        // SAFETY: as the header declares it; input and room outlive the call, and their lengths are true. The input's
        // fits 32 bits because it came in a frame.
        let code = unsafe {
            let (input, input_length) = (input.as_ptr(), input.len() as u32);
            (self.call)(verb, input, input_length, room.bytes.as_mut_ptr(), output_bytes_max, &raw mut length)
        };
        room.taken(code, length)
    }

    /// Lets the library let go of its device.
    pub fn close(self) {
        // SAFETY: as the header declares it; nothing of the library is used afterwards.
        unsafe { (self.close)() };
    }
}

fn function<F: Copy>(library: &Library, name: &str) -> Result<F, PluginError> {
    // SAFETY: the type is that of the header; a library that exports another thing under this name is broken, and a
    // call of it ends in this process.
    unsafe { library.get::<F>(name.as_bytes()) }
        .map(|symbol| *symbol)
        .map_err(|_| PluginError::unusable(LoadFault::MissingFunction, name))
}

fn ask_identity(identity: IdentityFn) -> Result<String, PluginError> {
    let capacity = IDENTITY_BYTES_MAX as u32;
    let mut room = Room::new(capacity);
    let mut length = 0;
    // SAFETY: as the header declares it; the room outlives the call, and its length is true.
    let code = unsafe { identity(room.bytes.as_mut_ptr(), capacity, &raw mut length) };
    let bytes = room.taken(code, length)?;
    let text = std::str::from_utf8(&bytes).unwrap_or_default();
    if text.is_empty() || text.contains(char::is_control) {
        return Err(PluginError::unusable(LoadFault::BadIdentity, ""));
    }
    Ok(text.to_owned())
}

/// Marks the strip behind the room. Any write of another value is seen.
const MARK: u8 = 0xA5;
/// How long the strip is: a decoder that writes a whole BMP where pixels were asked for goes over by some hundred bytes.
const STRIP: usize = 4096;

/// Room for an answer, with a strip behind it that the library has no business in.
struct Room {
    bytes: Zeroizing<Vec<u8>>,
    capacity: usize,
}

impl Room {
    fn new(capacity: u32) -> Room {
        let capacity = capacity as usize;
        let mut bytes = Zeroizing::new(vec![MARK; capacity + STRIP]);
        bytes[..capacity].fill(0);
        Room { bytes, capacity }
    }

    /// What the library wrote, as far as it is to be believed.
    fn taken(mut self, code: i32, length: u32) -> Result<Zeroizing<Vec<u8>>, PluginError> {
        let length = length as usize;
        if self.bytes[self.capacity..].iter().any(|byte| *byte != MARK) {
            return Err(PluginError::Misbehaved(Misbehaviour::WroteBeyondRoom));
        }
        if let Some(refusal) = Refusal::from_code(code) {
            return Err(PluginError::Refused(refusal));
        }
        if length > self.capacity {
            return Err(PluginError::Misbehaved(Misbehaviour::LengthBeyondRoom));
        }
        self.bytes.truncate(length);
        Ok(self.bytes)
    }
}
