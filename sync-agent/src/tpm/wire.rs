//! The four commands of an NV counter as bytes, and what their answers say. Pure; the layouts are those of
//! `tpm2-protocol`, which checks every length.
//!
//! Source: TCG, "Trusted Platform Module 2.0 Library", revision 1.59: part 1 clause 18 (structure of commands and
//! answers) and 37.2.4 (counters), part 2 clause 13 (NV structures), part 3 clause 31 (NV commands).

use tpm2_protocol::TpmWriter;
use tpm2_protocol::basic::{TpmHandle, TpmUint16};
use tpm2_protocol::constant::TPM_MAX_COMMAND_SIZE;
use tpm2_protocol::data::{
    Tpm2bAuth, Tpm2bDigest, Tpm2bNvPublic, TpmAlgId, TpmRc, TpmRcBase, TpmRh, TpmSt, TpmaNv, TpmsAuthCommand,
    TpmsNvPublic,
};
use tpm2_protocol::frame::{
    TpmFrame, TpmNvDefineSpaceCommand, TpmNvDefineSpaceResponse, TpmNvIncrementCommand,
    TpmNvIncrementResponse, TpmNvReadCommand, TpmNvReadPublicCommand, TpmNvReadPublicResponse,
    TpmNvReadResponse, TpmResponse, TpmUnmarshalBody, tpm_marshal_command,
};

use super::TpmError;

/// Longest command and answer, header included.
pub const LONGEST: usize = TPM_MAX_COMMAND_SIZE;

/// Header of every command and answer: tag (2 bytes), length of the whole (4), command or response code (4).
pub const HEADER: usize = 10;

/// Octets of a counter.
const COUNTER_BYTES: u16 = 8;

/// Bits 7:4 of TPMA_NV, the kind of an index.
const KIND: u32 = 0xF0;

/// The counter's attributes: whoever reaches the device may read and count up, with the index's own empty password. So
/// the owner's password is needed for nothing but making it, and (`NO_DA`) a locked-out TPM does not lock it.
pub const ATTRIBUTES: u32 =
    TpmaNv::COUNTER.bits() | TpmaNv::AUTHWRITE.bits() | TpmaNv::AUTHREAD.bits() | TpmaNv::NO_DA.bits();

const READ_PUBLIC: &str = "TPM2_NV_ReadPublic";
pub(super) const DEFINE: &str = "TPM2_NV_DefineSpace";
const INCREMENT: &str = "TPM2_NV_Increment";
const READ: &str = "TPM2_NV_Read";

/// What an index is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NvPublic {
    /// Its TPMA_NV: part 2, 13.4.
    pub attributes: u32,
    /// Its size.
    pub bytes: u16,
}

impl NvPublic {
    /// Whether it can serve as our counter: a counter whose every step is durable (not `ORDERLY`, which may jump when
    /// the power fails), open to the index's own password.
    pub fn is_counter(self) -> bool {
        let attributes = TpmaNv::from_bits_truncate(self.attributes);
        self.attributes & KIND == TpmaNv::COUNTER.bits()
            && self.bytes == COUNTER_BYTES
            && attributes.contains(TpmaNv::AUTHREAD | TpmaNv::AUTHWRITE)
            && !attributes.contains(TpmaNv::ORDERLY)
    }

    /// Whether it was ever counted up; until then it has no value.
    pub fn is_written(self) -> bool {
        TpmaNv::from_bits_truncate(self.attributes).contains(TpmaNv::WRITTEN)
    }
}

/// TPM2_NV_ReadPublic, part 3 31.6.
pub fn read_public(index: u32) -> Vec<u8> {
    command(&TpmNvReadPublicCommand { handles: [TpmHandle::new(index)] }, &[])
}

