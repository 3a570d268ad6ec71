//! Where the libraries' data lie. The defaults are those of Debian's packages.

use std::path::PathBuf;

/// Dictionaries, of Debian's `rime-data-pinyin-simp`, `rime-data-jyut6ping3`, `rime-data-stroke` and `rime-essay`.
pub const RIME_DATA: &str = "/usr/share/rime-data";
/// The model of Debian's `tegaki-zinnia-simplified-chinese`.
pub const ZINNIA_MODEL: &str = "/usr/share/tegaki/models/zinnia/handwriting-zh_CN.model";

/// What the engines read. Nothing in it is ever written while somebody types.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sources {
    /// The packages' dictionaries.
    pub rime_data: PathBuf,
    /// The folder into which [`deploy`](crate::deploy) put what librime made of our schemas.
    pub deployed: PathBuf,
    /// The handwriting model.
    pub model: PathBuf,
}

impl Sources {
    /// Debian's data, and this folder for what is made of them.
    pub fn deployed_in(deployed: impl Into<PathBuf>) -> Sources {
        Sources { rime_data: RIME_DATA.into(), deployed: deployed.into(), model: ZINNIA_MODEL.into() }
    }
}
