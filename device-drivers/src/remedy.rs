//! What can be done about a device error. The session matches on the remedy, never on the error itself.

/// What the kiosk should do about a device error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Remedy {
    /// Try the same call again; nobody needs to do anything.
    Retry,
    /// The citizen can put it right.
    AskCitizen(Hint),
    /// Only an operator can put it right.
    CallOperator(Fault),
}

/// What the citizen is asked to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Hint {
    /// No card lies on the reader.
    LayCard,
    /// The answer was damaged: take the card off and lay it on again.
    LayCardAgain,
    /// The card moved while it was read: lay it again and hold it still.
    HoldCardStill,
    /// What lies on the reader is not an identity card.
    NotAnIdCard,
    /// The reader does not accept the card as genuine; the staffed window can help.
    CardRefused,
    /// An identity card of a kind that this terminal does not know.
    UnknownDocument,
    /// What is in the reader is not a social-security card.
    NotASocialSecurityCard,
    /// The card does not show its holder's records here; the identity card or the staffed window can help.
    CardLocked,
    /// Nothing lies under the camera.
    LayMaterial,
    /// What lies under the camera moves.
    HoldMaterialStill,
    /// What lies under the camera is curled, folded or out of focus: lay it flat.
    LayMaterialFlat,
    /// What lies under the camera reaches beyond the picture.
    MoveMaterialInside,
    /// A lamp is mirrored in what lies under the camera, or it is too bright.
    TurnMaterialFromLight,
    /// Too little light reaches the camera; something may cover it.
    UncoverCamera,
    /// The face moves or is not sharp.
    HoldFaceStill,
    /// The face is dark before a bright background, or dazzled.
    TurnFaceToLight,
    /// Part of the code got lost: scan it once more.
    ScanAgain,
    /// The code is none that can be used here.
    ScanAnotherCode,
}

/// What the operator is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Fault {
    /// The reader cannot be opened or was unplugged.
    ReaderGone,
    /// The reader is connected and does not answer.
    ReaderSilent,
    /// The reader reports a fault of its own or answers out of turn.
    ReaderFault,
    /// The printer cannot be opened or was unplugged.
    PrinterGone,
    /// The printer is connected and does not answer.
    PrinterSilent,
    /// The paper roll is used up.
    PrinterPaperEnd,
    /// The printer's cover is open.
    PrinterCoverOpen,
    /// The cutter is jammed.
    PrinterCutter,
    /// The printer reports another fault, or did not confirm a print.
    PrinterFault,
    /// The cabinet's board, LED or GPIO chip cannot be opened or was unplugged.
    CabinetGone,
    /// The cabinet board is connected and does not answer.
    CabinetSilent,
    /// The cabinet's sensor, lights or doors do not work as configured.
    CabinetFault,
    /// Nobody would restart a machine that hangs: the watchdog cannot be opened, or was lost.
    WatchdogGone,
    /// The watchdog belongs to another program, or does not do what it is told.
    WatchdogFault,
    /// The server that speaks for the UPS cannot be reached.
    UpsGone,
    /// The UPS does not answer its server, or the server does not answer.
    UpsSilent,
    /// The UPS's server does not know the UPS, or says what makes no sense.
    UpsFault,
    /// A vendor library cannot be loaded, or its process cannot be started.
    VendorGone,
    /// A vendor library crashes or hangs again and again.
    VendorLost,
    /// A vendor library runs and refuses what it is asked.
    VendorFault,
    /// The document printer cannot be reached.
    DocumentPrinterGone,
    /// The document printer is reached and does not answer.
    DocumentPrinterSilent,
    /// The document printer has no paper.
    DocumentPrinterPaperEnd,
    /// Paper is jammed in the document printer.
    DocumentPrinterJam,
    /// A cover of the document printer is open.
    DocumentPrinterCoverOpen,
    /// The document printer's output tray is full.
    DocumentPrinterOutputFull,
    /// The document printer's toner or ink is used up.
    DocumentPrinterToner,
    /// The document printer reports another fault, or did not confirm a print-out.
    DocumentPrinterFault,
    /// The social-security card reader is not connected.
    SocialSecurityReaderGone,
    /// The social-security card reader does not answer.
    SocialSecurityReaderSilent,
    /// The social-security card reader reports a fault of its own.
    SocialSecurityReaderFault,
    /// The camera cannot be opened or was unplugged.
    CameraGone,
    /// The camera is connected and sends nothing.
    CameraSilent,
    /// The camera sends what is no picture, always the same one, or not in the size that is configured.
    CameraFault,
    /// The code scanner cannot be opened or was unplugged.
    ScannerGone,
    /// The server that speaks cannot be reached.
    SpeakerGone,
    /// The server that speaks does not answer.
    SpeakerSilent,
    /// The server that speaks refuses, or says what makes no sense.
    SpeakerFault,
}

