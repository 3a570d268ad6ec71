//! Commands to the card (ISO 7816-4 §11) and what its status words mean here.

/// SELECT by name: `sx1.sh.` and 社会保障 in GB 2312. Without Le, so that it is the same for T=0 and T=1.
pub const SELECT_APPLICATION: [u8; 20] = [
    0x00, 0xA4, 0x04, 0x00, 0x0F, 0x73, 0x78, 0x31, 0x2E, 0x73, 0x68, 0x2E, 0xC9, 0xE7, 0xBB, 0xE1, 0xB1,
    0xA3, 0xD5, 0xCF,
];

/// A file of the application that is read here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CardFile {
    /// EF05: the card and who issued it.
    Issuer,
    /// EF06: its holder.
    Holder,
}

impl CardFile {
    /// The file's identifier.
    pub fn id(self) -> [u8; 2] {
        match self {
            CardFile::Issuer => [0xEF, 0x05],
            CardFile::Holder => [0xEF, 0x06],
        }
    }

    /// The short identifier: the last five bits of the other.
    fn short_id(self) -> u8 {
        self.id()[1] & 0x1F
    }
}

/// SELECT of a file by its identifier. `p1` is 02 by the book; some cards in the field want 00.
pub fn select_file(p1: u8, file: CardFile) -> [u8; 7] {
    let [high, low] = file.id();
    [0x00, 0xA4, p1, 0x00, 0x02, high, low]
}

/// READ RECORD by number, of a file addressed by its short identifier, or of the selected one.
pub fn read_record(file: Option<CardFile>, record: u8) -> [u8; 5] {
    let p2 = file.map_or(0, |file| file.short_id() << 3) | 0x04;
    // Le 00: as much as there is. A card on T=0 answers 6C and the length.
    [0x00, 0xB2, record, p2, 0x00]
}

/// GET RESPONSE (T=0): fetches what `61 xx` announced.
pub fn get_response(length: u8) -> [u8; 5] {
    [0x00, 0xC0, 0x00, 0x00, length]
}

/// Splits an answer into its data and its status word; `None` when it does not end with one. A status word begins with
/// 61 to 6F or 90 to 9F (ISO 7816-4 §5.6); an answer that was cut off hardly ever ends like that.
pub fn split_answer(answer: &[u8]) -> Option<(&[u8], [u8; 2])> {
    let (data, status) = answer.split_last_chunk()?;
    matches!(status[0], 0x61..=0x6F | 0x90..=0x9F).then_some((data, *status))
}

/// What a status word says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// 90 00, or 62 82 (the record is shorter than asked for).
    Done,
    /// 69 82, 69 85: only for those who hold a key.
    Locked,
    /// 6A 82: no such file or application. A file may be hidden from those without a key.
    NoFile,
    /// 6A 83: no such record.
    NoRecord,
    /// 67 00, 69 81, 69 86, 6A 81, 6A 86, 6B 00, 6D 00, 6E 00: this card is addressed in another way.
    OtherWay,
    /// Everything else.
    Refused(u16),
}

/// Sorts a status word.
pub fn verdict(status: u16) -> Verdict {
    match status {
        0x9000 | 0x6282 => Verdict::Done,
        0x6982 | 0x6985 => Verdict::Locked,
        0x6A82 => Verdict::NoFile,
        0x6A83 => Verdict::NoRecord,
        0x6700 | 0x6981 | 0x6986 | 0x6A81 | 0x6A86 | 0x6B00 | 0x6D00 | 0x6E00 => Verdict::OtherWay,
        other => Verdict::Refused(other),
    }
}
