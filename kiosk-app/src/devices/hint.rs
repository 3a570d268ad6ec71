//! What a driver asks of the person at its device, in the session's words.

use device_drivers::Hint;
use kiosk_core::remedy::Notice;

/// The notice that says it.
pub fn notice_of(hint: Hint) -> Notice {
    match hint {
        Hint::LayCard | Hint::LayCardAgain => Notice::CardNotReadable,
        Hint::HoldCardStill => Notice::CardHoldStill,
        Hint::NotAnIdCard | Hint::UnknownDocument | Hint::NotASocialSecurityCard => Notice::CardUnknown,
        Hint::CardRefused | Hint::CardLocked => Notice::CardRefused,
        Hint::LayMaterial => Notice::MaterialMissing,
        Hint::HoldMaterialStill => Notice::MaterialHoldStill,
        Hint::LayMaterialFlat => Notice::MaterialLayFlat,
        Hint::MoveMaterialInside => Notice::MaterialInside,
        Hint::TurnMaterialFromLight => Notice::MaterialGlare,
        Hint::UncoverCamera => Notice::CameraCovered,
        Hint::HoldFaceStill => Notice::FaceHoldStill,
        Hint::TurnFaceToLight => Notice::FaceLight,
        Hint::ScanAgain => Notice::ScanAgain,
        Hint::ScanAnotherCode => Notice::CodeUnusable,
    }
}
