//! The border between what drivers advise and what residents read.

use device_drivers::Hint;
use kiosk_core::remedy::Notice;

/// The sentence for a driver's hint.
pub(super) fn notice_of(hint: Hint) -> Notice {
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