/// TPM2_NV_DefineSpace, part 3 31.3, with the owner's empty password.
pub fn define(index: u32) -> Vec<u8> {
    let inner = TpmsNvPublic {
        nv_index: TpmHandle::new(index),
        name_alg: TpmAlgId::Sha256,
        attributes: TpmaNv::from_bits_truncate(ATTRIBUTES),
        auth_policy: Tpm2bDigest::new(),
        data_size: TpmUint16::from(COUNTER_BYTES),
    };
    let handles = [TpmHandle::new(TpmRh::Owner.value())];
    let define =
        TpmNvDefineSpaceCommand { handles, auth: Tpm2bAuth::new(), public_info: Tpm2bNvPublic { inner } };
    command(&define, &[no_password()])
}

/// TPM2_NV_Increment, part 3 31.8.
pub fn increment(index: u32) -> Vec<u8> {
    command(&TpmNvIncrementCommand { handles: [TpmHandle::new(index); 2] }, &[no_password()])
}

/// TPM2_NV_Read of the whole counter, part 3 31.13.
pub fn read(index: u32) -> Vec<u8> {
    let (handles, offset) = ([TpmHandle::new(index); 2], TpmUint16::from(0));
    command(&TpmNvReadCommand { handles, size: TpmUint16::from(COUNTER_BYTES), offset }, &[no_password()])
}

/// What the index is; nothing when there is none of this number.
pub fn public_in(index: u32, answer: &[u8]) -> Result<Option<NvPublic>, TpmError> {
    match body::<TpmNvReadPublicResponse>(READ_PUBLIC, answer) {
        Ok(body) if body.nv_public.inner.nv_index.value() != index => Err(garbage(READ_PUBLIC)),
        Ok(body) => {
            let TpmsNvPublic { attributes, data_size, .. } = body.nv_public.inner;
            Ok(Some(NvPublic { attributes: attributes.bits(), bytes: data_size.value() }))
        }
        Err(TpmError::Refused { code, .. }) if code.base() == TpmRcBase::Handle => Ok(None),
        Err(error) => Err(error),
    }
}

/// Whether the index was made.
pub fn defined_in(answer: &[u8]) -> Result<(), TpmError> {
    body::<TpmNvDefineSpaceResponse>(DEFINE, answer).map(|_| ())
}

/// Whether it was counted up.
pub fn incremented_in(answer: &[u8]) -> Result<(), TpmError> {
    body::<TpmNvIncrementResponse>(INCREMENT, answer).map(|_| ())
}

/// The counter's value.
pub fn value_in(answer: &[u8]) -> Result<u64, TpmError> {
    let body = body::<TpmNvReadResponse>(READ, answer)?;
    let octets: &[u8] = &body.data;
    octets.try_into().map(u64::from_be_bytes).map_err(|_| garbage(READ))
}

/// A password session with an empty password: part 1, 19.4.
fn no_password() -> TpmsAuthCommand {
    TpmsAuthCommand { session_handle: TpmHandle::new(TpmRh::Pw.value()), ..TpmsAuthCommand::default() }
}

fn command<C: TpmFrame>(body: &C, sessions: &[TpmsAuthCommand]) -> Vec<u8> {
    let tag = if sessions.is_empty() { TpmSt::NoSessions } else { TpmSt::Sessions };
    let mut buffer = [0; 128];
    let mut writer = TpmWriter::new(&mut buffer);
    tpm_marshal_command(body, tag, sessions, &mut writer).expect("none of these commands has 128 bytes");
    writer.as_bytes().to_vec()
}

fn body<R: TpmUnmarshalBody>(step: &'static str, answer: &[u8]) -> Result<R, TpmError> {
    let garbage = |cause| TpmError::Garbage { step, cause };
    let answer = TpmResponse::cast(answer).map_err(garbage)?;
    match answer.rc().map_err(garbage)? {
        TpmRc::Fmt0(TpmRcBase::Success) => answer.unmarshal::<R>().map_err(garbage),
        code => Err(TpmError::Refused { step, code }),
    }
}

