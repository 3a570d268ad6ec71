//! The counter itself, on any port.

use super::device::Port;
use super::{TpmError, wire};

/// What a look at the index showed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Look {
    /// There is no such index.
    Missing,
    /// It was made and never counted up, so it has no value.
    Unwritten,
    /// Its value.
    Value(u64),
}

impl Look {
    /// The value, when there is one.
    pub fn value(self) -> Option<u64> {
        match self {
            Self::Value(value) => Some(value),
            Self::Missing | Self::Unwritten => None,
        }
    }
}

/// An NV counter in a TPM.
pub struct NvCounter<'a> {
    port: &'a mut dyn Port,
    index: u32,
}

impl<'a> NvCounter<'a> {
    /// The counter with this NV index.
    pub fn at(index: u32, port: &'a mut dyn Port) -> Self {
        Self { port, index }
    }

    /// Looks, and changes nothing. An index that is no counter of ours is an error, not a number.
    pub fn look(&mut self) -> Result<Look, TpmError> {
        let answer = self.ask(&wire::read_public(self.index))?;
        let Some(public) = wire::public_in(self.index, &answer)? else { return Ok(Look::Missing) };
        if !public.is_counter() {
            let wire::NvPublic { attributes, bytes } = public;
            return Err(TpmError::Foreign { index: self.index, attributes, bytes });
        }
        if public.is_written() { self.read().map(Look::Value) } else { Ok(Look::Unwritten) }
    }

    /// Makes the index. The owner's password has to be empty, as it is on a new machine.
    pub fn make(&mut self) -> Result<(), TpmError> {
        let answer = self.ask(&wire::define(self.index))?;
        wire::defined_in(&answer)
    }

    /// Counts up, durably, and says what it is then. The first value of a new counter is greater than that of any
    /// counter this TPM has ever had (part 3, 31.2), also after a TPM2_Clear.
    pub fn advance(&mut self) -> Result<u64, TpmError> {
        let answer = self.ask(&wire::increment(self.index))?;
        wire::incremented_in(&answer)?;
        self.read()
    }

    fn read(&mut self) -> Result<u64, TpmError> {
        let answer = self.ask(&wire::read(self.index))?;
        wire::value_in(&answer)
    }

    fn ask(&mut self, command: &[u8]) -> Result<Vec<u8>, TpmError> {
        self.port.transmit(command).map_err(|error| TpmError::Silent(error.kind()))
    }
}
