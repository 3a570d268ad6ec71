//! A sync that does not do its work.

use anyhow::{Context, Result, bail};

/// What the caller of a broken sync hears.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Says {
    /// EIO.
    Error,
    /// That all is well: a lie.
    Done,
}

/// What reached the disk of what a broken sync should have covered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Remains {
    /// Nothing.
    Nothing,
    /// Everything, although nobody said so.
    Everything,
    /// Some of it, drawn from this seed.
    Drawn(u64),
}

/// One sync that is to break.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BrokenSync {
    /// Which one, counted from 0 since it was armed.
    pub number: usize,
    /// What its caller hears.
    pub says: Says,
    /// What it leaves behind.
    pub remains: Remains,
    /// Changes recorded before it broke; `None` until it did.
    pub at: Option<usize>,
}

/// As the command line takes it: `NUMBER:error|lie:nothing|everything|SEED`.
impl std::fmt::Display for BrokenSync {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let says = if self.says == Says::Error { "error" } else { "lie" };
        write!(f, "{}:{says}:", self.number)?;
        match self.remains {
            Remains::Nothing => f.write_str("nothing"),
            Remains::Everything => f.write_str("everything"),
            Remains::Drawn(seed) => write!(f, "{seed}"),
        }
    }
}

impl std::str::FromStr for BrokenSync {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> Result<Self> {
        let parts: Vec<&str> = text.split(':').collect();
        let [number, says, remains] = parts.as_slice() else { bail!("a broken sync is NUMBER:WHAT:REMAINS") };
        let says = match *says {
            "error" => Says::Error,
            "lie" => Says::Done,
            other => bail!("{other:?} is neither error nor lie"),
        };
        let remains = match *remains {
            "nothing" => Remains::Nothing,
            "everything" => Remains::Everything,
            seed => Remains::Drawn(seed.parse().context("nothing, everything or a seed")?),
        };
        Ok(Self { number: number.parse().context("which sync")?, says, remains, at: None })
    }
}