fn garbage(step: &'static str) -> TpmError {
    TpmError::Garbage {
        step,
        cause: tpm2_protocol::TpmError::VariantNotAvailable { offset: HEADER, value: 0 },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tpm::DEFAULT_INDEX;

    fn bytes(hex: &str) -> Vec<u8> {
        let digits: Vec<u8> = hex.bytes().filter(u8::is_ascii_hexdigit).collect();
        let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap();
        digits.chunks(2).map(byte).collect()
    }

    /// Written down from part 3 by hand: header, handles, size of the authorisation area and a password session
    /// (handle TPM_RS_PW, empty nonce, no attributes, empty password), parameters.
    #[test]
    fn commands_have_the_layouts_of_part_3() {
        assert_eq!(read_public(DEFAULT_INDEX), bytes("8001 0000000E 00000169 0180474A"));
        assert_eq!(
            define(DEFAULT_INDEX),
            bytes(
                "8002 0000002D 0000012A 40000001 00000009 40000009 0000 00 0000 \
                 0000 000E 0180474A 000B 02040014 0000 0008"
            )
        );
        assert_eq!(
            increment(DEFAULT_INDEX),
            bytes("8002 0000001F 00000134 0180474A 0180474A 00000009 40000009 0000 00 0000")
        );
        assert_eq!(
            read(DEFAULT_INDEX),
            bytes("8002 00000023 0000014E 0180474A 0180474A 00000009 40000009 0000 00 0000 0008 0000")
        );
    }

    #[test]
    fn a_value_is_eight_octets_and_nothing_beside_them() {
        let good = bytes("8002 0000001D 00000000 0000000A 0008 0000000000000102 0000 01 0000");
        assert_eq!(value_in(&good).unwrap(), 0x102);
        for wrong in [
            "",
            "8002 0000001D",
            // Says more, or less, than came.
            "8002 0000001E 00000000 0000000A 0008 0000000000000102 0000 01 0000",
            "8002 0000001C 00000000 0000000A 0008 0000000000000102 0000 01 0000",
            // Seven octets; nine; a length that leads out of the answer.
            "8002 0000001C 00000000 00000009 0007 00000000000102 0000 01 0000",
            "8002 0000001E 00000000 0000000B 0009 000000000000000102 0000 01 0000",
            "8002 0000001D 00000000 0000000A FFFF 0000000000000102 0000 01 0000",
            "8002 0000001D 00000000 FFFFFFFF 0008 0000000000000102 0000 01 0000",
            // A tag and a code that nobody defined.
            "9002 0000001D 00000000 0000000A 0008 0000000000000102 0000 01 0000",
            "8001 0000000A 00FFFFFF",
        ] {
            let garbage = matches!(value_in(&bytes(wrong)), Err(TpmError::Garbage { .. }));
            assert!(garbage, "{wrong}");
        }
        let lockout = value_in(&bytes("8001 0000000A 00000921")).unwrap_err();
        assert!(matches!(lockout, TpmError::Refused { .. }) && lockout.remedy().contains("lockout"));
    }

    #[test]
    fn only_a_durable_counter_with_an_open_door_is_ours() {
        let public = |attributes| NvPublic { attributes, bytes: 8 };
        assert!(public(ATTRIBUTES).is_counter() && !public(ATTRIBUTES).is_written());
        let written = public(ATTRIBUTES | 0x2000_0000);
        assert!(written.is_counter() && written.is_written());
        assert!(!NvPublic { bytes: 9, ..written }.is_counter());
        // An ordinary index; a bit field; one that may jump; one without the index's own password.
        for wrong in [ATTRIBUTES & !0x10, ATTRIBUTES ^ 0x30, ATTRIBUTES | 0x0400_0000, ATTRIBUTES & !0x4_0000]
        {
            assert!(!public(wrong).is_counter(), "{wrong:#x}");
        }
    }

    #[test]
    fn another_index_is_no_answer() {
        let answer = bytes(
            "8001 0000003E 00000000 000E 0180474B 000B 22040014 0000 0008 0022 000B \
             0000000000000000000000000000000000000000000000000000000000000000",
        );
        assert!(public_in(0x0180_474B, &answer).unwrap().is_some_and(NvPublic::is_written));
        assert!(matches!(public_in(DEFAULT_INDEX, &answer), Err(TpmError::Garbage { .. })));
        assert_eq!(public_in(DEFAULT_INDEX, &bytes("8001 0000000A 0000018B")).unwrap(), None);
    }
}
