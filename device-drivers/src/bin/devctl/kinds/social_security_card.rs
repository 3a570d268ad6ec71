//! The social-security card's reader: which readers there are, and whether a card can be read.

use clap::Subcommand;
use device_drivers::social_security_card::{
    PcscCardReader, SocialSecurityCard, SocialSecurityCardError, SocialSecurityCardReader,
};

use crate::answer::{Failure, Outcome, fact};
use crate::masked;

#[derive(clap::Args)]
pub struct SocialSecurityCardKind {
    /// A part of the reader's name; the first reader where nothing is said
    #[arg(long, value_name = "NAME", default_value = "")]
    reader: String,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// The readers that PC/SC knows, and whether a card is in the one that is meant
    List,
    /// Read the card; told are which fields are filled, and masked values
    Read,
}

impl From<SocialSecurityCardError> for Failure {
    fn from(error: SocialSecurityCardError) -> Failure {
        Failure::device(&error, error.remedy())
    }
}

impl SocialSecurityCardKind {
    pub fn run(self) -> Outcome {
        let mut reader = PcscCardReader::new(&self.reader);
        match self.verb {
            Verb::List => {
                reader.names()?.iter().for_each(|name| fact("reader", name));
                fact("card", if reader.is_card_in()? { "in" } else { "none" });
            }
            Verb::Read => tell(&reader.read()?),
        }
        Ok(())
    }
}

fn tell(card: &SocialSecurityCard) {
    let fields = [
        ("number", &card.number),
        ("name", &card.name),
        ("sex", &card.sex),
        ("ethnic", &card.ethnic),
        ("birth-place", &card.birth_place),
        ("birth", &card.birth),
        ("card-id", &card.card_id),
        ("issued", &card.issued),
        ("valid-until", &card.valid_until),
        ("card-number", &card.card_number),
    ];
    let of = |empty: bool| {
        let words: Vec<_> =
            fields.iter().filter(|(_, value)| value.is_empty() == empty).map(|(word, _)| *word).collect();
        if words.is_empty() { "-".to_owned() } else { words.join(" ") }
    };
    fact("card", format!("社会保障卡 {}", card.version));
    fact("name", masked::name(&card.name));
    fact("number", masked::number(&card.number));
    fact("filled", of(false));
    fact("empty", of(true));
}