impl Hint {
    /// A stable word for logs, audit and tests.
    pub fn code(self) -> &'static str {
        match self {
            Hint::LayCard => "lay-card",
            Hint::LayCardAgain => "lay-card-again",
            Hint::HoldCardStill => "hold-card-still",
            Hint::NotAnIdCard => "not-an-id-card",
            Hint::CardRefused => "card-refused",
            Hint::UnknownDocument => "unknown-document",
            Hint::NotASocialSecurityCard => "not-a-social-security-card",
            Hint::CardLocked => "card-locked",
            Hint::LayMaterial => "lay-material",
            Hint::HoldMaterialStill => "hold-material-still",
            Hint::LayMaterialFlat => "lay-material-flat",
            Hint::MoveMaterialInside => "move-material-inside",
            Hint::TurnMaterialFromLight => "turn-material-from-light",
            Hint::UncoverCamera => "uncover-camera",
            Hint::HoldFaceStill => "hold-face-still",
            Hint::TurnFaceToLight => "turn-face-to-light",
            Hint::ScanAgain => "scan-again",
            Hint::ScanAnotherCode => "scan-another-code",
        }
    }
}

impl Fault {
    /// A stable word for logs, audit and tests.
    pub fn code(self) -> &'static str {
        match self {
            Fault::ReaderGone => "reader-gone",
            Fault::ReaderSilent => "reader-silent",
            Fault::ReaderFault => "reader-fault",
            Fault::PrinterGone => "printer-gone",
            Fault::PrinterSilent => "printer-silent",
            Fault::PrinterPaperEnd => "printer-paper-end",
            Fault::PrinterCoverOpen => "printer-cover-open",
            Fault::PrinterCutter => "printer-cutter",
            Fault::PrinterFault => "printer-fault",
            Fault::CabinetGone => "cabinet-gone",
            Fault::CabinetSilent => "cabinet-silent",
            Fault::CabinetFault => "cabinet-fault",
            Fault::WatchdogGone => "watchdog-gone",
            Fault::WatchdogFault => "watchdog-fault",
            Fault::UpsGone => "ups-gone",
            Fault::UpsSilent => "ups-silent",
            Fault::UpsFault => "ups-fault",
            Fault::VendorGone => "vendor-gone",
            Fault::VendorLost => "vendor-lost",
            Fault::VendorFault => "vendor-fault",
            Fault::DocumentPrinterGone => "document-printer-gone",
            Fault::DocumentPrinterSilent => "document-printer-silent",
            Fault::DocumentPrinterPaperEnd => "document-printer-paper-end",
            Fault::DocumentPrinterJam => "document-printer-jam",
            Fault::DocumentPrinterCoverOpen => "document-printer-cover-open",
            Fault::DocumentPrinterOutputFull => "document-printer-output-full",
            Fault::DocumentPrinterToner => "document-printer-toner",
            Fault::DocumentPrinterFault => "document-printer-fault",
            Fault::SocialSecurityReaderGone => "social-security-reader-gone",
            Fault::SocialSecurityReaderSilent => "social-security-reader-silent",
            Fault::SocialSecurityReaderFault => "social-security-reader-fault",
            Fault::CameraGone => "camera-gone",
            Fault::CameraSilent => "camera-silent",
            Fault::CameraFault => "camera-fault",
            Fault::ScannerGone => "scanner-gone",
            Fault::SpeakerGone => "speaker-gone",
            Fault::SpeakerSilent => "speaker-silent",
            Fault::SpeakerFault => "speaker-fault",
        }
    }
}
