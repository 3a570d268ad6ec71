//! What the network between a terminal and the city is like at the moment.

/// A direction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// From the terminal to the city.
    Up,
    /// From the city to the terminal.
    Down,
}

/// Who answers in the city's place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Portal {
    /// A 302 without TLS.
    PlainRedirect,
    /// A page with 200 without TLS.
    PlainPage,
    /// A page with 200 behind a certificate of a stranger.
    Stranger,
    /// A page with 200 behind a certificate the terminal trusts: TLS interception.
    TrustedPage,
    /// A 302 behind such a certificate.
    TrustedRedirect,
    /// A 200 with JSON that looks almost right, behind such a certificate.
    TrustedJson,
}

/// The weather.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Weather {
    /// Everything passes.
    Clear,
    /// So many bytes in a second, each way.
    Slow(u32),
    /// Connections are reset after some number of bytes this way, any number from 0.
    Cuts(Way),
    /// Half-open: connections stay, nothing passes, nobody says so.
    Silent,
    /// What the terminal sends arrives; after some bytes nothing comes back any more: replies are lost after the commit.
    Deaf,
    /// Every connection is reset at once.
    Refused,
    /// Somebody else answers.
    Portal(Portal),
}

impl Weather {
    /// All kinds there are, for a deck.
    pub const ALL: [Self; 16] = [
        Self::Slow(2_000),
        Self::Slow(30_000),
        Self::Slow(200_000),
        Self::Cuts(Way::Up),
        Self::Cuts(Way::Up),
        Self::Cuts(Way::Down),
        Self::Silent,
        Self::Deaf,
        Self::Deaf,
        Self::Refused,
        Self::Portal(Portal::PlainRedirect),
        Self::Portal(Portal::PlainPage),
        Self::Portal(Portal::Stranger),
        Self::Portal(Portal::TrustedPage),
        Self::Portal(Portal::TrustedRedirect),
        Self::Portal(Portal::TrustedJson),
    ];
}

/// The weather and the number of its spell, so that the same kind twice in a row is two spells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sky {
    /// Number of the spell; draws what each connection gets.
    pub spell: u64,
    /// What it is like.
    pub weather: Weather,
}
